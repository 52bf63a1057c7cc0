"""Five classes from the confidence of a model of two (Onal et al.; the source's second test).

P(positive) is cut in four places into one to five stars. Three ways, none of which looks at the test rows:
cut points fixed in advance, cut points fitted on validation rows (the best ones, found exactly), and isotonic
regression of the stars on P(positive), rounded. Accuracy calls one star for five as wrong as four, so that
the mean absolute error and quadratic kappa stand beside it; the middle class for all is a baseline to beat.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.isotonic import IsotonicRegression

from course_utils.metrics import accuracy, mean_absolute_error, quadratic_kappa

Array = NDArray[np.float64]
Stars = NDArray[np.int64]
Target = Literal["accuracy", "absolute"]
Rule = Callable[[Array], Stars]

CLASSES = 5
FIXED = (0.2, 0.4, 0.6, 0.8)


def cut(positive: ArrayLike, points: ArrayLike = FIXED) -> Stars:
    """Stars from P(positive): 1 below the first point, 5 from the last one on.

    >>> cut([0.1, 0.5, 0.8]).tolist()
    [1, 3, 5]
    """
    ends = np.asarray(points, dtype=np.float64)
    if ends.shape != (CLASSES - 1,) or (np.diff(ends) < 0).any():
        raise ValueError(f"five classes need 4 cut points that do not fall, got {ends.tolist()}")
    return 1 + np.searchsorted(ends, np.asarray(positive, dtype=np.float64), side="right")


def fit_points(positive: ArrayLike, stars: ArrayLike, target: Target = "accuracy") -> Array:
    """The four cut points with the most right stars, or the least mean absolute error, on these rows.

    positive: (rows,) probabilities; stars: (rows,) 1 to 5. Exact: every way to cut is covered, by dynamic
    programming over the sorted rows, in time linear in them. Equal probabilities are never cut apart.

    >>> fit_points([0.1, 0.3, 0.5, 0.7, 0.9], [1, 2, 3, 4, 5]).round(3).tolist()
    [0.2, 0.4, 0.6, 0.8]
    """
    p, given = _checked(positive, stars)
    values, place = np.unique(p, return_inverse=True)
    classes = np.arange(1, CLASSES + 1)
    off = np.abs(given[:, None] - classes)
    loss = (off > 0).astype(np.float64) if target == "accuracy" else off.astype(np.float64)
    by_value = np.zeros((len(values), CLASSES))
    np.add.at(by_value, place, loss)
    # before[i, c]: what the values below i cost if class c is given to all of them.
    before = np.concatenate([np.zeros((1, CLASSES)), by_value.cumsum(axis=0)])
    best, starts = before[:, 0], []
    for c in range(1, CLASSES):
        # Class c starts at i: what came before at its best, less what c would have cost there.
        gain = best - before[:, c]
        earliest = np.minimum.accumulate(gain)
        starts.append(_place_of_least(gain, earliest))
        best = earliest + before[:, c]
    edges = np.concatenate([[-np.inf], (values[1:] + values[:-1]) / 2, [np.inf]])
    points, end = [], len(values)
    for start in reversed(starts):
        end = int(start[end])
        points.append(float(np.clip(edges[end], 0.0, np.nextafter(1.0, 2.0))))
    return np.array(points[::-1])


def _place_of_least(gain: Array, earliest: Array) -> NDArray[np.int64]:
    """For each place, the last place up to it where the running minimum was reached."""
    return np.maximum.accumulate(np.where(gain == earliest, np.arange(len(gain)), 0))


def fixed_rule(points: ArrayLike = FIXED) -> Rule:
    """Cut points decided before looking."""
    return lambda positive: cut(positive, points)


def fitted_rule(positive: ArrayLike, stars: ArrayLike, target: Target = "accuracy") -> Rule:
    """Cut points fitted on validation rows."""
    points = fit_points(positive, stars, target)
    return lambda new: cut(new, points)


def isotonic_rule(positive: ArrayLike, stars: ArrayLike) -> Rule:
    """Isotonic regression (scikit-learn's) of stars on P(positive), fitted on validation rows, rounded."""
    p, given = _checked(positive, stars)
    fitted = IsotonicRegression(y_min=1, y_max=CLASSES, out_of_bounds="clip").fit(p, given)
    return lambda new: np.floor(fitted.predict(np.asarray(new, dtype=np.float64)) + 0.5).astype(np.int64)


@dataclass(frozen=True)
class Scores:
    """How good predicted stars are. recall: of the five classes, None for one without rows. two_classes:
    accuracy on rows with other than 3 stars, when 4 and 5 say positive, 1 and 2 negative, and 3 is wrong
    half of the time, as a coin would be. within_one: share off by at most one star."""

    accuracy: float
    mean_absolute_error: float
    kappa: float
    within_one: float
    two_classes: float
    recall: tuple[float | None, ...]


def scores(stars: ArrayLike, predicted: ArrayLike) -> Scores:
    """Every measure of predicted stars.

    >>> scores([1, 2, 4, 5], [1, 3, 4, 5]).two_classes
    0.875
    """
    true, found = np.asarray(stars, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    told = true != 3
    side = np.where(found[told] == 3, 0.5, (found[told] > 3) == (true[told] > 3))
    recalls = tuple(
        float((found[true == c] == c).mean()) if (true == c).any() else None for c in range(1, CLASSES + 1)
    )
    return Scores(
        accuracy(true, found),
        mean_absolute_error(true, found),
        quadratic_kappa(true, found),
        float((np.abs(true - found) <= 1).mean()),
        float(side.mean()) if told.any() else float("nan"),
        recalls,
    )


def is_stars(ratings: ArrayLike) -> bool:
    """Whether ratings are one to five stars, each of them present: where five classes can be tested."""
    return set(np.unique(np.asarray(ratings)).tolist()) == {1.0, 2.0, 3.0, 4.0, 5.0}


def _checked(positive: ArrayLike, stars: ArrayLike) -> tuple[Array, Stars]:
    p, given = np.asarray(positive, dtype=np.float64), np.asarray(stars)
    if p.ndim != 1 or p.shape != given.shape or not len(p):
        raise ValueError(f"expected one probability a rating, got shapes {p.shape} and {given.shape}")
    if not ((p >= 0) & (p <= 1)).all() or not np.isin(given, range(1, CLASSES + 1)).all():
        raise ValueError("probabilities lie in [0, 1] and stars are whole numbers from 1 to 5")
    return p, given.astype(np.int64)
