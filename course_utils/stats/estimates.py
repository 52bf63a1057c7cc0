"""An estimate, how sure it is, and what follows: interval, test against a value, test of equivalence.

Everything that is a mean over seeds, over sentences or over both ends here, so that an interval and the tests
beside it never rest on different errors.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student_t

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval, [low, high], in the unit of the values."""

    estimate: float
    low: float
    high: float
    level: float

    def __str__(self) -> str:
        return f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Estimate:
    """An estimate whose error follows Student's t: value, standard error (same unit), degrees of freedom.

    >>> found = Estimate(0.02, error=0.005, df=9)
    >>> str(found.interval()), round(found.p_value(), 4)
    ('0.020 [0.009, 0.031]', 0.0031)
    """

    value: float
    error: float
    df: float

    def interval(self, level: float = 0.95) -> Interval:
        """The t interval; without width where the error is 0, which says that nothing was seen to vary."""
        if not 0 < level < 1:
            raise ValueError(f"level must lie between 0 and 1, such as 0.95, got {level}")
        half = float(student_t.ppf((1 + level) / 2, self.df)) * self.error
        return Interval(self.value, self.value - half, self.value + half, level)

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided p-value against a true value of `null`."""
        return min(1.0, 2 * min(self.p_at_least(null), self.p_at_most(null)))

    def p_at_most(self, bound: float) -> float:
        """One-sided p-value against a true value of `bound` or less: small where it is surely greater."""
        return self._tail(self.value - bound)

    def p_at_least(self, bound: float) -> float:
        """One-sided p-value against a true value of `bound` or more: small where it is surely less."""
        return self._tail(bound - self.value)

    def p_equivalence(self, smallest: float) -> float:
        """P-value of two one-sided tests (Schuirmann 1987): small where the value lies within +-smallest.

        At most alpha exactly where the interval at level 1 - 2 alpha lies within those bounds. Raises
        ValueError unless smallest > 0.

        >>> round(Estimate(0.001, error=0.002, df=9).p_equivalence(0.01), 4)
        0.0007
        """
        if smallest <= 0:
            raise ValueError(f"the smallest effect of interest must be > 0, got {smallest}")
        return max(self.p_at_most(-smallest), self.p_at_least(smallest))

    def _tail(self, above: float) -> float:
        """The chance of lying this far above, or farther; without an error there is no chance in it."""
        if self.error == 0:
            return 0.0 if above > 0 else 1.0
        return float(student_t.sf(above / self.error, self.df))


def mean_estimate(values: ArrayLike) -> Estimate:
    """The mean of independent values, such as paired differences, one a seed: Student's one-sample t.

    values: (samples,), at least 2. It covers what varies between the samples and nothing else: over seeds
    with one test set it says nothing of other test sentences (see `crossed_estimate`).

    >>> str(mean_estimate([1.0, 2.0, 3.0]).interval())
    '2.000 [-0.484, 4.484]'
    """
    array = finite(values, "values")
    if array.ndim != 1 or len(array) < 2:
        raise ValueError(f"an estimate with an error needs at least 2 values, got shape {array.shape}")
    # Equal values may be off their own mean by rounding; that is no error of the estimate.
    spread = float(array.std(ddof=1)) if np.ptp(array) else 0.0
    return Estimate(float(array.mean()), spread / sqrt(len(array)), len(array) - 1)


def finite(values: ArrayLike, name: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        raise ValueError(f"{name} is empty; give at least one number")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} holds NaN or infinity; leave out what was not measured, and say that you did"
        )
    return array
