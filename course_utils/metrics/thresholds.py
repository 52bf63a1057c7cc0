"""Two classes told by a score: what does not depend on a threshold, and what the best threshold gives.

Accuracy mixes three things: how well a score ranks, where its threshold lies, and how frequent the classes
are. A model that is shifted, tested where the classes are skewed, seems to rank badly. So these stand beside
accuracy.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.metrics.correlation import ranks
from course_utils.metrics.labels import paired


def auc(true: ArrayLike, scores: ArrayLike) -> float:
    """The chance that a random positive scores above a random negative, ties half: area under the ROC curve.

    true: (samples,) 0 or 1, both present. scores: (samples,), any numbers that grow with "positive".
    0.5 is chance, whatever the base rate.

    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    positive, found = _scored(true, scores)
    above = positive.sum()
    wins = ranks(found)[positive].sum() - above * (above + 1) / 2
    return float(wins / (above * (len(positive) - above)))


def balanced_accuracy(true: ArrayLike, predicted: ArrayLike) -> float:
    """The mean of the classes' recall, each class alike; classes are those that occur in `true`.

    >>> balanced_accuracy([1, 1, 1, 0], [1, 1, 1, 1])
    0.5
    """
    expected, found = paired(true, predicted)
    return float(np.mean([(found[expected == label] == label).mean() for label in np.unique(expected)]))


def best_threshold(true: ArrayLike, scores: ArrayLike) -> tuple[float, float]:
    """The threshold with the highest accuracy, and that accuracy; positive is said from the threshold on.

    It lies halfway between two neighboring scores; of equally good ones the middle one is taken. Chosen on
    the samples that it is judged on it is an oracle: an upper bound, never a result.

    >>> best_threshold([0, 0, 1, 1], [0.1, 0.5, 0.75, 0.9])
    (0.625, 1.0)
    """
    positive, found = _scored(true, scores)
    values, place = np.unique(found, return_inverse=True)
    gains = np.bincount(place, weights=np.where(positive, -1.0, 1.0))
    # Raising the threshold above a value turns its samples negative: gains those that are, loses the others.
    right = positive.sum() + np.concatenate([[0.0], np.cumsum(gains)])
    edges = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [np.nextafter(values[-1], np.inf)]])
    best = np.flatnonzero(right == right.max())
    return float(edges[best[len(best) // 2]]), float(right.max() / len(positive))


def _scored(true: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which samples are positive, and the scores; ValueError unless both classes are there."""
    labels, found = np.asarray(true), np.asarray(scores, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != found.shape or not np.isfinite(found).all():
        raise ValueError(
            f"expected one finite score a label, got shapes {labels.shape} and {found.shape}; take the "
            "probability or the logit of the positive class"
        )
    if set(np.unique(labels).tolist()) != {0, 1}:
        raise ValueError(f"labels must be 0 and 1, both present, got {np.unique(labels).tolist()[:5]}")
    return labels == 1, found
