"""Classes in an order, such as one to five stars: how far off, not just whether.

Accuracy counts four stars for five as wrong as one star for five.
"""

import numpy as np
from numpy.typing import ArrayLike

from course_utils.metrics.labels import paired


def mean_absolute_error(true: ArrayLike, predicted: ArrayLike) -> float:
    """How many classes a prediction is off, on average; 0 is perfect.

    >>> mean_absolute_error([1, 3, 5], [1, 4, 3])
    1.0
    """
    expected, found = paired(true, predicted)
    return float(np.abs(expected.astype(np.float64) - found.astype(np.float64)).mean())


def quadratic_kappa(true: ArrayLike, predicted: ArrayLike) -> float:
    """Agreement beyond chance, where an error weighs its squared distance (Cohen 1968).

    1 is perfect, 0 is what the same predictions get in random order, 0 too where nothing can be told (both
    constant and equal). Equal to scikit-learn's cohen_kappa_score(weights="quadratic") on whole numbers.

    >>> quadratic_kappa([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    0.9
    """
    expected, found = (column.astype(np.float64) for column in paired(true, predicted))
    seen = np.mean((expected - found) ** 2)
    by_chance = expected.var() + found.var() + (expected.mean() - found.mean()) ** 2
    return float(1 - seen / by_chance) if by_chance > 0 else 0.0
