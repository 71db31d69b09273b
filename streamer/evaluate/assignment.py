"""The pairing of two groups that is worth most in all. Pure.

Shortest augmenting paths, as in R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse
linear assignment problems", Computing 38 (1987). SciPy has it too, and is 100 MB for these lines.
"""

import numpy as np
from numpy.typing import NDArray


def best_pairs(worth: NDArray[np.float64]) -> list[tuple[int, int]]:
    """(row, column) of pairs, each row and each column in one at most; a pair that is worth nothing is left out.

    Args:
        worth: [N, M], 0 and more.
    """
    if worth.shape[0] > worth.shape[1]:
        return sorted((row, column) for column, row in best_pairs(worth.T))
    rows, columns = worth.shape
    row_prices, column_prices = np.zeros(rows), np.zeros(columns)
    taken_by = np.full(columns, -1)
    for row in range(rows):
        _add(row, -worth, row_prices, column_prices, taken_by)
    pairs = [(int(row), column) for column, row in enumerate(taken_by) if row >= 0]
    return sorted((row, column) for row, column in pairs if worth[row, column] > 0)


def _add(
    row: int,
    costs: NDArray[np.float64],
    row_prices: NDArray[np.float64],
    column_prices: NDArray[np.float64],
    taken_by: NDArray[np.intp],
) -> None:
    """Give one more row a column, moving others to other columns where all together cost less so; changes the rest."""
    columns = costs.shape[1]
    nearest, come_from = np.full(columns, np.inf), np.full(columns, -1)
    reached = np.zeros(columns, bool)
    visited, current, column = [row], row, -1
    while column < 0 or taken_by[column] >= 0:
        if column >= 0:
            current = int(taken_by[column])
            visited.append(current)
        through = costs[current] - row_prices[current] - column_prices
        closer = ~reached & (through < nearest)
        nearest[closer], come_from[closer] = through[closer], column
        after = int(np.argmin(np.where(reached, np.inf, nearest)))
        step = nearest[after]
        row_prices[visited] += step
        column_prices[reached] -= step
        nearest[~reached] -= step
        reached[after] = True
        column = after
    while column >= 0:
        before = int(come_from[column])
        taken_by[column] = row if before < 0 else taken_by[before]
        column = before
