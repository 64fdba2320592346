from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.holds import REASONS, Hold, Pause, Scope, pauses, resumed, scopes_held
from tests.domain.family import at

START = at(2026, 1, 1)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def hold(since: int, until: int | None = None, released: int | None = None, reason: str = "dispute") -> Hold:
    return Hold(
        hold_id="h",
        subject_kind="loan",
        subject_id="L1",
        reason=reason,
        scopes=REASONS[reason],
        since=hour(since),
        until=None if until is None else hour(until),
        released_at=None if released is None else hour(released),
    )


def test_a_hold_holds_from_its_first_moment_to_before_its_end() -> None:
    held = hold(1, 3)
    assert [held.active(hour(h)) for h in (0, 1, 2, 3)] == [False, True, True, False]


def test_a_hold_ends_at_the_earlier_of_its_end_and_its_release() -> None:
    assert hold(1, 9, 4).end == hold(1, 4, 9).end == hour(4)


def test_a_hold_released_before_it_begins_never_holds() -> None:
    assert pauses([hold(5, None, 3)], Scope.ESCALATION) == []
    assert not hold(5, None, 3).active(hour(6))


def test_scopes_add_up_over_overlapping_holds() -> None:
    both = [hold(0, 9, reason="attorney"), hold(0, 9, reason="limitation")]
    assert scopes_held(both, hour(1)) == {Scope.CONTACT, Scope.LEGAL}


def test_an_open_ended_pause_hides_the_time() -> None:
    assert resumed(START, timedelta(hours=2), [Pause(hour(1), None)]) is None


def test_an_open_ended_pause_after_the_time_changes_nothing() -> None:
    assert resumed(START, timedelta(hours=2), [Pause(hour(2), None)]) == hour(2)


def test_what_is_due_at_once_waits_for_a_pause_that_covers_it() -> None:
    assert resumed(START, timedelta(0), [Pause(hour(-1), hour(3))]) == hour(3)


@given(
    st.lists(st.tuples(st.integers(-20, 60), st.integers(1, 30)), max_size=6),
    st.integers(1, 50),
)
def test_the_time_left_is_counted_hour_by_hour_outside_all_pauses(given: list[tuple[int, int]], length: int) -> None:
    stops = [Pause(hour(since), hour(since + lasts)) for since, lasts in given]
    counted, now = 0, 0
    while counted < length:
        counted += not any(p.since <= hour(now) < (p.until or START) for p in stops)
        now += 1
    assert resumed(START, timedelta(hours=length), stops) == hour(now)
