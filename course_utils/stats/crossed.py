"""A mean over seeds and over sentences at once: crossed random effects.

Every seed is tested on the same sentences, so that a result varies in three ways: with the seed, with the
sentence, and with both together. An interval over seeds alone takes the test set for the world; one over
sentences alone takes this run for the model. The model here is

    value[seed, row] = mean + seed effect + row effect + rest,

its variances come from the mean squares of a two-way analysis of variance, and the standard error of the mean
counts each of them once; degrees of freedom are Satterthwaite's (1946). Where the table is complete and no
variance comes out negative these are the estimates of a mixed model fitted by restricted maximum likelihood
(statsmodels' MixedLM with crossed variance components; a test holds them together), without its iterations
and without its normal interval, which is too narrow for a handful of seeds. Readers and cases in radiology
are the same design (Obuchowski & Rockette 1995; Gallas 2006).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from course_utils.stats.estimates import Array, Estimate, finite


@dataclass(frozen=True)
class Components:
    """Standard deviations between seeds, between rows, and of the rest, in the unit of the values."""

    seeds: float
    rows: float
    rest: float


Key = tuple[str, str]


def components(table: ArrayLike) -> Components:
    """The three standard deviations of a table (seeds, rows); one whose variance comes out negative is 0."""
    values = _table(table)
    if len(values) < 2:
        raise ValueError("one seed cannot tell what varies between seeds; give at least 2")
    seeds, rows = values.shape
    rest = _rest(values)
    between = rows * float(values.mean(axis=1).var(ddof=1))
    among = seeds * float(values.mean(axis=0).var(ddof=1))
    return Components(
        sqrt(max(0.0, (between - rest) / rows)), sqrt(max(0.0, (among - rest) / seeds)), sqrt(rest)
    )


def crossed_estimate(
    tables: Sequence[ArrayLike],
    weights: Sequence[float] = (1.0,),
    groups: Sequence[ArrayLike | None] | None = None,
) -> Estimate:
    """A weighted sum of the means of several tables that share their seeds, each with rows of its own.

    tables: one (seeds, rows) array a domain; seeds in the same order. weights: one a table, such as 1 for
    the domain of the training set and -1/3 for each of three others (a generalization gap). groups: for each
    table None or (rows,) labels of rows that belong together, such as the sentences of one review; whole
    groups are then what was drawn. Raises ValueError where the shapes do not fit. With one seed the error is
    that of the rows alone.

    >>> str(crossed_estimate([[[1, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1]]]).interval())
    '0.750 [0.110, 1.390]'
    """
    if len(tables) != len(weights):
        raise ValueError(f"expected one weight a table, got {len(weights)} weights for {len(tables)} tables")
    keys = [("all", str(number)) for number in range(len(tables))]
    labels = [None] * len(tables) if groups is None else groups
    return pooled_estimate(
        dict(zip(keys, tables, strict=True)),
        dict(zip(keys, weights, strict=True)),
        {domain: label for (_, domain), label in zip(keys, labels, strict=True)},
    )


def pooled_estimate(
    tables: Mapping[Key, ArrayLike], weights: Mapping[Key, float], groups: Mapping[str, ArrayLike | None]
) -> Estimate:
    """A weighted sum of the means of tables by (block, domain).

    Tables of one block share their seeds; blocks are independent of each other (models trained on different
    data). Tables of one domain share their rows, whatever the block. A block of one seed adds what its rows
    vary, and nothing for its seed. groups: by domain, as for `crossed_estimate`.
    """
    units = {key: _units(_table(table), groups[key[1]]) for key, table in tables.items()}
    value, parts = 0.0, []
    for block in dict.fromkeys(block for block, _ in units):
        mine = [key for key in units if key[0] == block]
        if len({len(units[key]) for key in mine}) != 1:
            raise ValueError(
                f"tables of one block need the same seeds in each, got {[len(units[key]) for key in mine]}"
            )
        by_seed = np.sum([weights[key] * units[key].mean(axis=1) for key in mine], axis=0)
        value += float(by_seed.mean())
        if len(by_seed) > 1:
            parts.append((float(by_seed.var(ddof=1)) / len(by_seed), len(by_seed) - 1.0))
    for domain in dict.fromkeys(domain for _, domain in units):
        parts += _of_rows({key: units[key] for key in units if key[1] == domain}, weights)
    variance = sum(part for part, _ in parts)
    spent = sum(part**2 / df for part, df in parts)
    return Estimate(value, sqrt(variance), max(1.0, variance**2 / spent) if spent else 1.0)


def _of_rows(units: Mapping[Key, Array], weights: Mapping[Key, float]) -> list[tuple[float, float]]:
    """The parts of the variance that a domain's rows add, each with its degrees of freedom.

    The rest of a table is in the spread of its seeds already, and so is taken off here; rows that vary less
    than that add nothing, since they make no estimate more certain.
    """
    by_row = np.sum([weights[key] * unit.mean(axis=0) for key, unit in units.items()], axis=0)
    rows = len(by_row)
    parts = [(float(by_row.var(ddof=1)) / rows, rows - 1.0)]
    for key, unit in units.items():
        seeds = len(unit)
        if seeds > 1:
            rest = weights[key] ** 2 * _rest(unit) / (seeds * rows)
            parts.append((-rest, (seeds - 1.0) * (rows - 1.0)))
    return parts if sum(part for part, _ in parts) > 0 else []


def _rest(values: Array) -> float:
    """The mean square of what neither the seed nor the row explains."""
    seeds, rows = values.shape
    rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    return float((rest**2).sum()) / ((seeds - 1) * (rows - 1))


def _units(values: Array, groups: ArrayLike | None) -> Array:
    """(seeds, groups): values whose mean over groups is the mean over rows, and whose spread is that of
    drawing whole groups. A group counts by its rows: deviations from the mean are added up within it.
    """
    if groups is None:
        return values
    labels = np.asarray(groups)
    if labels.shape != values.shape[1:]:
        raise ValueError(f"groups must have one label a row, {values.shape[1:]}, got shape {labels.shape}")
    _, numbers = np.unique(labels, return_inverse=True)
    mean = values.mean(axis=1, keepdims=True)
    sums = np.stack([np.bincount(numbers, weights=deviation) for deviation in values - mean])
    return mean + sums * (sums.shape[1] / len(numbers))


def _table(table: ArrayLike) -> Array:
    values = finite(table, "a table of seeds and rows")
    if values.ndim != 2 or values.shape[1] < 2:
        raise ValueError(f"a table is (seeds, rows) with at least 2 rows, got shape {values.shape}")
    return values
