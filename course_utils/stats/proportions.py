"""Two accuracies: on the same samples, on different ones, and when nothing is known but the accuracies.

A paired comparison turns on the discordance: the share of samples on which exactly one of the two is right.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom, binomtest, norm

from course_utils.stats.estimates import Interval


@dataclass(frozen=True)
class Difference:
    """A difference of two proportions with its standard error and a two-sided p-value against none."""

    value: float
    error: float
    p_value: float

    def interval(self, level: float = 0.95) -> Interval:
        """The normal interval."""
        half = float(norm.ppf((1 + level) / 2)) * self.error
        return Interval(self.value, self.value - half, self.value + half, level)


def mcnemar_exact(a_right: ArrayLike, b_right: ArrayLike) -> float:
    """Two-sided exact p-value that two classifiers differ in accuracy on the same samples (McNemar 1947).

    a_right, b_right: (samples,) booleans. Only the samples on which they disagree count: under the null
    hypothesis each classifier is the right one in half of them. Samples must be independent.

    >>> mcnemar_exact([True] * 8 + [False], [False] * 8 + [True])
    0.0390625
    """
    only_a, only_b = _disagreements(a_right, b_right)
    return float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0


def mcnemar_mid_p(a_right: ArrayLike, b_right: ArrayLike) -> float:
    """McNemar's test with half of the weight on what was seen (Fagerland, Lydersen & Laake 2013).

    The exact test rejects less often than it says, since counts jump; this one is close to its level, and
    may be above it by a little. Same arguments.

    >>> round(mcnemar_mid_p([True] * 8 + [False], [False] * 8 + [True]), 4)
    0.0215
    """
    only_a, only_b = _disagreements(a_right, b_right)
    if only_a == only_b:
        return 1.0
    fewer, total = min(only_a, only_b), only_a + only_b
    return float(2 * binom.cdf(fewer, total, 0.5) - binom.pmf(fewer, total, 0.5))


def unpaired_difference(a: float, b: float, a_samples: int, b_samples: int) -> Difference:
    """Proportions of two independent sets of samples: a minus b, the z test with pooled variance.

    >>> unpaired_difference(0.91, 0.90, 5000, 5000).p_value.__round__(3)
    0.088
    """
    _check_proportions(a, b)
    error = sqrt(a * (1 - a) / a_samples + b * (1 - b) / b_samples)
    pooled = (a * a_samples + b * b_samples) / (a_samples + b_samples)
    null_error = sqrt(pooled * (1 - pooled) * (1 / a_samples + 1 / b_samples))
    return Difference(a - b, error, _two_sided(a - b, null_error))


def paired_difference(a: float, b: float, samples: int, discordance: float) -> Difference:
    """Accuracies a and b on the same samples, when they disagree on a known share of them: a minus b.

    The p-value is McNemar's without continuity correction. Raises ValueError where the discordance is
    impossible (`discordance_bounds`).

    >>> paired_difference(0.91, 0.90, 5000, discordance=0.05).p_value.__round__(4)
    0.0016
    """
    least, most = discordance_bounds(a, b)
    if not least - 1e-12 <= discordance <= most + 1e-12:
        raise ValueError(f"accuracies {a} and {b} disagree on {least:.4f} to {most:.4f}, got {discordance}")
    error = sqrt(max(0.0, discordance - (a - b) ** 2) / samples)
    return Difference(a - b, error, _two_sided(a - b, sqrt(discordance / samples)))


def discordance_bounds(a: float, b: float) -> tuple[float, float]:
    """The least and the greatest share of samples on which classifiers of accuracy a and b can disagree.

    Least where the better one is right wherever the other is; greatest where they are never wrong together
    (or, if both are right on less than half, never right together).

    >>> [round(share, 3) for share in discordance_bounds(0.861, 0.881)]
    [0.02, 0.258]
    """
    _check_proportions(a, b)
    return abs(a - b), min(a + b, 2 - a - b)


def independent_discordance(a: float, b: float) -> float:
    """How often classifiers of accuracy a and b disagree if the errors of one say nothing of the other's.

    >>> round(independent_discordance(0.9, 0.8), 3)
    0.26
    """
    return a * (1 - b) + b * (1 - a)


def _disagreements(a_right: ArrayLike, b_right: ArrayLike) -> tuple[int, int]:
    """How often only a is right, and how often only b is."""
    first, second = np.asarray(a_right), np.asarray(b_right)
    if first.dtype != bool or second.dtype != bool:
        raise ValueError(f"a_right and b_right must be booleans, got {first.dtype} and {second.dtype}")
    if first.ndim != 1 or first.shape != second.shape or not len(first):
        raise ValueError(f"a_right and b_right must be paired, got shapes {first.shape} and {second.shape}")
    return int((first & ~second).sum()), int((~first & second).sum())


def _two_sided(value: float, error: float) -> float:
    if error == 0:
        return float(value == 0)
    return float(2 * norm.sf(abs(value) / error))


def _check_proportions(a: float, b: float) -> None:
    if not (0 <= a <= 1 and 0 <= b <= 1):
        raise ValueError(f"accuracies are shares from 0 to 1, got {a} and {b}; divide percentages by 100")
