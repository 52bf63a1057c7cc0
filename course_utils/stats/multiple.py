"""Correction for having made several tests."""

from collections.abc import Sequence

import numpy as np

from course_utils.stats.estimates import finite


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for having made several tests, in the same order (Holm 1979).

    Reject where the adjusted value is at most alpha: the chance of even one false rejection is then at most
    alpha, however the tests depend on each other. Raises ValueError unless all lie in [0, 1].

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = finite(p_values, "p_values")
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise ValueError(f"p_values must be a list of numbers in [0, 1], got {list(p_values)}")
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted.tolist()
