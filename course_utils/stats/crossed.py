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

from collections.abc import Sequence
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


@dataclass(frozen=True)
class _Squares:
    """Mean squares of a table: between rows and of the rest."""

    rows: float
    rest: float


def components(table: ArrayLike) -> Components:
    """The three standard deviations of a table (seeds, rows); one whose variance comes out negative is 0."""
    values = _table(table)
    seeds, rows = values.shape
    squares = _mean_squares(values)
    between = rows * float(values.mean(axis=1).var(ddof=1))
    return Components(
        sqrt(max(0.0, (between - squares.rest) / rows)),
        sqrt(max(0.0, (squares.rows - squares.rest) / seeds)),
        sqrt(squares.rest),
    )


def crossed_estimate(
    tables: Sequence[ArrayLike],
    weights: Sequence[float] = (1.0,),
    groups: Sequence[ArrayLike | None] | None = None,
) -> Estimate:
    """A weighted sum of the means of several tables that share their seeds, each with rows of its own.

    tables: one (seeds, rows) array a domain; seeds in the same order, at least 2. weights: one a table,
    such as 1 for the domain of the training set and -1/3 for each of three others (a generalization gap).
    groups: for each table None or (rows,) labels of rows that belong together, such as the sentences of one
    review; whole groups are then what was drawn. Raises ValueError where the shapes do not fit.

    >>> str(crossed_estimate([[[1, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1]]]).interval())
    '0.750 [0.110, 1.390]'
    """
    arrays = [_table(table) for table in tables]
    if len(arrays) != len(weights) or len({len(array) for array in arrays}) != 1:
        raise ValueError(
            f"expected one weight a table and the same seeds in each, got {len(weights)} weights and shapes "
            f"{[array.shape for array in arrays]}"
        )
    labels = [None] * len(arrays) if groups is None else list(groups)
    units = [_units(array, label) for array, label in zip(arrays, labels, strict=True)]
    by_seed = sum(w * unit.mean(axis=1) for w, unit in zip(weights, units, strict=True))
    seeds = len(units[0])
    # What varies with the seed; a row's rest is part of it, so that it is taken off the rows' part below.
    parts = [(float(np.var(by_seed, ddof=1)) / seeds, seeds - 1)]
    for weight, unit in zip(weights, units, strict=True):
        rows, squares = unit.shape[1], _mean_squares(unit)
        share = weight**2 / (seeds * rows)
        # Sentences that vary less than their rest make no estimate more certain.
        if squares.rows > squares.rest:
            parts.append((share * squares.rows, rows - 1))
            parts.append((-share * squares.rest, (seeds - 1) * (rows - 1)))
    variance = sum(part for part, _ in parts)
    spent = sum(part**2 / df for part, df in parts)
    df = variance**2 / spent if spent else float(seeds - 1)
    return Estimate(float(np.mean(by_seed)), sqrt(variance), max(df, 1.0))


def _mean_squares(values: Array) -> _Squares:
    seeds, rows = values.shape
    row_means = values.mean(axis=0)
    rest = values - row_means - values.mean(axis=1, keepdims=True) + values.mean()
    return _Squares(seeds * float(row_means.var(ddof=1)), float((rest**2).sum()) / ((seeds - 1) * (rows - 1)))


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
    member = np.zeros((values.shape[1], int(numbers.max()) + 1))
    member[np.arange(len(numbers)), numbers] = 1.0
    mean = values.mean(axis=1, keepdims=True)
    return mean + (values - mean) @ member * (member.shape[1] / len(numbers))


def _table(table: ArrayLike) -> Array:
    values = finite(table, "a table of seeds and rows")
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"a table is (seeds, rows) with at least 2 of each, got shape {values.shape}")
    return values
