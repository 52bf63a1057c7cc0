"""From the files of a study's runs to a results file: means, intervals, and every stated comparison."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats as scipy_stats

from course_utils import results
from course_utils.contest.report import mean_interval, paired, verdict
from course_utils.contest.runs import COUNTS, UNTRAINED, RunError
from course_utils.family import verdicts
from course_utils.family.design import Study
from course_utils.family.runs import Record, Run, final_runs, read, tuning_runs
from course_utils.stats import holm

COMPUTE_TOLERANCE = 0.02  # arms whose compute differs by more are not at equal compute
FEWEST = 3  # seeds; fewer are not reported
POWER = 0.8

Row = dict[str, Any]


def write(study: Study, folder: Path, *, extra: Sequence[Row] = (), out: Path | None = None) -> Path:
    """Write results/family_NAME.json from the seeds whose runs are all there; extra: rows to put at its end.

    Raises RunError where fewer than `FEWEST` seeds are whole, and ValueError where runs that should have cost
    the same did not.
    """
    records, seeds = whole_seeds(study, folder)
    tuning = [read(study, folder, run) for run in tuning_runs(study)]
    found = rows(study, records, seeds) + [rate_row(record) for record in tuning] + [*extra]
    return results.write(
        f"family_{study.name}",
        command=f"python -m experiments.family_{study.name}",
        rows=found,
        seeds=[*(study.tuning_seeds if tuning else ()), *seeds],
        seconds=sum(record["cpu_seconds"] for record in [*records.values(), *tuning]),
        # Rounding in another order is amplified by training; the verdicts must not depend on it.
        tolerance={
            "relative": 0.1,
            "absolute": 0.05,
            "ignore": ["p", "p_holm", "values", "train_seconds", "seconds_low", "seconds_high", "detectable"],
        },
        claims=verdicts.claims(study, found, len(seeds)),
        out=out,
    )


def whole_seeds(study: Study, folder: Path) -> tuple[dict[Run, Record], list[int]]:
    """The records of the baselines and of all seeds of which every arm is there, and those seeds."""
    runs = final_runs(study, folder)
    missing = {run.seed for run in runs if run.entrant in study.arms and not (folder / run.file).is_file()}
    seeds = [seed for seed in study.seeds if seed not in missing]
    if len(seeds) < FEWEST:
        raise RunError(
            f"{folder} holds {len(seeds)} whole seeds of {len(study.seeds)}, and a report needs {FEWEST}; "
            f"make the rest with: python -m experiments.family_{study.name}"
        )
    kept = [run for run in runs if run.seed in seeds or run.entrant not in study.arms]
    return {run: read(study, folder, run) for run in kept}, seeds


def rows(study: Study, records: dict[Run, Record], seeds: Sequence[int]) -> list[Row]:
    """A row for each arm, each baseline, each measure of each arm, and each comparison on each measure."""
    by_run = {(run.entrant, run.seed): record for run, record in records.items()}
    trained = {arm: [by_run[arm, seed] for seed in seeds] for arm in study.arms}
    if study.gigaflops:
        check_compute(trained)
    alone = {run.entrant: record for run, record in records.items() if run.entrant not in study.arms}
    return [
        *(arm_row(study, arm, found) for arm, found in trained.items()),
        *baseline_rows(alone[COUNTS], alone[UNTRAINED]),
        *(
            measure_row(study, measure, arm, found)
            for measure in study.measures
            for arm, found in trained.items()
        ),
        *(row for measure in study.measures for row in pair_rows(study, measure, trained)),
    ]


def check_compute(trained: dict[str, list[Record]]) -> None:
    """Raise ValueError unless all runs spent the same within `COMPUTE_TOLERANCE`."""
    spent = {f"{arm}, seed {r['seed']}": r["flops"] for arm, found in trained.items() for r in found}
    least, most = min(spent, key=spent.__getitem__), max(spent, key=spent.__getitem__)
    if spent[most] > (1 + COMPUTE_TOLERANCE) * spent[least]:
        raise ValueError(
            f"{most} spent {spent[most]:.4g} operations, {least} only {spent[least]:.4g}: "
            f"more than {COMPUTE_TOLERANCE:.0%} apart, where the study is at equal compute"
        )


def arm_row(study: Study, arm: str, found: Sequence[Record]) -> Row:
    """What an arm is and what a run of it costs; seconds are of a core, and the median over seeds."""
    first, rates = found[0], study.rates(arm)
    return {
        "kind": "arm",
        "arm": arm,
        "title": study.arms[arm].title,
        "learning_rate": first["learning_rate"],
        "rate_at_edge": len(rates) > 1 and first["learning_rate"] in (min(rates), max(rates)),
        "batch_size": study.arms[arm].batch_size or study.batch_size,
        "parameters": first["parameters"],
        "steps": first["steps"],
        "texts": first["texts"],
        "texts_read": first["texts_read"],
        "gigaflops": float(np.mean([record["flops"] for record in found])) / 1e9,
        "train_seconds": float(np.median([record["train_seconds"] for record in found])),
        "training_loss": float(np.mean([record["curve"][-1][1] for record in found])),
    }


def baseline_rows(counts: Record, untrained: Record) -> list[Row]:
    """What needs no network, what no reader can know, and the model as it starts."""
    named = counts["baselines"] | {UNTRAINED: untrained["measures"]}
    return [
        {"kind": "baseline", "arm": name, "measure": measure, "mean": value}
        for name, measures in named.items()
        for measure, value in measures.items()
    ]


def rate_row(record: Record) -> Row:
    """One learning rate of one arm on a tuning seed."""
    return {
        "kind": "rate",
        "arm": record["entrant"],
        "seed": record["seed"],
        "learning_rate": record["learning_rate"],
        **record["measures"],
    }


def measure_row(study: Study, measure: str, arm: str, found: Sequence[Record]) -> Row:
    """Mean and 95% interval over seeds of one arm on one measure."""
    values = [record["measures"][measure] for record in found]
    mean, low, high = mean_interval(values)
    return {
        "kind": "measure",
        "measure": measure,
        "arm": arm,
        "mean": mean,
        "low": low,
        "high": high,
        "values": values,
        "unit": study.measures[measure].unit,
        "chance": study.measures[measure].chance,
    }


def pair_rows(study: Study, measure: str, trained: dict[str, list[Record]]) -> list[Row]:
    """Every stated comparison on one measure: first minus second, paired by seed."""
    smallest = study.measures[measure].smallest_difference
    values = {arm: [record["measures"][measure] for record in found] for arm, found in trained.items()}
    compared = [(a, b, *paired(values[a], values[b])) for a, b in study.compare]
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
            "low_90": narrow[0],
            "high_90": narrow[1],
            "p": p,
            "p_holm": p_holm,
            "verdict": verdict(mean, narrow, p_holm, smallest, study.alpha),
            "smallest": smallest,
            "detectable": detectable(values[first], values[second], study.alpha),
        }
        for (first, second, mean, wide, narrow, p), p_holm in zip(compared, corrected, strict=True)
    ]


def detectable(first: Sequence[float], second: Sequence[float], alpha: float = 0.05) -> float:
    """How small a true difference could have been seen: the one that a paired t test at `alpha`, uncorrected,
    finds in 80% of such studies, if seeds differ as they did here.

    >>> round(detectable([1.0, 2.0, 3.0], [1.1, 2.0, 2.9]), 2)
    0.31
    """
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    n = len(differences)
    reach = scipy_stats.t.ppf(1 - alpha / 2, n - 1) + scipy_stats.t.ppf(POWER, n - 1)
    return float(reach * differences.std(ddof=1) / math.sqrt(n))
