from datetime import date

import pytest

from domain.limitation import LimitationEvent, time_barred_on


def event(kind: str, day: str, until: str | None = None, years: int | None = None) -> LimitationEvent:
    return LimitationEvent(
        kind=kind,  # type: ignore[arg-type]
        happened_on=date.fromisoformat(day),
        until_on=date.fromisoformat(until) if until else None,
        years=years,
    )


@pytest.mark.parametrize(
    ("events", "told", "expires"),
    [
        ([], None, None),
        ([], "2027-01-01", "2027-01-01"),
        ([event("start", "2020-05-01", years=6)], None, "2026-05-01"),
        ([event("start", "2020-02-29", years=3)], None, "2023-03-01"),
        # An acknowledgement begins the same years anew; one that comes too late revives nothing.
        ([event("start", "2020-05-01", years=6), event("interrupt", "2024-01-01")], None, "2030-01-01"),
        ([event("start", "2020-05-01", years=3), event("interrupt", "2024-01-01")], None, "2023-05-01"),
        ([event("start", "2020-05-01", years=3), event("interrupt", "2023-05-01")], None, "2023-05-01"),
        ([event("start", "2020-05-01", years=3), event("interrupt", "2023-04-30")], None, "2026-04-30"),
        # Years are not known: nobody guesses them.
        ([event("interrupt", "2024-01-01")], "2027-01-01", None),
        ([event("interrupt", "2024-01-01", years=2)], "2027-01-01", "2026-01-01"),
        # A suspension adds its days; while it lasts the day is not known.
        ([event("suspend", "2026-01-01", "2026-03-02")], "2027-01-01", "2027-03-02"),
        ([event("suspend", "2026-01-01")], "2027-01-01", None),
        ([event("suspend", "2027-06-01")], "2027-01-01", "2027-01-01"),
    ],
)
def test_when_a_debt_is_time_barred(events: list[LimitationEvent], told: str | None, expires: str | None) -> None:
    found = time_barred_on(reversed(events), date.fromisoformat(told) if told else None)
    assert found == (date.fromisoformat(expires) if expires else None)
