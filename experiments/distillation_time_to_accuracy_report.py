"""The rows and the verdict of `distillation_time_to_accuracy`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from course_utils import results
from course_utils.results import Row
from course_utils.stats import Interval
from experiments.distillation_time_to_accuracy import (
    NAME,
    RATES,
    SEEDS,
    SIZES,
    TUNING_SEED,
    tuning_run,
)
from experiments.finetuning_common import Record, interval

Records = Mapping[str, Record]

CLOSE, HALF_TIME, RISING = -0.02, 0.55, 0.005
NEAR = 0.02  # of the 6-layer encoder's last validation accuracy


def seconds_to(record: Record, target: float) -> float | None:
    """Training seconds at the first look with at least this validation accuracy; None if there is none.

    >>> seconds_to({"seconds": [1.0, 2.0], "validation": [0.6, 0.8]}, 0.7)
    2.0
    """
    looks = zip(record["seconds"], record["validation"], strict=True)
    return next((seconds for seconds, accuracy in looks if accuracy >= target), None)


def size_rows(records: Records) -> list[Row]:
    """For each size: its tuned rate, accuracy, seconds, curve, and comparisons with the 6-layer encoder."""
    rows: list[Row] = []
    whole = [records[f"whole-{seed}"] for seed in SEEDS]
    for size in SIZES:
        own = [records[f"{size}-{seed}"] for seed in SEEDS]
        soon = [seconds_to(one, big["validation"][-1] - NEAR) for one, big in zip(own, whole, strict=True)]
        rows += [
            {
                "part": "size",
                "size": size,
                "rate": own[0]["rate"],
                "parameters": own[0]["parameters"],
                "seconds_to_target": soon,
                "reached": sum(value is not None for value in soon),
                "curve_seconds": _means([one["seconds"] for one in own]),
                "curve_validation": _means([one["validation"] for one in own]),
                "seeds": len(SEEDS),
            },
            _row("accuracy", size, [one["test"][-1] for one in own]),
            _row("seconds", size, [one["seconds"][-1] for one in own]),
            _row("rising", size, [one["test"][-1] - one["test"][-2] for one in own]),
        ]
        if size != "whole":
            pairs = list(zip(own, whole, strict=True))
            rows.append(_row("close", size, [a["test"][-1] - b["test"][-1] for a, b in pairs]))
            rows.append(_row("time", size, [a["seconds"][-1] / b["seconds"][-1] for a, b in pairs]))
    return rows


def tuning_rows(records: Records) -> list[Row]:
    """The last validation accuracy of every size at every rate."""
    return [
        {
            "part": "tuning",
            "size": size,
            "rate": rate,
            "validation": records[tuning_run(size, rate)]["validation"][-1],
        }
        for size in SIZES
        for rate in RATES
    ]


def half_in_half_the_time(close: Interval, ratio: Interval) -> str:
    """The first part of the claim.

    >>> half_in_half_the_time(Interval(0.0, -0.01, 0.01, 0.95), Interval(0.5, 0.49, 0.51, 0.95))
    'holds'
    """
    if close.high < CLOSE or ratio.low > HALF_TIME:
        return "fails"
    return "holds" if close.low > CLOSE and ratio.high < HALF_TIME else "cannot be told"


def still_improves(rising: Interval) -> str:
    """The third part."""
    if rising.low > 0:
        return "holds"
    return "fails" if rising.high < RISING else "cannot be told"


def claim(rows: Sequence[Row]) -> Row:
    """The entry of one-bert-distil-half-time."""
    sizes = {row["size"]: row for row in rows if row["part"] == "size"}
    close, ratio = (_find(rows, part, "halved") for part in ("close", "time"))
    rising = _find(rows, "rising", "quick")
    first = half_in_half_the_time(_interval(close), _interval(ratio))
    second = "holds" if sizes["quick"]["rate"] > sizes["whole"]["rate"] else "fails"
    third = still_improves(_interval(rising))
    if first == "fails":
        verdict = "does not hold"
    else:
        verdict = "holds here only" if {first, second, third} == {"holds"} else "cannot tell"
    return {
        "verdict": verdict,
        "estimate": close["mean"],
        "interval": [close["low"], close["high"]],
        "unit": "test accuracy of the half-depth student minus the 6-layer encoder's",
        "seeds": len(SEEDS),
        "sentence": (
            f"Half the layers in half the time: {first}. The student has {100 * close['mean']:+.1f} points "
            f"({100 * close['low']:+.1f} to {100 * close['high']:+.1f}) in {100 * ratio['mean']:.0f}% of the "
            f"training seconds, and came within {100 * NEAR:.0f} points of the whole encoder's end in "
            f"{sizes['halved']['reached']} of {len(SEEDS)} runs. The smallest one needs a higher rate: "
            f"{second} ({sizes['quick']['rate']:g} against {sizes['whole']['rate']:g}, both tuned). It still "
            f"improves at the end: {third} ({100 * rising['mean']:+.1f} points in the last epoch, "
            f"{100 * rising['low']:+.1f} to {100 * rising['high']:+.1f})."
        ),
    }


def report(records: Records, out: Path | None = None) -> Path:
    """Write results/distillation_time_to_accuracy.json."""
    rows = [*tuning_rows(records), *size_rows(records)]
    return results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=[*SEEDS, TUNING_SEED],
        seconds=sum(record["seconds"][-1] for record in records.values()),
        tolerance={
            "relative": 0.05,
            "absolute": 0.03,
            "ignore": ["seconds_to_target", "reached", "curve_seconds"],
        },
        claims={"one-bert-distil-half-time": claim(rows)},
        out=out,
    )


def _means(runs: Sequence[Sequence[float]]) -> list[float]:
    """Over runs, look by look."""
    return [sum(look) / len(look) for look in zip(*runs, strict=True)]


def _row(part: str, size: str, values: Sequence[float]) -> Row:
    made = interval(values)
    return {
        "part": part,
        "size": size,
        "values": list(values),
        "mean": made.estimate,
        "low": made.low,
        "high": made.high,
    }


def _interval(row: Row) -> Interval:
    return Interval(row["mean"], row["low"], row["high"], 0.95)


def _find(rows: Sequence[Row], part: str, size: str) -> Row:
    (found,) = (row for row in rows if row["part"] == part and row["size"] == size)
    return found
