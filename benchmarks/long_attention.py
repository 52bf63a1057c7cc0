"""What attention costs against the length of the text: `python -m benchmarks.long_attention`.

Attention alone, one text of 256 to 4,096 tokens (the local patterns to 8,192), 4 heads of 32 features, one
thread, float32, forward and forward + backward ("training"):
  matrix            the masked full matrix: all scores, a window mask (radius 32), softmax, times the values
  fused             torch's scaled_dot_product_attention over all pairs, without a mask
  window            course_utils.models.local_attention, 32 tokens to either side
  wide window       the same, 128 tokens to either side
  dilated           32 steps to either side, a step being 4 tokens
  window + global   the window, and 4 tokens that look at all and are seen by all
A whole encoder with the small real encoder's sizes (6 layers of 384), forward, 512 to 4,096 tokens: fused
full attention, window, wide window, window + global.

Time is CPU seconds of one thread, which is what a clock shows on an idle machine; the system's share of it
(giving pages of memory) counts. A round measures every point once (short ones several times over, and the
mean is taken), so that load hits all alike; what is kept is the median of the rounds, and the exponent is
the slope of its logarithm against that of the length, 256 to 4,096, with a bootstrap interval over rounds.
Peak memory is the most that was allocated at once during the call, beyond its inputs, counted from the
profiler's record of every allocation: exact, and the same each time. Linux's own count for a fresh
process stands beside it at 4,096 tokens.

Written before the runs, and not changed after them. The benchmark fails unless
  - window, dilated and window + global: the exponent of time is at most 1.15 with its whole interval, and
    that of peak memory at most 1.15, in both directions;
  - the matrix: both exponents lie in 1.75..2.5 ("about 2"), in both directions.
Claim longformer-cost ("windowed, dilated and global attention replace the full pattern, whose cost grows
with the square of the length"):
  holds            these bars are met, and fused attention's time has an exponent in 1.75..2.5 too
  does not hold    a local pattern's interval lies above 1.15, or full attention's (either way) below 1.75
  cannot tell      otherwise
Fused attention's memory has no part in it: it never holds the matrix, which the claim's sentence says.
The window "wins" at a length if fused / window, paired by round, has an interval above 1; it wins from a
length on if it wins there and at every longer one.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.long_attention_calls import (
    CLEAR,
    PATTERNS,
    Point,
    Row,
    attention_work,
    model_work,
    named,
    peak_memory,
    rise,
    timed_rounds,
)
from course_utils import results
from course_utils.stats import bootstrap_interval

NAME = "benchmark_long_attention"
COMMAND = "python -m benchmarks.long_attention"
LENGTHS = (256, 512, 1024, 2048, 4096)
LONGER = 8192  # local patterns only
MODEL_LENGTHS = (512, 1024, 2048, 4096)
DIRECTIONS = ("forward", "training")
LOCAL_BAR, FULL_RANGE = 1.15, (1.75, 2.5)
MEGABYTE = 1e6


BARRED = ("window", "dilated", "window + global")
MODELS = tuple(pattern for pattern in PATTERNS if pattern.name not in ("matrix", "dilated"))


@dataclass(frozen=True)
class Job:
    """How much is done."""

    lengths: tuple[int, ...] = LENGTHS
    model_lengths: tuple[int, ...] = MODEL_LENGTHS
    rounds: int = 12
    model_rounds: int = 3


QUICK = Job(lengths=(256, 512, 1024), model_lengths=(512,), rounds=3, model_rounds=2)


def main() -> None:
    """Measure, print, write results/benchmark_long_attention.json, and fail where a bar is missed."""
    parser = argparse.ArgumentParser(description="What attention costs against the length.")
    parser.add_argument("--quick", action="store_true", help="a rough run in half a minute; writes no file")
    parser.add_argument("--out", type=Path, help="folder for the results file; default is results/")
    parser.add_argument("--process", help="print the memory of one pattern in this process, and stop")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.process:
        print(rise(attention_work(named(chosen.process), LENGTHS[-1], "training")))
        return
    job, began = QUICK if chosen.quick else Job(), time.perf_counter()
    rows = measure_all(job)
    for row in rows:
        print("; ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if not chosen.quick:
        write(rows, job, time.perf_counter() - began, chosen.out)
    problems = missed(rows)
    print("\n".join(problems) or "The bars are met.")
    sys.exit(1 if problems else 0)


def measure_all(job: Job) -> list[Row]:
    """Every row of the results file."""
    rows, times = [], {}
    for points, rounds in (
        (attention_points(job), job.rounds),
        (model_points(job), job.model_rounds),
    ):
        memory = [peak_memory(point.work) for point in points]  # a first run, too: nothing is cold after it
        taken = timed_rounds([point.work for point in points], rounds)
        for point, peak, seconds in zip(points, memory, taken, strict=True):
            rows.append(point.key() | summary(seconds, peak))
            times[point.what, point.pattern.name, point.length, point.direction] = seconds
    return [*rows, *exponents(rows, times, job), *crossovers(times, job), *processes(job)]


def attention_points(job: Job) -> list[Point]:
    """Attention alone, shortest texts first."""
    return [
        Point("attention", pattern, length, direction, attention_work(pattern, length, direction))
        for length in (*job.lengths, LONGER)
        for pattern in PATTERNS
        for direction in DIRECTIONS
        if pattern.is_local or length != LONGER
    ]


def model_points(job: Job) -> list[Point]:
    """A whole encoder on one text; all patterns share one length's random ids."""
    points = []
    for length in job.model_lengths:
        ids = torch.randint(1000, 30000, (1, length), generator=torch.Generator().manual_seed(length))
        points += [Point("model", p, length, "forward", model_work(p, ids)) for p in MODELS]
    return points


def summary(seconds: Sequence[float], peak: int) -> Row:
    """Time and memory of a point."""
    return {
        "milliseconds": 1e3 * float(np.median(seconds)),
        "milliseconds_low": 1e3 * min(seconds),
        "milliseconds_high": 1e3 * max(seconds),
        "rounds": len(seconds),
        "peak_megabytes": peak / MEGABYTE,
    }


def slope(lengths: Sequence[int], costs: Sequence[float]) -> float:
    """The exponent b of the power law a * length ** b that fits best on logarithmic axes.

    >>> round(slope([1, 2, 4], [3.0, 12.0, 48.0]), 6)
    2.0
    """
    centered = np.log(lengths) - np.log(lengths).mean()
    return float(centered @ np.log(costs) / (centered @ centered))


def exponents(rows: Sequence[Row], times: dict[Any, list[float]], job: Job) -> list[Row]:
    """A row for each pattern, direction and quantity."""
    made = []
    for pattern in PATTERNS:
        for direction in DIRECTIONS:
            by_round = np.array([times["attention", pattern.name, n, direction] for n in job.lengths]).T
            found = bootstrap_interval(
                by_round,
                lambda drawn: slope(job.lengths, np.median(drawn, axis=0)),
                rng=np.random.default_rng(0),
            )
            peaks = [
                row["peak_megabytes"]
                for row in rows
                if (row["what"], row["pattern"], row["direction"]) == ("attention", pattern.name, direction)
                and row["length"] in job.lengths
            ]
            same = {"what": "exponent", "pattern": pattern.name, "direction": direction}
            time_row = {"exponent": found.estimate, "low": found.low, "high": found.high}
            made.append({**same, "of": "time", **time_row})
            made.append({**same, "of": "memory", "exponent": slope(job.lengths, peaks)})
    return made


def crossovers(times: dict[Any, list[float]], job: Job) -> list[Row]:
    """How many times faster than fused full attention each local pattern is, and from which length on."""
    made = []
    for what, lengths, patterns, directions in (
        ("attention", job.lengths, PATTERNS, DIRECTIONS),
        ("model", job.model_lengths, MODELS, ("forward",)),
    ):
        for pattern in (p for p in patterns if p.is_local):
            for direction in directions:
                ratios = [
                    np.array(times[what, "fused", n, direction])
                    / np.array(times[what, pattern.name, n, direction])
                    for n in lengths
                ]
                made += speedups(what, pattern.name, direction, lengths, ratios)
    return made


def speedups(
    what: str, name: str, direction: str, lengths: Sequence[int], ratios: Sequence[np.ndarray]
) -> list[Row]:
    """A row for each length: fused / local, and whether the local one wins from here on."""
    found = [
        bootstrap_interval(r, lambda x: float(np.median(x)), rng=np.random.default_rng(0)) for r in ratios
    ]
    return [
        {
            "what": "speedup",
            "of": what,
            "pattern": name,
            "direction": direction,
            "length": length,
            "times_faster": one.estimate,
            "low": one.low,
            "high": one.high,
            "wins_from_here": all(later.low > 1 for later in found[index:]),
        }
        for index, (length, one) in enumerate(zip(lengths, found, strict=True))
    ]


def processes(job: Job) -> list[Row]:
    """What Linux says of the longest text, a fresh process for each pattern; no row on other systems."""
    if job.lengths != LENGTHS or not CLEAR.exists():
        return []
    made = []
    for pattern in PATTERNS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.long_attention", "--process", pattern.name],
            capture_output=True,
            text=True,
            check=True,
        )
        megabytes = int(done.stdout.split()[-1]) / MEGABYTE
        key = {"what": "process", "pattern": pattern.name, "length": LENGTHS[-1], "direction": "training"}
        made.append(key | {"resident_megabytes": megabytes})
    return made


def select(rows: Sequence[Row], **match: str) -> list[Row]:
    """The exponents that match."""
    chosen = [row for row in rows if row["what"] == "exponent"]
    return [row for row in chosen if all(row[key] == value for key, value in match.items())]


def bounds(row: Row) -> tuple[float, float]:
    """The interval of an exponent; that of memory is a point."""
    return row.get("low", row["exponent"]), row.get("high", row["exponent"])


def missed(rows: Sequence[Row]) -> list[str]:
    """Which bars were missed, a sentence each."""
    problems = []
    for row in select(rows):
        high = bounds(row)[1]
        said = f"{row['pattern']}, {row['direction']}: {row['of']} grows with exponent {row['exponent']:.2f}"
        if row["pattern"] in BARRED and high > LOCAL_BAR:
            problems.append(f"{said} (to {high:.2f}), expected at most {LOCAL_BAR}")
        if row["pattern"] == "matrix" and not FULL_RANGE[0] <= row["exponent"] <= FULL_RANGE[1]:
            problems.append(f"{said}, expected {FULL_RANGE[0]} to {FULL_RANGE[1]}")
    return problems


def judge(rows: Sequence[Row]) -> str:
    """The verdict on the claim, by the rule above."""
    local = [row for name in BARRED for row in select(rows, pattern=name)]
    fused = select(rows, pattern="fused", of="time")
    full = [*select(rows, pattern="matrix"), *fused]
    if any(bounds(row)[0] > LOCAL_BAR for row in local) or any(
        bounds(row)[1] < FULL_RANGE[0] for row in full
    ):
        return "does not hold"
    fused_fits = all(FULL_RANGE[0] <= row["exponent"] <= FULL_RANGE[1] for row in fused)
    return "holds" if fused_fits and not missed(rows) else "cannot tell"


def claim(rows: Sequence[Row], rounds: int) -> Row:
    """The entry of longformer-cost: the window's exponent of time, forward and backward."""

    def said(name: str, of: str) -> str:
        return f"{select(rows, pattern=name, of=of, direction='training')[0]['exponent']:.2f}"

    window = select(rows, pattern="window", of="time", direction="training")[0]
    wins = [
        row["length"]
        for row in rows
        if row["what"] == "speedup"
        and (row["of"], row["pattern"], row["direction"]) == ("attention", "window", "training")
        and row["wins_from_here"]
    ]
    since = f"from {min(wins):,} tokens on" if wins else "at no length measured"
    return {
        "verdict": judge(rows),
        "estimate": window["exponent"],
        "interval": [window["low"], window["high"]],
        "unit": "exponent of the length in time",
        "seeds": 0,
        "sentence": (
            "Forward and backward, 256 to 4,096 tokens: time grows with exponent "
            f"{said('window', 'time')} for a window, {said('dilated', 'time')} dilated, "
            f"{said('window + global', 'time')} with global tokens, {said('matrix', 'time')} for the masked "
            f"full matrix and {said('fused', 'time')} for fused full attention; peak memory with "
            f"{said('window', 'memory')}, {said('dilated', 'memory')}, {said('window + global', 'memory')}, "
            f"{said('matrix', 'memory')} and {said('fused', 'memory')}: fused attention never holds the "
            f"matrix. Medians of {rounds} rounds. A window of 65 tokens is faster than fused attention "
            f"{since}."
        ),
    }


def write(rows: list[Row], job: Job, seconds: float, out: Path | None) -> None:
    """Write the results file; times depend on the machine, counted memory does not."""
    measured = {key for row in rows for key in row if key.startswith(("milliseconds", "times_"))}
    free = {"low", "high", "exponent", "wins_from_here", "resident_megabytes", "longformer-cost"}
    results.write(
        NAME,
        command=COMMAND,
        rows=rows,
        seeds=[],
        seconds=seconds,
        tolerance={"relative": 0.02, "absolute": 0, "ignore": sorted(measured | free)},
        claims={"longformer-cost": claim(rows, job.rounds)},
        out=out,
    )


if __name__ == "__main__":
    main()
