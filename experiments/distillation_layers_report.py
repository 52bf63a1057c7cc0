"""From the runs of `distillation_layers` to results/distillation_layers.json."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import t as student_t

from course_utils import results
from course_utils.stats import Interval
from experiments.distillation_layers import SMALLEST, read
from experiments.distillation_layers_methods import LABELLED, METHODS, NAME, TEACHERS, sentences
from experiments.finetuning_common import Record, interval

# Method -> what it must beat.
BASELINES = dict.fromkeys(("hard", "patient", "tiny", "minilm", "theseus"), "soft")
BASELINES |= {"bilstm-augmented": "bilstm"}
Records = dict[tuple[str, int], Record]


def report(where: Path) -> str:
    """Write the results file from all seeds that have every method; returns where it is.

    Raises ValueError while there are fewer than 3 such seeds.
    """
    records = read(where)
    seeds = whole_seeds(records)
    if len(seeds) < 3:
        raise ValueError(f"{where} has {len(seeds)} whole seeds, 3 are needed: python -m experiments.{NAME}")
    labels = np.array([example.label for example in sentences("test")])
    rows = [run_row(method, seed, records, labels) for seed in seeds for method in METHODS]
    rows += [teacher_row(seed, records, labels) for seed in range(TEACHERS)]
    rows += [method_row(method, rows) for method in METHODS]
    rows += [difference_row(method, rows) for method in BASELINES]
    rows += pair_rows(records, seeds)
    seconds = sum(record["cpu_seconds"] for (method, _), record in records.items() if method in METHODS)
    return str(
        results.write(
            NAME,
            command=f"python -m experiments.{NAME}",
            rows=rows,
            seeds=seeds,
            seconds=seconds,
            tolerance={
                "relative": 0.1,
                "absolute": 0.03,
                "ignore": [
                    "cpu_seconds",
                    "labelling_seconds",
                    "seconds_each",
                    "values",
                    "losses",
                    "verdict",
                    "table",
                ],
            },
        )
    )


def whole_seeds(records: Records) -> list[int]:
    """The seeds with a run of every method and their teacher's."""
    seeds = sorted({seed for _, seed in records})
    return [
        seed
        for seed in seeds
        if ("teacher", seed % TEACHERS) in records and all((method, seed) in records for method in METHODS)
    ]


def accuracy(record: Record, labels: np.ndarray) -> float:
    """The share of test sentences that are called right."""
    return float(((np.array(record["test"]) >= 0.5) == (labels == 1)).mean())


def run_row(method: str, seed: int, records: Records, labels: np.ndarray) -> Record:
    """One run: accuracy, the share of its teacher's accuracy, agreement with its teacher, cost."""
    record, above = records[method, seed], records["teacher", seed % TEACHERS]
    agree = (np.array(record["test"]) >= 0.5) == (np.array(above["test"]) >= 0.5)
    return {
        "part": "run",
        "method": method,
        "seed": seed,
        "teacher": seed % TEACHERS,
        "accuracy": accuracy(record, labels),
        "retained": accuracy(record, labels) / accuracy(above, labels),
        "agreement": float(agree.mean()),
        "cpu_seconds": record["cpu_seconds"],
        "labelling_seconds": LABELLED.get(method, 0) * above["seconds_each"],
        "losses": [round(loss, 4) for loss in record["losses"]],
    }


def teacher_row(seed: int, records: Records, labels: np.ndarray) -> Record:
    """One teacher."""
    record = records["teacher", seed]
    return {
        "part": "teacher",
        "seed": seed,
        "accuracy": accuracy(record, labels),
        "cpu_seconds": record["cpu_seconds"],
        "seconds_each": record["seconds_each"],
    }


def method_row(method: str, rows: Sequence[Record]) -> Record:
    """Means over seeds with 95% intervals."""
    mine = [row for row in rows if row["part"] == "run" and row["method"] == method]
    made: Record = {"part": "method", "method": method, "runs": len(mine)}
    for name in ("accuracy", "retained", "agreement"):
        found = interval([row[name] for row in mine])
        made |= {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}
    for name in ("cpu_seconds", "labelling_seconds"):
        made[name] = float(np.mean([row[name] for row in mine]))
    return made


def difference_row(method: str, rows: Sequence[Record]) -> Record:
    """Method minus its baseline, paired by seed, with the simultaneous interval and its verdict."""
    of = {(row["method"], row["seed"]): row["accuracy"] for row in rows if row["part"] == "run"}
    seeds = sorted(seed for name, seed in of if name == method)
    values = [of[method, seed] - of[BASELINES[method], seed] for seed in seeds]
    found = simultaneous(values, len(BASELINES))
    return {
        "part": "difference",
        "method": method,
        "baseline": BASELINES[method],
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "level": found.level,
        "verdict": verdict(found),
        "values": values,
    }


def simultaneous(values: Sequence[float], tests: int) -> Interval:
    """Mean and t interval at 1 - 0.05 / tests, so that all intervals hold at once with 95%.

    >>> str(simultaneous([1.0, 2.0, 3.0], 1)) == str(interval([1.0, 2.0, 3.0]))
    True
    """
    level = 1 - 0.05 / tests
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(student_t.ppf(0.5 + level / 2, len(values) - 1)) * error
    return Interval(mean, mean - reach, mean + reach, level)


def verdict(difference: Interval) -> str:
    """The rule of the design.

    >>> [verdict(Interval(0, low, high, 0.99)) for low, high in ((0.02, 0.03), (-0.005, 0.004), (0, 0.02))]
    ['better', 'the same', 'cannot tell']
    """
    if difference.low > SMALLEST:
        return "better"
    if difference.high < -SMALLEST:
        return "worse"
    inside = difference.low >= -SMALLEST and difference.high <= SMALLEST
    return "the same" if inside else "cannot tell"


def pair_rows(records: Records, seeds: Sequence[int]) -> list[Record]:
    """For every method and kind the loss of every pair of layers, a mean over the kept seeds."""
    rows: list[Record] = []
    for method in METHODS:
        kept = [records[method, seed]["pairs"] for seed in seeds if records[method, seed]["pairs"]]
        for kind in kept[0] if kept else ():
            tables = [one[kind] for one in kept]
            rows.append({"part": "pairs", "method": method, "kind": kind, "table": mean_table(tables)})
    return rows


def mean_table(tables: Sequence[list[list[float | None]]]) -> list[list[float | None]]:
    """The mean of tables, entry by entry; None where one has nothing.

    >>> mean_table([[[1.0, None]], [[2.0, None]]])
    [[1.5, None]]
    """
    array = np.array(tables, dtype=float).mean(axis=0)
    return [[None if np.isnan(value) else float(value) for value in row] for row in array]
