"""Why everything in a model's space looks alike: a common mean, and a few dimensions that shout.

Ethayarajh (2019): the vectors of a transformer lie in a narrow cone, so that two random ones have a high
cosine. Timkey and van Schijndel (2021): most of that comes from a handful of "rogue" dimensions. The mean
cosine itself is `similarity.self_similarity`, over vectors that have nothing to do with each other.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.analysis.similarity import unit

Array = NDArray[np.floating]


def contributions(vectors: ArrayLike) -> Array:
    """What each dimension adds to the mean cosine of different rows, (hidden,); their sum is that mean.

    vectors: (n, hidden), at least two rows (Timkey and van Schijndel 2021, eq. 3).

    >>> contributions([[4.0, 3.0], [4.0, -3.0]]).round(2).tolist()
    [0.64, -0.36]
    """
    array = unit(vectors)
    n = len(array)
    if n < 2:
        raise ValueError(f"a mean over pairs needs at least 2 vectors, got {n}")
    # Over all ordered pairs the products sum to the squared sum; n of them are a row with itself.
    return (np.square(array.sum(axis=0)) - np.square(array).sum(axis=0)) / (n * (n - 1))


def rogue_dimensions(vectors: ArrayLike, count: int = 3) -> list[int]:
    """The dimensions that add most to the mean cosine, the largest first.

    >>> rogue_dimensions([[4.0, 3.0], [4.0, -3.0]], count=1)
    [0]
    """
    return np.argsort(-contributions(vectors), kind="stable")[:count].tolist()


def without_dimensions(vectors: ArrayLike, dimensions: Sequence[int]) -> Array:
    """The vectors without some of their numbers: (n, hidden - dimensions)."""
    return np.delete(np.asarray(vectors, dtype=np.float64), list(dimensions), axis=-1)


def centered(vectors: ArrayLike, mean: ArrayLike | None = None) -> Array:
    """Each vector minus the mean vector: of these vectors, or one that was taken from others. (n, hidden).

    >>> centered([[1.0, 10.0], [3.0, 10.0]]).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    array = np.asarray(vectors, dtype=np.float64)
    return array - (array.mean(axis=0) if mean is None else np.asarray(mean))


def standardized(vectors: ArrayLike, other: ArrayLike | None = None) -> Array:
    """Each dimension brought to mean 0 and deviation 1, as measured on these vectors or on others."""
    array = np.asarray(vectors, dtype=np.float64)
    source = array if other is None else np.asarray(other, dtype=np.float64)
    spread = source.std(axis=0)
    return (array - source.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
