"""What a planned comparison can resolve, before it runs."""

from collections.abc import Callable
from math import ceil, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi, norm
from scipy.stats import t as student_t

from course_utils.stats.estimates import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)


def planned_error(*, seed_sd: float, row_sd: float, rest_sd: float, seeds: int, rows: int) -> float:
    """The standard error of a mean over seeds and rows, from the components that a pilot found.

    More seeds cannot take the error below row_sd / sqrt(rows), nor more rows below seed_sd / sqrt(seeds).

    >>> round(planned_error(seed_sd=0.01, row_sd=0.3, rest_sd=0.3, seeds=10, rows=2000), 4)
    0.0077
    """
    return sqrt(seed_sd**2 / seeds + row_sd**2 / rows + rest_sd**2 / (seeds * rows))


def power_of_test(effect: float, error: float, df: float, alpha: float = 0.05) -> float:
    """How often a two-sided t test at alpha finds a true effect of this size.

    >>> round(power_of_test(0.02, error=0.006, df=9), 2)
    0.84
    """
    critical = float(student_t.ppf(1 - alpha / 2, df))
    shift = effect / error

    def found(factor: Array) -> Array:
        return ndtr(shift - critical * factor) + ndtr(-shift - critical * factor)

    return _over_estimated_errors(found, df)


def smallest_detectable(error: float, df: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The true effect that a two-sided t test at alpha finds with this power.

    >>> round(smallest_detectable(error=0.006, df=9), 4)
    0.0189
    """
    if not alpha < power < 1:
        raise ValueError(f"power must lie between alpha and 1, got {power} for alpha {alpha}")
    beyond = 1.0
    while power_of_test(beyond, 1.0, df, alpha) < power:
        beyond *= 2
    return error * float(brentq(lambda shift: power_of_test(shift, 1.0, df, alpha) - power, 0.0, beyond))


def power_of_equivalence(
    smallest: float, error: float, df: float, *, effect: float = 0.0, alpha: float = 0.05
) -> float:
    """How often two one-sided tests find a true effect, such as none, to lie within +-smallest.

    >>> round(power_of_equivalence(0.02, error=0.006, df=9), 2)
    0.85
    """
    critical = float(student_t.ppf(1 - alpha, df))

    def shown(factor: Array) -> Array:
        room = smallest - critical * factor * error
        return ndtr((room - effect) / error) - ndtr((-room - effect) / error)

    # Beyond this factor the interval is wider than the bounds, and nothing can be shown.
    return _over_estimated_errors(shown, df, smallest / (critical * error))


def samples_unpaired(a: float, b: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Samples in each of two independent sets, for a two-sided z test to tell accuracy a from b.

    >>> samples_unpaired(0.861, 0.881)
    4409
    """
    middle = (a + b) / 2
    null, alternative = sqrt(2 * middle * (1 - middle)), sqrt(a * (1 - a) + b * (1 - b))
    return _samples(a - b, null, alternative, alpha, power)


def samples_paired(difference: float, discordance: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Samples for McNemar's test to find a difference of two accuracies (Connor 1987).

    discordance: the share of samples on which exactly one of the two is right.

    >>> samples_paired(0.02, discordance=0.10)
    1960
    """
    if not abs(difference) <= discordance <= 1:
        raise ValueError(f"discordance must lie between |{difference}| and 1, got {discordance}")
    return _samples(difference, sqrt(discordance), sqrt(discordance - difference**2), alpha, power)


def _over_estimated_errors(chance: Callable[[Array], Array], df: float, end: float = np.inf) -> float:
    """The mean of a chance over how many times the true error the estimated one is: chi over its root.

    Gauss-Legendre quadrature; what lies beyond the ends is less than 1e-11.
    """
    low, high = (float(chi.ppf(share, df)) / sqrt(df) for share in (1e-12, 1 - 1e-12))
    half = max(0.0, min(high, end) - low) / 2
    factor = low + half * (_NODES + 1)
    return float(half * np.sum(_WEIGHTS * chance(factor) * chi.pdf(factor * sqrt(df), df) * sqrt(df)))


def _samples(difference: float, null: float, alternative: float, alpha: float, power: float) -> int:
    if difference == 0:
        raise ValueError("no number of samples shows a difference of 0; state the smallest that matters")
    reach = norm.ppf(1 - alpha / 2) * null + norm.ppf(power) * alternative
    return ceil((reach / abs(difference)) ** 2)
