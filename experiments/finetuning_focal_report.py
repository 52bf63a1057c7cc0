"""From the runs of `finetuning_focal` to results/finetuning_focal.json.

What focal loss changed, and what a test on 200 reviews could have shown of it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score

from course_utils import results
from course_utils.calibration import expected_calibration_error, reliability_bins
from course_utils.finetuning.designs import SMALLEST
from course_utils.stats import Interval
from experiments import finetuning_focal as design
from experiments.finetuning_common import interval, points
from experiments.finetuning_focal import NAME, RATE, RUNS, SOURCE_GAIN, SOURCE_TEST, Run

Array = NDArray[np.float64]
Record = dict[str, Any]
LOSSES = ("cross-entropy", "focal")
BINS = 10
POWER = 0.8


def report(folder: Path) -> str:
    """Write the results file from all seeds for which both losses have a run; returns where.

    Raises ValueError while there are fewer than 3 such seeds at the source's rate.
    """
    records = read(folder)
    seeds = {rate: paired_seeds(records, rate) for rate in sorted({run.rate for run in records})}
    if len(seeds.get(RATE, [])) < 3:
        raise ValueError(f"{folder} has too few runs at {RATE:g}; make more: python -m experiments.{NAME}")
    answers = np.array([one.label for one in design.test_sentences()])
    validation = {seed: [one.label for one in design.drawn(seed)[1]] for seed in seeds[RATE]}
    runs = [run_row(run, record, answers, validation[run.seed]) for run, record in records.items()]
    rows = runs + [row for rate in seeds for row in rate_rows(rate, seeds[rate], runs, records, answers)]
    return str(
        results.write(
            NAME,
            command=f"python -m experiments.{NAME}",
            rows=rows,
            seeds=seeds[RATE],
            seconds=sum(record["cpu_seconds"] for record in records.values()),
            tolerance={"relative": 0.1, "absolute": 0.03, "ignore": ["rows_needed", "values", "losses"]},
            claims={"focal-helps-small-data": claim(rows)},
        )
    )


def read(folder: Path) -> dict[Run, Record]:
    """The runs that are there, of seeds that have both losses."""
    found = {
        run: json.loads((folder / run.file).read_text(encoding="utf-8"))
        for run in RUNS
        if (folder / run.file).is_file()
    }
    kept = {rate: set(paired_seeds(found, rate)) for rate in {run.rate for run in found}}
    return {run: record for run, record in found.items() if run.seed in kept[run.rate]}


def paired_seeds(records: dict[Run, Record], rate: float) -> list[int]:
    """The seeds with a run of each loss at a rate."""
    by_loss = [{run.seed for run in records if run.rate == rate and run.loss == loss} for loss in LOSSES]
    return sorted(by_loss[0] & by_loss[1])


def run_row(run: Run, record: Record, answers: Array, validation: list[int]) -> Record:
    """What one run reached on the test sentences, by every measure."""
    positive = np.array(record["test"])
    threshold = best_threshold(np.array(record["validation"]), np.array(validation))
    return {
        "part": "run",
        "loss": run.loss,
        "rate": run.rate,
        "seed": run.seed,
        **measures(positive, answers),
        "accuracy_tuned": share_right(positive, answers, threshold),
        "threshold": threshold,
        "losses": [round(loss, 4) for loss in record["losses"]],
    }


def measures(positive: Array, answers: Array) -> Record:
    """Measures of the probabilities of "positive" against the classes 0 and 1."""
    return {
        "accuracy": share_right(positive, answers),
        "balanced_accuracy": float(balanced_accuracy_score(answers, positive >= 0.5)),
        "auc": float(roc_auc_score(answers, positive)),
        "called_positive": float((positive >= 0.5).mean()),
        "accuracy_oracle": share_right(positive, answers, best_threshold(positive, answers)),
        "log_loss": float(log_loss(answers, np.clip(positive, 1e-6, 1 - 1e-6))),
        "calibration_error": expected_calibration_error(positive, answers, BINS),
    }


def share_right(positive: Array, answers: Array, threshold: float = 0.5) -> float:
    """Accuracy where "positive" is said from the threshold on.

    >>> share_right(np.array([0.3, 0.4, 0.9]), np.array([0, 1, 1]), 0.4)
    1.0
    """
    return float(((positive >= threshold) == (answers == 1)).mean())


def best_threshold(positive: Array, answers: Array) -> float:
    """The threshold, halfway between two of the probabilities, with the highest accuracy; the middle one of
    equals.

    >>> round(best_threshold(np.array([0.1, 0.2, 0.4, 0.9]), np.array([0, 0, 1, 1])), 3)
    0.3
    """
    values = np.unique(np.concatenate([[0.0], positive, [1.0]]))
    middles = (values[1:] + values[:-1]) / 2
    right = np.array([share_right(positive, answers, threshold) for threshold in middles])
    best = middles[right == right.max()]
    return float(best[len(best) // 2])


def rate_rows(
    rate: float, seeds: list[int], runs: list[Record], records: dict[Run, Record], answers: Array
) -> list[Record]:
    """Arms, differences, curves, calibration and small tests at one rate."""
    mine = [row for row in runs if row["rate"] == rate]
    names = [key for key in mine[0] if isinstance(mine[0][key], float) and key != "rate"]
    of = {loss: {row["seed"]: row for row in mine if row["loss"] == loss} for loss in LOSSES}
    probabilities = {
        loss: np.array([records[Run(loss, rate, seed)]["test"] for seed in seeds]) for loss in LOSSES
    }
    rows = [
        arm_row(loss, rate, name, [of[loss][s][name] for s in seeds]) for loss in LOSSES for name in names
    ]
    for name in names:
        values = [of["focal"][s][name] - of["cross-entropy"][s][name] for s in seeds]
        rows.append({"part": "difference", "rate": rate, "measure": name, **spread(values), "values": values})
    for loss in LOSSES:
        rows += curve_rows(loss, rate, [of[loss][s]["losses"] for s in seeds])
        rows += calibration_rows(loss, rate, probabilities[loss], answers)
        rows.append(hardness_row(loss, rate, probabilities[loss], answers))
    right = {loss: (p >= 0.5) == (answers == 1) for loss, p in probabilities.items()}
    rows.append(small_test_row(rate, "focal - cross-entropy", right["focal"], right["cross-entropy"]))
    # What chance alone does: the same loss twice, with the next seed's sentences and head.
    rows.append(
        small_test_row(
            rate,
            "cross-entropy - cross-entropy",
            right["cross-entropy"],
            np.roll(right["cross-entropy"], 1, axis=0),
        )
    )
    return rows


def spread(values: list[float]) -> Record:
    """Mean over seeds, its t interval, the standard deviation over seeds."""
    found = interval(values)
    return {
        "mean": found.estimate,
        "low": found.low,
        "high": found.high,
        "sd": float(np.std(values, ddof=1)),
        "seeds": len(values),
    }


def arm_row(loss: str, rate: float, measure: str, values: list[float]) -> Record:
    """One measure of one arm."""
    return {"part": "arm", "loss": loss, "rate": rate, "measure": measure, **spread(values)}


def curve_rows(loss: str, rate: float, curves: list[list[float]]) -> list[Record]:
    """The training loss by epoch; that of focal loss is another quantity, and lower by construction."""
    return [
        {"part": "curve", "loss": loss, "rate": rate, "epoch": epoch, **spread(list(values))}
        for epoch, values in enumerate(zip(*curves, strict=True), start=1)
    ]


def calibration_rows(loss: str, rate: float, positive: Array, answers: Array) -> list[Record]:
    """Said and true share of positives by bin, over all seeds; empty bins are left out."""
    bins = reliability_bins(positive.ravel(), np.tile(answers, len(positive)), BINS)
    of_bin = {"part": "calibration", "loss": loss, "rate": rate}
    return [
        of_bin
        | {"low": one.low, "said": one.confidence, "true": one.accuracy, "share": one.count / positive.size}
        for one in bins
        if one.count
    ]


def hardness_row(loss: str, rate: float, positive: Array, answers: Array) -> Record:
    """How probable the model finds the right class: counts in 40 bins from 0 to 1, over all seeds."""
    right = np.where(answers == 1, positive, 1 - positive)
    counts, _ = np.histogram(right, bins=40, range=(0.0, 1.0))
    return {"part": "hardness", "loss": loss, "rate": rate, "counts": counts.tolist()}


def small_test_row(rate: float, pair: str, first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Record:
    """What a test on SOURCE_TEST rows shows of one run each. first, second: (seeds, test rows), right or not.

    Rows are drawn with replacement, as if from a population like the test sentences.
    """
    rng = np.random.default_rng(2026)
    difference = first.astype(np.int8) - second.astype(np.int8)
    per_seed = design.DRAWS // len(difference)
    drawn = np.array(
        [one[rng.integers(len(one), size=(per_seed, SOURCE_TEST))].mean(axis=1) for one in difference]
    )
    disagree = float((difference != 0).mean())
    return {
        "part": "small test",
        "rate": rate,
        "pair": pair,
        "rows": SOURCE_TEST,
        "standard_error": float(drawn.std(axis=1, ddof=1).mean()),
        "spread": float(drawn.std(ddof=1)),
        "gain_seen": float((drawn >= SOURCE_GAIN - 1e-9).mean()),
        "loss_seen": float((drawn <= -SOURCE_GAIN + 1e-9).mean()),
        "disagree": disagree,
        "rows_needed": rows_needed(disagree, SOURCE_GAIN),
    }


def rows_needed(disagree: float, gain: float, level: float = 0.05, power: float = POWER) -> int:
    """Test rows for a paired test of two models to see a gain in accuracy (Connor 1987, for McNemar's test).

    disagree: the share of rows on which exactly one model is right, above the gain.

    >>> rows_needed(0.1, 0.025)
    1254
    """
    reject, detect = norm.ppf(1 - level / 2), norm.ppf(power)
    root = reject * disagree**0.5 + detect * max(disagree - gain**2, 0.0) ** 0.5
    return int(np.ceil((root / gain) ** 2))


def verdict(gain: Interval) -> str:
    """The rule of the design.

    >>> verdict(Interval(0.02, 0.011, 0.03, 0.95)), verdict(Interval(0.0, -0.01, 0.009, 0.95))
    ('holds', 'does not hold')
    """
    if gain.low > SMALLEST:
        return "holds"
    return "does not hold" if gain.high < SMALLEST else "cannot tell"


def claim(rows: list[Record]) -> dict[str, Any]:
    """The entry of `focal-helps-small-data`."""
    one: Callable[..., Record] = lambda **match: next(
        row for row in rows if all(row.get(key) == value for key, value in match.items())
    )
    found = one(part="difference", rate=RATE, measure="accuracy")
    gain = Interval(found["mean"], found["low"], found["high"], 0.95)
    tuned = one(part="difference", rate=RATE, measure="accuracy_tuned")
    small = one(part="small test", rate=RATE, pair="cross-entropy - cross-entropy")
    said = one(part="arm", loss="focal", rate=RATE, measure="called_positive")["mean"]
    return {
        "verdict": verdict(gain),
        "estimate": gain.estimate,
        "interval": [gain.low, gain.high],
        "unit": "accuracy, focal minus cross-entropy",
        "seeds": found["seeds"],
        "sentence": (
            f"On {design.TEST:,} test sentences focal loss changed accuracy by {points(gain)}, "
            f"{found['seeds']} seeds, a small BERT; it calls {said:.0%} of them positive. With a threshold "
            f"chosen on the validation sentences the change is {100 * tuned['mean']:+.1f} points. On "
            f"{SOURCE_TEST} rows two runs of the same loss differ by {100 * SOURCE_GAIN:g} points or more in "
            f"{small['gain_seen'] + small['loss_seen']:.0%} of draws."
        ),
    }
