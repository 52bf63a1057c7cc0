"""Scores of predicted labels: accuracy, F1 of a class and its averages, Matthews correlation.

As scikit-learn has them. A score whose denominator is 0 is 0.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Label = int | str


def accuracy(true: ArrayLike, predicted: ArrayLike) -> float:
    """The share of right labels, from 0 to 1.

    >>> accuracy([1, 0, 1, 1], [1, 0, 0, 1])
    0.75
    """
    expected, found = paired(true, predicted)
    return float((expected == found).mean())


def f1(true: ArrayLike, predicted: ArrayLike, positive: Label = 1) -> float:
    """F1 of one class: 2 TP / (2 TP + FP + FN). Class 1 is what GLUE takes for MRPC and QQP.

    Raises ValueError if the class `positive` is nowhere: its F1 would be 0 because of a wrong name.

    >>> f1([1, 0, 1, 1], [1, 0, 0, 1])
    0.8
    """
    by_class = f1_by_class(true, predicted)
    if positive not in by_class:
        raise ValueError(f"there is no label {positive!r}, only {list(by_class)}: name the positive class")
    return by_class[positive]


def f1_by_class(true: ArrayLike, predicted: ArrayLike) -> dict[Label, float]:
    """The F1 of every class that is true or predicted somewhere, sorted by class."""
    expected, found = paired(true, predicted)
    scores = {}
    for label in np.unique(np.concatenate([expected, found])):
        right = int(((expected == label) & (found == label)).sum())
        named = int((expected == label).sum() + (found == label).sum())
        scores[label.item()] = 2 * right / named
    return scores


def macro_f1(true: ArrayLike, predicted: ArrayLike) -> float:
    """The mean of the classes' F1, each class alike.

    >>> round(macro_f1([0, 0, 0, 1], [0, 0, 0, 0]), 3)
    0.429
    """
    return float(np.mean(list(f1_by_class(true, predicted).values())))


def micro_f1(true: ArrayLike, predicted: ArrayLike, without: Sequence[Label] = ()) -> float:
    """F1 of the counts of all classes together; `without`: classes that do not count, such as "O".

    With every class and one label each it is the accuracy.

    >>> micro_f1(["O", "O", "PER"], ["O", "PER", "PER"], without=["O"])
    0.6666666666666666
    """
    expected, found = paired(true, predicted)
    counts, guessed = ~np.isin(expected, list(without)), ~np.isin(found, list(without))
    right = int(((expected == found) & counts).sum())
    named = int(counts.sum() + guessed.sum())
    return 2 * right / named if named else 0.0


def matthews(true: ArrayLike, predicted: ArrayLike) -> float:
    """Matthews correlation, -1 to 1, for any number of classes; 0 if the labels or the guesses are all one.

    >>> matthews([1, 1, 0, 0], [1, 1, 0, 0]), matthews([1, 1, 0, 0], [1, 1, 1, 1])
    (1.0, 0.0)
    """
    expected, found = paired(true, predicted)
    labels = np.unique(np.concatenate([expected, found]))
    # One-hot columns: the correlation is a ratio of their covariances (Gorodkin 2004).
    is_true, is_found = expected[:, None] == labels, found[:, None] == labels
    between, within_true, within_found = (
        _covariance(is_true, is_found),
        _covariance(is_true, is_true),
        _covariance(is_found, is_found),
    )
    if within_true == 0 or within_found == 0:
        return 0.0
    return float(between / np.sqrt(within_true * within_found))


def _covariance(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Times the square of the number of rows, so that it stays a whole number, exactly."""
    together = int((a & b).sum())
    return float(together * len(a) - int((a.sum(axis=0) * b.sum(axis=0)).sum()))


def paired(true: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Both as arrays; ValueError unless they are one label a sample, of one kind, at least one of them."""
    expected, found = np.asarray(true), np.asarray(predicted)
    if expected.ndim != 1 or expected.shape != found.shape or not len(expected):
        raise ValueError(
            f"true and predicted labels must be paired, one a sample, got shapes {expected.shape} and "
            f"{found.shape}; take the largest logit first if these are logits"
        )
    if (expected.dtype.kind in "US") != (found.dtype.kind in "US"):
        raise ValueError(f"one side has names and the other numbers: {expected.dtype} and {found.dtype}")
    return expected, found
