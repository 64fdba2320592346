"""The figures that a watcher of the system asks for, read from the ledger: they survive every restart. No figure names a person or a loan."""

from datetime import datetime
from typing import Any, NamedTuple

from ledger.named import queries
from ledger.stranded import lag

FIGURES = queries("figures")


class Figure(NamedTuple):
    """One gauge: its name and meaning, the names of its labels, and a value for each combination of them."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    values: list[tuple[tuple[str, ...], float]]


MEANINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "arrears_open_cases": ("Open cases.", ("lender", "stage")),
    "arrears_contacts_last_day": (
        "Contacts reserved in the last business day, by what became of them.",
        ("lender", "channel", "purpose", "state"),
    ),
    "arrears_carrier_errors_last_day": (
        "Contacts of the last business day that the carrier refused, by its code.",
        ("lender", "channel", "code"),
    ),
    "arrears_gate_refusals_last_day": ("How often a rule put off or forbade a contact.", ("rule", "verdict")),
    "arrears_payment_to_quiet_seconds": (
        "Real seconds from the commit of money to its case's having taken it in, over the last hour; so far, where it has not.",
        ("quantile",),
    ),
    "arrears_payment_unheard_seconds": (
        "Real age of the oldest money that its case has not taken in yet, stranded or told.",
        (),
    ),
    "arrears_payments_heard_last_hour": ("Messages about money that cases took in.", ()),
    "arrears_outbox_waiting": ("Messages that wait for the relay.", ()),
    "arrears_outbox_stranded": ("Messages whose case cannot hear them: somebody must look.", ()),
    "arrears_outbox_oldest_seconds": ("Real age of the oldest message that the relay could deliver.", ()),
    "arrears_open_tasks": ("Tasks that wait for people.", ("lender", "kind")),
    "arrears_late_tasks": ("Tasks past their deadline.", ("lender", "kind")),
    "arrears_deadlines_missed_last_day": (
        "Tasks that nobody answered in time, in the last real day.",
        ("lender", "kind"),
    ),
    "arrears_feed_age_seconds": ("Business seconds since a lender's feed came.", ("lender", "feed")),
    "arrears_feed_promised_seconds": (
        "Business seconds for which a lender's payments may be old before contact waits for them.",
        ("lender",),
    ),
    "arrears_contact_stops": ("Contact stops that hold.", ()),
    "arrears_alerts": ("Alerts that nobody has cleared.", ()),
}


async def figures(conn: Any, now: datetime) -> list[Figure]:
    """All of them, at a business time."""
    cases = [r async for r in FIGURES.open_cases(conn)]
    contacts = [r async for r in FIGURES.contacts_lately(conn, now=now)]
    refusals = [r async for r in FIGURES.refusals_lately(conn, now=now)]
    errors = [r async for r in FIGURES.carrier_errors_lately(conn, now=now)]
    missed = [r async for r in FIGURES.deadlines_missed_lately(conn)]
    tasks = [r async for r in FIGURES.open_tasks(conn, now=now)]
    ages = [r async for r in FIGURES.feed_ages(conn, now=now)]
    promised = [r async for r in FIGURES.feeds_promised(conn)]
    await FIGURES.note_heard(conn)  # each message once, so that what is read does not grow with what there ever was
    quiet, waits = await FIGURES.payment_to_quiet(conn), await lag(conn)
    stops = await FIGURES.stops_and_alerts(conn)
    values: dict[str, list[tuple[tuple[str, ...], float]]] = {
        "arrears_open_cases": [((r["lender_id"], r["stage"]), r["n"]) for r in cases],
        "arrears_contacts_last_day": [
            ((r["lender_id"], r["channel"], r["purpose"], r["state"]), r["n"]) for r in contacts
        ],
        "arrears_carrier_errors_last_day": [
            ((r["lender_id"], r["channel"], str(r["error_code"])), r["n"]) for r in errors
        ],
        "arrears_gate_refusals_last_day": [((r["rule"], r["kind"]), r["n"]) for r in refusals],
        "arrears_payment_to_quiet_seconds": [
            (("0.5",), quiet["p50"]),
            (("0.99",), quiet["p99"]),
            (("1",), quiet["longest"]),
        ],
        "arrears_payment_unheard_seconds": [((), quiet["unheard"])],
        "arrears_payments_heard_last_hour": [((), quiet["n"])],
        "arrears_outbox_waiting": [((), waits.waiting)],
        "arrears_outbox_stranded": [((), waits.stranded)],
        "arrears_outbox_oldest_seconds": [((), waits.oldest.total_seconds())],
        "arrears_open_tasks": [((r["lender_id"], r["kind"]), r["n"]) for r in tasks],
        "arrears_late_tasks": [((r["lender_id"], r["kind"]), r["late"]) for r in tasks],
        "arrears_deadlines_missed_last_day": [((r["lender_id"], r["kind"] or "none"), r["n"]) for r in missed],
        "arrears_feed_age_seconds": [
            ((r["lender_id"], feed), r[feed])
            for r in ages
            for feed in ("payments", "tape", "balances")
            if r[feed] is not None
        ],
        "arrears_feed_promised_seconds": [((r["lender_id"],), r["seconds"]) for r in promised],
        "arrears_contact_stops": [((), stops["stops"])],
        "arrears_alerts": [((), stops["alerts"])],
    }
    return [Figure(name, *MEANINGS[name], values[name]) for name in MEANINGS]
