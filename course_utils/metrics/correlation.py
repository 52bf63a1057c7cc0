"""Pearson's and Spearman's correlation, as scipy has them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """The linear correlation, -1 to 1; NaN if x or y does not vary, for which there is none.

    x, y: (samples,), at least 2, finite; ValueError else.

    >>> round(pearson([1, 2, 3], [1, 2, 4]), 3)
    0.982
    """
    first, second = _paired(x, y)
    a, b = first - first.mean(), second - second.mean()
    size = np.linalg.norm(a) * np.linalg.norm(b)
    # A constant may be off its own mean by rounding; its correlation would be noise over noise.
    if np.ptp(first) == 0 or np.ptp(second) == 0 or size == 0:
        return float("nan")
    return float(np.clip(a @ b / size, -1, 1))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """The correlation of the ranks, where equal values share the mean of their ranks.

    >>> round(spearman([1, 2, 3], [1, 2, 400]), 6)
    1.0
    """
    first, second = _paired(x, y)
    return pearson(ranks(first), ranks(second))


def ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Ranks from 1, the mean of them where values are equal.

    >>> ranks([30, 10, 10]).tolist()
    [3.0, 1.5, 1.5]
    """
    array = np.asarray(values)
    _, place, count = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]


def _paired(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or len(first) < 2:
        raise ValueError(f"expected two rows of at least 2 numbers, got shapes {first.shape}, {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a correlation needs finite numbers, got NaN or infinity")
    return first, second
