"""Calibration: of the predictions made with confidence 0.8, are 80% right?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Bin:
    """Predictions whose confidence lies in (low, high]."""

    low: float
    high: float
    count: int
    confidence: float  # their mean confidence; nan if there are none
    accuracy: float  # the share of them that are right; nan if there are none


def reliability_bins(confidence: ArrayLike, right: ArrayLike, bins: int = 10) -> list[Bin]:
    """Predictions sorted into bins of equal width by confidence: a reliability diagram's bars.

    confidence: (predictions,), the probability given to the predicted class, in [0, 1]. right:
    (predictions,), 1 or True where it was the right class. Empty bins stay, with count 0. Raises ValueError
    on bad input.

    >>> [(b.count, b.accuracy) for b in reliability_bins([0.6, 0.9, 1.0], [0, 1, 1], bins=2)]
    [(0, nan), (3, 0.6666666666666666)]
    """
    p, hit = _checked(confidence, right)
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = _places(p, bins)
    found = []
    for i in range(bins):
        inside = place == i
        count = int(inside.sum())
        mean = (float(p[inside].mean()), float(hit[inside].mean())) if count else (float("nan"),) * 2
        found.append(Bin(float(edges[i]), float(edges[i + 1]), count, *mean))
    return found


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = 10) -> float:
    """The mean distance of confidence and accuracy over bins, weighted by count (Naeini et al. 2015).

    In [0, 1]; 0 is perfect. Of few predictions it comes out too large: a bin of 5 is off by chance alone.

    >>> round(expected_calibration_error([0.8] * 10, [1] * 8 + [0] * 2), 6)
    0.0
    >>> round(expected_calibration_error([1.0] * 10, [1] * 8 + [0] * 2), 6)
    0.2
    """
    p, hit = _checked(confidence, right)
    # The sums of confidence minus right by bin are the bins' gaps times their counts.
    gaps = np.bincount(_places(p, bins), weights=p - hit, minlength=bins)
    return float(np.abs(gaps).sum() / len(p))


def calibration_error_by_chance(
    confidence: ArrayLike, *, rng: np.random.Generator, bins: int = 10, draws: int = 200
) -> NDArray[np.float64]:
    """The error that a perfectly calibrated model of these confidences would show: its bias, drawn.

    Answers are drawn so that confidence is exactly the chance of being right. Returns (draws,) errors. Their
    mean is what so few predictions give at no true error; an error below their 95th percentile proves none.

    >>> by_chance = calibration_error_by_chance([0.8] * 100, rng=np.random.default_rng(0))
    >>> round(float(by_chance.mean()), 2)
    0.03
    """
    p, _ = _checked(confidence, np.zeros(np.shape(confidence)))
    answers = rng.random((draws, len(p))) < p
    return np.array([expected_calibration_error(p, right, bins) for right in answers])


def squared_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = 10) -> float:
    """The mean squared distance of confidence and accuracy over bins, without its bias (Kumar et al. 2019).

    Each bin's squared gap is lessened by the variance of its accuracy, and bins of one prediction, which have
    none to estimate, are left out. 0 on average for a calibrated model of any size, so single values may be
    below 0. Between models tested on different numbers of rows compare this one. Raises ValueError if no
    bin has two predictions.

    >>> round(squared_calibration_error([0.8] * 10, [1] * 8 + [0] * 2), 4)
    -0.0178
    """
    p, hit = _checked(confidence, right)
    place = _places(p, bins)
    count = np.bincount(place, minlength=bins)
    told = count >= 2
    if not told.any():
        raise ValueError(f"no bin has 2 predictions, of {len(p)} in {bins} bins; take fewer bins")
    gap = np.bincount(place, weights=p - hit, minlength=bins)[told] / count[told]
    residual = (p - hit) - np.bincount(place, weights=p - hit, minlength=bins)[place] / count[place]
    variance = np.bincount(place, weights=residual**2, minlength=bins)[told] / (count[told] - 1)
    return float(np.average(gap**2 - variance / count[told], weights=count[told]))


def overconfidence(confidence: ArrayLike, right: ArrayLike) -> float:
    """Mean confidence minus accuracy: above 0 where a model believes too much of itself.

    >>> round(overconfidence([0.9, 0.9], [1, 0]), 6)
    0.4
    """
    p, hit = _checked(confidence, right)
    return float((p - hit).mean())


def _places(p: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin of each confidence; 0 belongs to the first one."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    return np.clip(np.searchsorted(np.linspace(0.0, 1.0, bins + 1), p, side="left") - 1, 0, bins - 1)


def _checked(confidence: ArrayLike, right: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    p, hit = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if p.ndim != 1 or p.shape != hit.shape or not len(p):
        raise ValueError(
            f"expected as many confidences as answers, at least one, got {p.shape} and {hit.shape}"
        )
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("a confidence is a probability and must lie in [0, 1]; did you pass logits?")
    return p, hit
