"""Small families of strategies, loans and scripts of events, for the properties of a case's life."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.clock import start_of
from domain.loan import Instalment
from domain.strategy import Strategy, parse_strategy
from tests.domain.life import Life

YES = ("RPC_REFUSED", "MET_BORROWER", "APPROVED", "FILED", "WITHDRAWN", "DONE", "REVIEWED")
ZONES = ["Asia/Shanghai", "America/New_York", "Pacific/Auckland", "Pacific/Honolulu", "Europe/Rome"]


def content(**changes: Any) -> dict[str, Any]:
    """A strategy of four stages, as parsed TOML."""
    base: dict[str, Any] = {
        "name": "small",
        "version": 1,
        "calendar": "CN",
        "thanks": "thanks",
        "probation": {"days": 30},
        "promise": {"reminder": "promise"},
        "bounce": {"notice": "bounced", "wait_days": 3},
        "stages": [
            {
                "name": "sms",
                "from_dpd": 1,
                "steps": [
                    {"id": "sms-1", "do": "sms", "template": "gentle"},
                    {"id": "sms-2", "do": "sms", "template": "firm", "day": 4},
                ],
            },
            {
                "name": "call",
                "from_dpd": 10,
                "steps": [{"id": "call-1", "do": "task.call", "deadline": "2 working days", "attempts": 2}],
            },
            {
                "name": "visit",
                "from_dpd": 30,
                "requires": ["call"],
                "steps": [{"id": "visit-1", "do": "task.visit", "deadline": "7 days"}],
            },
            {
                "name": "legal",
                "from_dpd": 60,
                "requires": ["sms", "visit"],
                "on_improvement": "hold",
                "steps": [
                    {"id": "review", "do": "task.pre_legal_review", "approval": "supervisor"},
                    {"id": "letter", "do": "letter", "template": "lawyer", "then_wait": "14 days"},
                    {"id": "suit", "do": "task.file_suit"},
                ],
            },
        ],
    }
    return base | changes


def small(**changes: Any) -> Strategy:
    return parse_strategy(content(**changes), "small")


def monthly(first: date, count: int = 3, amount: int = 100) -> list[Instalment]:
    """Instalments of one amount, 30 days apart."""
    days = [first + timedelta(days=30 * i) for i in range(count)]
    return [Instalment(i + 1, day, Decimal(amount), Decimal(0), Decimal(0)) for i, day in enumerate(days)]


def late(days: int, count: int = 1, strategy: Strategy | None = None, zone: str = "Asia/Shanghai") -> Life:
    """A case that opens so many days past due, at ten in the morning of the lender."""
    today = date(2026, 5, 11)
    now = start_of(today, zone) + timedelta(hours=10)
    return Life(strategy or small(), monthly(today - timedelta(days=days), count), now, zone)


@st.composite
def strategies(draw: st.DrawFn) -> Strategy:
    """Strategies that differ in waits, attempts, order and what a part payment does."""
    made = content()
    sms, call, visit, legal = made["stages"]
    sms["steps"][1]["day"] = draw(st.integers(0, 6))
    call["steps"][0] |= {"attempts": draw(st.integers(1, 3)), "every": draw(st.sampled_from(["1 day", "3 days"]))}
    visit["steps"][0] |= {draw(st.sampled_from(["day", "working_day"])): draw(st.integers(0, 4))}
    visit["requires"] = draw(st.sampled_from([[], ["call"]]))
    legal["requires"] = draw(st.sampled_from([["visit"], ["sms", "visit"], ["sms", "call", "visit"]]))
    legal["steps"][1]["then_wait"] = draw(st.sampled_from(["14 days", "5 working days"]))
    made["probation"] = {"days": draw(st.sampled_from([0, 10, 30]))}
    made["thanks"] = draw(st.sampled_from([None, "thanks"]))
    return parse_strategy(made, "drawn")


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A loan that is late somewhere, and a script of at most eight events; nothing has happened yet."""
    zone = draw(st.sampled_from(ZONES))
    today = date(2026, 1, 5) + timedelta(days=draw(st.integers(0, 360)))
    first = today - timedelta(days=draw(st.one_of(st.integers(1, 100), st.sampled_from([200, 1200]))))
    now = start_of(today, zone) + timedelta(minutes=draw(st.integers(0, 1439)))
    loan = monthly(first, draw(st.integers(1, 4)))
    life = Life(draw(strategies()), loan, now.astimezone(UTC), zone, draw(st.sampled_from(ZONES)))
    for _ in range(draw(st.integers(0, 8))):
        life.tell(timedelta(hours=draw(st.integers(0, 24 * 60))), _event(draw, life))
    if (every := draw(st.sampled_from([None, 2, 4]))) is not None:
        for i in range(120 // every):  # people who do their work
            life.tell(timedelta(days=every * i, hours=4), lambda: life.answer(*YES))
    if draw(st.booleans()):  # money that comes, and goes again
        paid = draw(st.integers(1, 80))
        life.tell(timedelta(days=paid), life.pay_arrears)
        life.tell(timedelta(days=paid + draw(st.integers(0, 12))), life.bounce)
    return life


def _event(draw: st.DrawFn, life: Life) -> Any:
    days = draw(st.integers(0, 20))
    part = Decimal(draw(st.sampled_from(["0.50", "30.00", "100.00", "100.50"])))
    return draw(
        st.sampled_from(
            [
                lambda: life.pay(part),
                lambda: life.pay(part, life.today - timedelta(days=days)),
                lambda: life.pay(part, life.today + timedelta(days=days)),
                life.pay_arrears,
                life.pay_in_full,
                life.bounce,
                lambda: life.bounce("misposted"),
                lambda: life.charge(5),
                lambda: life.hold("dispute"),
                lambda: life.hold("complaint", timedelta(days=days)),
                lambda: life.hold("limitation", timedelta(days=days)),
                lambda: life.hold("dispute", timedelta(days=3), life.now - timedelta(days=days)),
                lambda: life.hold("breathing_space", timedelta(days=5), life.now + timedelta(days=days)),
                life.release,
                lambda: life.promise(part, days),
                lambda: life.agree([part, part]),
                lambda: life.answer(*YES),
                lambda: life.answer("NO_ANSWER", "LOCKED", "REJECTED", "NOT_FILED", "DONE"),
                lambda: life.answer("RPC_PTP", "PTP"),
            ]
        )
    )


def at(*parts: int) -> datetime:
    """A moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]
