"""From the files of the runs on English to a results file, in the rows that world (a)'s has.

Two things differ. There is no floor, but there are baselines for every measure. And three seeds leave a
paired t test two degrees of freedom, which hardly any effect survives after Holm's correction; so the spread
is pooled over all entrants (randomized blocks: a seed is a block), which assumes that it is the same for all.
"""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from course_utils import results
from course_utils.contest.english.design import EnglishDesign
from course_utils.contest.report import Row, check_compute, entrant_row, mean_interval, of_entrant, verdict
from course_utils.contest.runs import COUNTS, UNTRAINED, Record, Run, RunError, final_runs, read, tuning_runs
from course_utils.stats import holm

T5_RIVALS = ("mlm", "causal", "mass", "deshuffle", "bart")
"""What replaced spans are compared with here."""


def write(design: EnglishDesign, folder: Path, out: Path | None = None) -> Path:
    """Write results/contest_NAME.json; RunError names a run that is missing, or that read another corpus.

    Raises ValueError when the compute of two runs differs by more than 2%.
    """
    records = {run: read(design, folder, run) for run in final_runs(design, folder)}
    tuning = [read(design, folder, run) for run in tuning_runs(design)]
    check_corpus([*records.values(), *tuning])
    return results.write(
        f"contest_{design.name}",
        command=f"python -m experiments.contest_{design.name}",
        rows=rows(design, records),
        seeds=[*design.tuning_seeds, *design.seeds],
        seconds=sum(record["cpu_seconds"] for record in [*records.values(), *tuning]),
        # Rounding in another order is amplified by training; the verdicts must not depend on it.
        tolerance={"relative": 0.1, "absolute": 0.03, "ignore": ["p", "p_holm", "values"]},
        out=out,
    )


def check_corpus(records: Sequence[Record]) -> None:
    """Raise RunError unless all runs read the same corpus."""
    found = {record["corpus"] for record in records}
    if len(found) > 1:
        raise RunError(f"the runs read {len(found)} different corpora ({sorted(found)}); make them all again")


def rows(design: EnglishDesign, records: dict[Run, Record]) -> list[Row]:
    """The corpus, each entrant, each baseline, each measure, each pair, and what this says of two claims."""
    trained = {name: of_entrant(design, records, name) for name in design.entrants}
    check_compute(trained)
    untrained = of_entrant(design, records, UNTRAINED)
    counts = next(record for run, record in records.items() if run.entrant == COUNTS)
    measured = {**trained, UNTRAINED: untrained}
    pairs = [row for measure in design.measures for row in pair_rows(design, measure, trained)]
    return [
        {"kind": "corpus", **counts["about"], "files": ", ".join(counts["about"]["files"])},
        *(entrant_row(name, found) for name, found in trained.items()),
        *baseline_rows(counts),
        *(
            measure_row(design, measure, name, found)
            for measure in design.measures
            for name, found in measured.items()
        ),
        *pairs,
        *evidence_rows(design, pairs),
    ]


def baseline_rows(counts: Record) -> list[Row]:
    """What needs no network, on the measures that it can answer."""
    return [
        {"kind": "baseline", "entrant": name, "measure": measure, "mean": value}
        for name, of_baseline in counts["baselines"].items()
        for measure, value in of_baseline.items()
    ]


def measure_row(design: EnglishDesign, measure: str, name: str, found: Sequence[Record]) -> Row:
    """Mean and 95% interval over seeds of one entrant (or the untrained encoder) on one measure."""
    values = [record["measures"][measure] for record in found]
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


def pair_rows(design: EnglishDesign, measure: str, trained: dict[str, list[Record]]) -> list[Row]:
    """Every pair of entrants on one measure: difference first minus second, its spread pooled over all."""
    values = np.array([[record["measures"][measure] for record in found] for found in trained.values()])
    compared = list(combinations(range(len(trained)), 2))
    found = [blocked(values, first, second) for first, second in compared]
    corrected = holm([p for *_, p in found])
    names, smallest = list(trained), design.measures[measure].smallest_difference
    return [
        {
            "kind": "pair",
            "measure": measure,
            "first": names[first],
            "second": names[second],
            "difference": mean,
            "low": wide[0],
            "high": wide[1],
            "p": p,
            "p_holm": p_holm,
            "verdict": verdict(mean, narrow, p_holm, smallest, design.alpha),
        }
        for (first, second), (mean, wide, narrow, p), p_holm in zip(compared, found, corrected, strict=True)
    ]


def blocked(
    values: np.ndarray[Any, np.dtype[np.float64]], first: int, second: int
) -> tuple[float, tuple[float, float], tuple[float, float], float]:
    """Mean difference of two entrants, its 95% and 90% intervals, and the two-sided p-value.

    values: (entrants, seeds). The spread is that of what entrants and seeds do not explain together, with
    (entrants - 1) (seeds - 1) degrees of freedom. Without any spread p is 1 for no difference, 0 for any.
    """
    entrants, seeds = values.shape
    left = values - values.mean(1, keepdims=True) - values.mean(0, keepdims=True) + values.mean()
    freedom = (entrants - 1) * (seeds - 1)
    error = float(np.sqrt(2 * (left**2).sum() / freedom / seeds))
    mean = float(values[first].mean() - values[second].mean())
    wide, narrow = (float(student.ppf(level, freedom)) * error for level in (0.975, 0.95))
    p = float(2 * student.sf(abs(mean) / error, freedom)) if error else float(mean == 0)
    return mean, (mean - wide, mean + wide), (mean - narrow, mean + narrow), p


def evidence_rows(design: EnglishDesign, pairs: Sequence[Row]) -> list[Row]:
    """What the primary measure says of world (a)'s two claims; the claims' verdicts are world (a)'s."""
    of_primary = [row for row in pairs if row["measure"] == design.primary]
    wanted = {"electra-efficient": ("electra", ("mlm",)), "t5-objectives": ("t5_spans", T5_RIVALS)}
    return [
        {"kind": "evidence", "claim": claim, **_turned(design, row, name)}
        for claim, (name, rivals) in wanted.items()
        for row in of_primary
        if name in (row["first"], row["second"]) and ({row["first"], row["second"]} - {name}) <= set(rivals)
    ]


def _turned(design: EnglishDesign, row: Row, name: str) -> Row:
    """The pair as `name` minus the other, with `better`: whether `name` is, where the order is resolved."""
    around = row["first"] != name
    sign = -1 if around else 1
    low, high = sorted((sign * row["low"], sign * row["high"]))
    good = sign * row["difference"] * (1 if design.measures[design.primary].better == "high" else -1) > 0
    return {
        "measure": row["measure"],
        "first": name,
        "second": row["first"] if around else row["second"],
        "difference": sign * row["difference"],
        "low": low,
        "high": high,
        "p_holm": row["p_holm"],
        "verdict": row["verdict"],
        "better": bool(good) if row["verdict"] == "resolved" else None,
    }
