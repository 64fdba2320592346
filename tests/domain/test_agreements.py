from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.agreements import check_plan, check_promise, judge_plan, judge_promise
from domain.errors import BadInput
from domain.facts import CaseFacts, Plan, PlanInstalment, Promise
from tests.domain.family import late, small

S = small()


def facts(after: int = 0, paid: int = 0) -> CaseFacts:
    life = late(5, count=4)
    life.pay(paid)
    life.now += timedelta(days=after)
    return life.facts()


def promise(due: int = 3, paid: str = "0", status: str = "active") -> Promise:
    life = late(5)
    return Promise(
        promise_id="p",
        amount=Decimal(80),
        due_on=life.today + timedelta(days=due),
        status=status,
        captured_at=life.now,
        paid=Decimal(paid),
    )


def agreed(*parts: tuple[int, int], paid: str = "0") -> Plan:
    life = late(5)
    dates = tuple(PlanInstalment(due_on=life.today + timedelta(days=d), amount=Decimal(a)) for d, a in parts)
    return Plan(plan_id="a", instalments=dates, status="active", agreed_at=life.now, paid=Decimal(paid))


# --- promises ---


@pytest.mark.parametrize(
    ("after", "paid", "verdict"),
    [
        (0, "76.00", "kept"),
        (4, "75.99", None),
        (5, "75.99", "part_kept"),
        (5, "0.01", "part_kept"),
        (4, "0", None),
        (5, "0", "broken"),
        (9, "76.00", "kept"),
    ],
)
def test_a_promise_is_judged_after_its_day_and_grace_by_its_share(after: int, paid: str, verdict: str | None) -> None:
    assert judge_promise(promise(due=3, paid=paid), facts(after), S) == verdict


def test_a_promise_is_kept_when_nothing_is_past_due_any_more() -> None:
    assert judge_promise(promise(), facts(paid=100), S) == "kept"


@pytest.mark.parametrize("days", [0, 14])
def test_a_promise_may_be_due_from_today_to_the_last_day_allowed(days: int) -> None:
    check_promise(Decimal(80), days, facts(), S)


@pytest.mark.parametrize(
    ("amount", "days", "reason"),
    [
        (80, -1, "a promise must be due within 14 days from today, not in -1."),
        (80, 15, "a promise must be due within 14 days from today, not in 15."),
        (401, 3, "a promise of 401 is more than the 400 outstanding: promise up to that."),
    ],
)
def test_a_promise_beyond_the_limits_is_refused_with_the_limit(amount: int, days: int, reason: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_promise(Decimal(amount), days, facts(), S)
    assert str(caught.value) == reason


def test_nothing_can_be_promised_when_nothing_is_past_due() -> None:
    with pytest.raises(BadInput, match="nothing is past due"):
        check_promise(Decimal(10), 3, facts(paid=100), S)


@pytest.mark.parametrize(
    ("kinds", "refused"),
    [(["broken"], False), (["broken", "part_kept"], False), (["broken", "part_kept", "part_kept"], True)],
)
def test_a_part_kept_promise_counts_half_against_the_limit(kinds: list[str], refused: bool) -> None:
    known = facts().model_copy(update={"promises": tuple(promise(status=k) for k in kinds)})
    if refused:
        with pytest.raises(BadInput, match="2 promises were broken"):
            check_promise(Decimal(10), 3, known, S)
    else:
        check_promise(Decimal(10), 3, known, S)


# --- plans ---


@pytest.mark.parametrize(
    ("after", "paid", "verdict"),
    [
        (0, "95", "kept"),
        (9, "0", None),  # the last day of grace
        (10, "0", "broken"),
        (10, "47.50", None),
        (10, "47.49", "broken"),
        (17, "94.99", "broken"),
    ],
)
def test_a_plan_is_judged_date_by_date_after_grace(after: int, paid: str, verdict: str | None) -> None:
    assert judge_plan(agreed((7, 50), (14, 50), paid=paid), facts(after), S) == verdict


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ((), "a plan's dates must go forward"),
        (((7, 50), (7, 50)), "a plan's dates must go forward"),
        (((14, 50), (7, 50)), "a plan's dates must go forward"),
        (((-1, 50),), "a plan's dates must go forward"),
        (((366, 50),), "a plan may run 365 days, not 366: shorten it"),
        (((93, 50),), "a plan over 92 days needs a second person"),
        (((7, 401),), "a plan of 401 is more than the 400 outstanding"),
    ],
)
def test_a_plan_beyond_the_limits_is_refused_with_the_limit(parts: tuple[tuple[int, int], ...], reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        check_plan(agreed(*parts), facts(), S, approved=False)


def test_a_plan_that_leaves_a_part_of_the_arrears_needs_a_second_person() -> None:
    arrears = int(facts().position.arrears)
    check_plan(agreed((7, arrears)), facts(), S, approved=False)
    with pytest.raises(BadInput, match=f"a plan of {arrears - 1} leaves a part of the {arrears}.* past due"):
        check_plan(agreed((7, arrears - 1)), facts(), S, approved=False)
    check_plan(agreed((7, arrears - 1)), facts(), S, approved=True)
    with_a_fee = replace(facts().position, fee_arrears=Decimal(1))
    check_plan(agreed((7, arrears - 1)), facts().model_copy(update={"position": with_a_fee}), S, approved=False)


def test_a_long_plan_passes_with_a_second_person() -> None:
    check_plan(agreed((93, 50)), facts(), S, approved=True)


def test_a_plan_of_the_longest_unapproved_length_passes() -> None:
    check_plan(agreed((0, 50), (92, 50)), facts(), S, approved=False)
