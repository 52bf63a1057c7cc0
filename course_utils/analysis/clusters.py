"""Do vectors of one word fall apart by sense? Scores of labeled vectors, all by cosine.

A tie counts as a guess: it gives the share of the tied answers that are right. So vectors that are all equal,
as those of a static model are, score what guessing scores.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from course_utils.analysis.similarity import cosines, unit

_TIE = 1e-6  # cosines in float32 states differ by less when vectors are equal


def neighbor_accuracy(vectors: ArrayLike, labels: ArrayLike) -> float:
    """Share of vectors whose nearest other vector has the same label (leave-one-out, one neighbor).

    vectors: (n, hidden); labels: (n,), each at least twice.

    >>> neighbor_accuracy([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], ["a", "a", "b", "b"])
    1.0
    """
    array, names = _checked(vectors, labels)
    similar = cosines(array, array)
    np.fill_diagonal(similar, -np.inf)
    nearest = similar >= similar.max(axis=1, keepdims=True) - _TIE
    right = names[:, None] == names[None]
    return float(((nearest & right).sum(axis=1) / nearest.sum(axis=1)).mean())


def centroid_accuracy(vectors: ArrayLike, labels: ArrayLike) -> float:
    """Share of vectors that are nearest to the mean of their own label's *other* vectors (leave-one-out).

    Vectors are brought to length 1 first. vectors: (n, hidden); labels: (n,), each at least twice.

    >>> centroid_accuracy([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], ["a", "a", "b", "b"])
    1.0
    """
    given, names = _checked(vectors, labels)
    array = unit(given)
    kinds, numbers = np.unique(names, return_inverse=True)
    sums = np.stack([array[numbers == kind].sum(axis=0) for kind in range(len(kinds))])
    scores = []
    for row, own in zip(array, numbers, strict=True):
        left = sums.copy()
        left[own] -= row
        similar = cosines(row[None], left)[0]
        best = similar >= similar.max() - _TIE
        scores.append(best[own] / best.sum())
    return float(np.mean(scores))


def silhouette(vectors: ArrayLike, labels: ArrayLike) -> float:
    """Mean silhouette of the labels by cosine distance (Rousseeuw 1987): from -1 to 1, 0 for no structure.

    For each vector (b - a) / max(a, b): a is the mean distance to its own label's vectors, b to the other's.
    """
    array, names = _checked(vectors, labels)
    distances = np.clip(1 - cosines(array, array), 0, None)
    distances[distances < _TIE] = 0.0
    np.fill_diagonal(distances, 0.0)
    return float(silhouette_score(distances, names, metric="precomputed"))


def cluster(vectors: ArrayLike, k: int, seed: int) -> NDArray[np.int64]:
    """k-means of the vectors at length 1, from ten starts: the number of each vector's cluster, (n,)."""
    array = unit(vectors)
    if (np.ptp(array, axis=0) < _TIE).all():
        return np.zeros(len(array), dtype=np.int64)
    return KMeans(k, n_init=10, random_state=seed).fit_predict(array).astype(np.int64)


def purity(clusters: ArrayLike, labels: ArrayLike) -> float:
    """Share of vectors that carry the commonest label of their cluster.

    >>> purity([0, 0, 0, 1], ["a", "a", "b", "b"])
    0.75
    """
    found, names = np.asarray(clusters), np.asarray(labels)
    right = [np.unique(names[found == one], return_counts=True)[1].max() for one in np.unique(found)]
    return float(sum(right) / len(names))


def chance_purity(
    clusters: ArrayLike, labels: ArrayLike, rng: np.random.Generator, draws: int = 200
) -> float:
    """Mean purity of the same clusters when the labels are shuffled."""
    return float(np.mean([purity(clusters, rng.permutation(np.asarray(labels))) for _ in range(draws)]))


def _checked(vectors: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    array, names = np.asarray(vectors, dtype=np.float64), np.asarray(labels)
    if array.ndim != 2 or names.shape != array.shape[:1]:
        raise ValueError(f"expected vectors (n, hidden) and labels (n,), got {array.shape} and {names.shape}")
    kinds, counts = np.unique(names, return_counts=True)
    if len(kinds) < 2 or counts.min() < 2:
        raise ValueError(
            f"senses are told apart only if there are at least 2, each in at least 2 vectors; "
            f"got {dict(zip(kinds.tolist(), counts.tolist(), strict=True))}"
        )
    return array, names
