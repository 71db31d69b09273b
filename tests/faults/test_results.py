"""tests.faults: how long streams had no results is told from when those came."""

from tests.faults.results import Results


def test_the_longest_while_without_a_result_counts_to_both_ends() -> None:
    """A stream that never comes back has none until the end; what came before and after is not looked at."""
    results = Results([])
    results.times["s"] = [9.0, 10.5, 11.0, 14.0, 14.5, 30.0]
    assert results.longest("s", 10.0, 16.0) == (11.0, 3.0)
    assert results.longest("s", 10.0, 20.0) == (14.5, 5.5)
    assert results.longest("other", 10.0, 20.0) == (10.0, 10.0)
