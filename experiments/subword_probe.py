"""A linear probe, and what is compared with it."""

from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from experiments.subword_common import TEST_SHARE

ALPHAS = np.logspace(-1, 5, 13)


def fit(features: np.ndarray, values: np.ndarray) -> Any:
    """Standardized ridge regression; its strength is chosen by leave-one-out error on the same rows."""
    return make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(features, values)


def r_squared(values: np.ndarray, predicted: np.ndarray) -> float:
    """Share of the variance of `values` that `predicted` explains; 0 for the mean, below 0 for worse."""
    return float(1 - ((values - predicted) ** 2).sum() / ((values - values.mean()) ** 2).sum())


def stratified_difference(errors: np.ndarray, is_cut: np.ndarray, stratum: np.ndarray) -> float:
    """Mean error of cut numbers minus that of whole ones, within strata, weighted by the smaller group.

    >>> is_cut = np.array([True, False, True, False])
    >>> stratified_difference(np.array([3.0, 1, 9, 9]), is_cut, stratum=np.array([1, 1, 2, 2]))
    1.0
    """
    differences, weights = [], []
    for value in np.unique(stratum):
        cut, whole = errors[(stratum == value) & is_cut], errors[(stratum == value) & ~is_cut]
        if len(cut) and len(whole):
            differences.append(cut.mean() - whole.mean())
            weights.append(min(len(cut), len(whole)))
    return float(np.average(differences, weights=weights))


def split(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of a random training part and test part."""
    order = rng.permutation(count)
    tests = round(count * TEST_SHARE)
    return order[tests:], order[:tests]
