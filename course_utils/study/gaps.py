"""Generalization gaps, and how two systems differ in them, paired by seed, domain and sentence.

Each metric is written as a mean over test rows: of right or wrong for accuracy; for balanced accuracy each
row weighs by how rare its class is; for AUC a row's value is how it is placed among the rows of the other
class (DeLong et al. 1988). So one error fits all of them, over seeds and rows at once
(`stats.pooled_estimate`), and differences are taken row by row before anything is averaged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.metrics import ranks
from course_utils.stats import Estimate, pooled_estimate
from course_utils.study.design import Hypothesis, Metric, Quantity
from course_utils.study.runs import Key, Study

Array = NDArray[np.float64]


def row_values(metric: Metric, labels: ArrayLike, scores: ArrayLike) -> Array:
    """(rows,) values whose mean is the metric and whose spread is its sampling error.

    labels: (rows,) 0 or 1, both present. scores: (rows,), above 0 for "positive".

    >>> row_values("accuracy", [0, 1, 1], [-1.0, -1.0, 2.0]).tolist()
    [1.0, 0.0, 1.0]
    >>> row_values("balanced_accuracy", [0, 1, 1], [-1.0, -1.0, 2.0]).tolist()
    [0.75, 0.375, 1.125]
    """
    positive, found = np.asarray(labels) == 1, np.asarray(scores, dtype=np.float64)
    right = ((found > 0) == positive).astype(np.float64)
    if metric == "accuracy":
        return right
    if positive.all() or not positive.any():
        raise ValueError(f"{metric} needs rows of both classes; take accuracy, or leave out this domain")
    place = right if metric == "balanced_accuracy" else _placements(positive, found)
    means = {side: float(place[positive == side].mean()) for side in (True, False)}
    own = np.where(positive, means[True], means[False])
    share = np.where(positive, positive.mean(), 1 - positive.mean())
    # Of AUC both classes' placements carry the whole deviation, of balanced accuracy each one half.
    part = 0.5 if metric == "balanced_accuracy" else 1.0
    return (means[True] + means[False]) / 2 + part * (place - own) / share


def _placements(positive: NDArray[np.bool_], scores: Array) -> Array:
    """The share of the other class that a row stands on the right side of, ties half."""
    placed = np.empty(len(scores))
    everywhere = ranks(scores)
    for side in (True, False):
        own = positive == side
        below = (everywhere[own] - ranks(scores[own])) / (~own).sum()
        placed[own] = below if side else 1 - below
    return placed


def tables(study: Study, system: str, train: str, metric: Metric, seeds: Sequence[int]) -> dict[str, Array]:
    """(seeds, rows) of row values by test domain; rows without a label are left out."""
    found = {}
    for domain in study.test_domains:
        rows = study.rows[domain, "test"]
        told = rows.labeled
        scores = [study.runs[Key(system, train, seed)].scores[domain, "test"][told] for seed in seeds]
        found[domain] = np.stack([row_values(metric, rows.labels[told], of_seed) for of_seed in scores])
    return found


def groups(study: Study) -> dict[str, ArrayLike | None]:
    """By test domain, the number of each labeled row's group; None where each row stands alone."""
    found: dict[str, ArrayLike | None] = {}
    for domain in study.test_domains:
        rows = study.rows[domain, "test"]
        names, numbers = np.unique(rows.groups[rows.labeled], return_inverse=True)
        found[domain] = numbers if len(names) < len(numbers) else None
    return found


def weights(quantity: Quantity, train: str, domains: Sequence[str]) -> dict[str, float]:
    """What each test domain counts: the train domain 1, the others -1/3 each, if there are three, in a gap.

    >>> weights("gap", "films", ["films", "games", "shops"])
    {'films': 1.0, 'games': -0.5, 'shops': -0.5}
    """
    others = [domain for domain in domains if domain != train]
    if train not in domains or (not others and quantity != "in_domain"):
        raise ValueError(f"a {quantity} needs '{train}' and another domain among {list(domains)}")
    inside = 0.0 if quantity == "out_of_domain" else 1.0
    outside = {"gap": -1.0, "in_domain": 0.0, "out_of_domain": 1.0}[quantity]
    return {
        domain: inside if domain == train else outside / max(1, len(others))
        for domain in domains
        if (inside if domain == train else outside)
    }


@dataclass(frozen=True)
class Pair:
    """First minus second, in one metric, on the seeds of one or more train domains.

    values: (seeds, rows) differences by (train domain, test domain).
    """

    metric: Metric
    seeds: Mapping[str, Sequence[int]]
    values: Mapping[tuple[str, str], Array]
    groups: Mapping[str, ArrayLike | None]

    @property
    def domains(self) -> list[str]:
        """Test domains."""
        return list(dict.fromkeys(domain for _, domain in self.values))

    def estimate(self, quantity: Quantity, train: str | None = None) -> Estimate:
        """Over seeds and rows; the mean over train domains, or of one of them."""
        chosen = [train] if train else list(self.seeds)
        counted = {
            (one, domain): weight / len(chosen)
            for one in chosen
            for domain, weight in weights(quantity, one, self.domains).items()
        }
        return pooled_estimate({key: self.values[key] for key in counted}, counted, self.groups)

    def on(self, train: str, domain: str) -> Estimate:
        """On one test domain alone."""
        return pooled_estimate(
            {(train, domain): self.values[train, domain]}, {(train, domain): 1.0}, self.groups
        )

    def by_seed(self, quantity: Quantity, train: str) -> Array:
        """(seeds,) of one train domain."""
        counted = weights(quantity, train, self.domains)
        return np.sum([w * self.values[train, d].mean(axis=1) for d, w in counted.items()], axis=0)


def pair(study: Study, first: str, second: str, metric: Metric, trains: Sequence[str] | None = None) -> Pair:
    """Two systems on the seeds that both have. Raises ValueError for a train domain where they share none."""
    values: dict[tuple[str, str], Array] = {}
    shared: dict[str, list[int]] = {}
    for train in trains or study.train_domains:
        shared[train] = sorted(set(study.seeds(first, train)) & set(study.seeds(second, train)))
        if not shared[train]:
            raise ValueError(f"{first} and {second} have no seed in common on {train}; run the study further")
        a, b = (tables(study, name, train, metric, shared[train]) for name in (first, second))
        values |= {(train, domain): a[domain] - b[domain] for domain in a}
    return Pair(metric, shared, values, groups(study))


def quantity_of(
    found: Mapping[str, Array], train: str, quantity: Quantity, of_rows: Mapping[str, ArrayLike | None]
) -> Estimate:
    """A quantity of one system trained on one domain, from its tables; over seeds and rows, of one seed over
    rows alone."""
    counted = weights(quantity, train, list(found))
    return pooled_estimate(
        {(train, domain): found[domain] for domain in counted},
        {(train, domain): weight for domain, weight in counted.items()},
        of_rows,
    )


def system_estimate(study: Study, system: str, train: str, metric: Metric, quantity: Quantity) -> Estimate:
    """A quantity of one system trained on one domain."""
    found = tables(study, system, train, metric, study.seeds(system, train))
    return quantity_of(found, train, quantity, groups(study))


def of_hypothesis(study: Study, hypothesis: Hypothesis) -> Pair:
    """The pair that a hypothesis is about."""
    trains = hypothesis.train or study.train_domains
    return pair(study, hypothesis.first, hypothesis.second, hypothesis.metric, list(trains))
