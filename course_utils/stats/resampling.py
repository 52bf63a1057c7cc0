"""The bootstrap and the permutation test: scipy's, with whole groups drawn where samples come in groups.

And the jackknife, for statistics of pairs of samples: a bootstrap draws a sample twice, and a sample always
shares a cluster with itself.
"""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import DegenerateDataWarning, bootstrap, permutation_test

from course_utils.stats.estimates import Array, Estimate, Interval, finite

# Numbers that scipy may hold at once while it resamples: 64 MB of them.
_BATCH_NUMBERS = 2**23


def bootstrap_interval(
    values: ArrayLike,
    statistic: Callable[[Array], float] = np.mean,
    *,
    rng: np.random.Generator,
    groups: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Bias-corrected and accelerated bootstrap interval (Efron 1987), by `scipy.stats.bootstrap`.

    values: (samples,), or (samples, columns) if the statistic needs several numbers of each sample.
    statistic: from values, resampled along the first axis, to one number.
    groups: (samples,) labels; whole groups are drawn instead of samples (the cluster bootstrap).
    level: between 0 and 1. With fewer than about 20 samples or groups the interval is too narrow.
    Equal values give an interval without width, which says nothing about what was not seen: for a
    proportion of 0 or 1 use `scipy.stats.binomtest(k, n).proportion_ci()`. Raises ValueError on bad input.

    >>> str(bootstrap_interval(range(1, 21), rng=np.random.default_rng(0)))
    '10.500 [7.949, 12.944]'
    """
    array = finite(values, "values")
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, such as 0.95, got {level}")
    rows_of = _rows_drawn(groups, len(array))
    units = len(array) if groups is None else len(np.unique(np.asarray(groups)))
    if units < 2:
        raise ValueError(f"a bootstrap draws from at least 2 samples or groups, got {units}")

    def of_units(drawn: Array) -> float:
        return float(statistic(array[rows_of(drawn.astype(np.int64))]))

    estimate = of_units(np.arange(units, dtype=np.float64))
    low, high = _bca(of_units, units, estimate, level, resamples, rng)
    return Interval(estimate, low, high, level)


def jackknife_estimate(values: ArrayLike, statistic: Callable[[Array], float] = np.mean) -> Estimate:
    """A statistic and its error by leaving each sample out (Tukey 1958), for statistics that are smooth.

    values: (samples,) or (samples, columns); statistic: from some of the rows to one number. Of the mean it
    gives exactly `mean_estimate`. For a median it is wrong: use `bootstrap_interval`. Raises ValueError for
    fewer than 3 samples.

    >>> str(jackknife_estimate(range(1, 21)).interval())
    '10.500 [7.731, 13.269]'
    """
    array = finite(values, "values")
    if len(array) < 3:
        raise ValueError(f"a jackknife leaves one of at least 3 samples out, got {len(array)}")
    without = np.array([float(statistic(np.delete(array, i, axis=0))) for i in range(len(array))])
    error = float(np.sqrt((len(array) - 1) * np.var(without)))
    return Estimate(float(statistic(array)), error, df=len(array) - 1)


def paired_permutation_test(
    a: ArrayLike, b: ArrayLike, *, rng: np.random.Generator, resamples: int = 9999
) -> float:
    """Two-sided p-value that paired measurements differ in mean, by flipping signs (Fisher 1935).

    a, b: (pairs,) measurements of the same seeds, domains or sentences. All 2**pairs sign flips are tried if
    they are at most `resamples`, so the p-value is exact up to 13 pairs; else that many are drawn.
    Of 5 pairs the smallest p-value is 2/32 = 0.0625: plan the number of seeds accordingly.

    >>> paired_permutation_test([1, 2, 3, 4, 5], [0, 0, 0, 0, 0], rng=np.random.default_rng(0))
    0.0625
    """
    first, second = finite(a, "a"), finite(b, "b")
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(
            f"a and b must be paired, one number each, got shapes {first.shape} and {second.shape}"
        )
    if len(first) < 2:
        raise ValueError(f"a permutation test needs at least 2 pairs, got {len(first)}")
    found = permutation_test(
        (first - second,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, _BATCH_NUMBERS // len(first)),
        rng=rng,
    )
    return float(found.pvalue)


def _bca(
    of_units: Callable[[Array], float],
    units: int,
    estimate: float,
    level: float,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """The ends of scipy's BCa interval of a function of the numbers of the drawn units."""
    # An interval that cannot be computed comes back as NaN, which is handled below.
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)
        found = bootstrap(
            (np.arange(units),),
            of_units,
            vectorized=False,
            n_resamples=resamples,
            batch=max(1, _BATCH_NUMBERS // units),
            confidence_level=level,
            method="BCa",
            rng=rng,
        )
    if np.all(found.bootstrap_distribution == estimate):
        return estimate, estimate
    low, high = found.confidence_interval
    if not np.isfinite([low, high]).all():
        raise ValueError(
            "the statistic gives no BCa interval on these values (it hardly changes when samples are drawn "
            "again, or is not finite); give more samples, or a smoother statistic"
        )
    return float(low), float(high)


def _rows_drawn(groups: ArrayLike | None, samples: int) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
    """A function from the numbers of drawn groups (or samples) to the rows of the samples in them."""
    if groups is None:
        return lambda drawn: drawn
    labels = np.asarray(groups)
    if labels.shape != (samples,):
        raise ValueError(f"groups must have one label a sample, ({samples},), got shape {labels.shape}")
    _, numbers = np.unique(labels, return_inverse=True)
    members = np.split(np.argsort(numbers, kind="stable"), np.cumsum(np.bincount(numbers))[:-1])
    return lambda drawn: np.concatenate([members[number] for number in drawn])
