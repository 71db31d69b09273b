"""streamer.values.distribution: seconds, counted."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.values.distribution import BOUNDS, Distribution


@given(st.lists(st.floats(min_value=0, max_value=20), max_size=50))
def test_each_bound_has_what_took_no_longer(seconds: list[float]) -> None:
    """Buckets count what is at most their bound, the last counts all, and the sum is the sum."""
    found = Distribution()
    for each in seconds:
        found.observe(each)
    buckets = dict(found.buckets())
    assert [buckets[str(bound)] for bound in BOUNDS] == [sum(each <= bound for each in seconds) for bound in BOUNDS]
    assert buckets["+Inf"] == found.count == len(seconds)
    assert abs(found.sum - sum(seconds)) < 1e-6
