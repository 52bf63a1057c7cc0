"""How alike vectors are, and how much of that they owe to a space in which everything is alike.

Follows Ethayarajh (2019). Vectors of a transformer crowd into a narrow cone: two random words already have a
high cosine ("anisotropy"). A similarity therefore says something only after that of random words is taken
off.
Leaves out: the share of variance that a first principal component explains.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]


def unit(vectors: ArrayLike) -> Array:
    """Each vector at length 1; the last axis holds the vector. Raises ValueError for a vector of zeros.

    >>> unit([[3.0, 4.0]]).tolist()
    [[0.6, 0.8]]
    """
    array = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(array, axis=-1, keepdims=True)
    if not lengths.all():
        raise ValueError("a vector of zeros has no direction, so no cosine: leave it out")
    return array / lengths


def cosines(a: ArrayLike, b: ArrayLike) -> Array:
    """All cosines between the rows of a (n, hidden) and of b (m, hidden): (n, m)."""
    return unit(a) @ unit(b).T


def self_similarity(vectors: ArrayLike) -> float:
    """Mean cosine over all pairs of different rows: how alike one word is in its contexts (eq. 1).

    vectors: (contexts, hidden), at least two. 1: the context changes nothing.

    >>> self_similarity([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    0.3333333333333333
    """
    array = unit(vectors)
    n = len(array)
    if n < 2:
        raise ValueError(f"self-similarity needs a word in at least 2 contexts, got {n}")
    # The sum over all ordered pairs is the squared length of the sum; n of them are a row with itself.
    return float((np.square(array.sum(axis=0)).sum() - n) / (n * (n - 1)))


def random_similarity(own: ArrayLike, others: ArrayLike) -> float:
    """Mean cosine of the rows of one word with those of other words: what is to be taken off."""
    return float(unit(own).mean(axis=0) @ unit(others).mean(axis=0))


def intra_sentence_similarity(vectors: ArrayLike) -> float:
    """Mean cosine of the words of a sentence with the sentence's mean vector (eq. 2).

    vectors: (words, hidden).

    >>> round(intra_sentence_similarity([[1.0, 0.0], [0.0, 1.0]]), 4)
    0.7071
    """
    array = np.asarray(vectors, dtype=np.float64)
    return float(cosines(array, array.mean(axis=0, keepdims=True)).mean())
