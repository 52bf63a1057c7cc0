"""What the parts of the report on `finetuning_stability` share: whole seeds, paired differences."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_utils.stats import Interval
from experiments import finetuning_common as common
from experiments.finetuning_common import Record, interval
from experiments.finetuning_stability import NAME, SEEDS, of_seed

FEWEST = 8  # seeds that a claim needs

Rows = list[Record]
Claims = dict[str, dict[str, Any]]


def whole_seeds(names: Sequence[str]) -> list[int]:
    """The seeds for which all runs are there; names: of the files, up to the seed."""
    there = {file.stem for file in common.folder(NAME).glob("*.json")}
    return [seed for seed in SEEDS if all(f"{name}-{seed}" in there for name in names)]


def of_arm(arm: str, rate: float, seeds: Sequence[int]) -> list[Record]:
    """The records of an arm."""
    return [common.read(NAME, of_seed(arm, rate, seed).name) for seed in seeds]


def difference(part: str, first: str, second: str, rate: float) -> Rows:
    """Accuracy of the first arm minus the second, paired by seed; none without two whole seeds."""
    seeds = whole_seeds([f"{first}-{rate:g}", f"{second}-{rate:g}"])
    if len(seeds) < 2:
        return []
    a, b = of_arm(first, rate, seeds), of_arm(second, rate, seeds)
    values = [one["accuracy"] - other["accuracy"] for one, other in zip(a, b, strict=True)]
    return [{"part": part, "pair": f"{first} - {second}", "rate": rate, **spread(values)}]


def spread(values: Sequence[float]) -> Record:
    """Mean over seeds, its t interval, the standard deviation, the values themselves."""
    found = interval(values)
    sd = float(np.std(values, ddof=1))
    return {
        "mean": found.estimate,
        "low": found.low,
        "high": found.high,
        "sd": sd,
        "seeds": len(values),
        "values": list(values),
    }


def of(row: Record) -> Interval:
    """The interval of a row of `spread`."""
    return Interval(row["mean"], row["low"], row["high"], 0.95)
