"""Days of which an example has few, so that its edges meet: money on the day a dispute begins, a charge on a due date."""

from datetime import date, timedelta

from hypothesis import strategies as st


def few(start: date, last: int) -> st.SearchStrategy[date]:
    """Days up to `last` after `start`, of which one example draws no more than six."""
    offsets = st.shared(st.lists(st.integers(0, last), min_size=1, max_size=6, unique=True), key=f"{start} {last}")
    return offsets.flatmap(st.sampled_from).map(lambda n: start + timedelta(days=n))
