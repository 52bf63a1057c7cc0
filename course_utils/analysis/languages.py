"""Sentences and their translations: how much of a vector is the language, how much what is said.

States are (languages, messages, hidden): message j says the same in every language. Libovický et al. (2019)
split the states of multilingual BERT into a part that all sentences of a language share, its centroid, and
the rest.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.analysis.similarity import cosines

Array = NDArray[np.float64]


class Shares(NamedTuple):
    """Shares of the variance, which sum to 1."""

    language: float  # between the languages' centroids
    message: float  # between the messages' means over languages: what is said, whatever the language
    rest: float  # what neither alone can tell


def variance_shares(states: ArrayLike) -> Shares:
    """The two-way split of the variance of parallel states: language, message, rest.

    states: (languages, messages, hidden). Each cell is the grand mean plus an effect of its language plus
    one of its message plus a rest; their squared lengths add up.

    >>> variance_shares([[[0.0], [2.0]], [[4.0], [6.0]]])
    Shares(language=0.8, message=0.2, rest=0.0)
    """
    array = parallel(states)
    array = array - array.mean(axis=(0, 1))
    total = np.square(array).sum(axis=-1).mean()
    if not total:
        raise ValueError("all vectors are equal: there is no variance to split")
    language = np.square(array.mean(axis=1)).sum(axis=-1).mean() / total
    message = np.square(array.mean(axis=0)).sum(axis=-1).mean() / total
    return Shares(float(language), float(message), max(0.0, float(1 - language - message)))


def centroids(states: ArrayLike) -> Array:
    """The mean vector of each language: (languages, hidden)."""
    return parallel(states).mean(axis=1)


def without_language(states: ArrayLike, centers: ArrayLike) -> Array:
    """Each vector minus the centroid of its language; centers: (languages, hidden), better from other
    messages than these, or the result looks too good. (languages, messages, hidden)."""
    return parallel(states) - np.asarray(centers, dtype=np.float64)[:, None]


def nearest_centroid(states: ArrayLike, centers: ArrayLike) -> NDArray[np.int64]:
    """The number of the language whose centroid is nearest, (languages, messages), by Euclidean distance."""
    array, centers = parallel(states), np.asarray(centers, dtype=np.float64)
    # |x - c|^2 without |x|^2, which is the same for all centroids.
    return (np.square(centers).sum(axis=-1) - 2 * array @ centers.T).argmin(axis=-1)


def translations_found(states: ArrayLike, pivot: int = 0) -> Array:
    """How often the nearest vector (cosine) of the other language is the translation.

    From the pivot language to each other one and back: (languages - 1, messages), each 0, 0.5 or 1.

    >>> flipped = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]
    >>> translations_found(flipped).tolist()
    [[0.0, 0.0]]
    """
    array = parallel(states)
    own = np.arange(array.shape[1])
    hits = []
    for other in (row for row in range(len(array)) if row != pivot):
        near = cosines(array[pivot], array[other])
        hits.append(((near.argmax(axis=1) == own) + (near.argmax(axis=0) == own).astype(float)) / 2)
    return np.array(hits)


def parallel(states: ArrayLike) -> Array:
    """The states as an array; ValueError unless (languages, messages, hidden) with two or more of each."""
    array = np.asarray(states, dtype=np.float64)
    if array.ndim != 3 or min(array.shape[:2]) < 2:
        raise ValueError(
            f"expected parallel states (languages, messages, hidden), at least two of both, got shape "
            f"{array.shape}"
        )
    return array
