"""From the files of the runs to a results file: means, intervals, and which orderings are resolved."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats as scipy_stats

from course_utils import results
from course_utils.contest import verdicts
from course_utils.contest.design import Contest, Design
from course_utils.contest.entrants import ENTRANTS
from course_utils.contest.runs import COUNTS, UNTRAINED, Record, Run, final_runs, read, tuning_runs
from course_utils.stats import holm

COMPUTE_TOLERANCE = 0.02  # entrants whose compute differs by more are not compared

Row = dict[str, Any]


def write(design: Design, folder: Path, out: Path | None = None) -> Path:
    """Write results/contest_NAME.json; RunError names a run that is missing.

    Raises ValueError when the compute of two runs differs by more than `COMPUTE_TOLERANCE`.
    """
    records = {run: read(design, folder, run) for run in final_runs(design, folder)}
    tuning = [read(design, folder, run) for run in tuning_runs(design)]
    found = rows(design, records)
    return results.write(
        f"contest_{design.name}",
        command=f"python -m experiments.contest_{design.name}",
        rows=found,
        seeds=[*design.tuning_seeds, *design.seeds],
        seconds=sum(record["cpu_seconds"] for record in [*records.values(), *tuning]),
        # Rounding in another order is amplified by training; the verdicts must not depend on it.
        tolerance={"relative": 0.1, "absolute": 0.03, "ignore": ["p", "p_holm", "values"]},
        claims=verdicts.claims(design, found),
        out=out,
    )


def rows(design: Design, records: dict[Run, Record]) -> list[Row]:
    """A row for each entrant, each baseline, each measure of each entrant, and each pair on each measure."""
    trained = {name: of_entrant(design, records, name) for name in design.entrants}
    check_compute(trained)
    measured = {
        **{name: [record["measures"] for record in found] for name, found in trained.items()},
        UNTRAINED: [record["measures"] for record in of_entrant(design, records, UNTRAINED)],
    }
    counts = next(record for run, record in records.items() if run.entrant == COUNTS)
    return [
        *(entrant_row(name, found) for name, found in trained.items()),
        *baseline_rows(counts),
        *(
            measure_row(design, measure, name, found)
            for measure in design.measures
            for name, found in measured.items()
        ),
        *(row for measure in design.measures for row in pair_rows(design, measure, trained)),
    ]


def of_entrant(design: Contest, records: dict[Run, Record], name: str) -> list[Record]:
    """The records of one entrant, in the order of the design's seeds."""
    by_seed = {run.seed: record for run, record in records.items() if run.entrant == name}
    return [by_seed[seed] for seed in design.seeds]


def check_compute(trained: dict[str, list[Record]]) -> None:
    """Raise ValueError unless all runs spent the same within `COMPUTE_TOLERANCE`."""
    spent = {f"{name}, seed {r['seed']}": r["flops"] for name, found in trained.items() for r in found}
    least, most = min(spent, key=spent.__getitem__), max(spent, key=spent.__getitem__)
    if spent[most] > (1 + COMPUTE_TOLERANCE) * spent[least]:
        raise ValueError(
            f"{most} spent {spent[most]:.4g} operations, {least} only {spent[least]:.4g}: "
            f"more than {COMPUTE_TOLERANCE:.0%} apart; the contest is not fair"
        )


def entrant_row(name: str, found: Sequence[Record]) -> Row:
    """What an entrant spent, and its distance from the floor of its own task, in nats a predicted token."""
    row: Row = {
        "kind": "entrant",
        "entrant": name,
        "title": ENTRANTS[name].title,
        "learning_rate": found[0]["learning_rate"],
        "steps": found[0]["steps"],
        "texts_read": found[0]["texts_read"],
        "gigaflops": float(np.mean([record["flops"] for record in found])) / 1e9,
        "processed_tokens": float(np.mean([record["processed_tokens"] for record in found])),
    }
    if found[0]["own_task"] is None:
        return row | {"own_floor": None, "own_excess": None, "own_excess_low": None, "own_excess_high": None}
    mean, low, high = mean_interval([record["own_task"]["excess"] for record in found])
    floors = [record["own_task"]["floor"] for record in found]
    return row | {
        "own_floor": float(np.mean(floors)),
        "own_excess": mean,
        "own_excess_low": low,
        "own_excess_high": high,
    }


def baseline_rows(counts: Record) -> list[Row]:
    """What needs no network and what no reader can know, in nats a token."""
    kl = {name: of_baseline["masked_kl"] for name, of_baseline in counts["baselines"].items()}
    return [
        *(
            {"kind": "floor", "entrant": "exact", "measure": n, "mean": v}
            for n, v in counts["floors"].items()
        ),
        *({"kind": "baseline", "entrant": n, "measure": "masked_kl", "mean": v} for n, v in kl.items()),
    ]


def measure_row(design: Design, measure: str, name: str, found: Sequence[dict[str, float]]) -> Row:
    """Mean and 95% interval over seeds of one entrant (or the untrained encoder) on one measure."""
    values = [measures[measure] for measures in found]
    mean, low, high = mean_interval(values)
    return {
        "kind": "measure",
        "measure": measure,
        "entrant": name,
        "mean": mean,
        "low": low,
        "high": high,
        "values": values,
        "unit": design.measures[measure].unit,
        "chance": design.measures[measure].chance,
    }


def pair_rows(design: Design, measure: str, trained: dict[str, list[Record]]) -> list[Row]:
    """Every pair of entrants on one measure: difference first minus second, paired by seed."""
    smallest = design.measures[measure].smallest_difference
    compared = []
    for first, second in combinations(trained, 2):
        a, b = ([record["measures"][measure] for record in trained[name]] for name in (first, second))
        compared.append((first, second, *paired(a, b)))
    corrected = holm([p for *_, p in compared])
    return [
        {
            "kind": "pair",
            "measure": measure,
            "first": first,
            "second": second,
            "difference": mean,
            "low": wide[0],
            "high": wide[1],
            "p": p,
            "p_holm": p_holm,
            "verdict": verdict(mean, narrow, p_holm, smallest, design.alpha),
        }
        for (first, second, mean, wide, narrow, p), p_holm in zip(compared, corrected, strict=True)
    ]


def paired(
    a: Sequence[float], b: Sequence[float]
) -> tuple[float, tuple[float, float], tuple[float, float], float]:
    """Mean difference, its 95% and 90% intervals, and the two-sided p-value of a paired t test.

    Equal differences for every seed leave nothing to estimate a spread from: then p is 1 for no difference
    and 0 for any other, and the intervals have no width.
    """
    differences = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    mean = float(differences.mean())
    if np.ptp(differences) == 0:
        return mean, (mean, mean), (mean, mean), float(mean == 0)
    test = scipy_stats.ttest_1samp(differences, 0.0)
    wide, narrow = (test.confidence_interval(level) for level in (0.95, 0.9))
    return (
        mean,
        (float(wide.low), float(wide.high)),
        (float(narrow.low), float(narrow.high)),
        float(test.pvalue),
    )


def verdict(
    difference: float, narrow: tuple[float, float], p_holm: float, smallest: float, alpha: float
) -> str:
    """What a pair's numbers allow to say; the 90% interval is that of two one-sided tests at 5%.

    >>> verdict(0.1, (0.08, 0.12), p_holm=0.001, smallest=0.05, alpha=0.05)
    'resolved'
    >>> verdict(0.01, (-0.01, 0.03), p_holm=0.4, smallest=0.05, alpha=0.05)
    'too small to matter'
    >>> verdict(0.1, (-0.1, 0.3), p_holm=0.4, smallest=0.05, alpha=0.05)
    'cannot tell'
    """
    if p_holm <= alpha and abs(difference) >= smallest:
        return "resolved"
    if -smallest < narrow[0] and narrow[1] < smallest:
        return "too small to matter"
    return "cannot tell"


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean over seeds and its 95% interval by Student's t.

    >>> [round(x, 2) for x in mean_interval([1.0, 2.0, 3.0])]
    [2.0, -0.48, 4.48]
    """
    mean, wide, _, _ = paired(values, [0.0] * len(values))
    return mean, *wide
