"""streamer.evaluate.assignment: the pairing that is worth most in all."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.evaluate.assignment import best_pairs

WORTHS = st.integers(0, 5).flatmap(
    lambda rows: st.integers(0, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.integers(-2, 6).map(lambda worth: max(worth, 0)), min_size=columns, max_size=columns),
            min_size=rows,
            max_size=rows,
        ).map(lambda worth: np.array(worth, np.float64).reshape(rows, columns))
    )
)


@given(WORTHS)
def test_no_pairing_is_worth_more(worth: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    """Of all pairings, tried one by one, none is worth more; each row and column is in one pair at most."""
    pairs = best_pairs(worth)
    for side in (0, 1):
        assert len({pair[side] for pair in pairs}) == len(pairs)
    assert all(worth[pair] > 0 for pair in pairs)
    few = worth if worth.shape[0] <= worth.shape[1] else worth.T
    every = permutations(range(few.shape[1]), few.shape[0])
    best = max(sum(few[row, column] for row, column in enumerate(columns)) for columns in every)
    assert sum(worth[pair] for pair in pairs) == best


def test_the_greedy_pairing_is_not_always_the_best() -> None:
    """A best pair is given up where two others together are worth more."""
    assert best_pairs(np.array([[9.0, 8.0], [8.0, 1.0]])) == [(0, 1), (1, 0)]
