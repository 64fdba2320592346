"""What is sent: things that get past the first look and into the ledger, in every kind there is, beside what the document makes up."""

from typing import Any

from hypothesis import strategies as st

from domain.loan import COMPONENTS, EntryKind, EntryStatus
from starters.bodies import LARGEST
from starters.connectors.gocardless import ENTRY_OF
from starters.connectors.stripe import PAYMENTS, REFUND_STATUS, REFUNDS

Drawn = dict[str, Any]
amounts = st.sampled_from(["1.00"] * 6 + ["0.01", "12.50", "100", "1e2", "0", "-1.00", "0.001", "9" * 30])
maybe = st.booleans()


def _ids(prefix: str, most: int = 12) -> st.SearchStrategy[str]:
    """Few, so that they come again with other content, and are there when something is about them."""
    return st.integers(1, most).map(lambda n: f"{prefix}{n}")


def _some(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Drawn]:
    """Any of these fields."""
    return st.fixed_dictionaries({}, optional=values)


@st.composite
def entries(draw: st.DrawFn) -> Drawn:
    """An entry of any kind on the known loan, mostly; a reversal names something."""
    kind = draw(st.sampled_from([EntryKind.PAYMENT, EntryKind.REVERSAL, *EntryKind]))
    entry = {
        "entry_id": draw(_ids(f"{kind}-", 3)),
        "loan_id": draw(st.sampled_from(["L-1"] * 6 + ["L-404"])),
        "kind": kind.value,
        "amount": draw(amounts),
        "currency": draw(st.sampled_from(["EUR"] * 8 + ["JPY"])),
        "value_date": draw(st.sampled_from(["2026-03-01", "2026-03-09", "2026-03-10", "2027-01-01", "2008-02-29"])),
        **draw(
            _some(
                status=st.sampled_from(EntryStatus).map(str),
                component=st.sampled_from(COMPONENTS),
                instalment=st.integers(0, 3),
                direction=st.sampled_from(["to_come", "disputed", "elsewhere"]),
                reason=st.sampled_from(["misposted", "not_due", "R01", "two words"]),
                payer=st.just("another"),
                lender_id=st.sampled_from(["default", "second", "nobody"]),
            )
        ),
    }
    if kind is EntryKind.REVERSAL or draw(st.integers(0, 9)) == 0:
        entry["reverses"] = draw(_ids("payment-", 3) | _ids("reversal-", 3) | _ids("cost-", 3))
    return entry


@st.composite
def stripe(draw: st.DrawFn) -> Drawn:
    """An event of Stripe's: payments, refunds, disputes, others."""
    kind = draw(
        st.sampled_from([*PAYMENTS, *sorted(REFUNDS)])
        | st.sampled_from(["charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "customer.created"])
    )
    thing = {
        "id": draw(_ids("pi_", 4) | _ids("ch_", 4) | _ids("re_", 4) | _ids("dp_", 4)),
        "object": draw(st.sampled_from(["payment_intent", "charge", "refund", "dispute"])),
        "amount": draw(st.sampled_from([100, 100, 1000, 0, -1, "ten", 10**16])),
        "currency": draw(st.sampled_from(["eur", "eur", "eur", "jpy", "kwd", "ugx", "", "none"])),
        "metadata": draw(st.sampled_from([{"loan_id": "L-1"}, {"loan_id": "L-404"}, {}, [], {"loan_id": 1}])),
        **draw(
            _some(
                latest_charge=_ids("ch_", 4) | st.just({"id": "ch_1"}),
                charge=_ids("ch_", 4),
                payment_intent=_ids("pi_", 4),
                amount_received=st.sampled_from([100, 1000]),
                captured=maybe,
                status=st.sampled_from([*REFUND_STATUS, "odd"]),
                reason=st.sampled_from(["fraudulent", "two words", ""]),
                charges=st.sampled_from([{"data": [{"id": "ch_2"}]}, {"data": []}, []]),
            )
        ),
    }
    created = draw(st.sampled_from([1_773_050_000] * 6 + [-1, 10**12, "now"]))
    return {"id": "evt_1", "type": kind, "created": created, "data": {"object": thing}}


@st.composite
def _event(draw: st.DrawFn) -> Drawn:
    answers = ["good"] * 8 + ["nobodys", "yen", "odd", "empty", "broken", "cut", "missing", "../creditors"]
    return {
        "id": draw(_ids("EV")),
        "created_at": draw(st.sampled_from(["2026-03-09T10:00:00.000Z"] * 8 + ["2026-03-09T10:00:00", "yesterday"])),
        "resource_type": draw(st.sampled_from(["payments"] * 8 + ["mandates"])),
        "action": draw(st.sampled_from([*sorted(ENTRY_OF), "resubmission_requested"])),
        "links": {"payment": f"PM{draw(st.integers(1, 3))}{draw(st.sampled_from(answers))}"},
        **draw(
            _some(
                details=st.sampled_from([{"cause": "insufficient_funds"}, {"will_attempt_retry": True}, []]),
                resource_metadata=st.sampled_from([{"loan_id": "L-1"}, {"loan_id": "L-404"}, []]),
            )
        ),
    }


# Four events that are all good are drawn too seldom.
GOOD_EVENT = {
    "id": "EV1",
    "resource_type": "payments",
    "action": "confirmed",
    "created_at": "2026-03-09T10:00:00Z",
    "links": {"payment": "PM1good"},
}


def gocardless() -> st.SearchStrategy[Drawn]:
    """A webhook of GoCardless's, with a few events."""
    events = st.lists(_event(), max_size=4) | st.just([GOOD_EVENT])
    return events.map(lambda events: {"events": events, "meta": {"webhook_id": "WB1"}})


# Bodies that are no value of any schema.
RAW = (
    *(b"", b"{", b"nothing", b"[]]", b"NaN", b'{"amount": Infinity}', b"\xff\xfe", b'"\xed\xa0\x80"', b"\x00"),
    *(b'{"entry_id": "a\\u0000b"}', b'"\\ud800"', b"[" * 50_000, b"a=%ff&b", b" " * (LARGEST + 1)),
)
