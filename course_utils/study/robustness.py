"""Accuracy on the line and effective robustness (Miller et al. 2021; Taori et al. 2020).

A weaker model has less to lose, so that a smaller gap may only mean that it is weak. Across models, accuracy
out of domain is close to a straight line of accuracy in domain, once both are on a probit scale. The line is
fitted through the baselines, which are not compared. Effective robustness is how far above it a model lies:
what it reaches out of domain beyond what its accuracy in domain lets expect.

The error (the delta method) counts the seeds of the models that are compared, those of the baselines, and the
sentences, which they all share. The choice of baselines is not in it: a line through three of them is a thin
one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from course_utils.stats import Estimate, pooled_estimate
from course_utils.study.design import Metric
from course_utils.study.gaps import Array, groups, tables
from course_utils.study.runs import Study

FEWEST = 3  # baselines; through two points a line always fits
_STEP = 1e-5

Means = Mapping[tuple[str, str], float]  # by (system, test domain)


@dataclass(frozen=True)
class Line:
    """probit(out of domain) = intercept + slope * probit(in domain)."""

    slope: float
    intercept: float

    def expected(self, inside: float) -> float:
        """The score out of domain that the line lets expect of a score in domain."""
        return float(ndtr(self.intercept + self.slope * ndtri(inside)))


def fit_line(inside: Sequence[float], outside: Sequence[float]) -> Line:
    """Least squares on probit axes, one point a model. Raises ValueError below 3 points or without spread.

    >>> line = fit_line([0.6, 0.7, 0.8], [0.6, 0.7, 0.8])
    >>> round(line.slope, 6), round(line.expected(0.9), 6)
    (1.0, 0.9)
    """
    x, y = np.asarray(inside, dtype=np.float64), np.asarray(outside, dtype=np.float64)
    if len(x) < FEWEST or x.shape != y.shape:
        raise ValueError(f"a line needs at least {FEWEST} models, got {len(x)} and {len(y)} scores")
    if not ((x > 0) & (x < 1) & (y > 0) & (y < 1)).all() or np.ptp(x) == 0:
        raise ValueError("scores must lie between 0 and 1, without them, and differ in domain")
    x, y = ndtri(x), ndtri(y)
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return Line(slope, float(y.mean() - slope * x.mean()))


def effective_robustness(
    study: Study, first: str, second: str, baselines: Sequence[str], train: str, metric: Metric
) -> Estimate:
    """First minus second, the mean over the other test domains; a line of its own for each.

    Raises ValueError for fewer than 3 baselines, or without a seed that both systems have.
    """
    seeds = sorted(set(study.seeds(first, train)) & set(study.seeds(second, train)))
    if not seeds:
        raise ValueError(f"{first} and {second} have no seed in common on {train}; run the study further")
    values = {
        (name, domain): table
        for name, chosen in [
            *((name, seeds) for name in (first, second)),
            *((name, study.seeds(name, train)) for name in baselines),
        ]
        for domain, table in tables(study, name, train, metric, chosen).items()
    }
    others = [domain for domain in study.test_domains if domain != train]

    def advantage(means: Means) -> float:
        of = [above_line(means, name, baselines, train, others) for name in (first, second)]
        return of[0] - of[1]

    means = {key: float(table.mean()) for key, table in values.items()}
    slopes = gradient(advantage, means)
    # The two systems share their seeds: one block. Baselines have seeds, and blocks, of their own.
    blocks: dict[tuple[str, str], Array] = {}
    for domain in (train, *others):
        blocks["compared", domain] = (
            slopes[first, domain] * values[first, domain] + slopes[second, domain] * values[second, domain]
        )
        for name in baselines:
            blocks[name, domain] = slopes[name, domain] * values[name, domain]
    linear = pooled_estimate(blocks, dict.fromkeys(blocks, 1.0), groups(study))
    return Estimate(advantage(means), linear.error, linear.df)


def above_line(
    means: Means, system: str, baselines: Sequence[str], train: str, others: Sequence[str]
) -> float:
    """How far a system's mean score out of domain lies above what the baselines' lines expect."""
    inside = [means[name, train] for name in baselines]
    gains = []
    for domain in others:
        line = fit_line(inside, [means[name, domain] for name in baselines])
        gains.append(means[system, domain] - line.expected(means[system, train]))
    return float(np.mean(gains))


def gradient(function: Callable[[Means], float], means: Means) -> dict[tuple[str, str], float]:
    """How much a function of the means grows with each, by central differences."""
    return {
        key: (function({**means, key: at + _STEP}) - function({**means, key: at - _STEP})) / (2 * _STEP)
        for key, at in means.items()
    }
