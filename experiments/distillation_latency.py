"""60% faster? The time of a forward pass, half the layers against all of them.

Weights do not matter for time, so all are random: BERT base and DistilBERT in their published shapes, one
text at a time as in the paper's own measurement; and the laptop's models, one text or 32 at a time. Lengths
of 32 and 128 tokens, one thread and two, float32, PyTorch as it comes, our encoder.

Every round visits every case once, in an order drawn anew, so that what else the machine does falls on all
alike. A visit makes one call that is not counted, then `CALLS` that are, and keeps their mean. The speed of a
model against its reference is the ratio of the two in the same round; over rounds the trimmed mean of its
logarithm (a fifth cut off at either end), with a bootstrap interval over rounds. The ratio of floating-point
operations stands beside it.

The load of the machine before and after is kept. `quiet` says whether less than half a core was busy with
something else when it began; verdicts are not based on a run that was not quiet (experiments/
distillation_headline.py). Two threads are slow beside anything else that runs.

Run: python -m experiments.distillation_latency (about 5 CPU minutes, on a machine that does nothing else)
"""

import argparse
import itertools
import math
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import trim_mean

from course_utils import results
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.flops import encoder_flops
from course_utils.stats import Interval, bootstrap_interval
from experiments.distillation_sizes import MODELS

NAME = "distillation_latency"
Row = dict[str, Any]

ROUNDS = 15
CALLS = {1: 5, 32: 1}  # counted calls of a visit, by batch
LENGTHS, THREADS = (32, 128), (1, 2)
BUSY = 0.5  # cores
CUT = 0.2  # of the rounds, at either end
# Model -> the one it is compared with, and the batches it is timed with.
COMPARED: dict[str, tuple[str, tuple[int, ...]]] = {
    "BERT base": ("BERT base", (1,)),
    "DistilBERT": ("BERT base", (1,)),
    "laptop, 6 layers": ("laptop, 6 layers", (1, 32)),
    "laptop, 3 layers": ("laptop, 6 layers", (1, 32)),
    "laptop, 2 layers": ("laptop, 6 layers", (1, 32)),
    "laptop, 4 narrow layers": ("laptop, 6 layers", (1, 32)),
    "laptop, 2 narrow layers": ("laptop, 6 layers", (1, 32)),
}


@dataclass(frozen=True)
class Case:
    """One thing to time."""

    model: str
    batch: int
    length: int
    threads: int


CASES = [
    Case(model, batch, length, threads)
    for model, (_, batches) in COMPARED.items()
    for batch, length, threads in itertools.product(batches, LENGTHS, THREADS)
]


def encoder(config: EncoderConfig) -> Encoder:
    """The shape with random weights, ready to predict."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Encoder(config).eval()


@torch.inference_mode()
def visit(model: Encoder, case: Case) -> float:
    """Seconds of one forward pass, the mean of the counted calls."""
    torch.set_num_threads(case.threads)
    ids = torch.full((case.batch, case.length), 1000)
    model(ids)
    began = time.perf_counter()
    for _ in range(CALLS[case.batch]):
        model(ids)
    return (time.perf_counter() - began) / CALLS[case.batch]


def measure(cases: Iterable[Case], rounds: int, seed: int) -> dict[Case, list[float]]:
    """Seconds of every case in every round; the rounds visit the cases in an order drawn from the seed."""
    listed = list(cases)
    models = {name: encoder(MODELS[name][0]) for name in {case.model for case in listed}}
    times: dict[Case, list[float]] = {case: [] for case in listed}
    rng = np.random.default_rng(seed)
    for _ in range(rounds):
        for place in rng.permutation(len(listed)):
            case = listed[int(place)]
            times[case].append(visit(models[case.model], case))
    return times


def ratio(reference: list[float], own: list[float], rng: np.random.Generator) -> Interval:
    """How many times faster, with its 95% interval over rounds."""
    logs = np.log(reference) - np.log(own)
    made = bootstrap_interval(logs, lambda values: float(trim_mean(values, CUT)), rng=rng)
    return Interval(math.exp(made.estimate), math.exp(made.low), math.exp(made.high), made.level)


def rows_of(times: Mapping[Case, list[float]]) -> list[Row]:
    """A row for each case: milliseconds, operations, and both ratios against its reference."""
    rng, rows = np.random.default_rng(0), []
    for case, own in times.items():
        reference = COMPARED[case.model][0]
        other = Case(reference, case.batch, case.length, case.threads)
        work, other_work = (encoder_flops(MODELS[name][0], case.length) for name in (case.model, reference))
        row: Row = {
            "part": "time",
            "model": case.model,
            "reference": reference,
            "batch": case.batch,
            "length": case.length,
            "threads": case.threads,
            "milliseconds": 1000 * float(np.median(own)),
            "quartiles": [1000 * float(q) for q in np.quantile(own, [0.25, 0.75])],
            "flops": case.batch * work,
            "flops_ratio": other_work / work,
            "rounds": len(own),
        }
        if case.model != reference:
            made = ratio(times[other], own, rng)
            row |= {"faster": made.estimate, "low": made.low, "high": made.high}
        rows.append(row)
    return rows


def load() -> list[float]:
    """Processes that wanted to run, on average over the last 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Time models of all and of half the layers.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    before, started = load(), time.perf_counter()
    rows = rows_of(measure(CASES, rounds, seed=0))
    machine = {"part": "machine", "load_before": before, "load_after": load(), "quiet": before[0] < BUSY}
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=[machine, *rows],
        seeds=[0],
        seconds=time.perf_counter() - started,
        tolerance={
            "relative": 0.25,
            "absolute": 0.0,
            "ignore": [
                *("milliseconds", "quartiles", "low", "high", "rounds"),
                *("load_before", "load_after", "quiet"),
            ],
        },
    )


if __name__ == "__main__":
    main()
