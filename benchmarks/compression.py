"""How fast compressed models are beside the one that they come from, all of them in one run.

    python -m benchmarks.compression [MODEL ...] [--rounds N] [--threads 1 2] [--reference NAME]

MODEL is a folder that `course finetune` or `course compress` saved, or one with such folders in it; the first
model is the reference, unless --reference names another. Without any: the models that
`experiments.compression_frontier` made of its first teacher, beside that teacher. For each: size on disk,
parameters, and the time of a forward pass at batch 1 and 32, for 32 and 128 tokens, on one thread and two, in
PyTorch as it comes and, for models in floating point, also exported to ONNX Runtime. A model is compared with
the reference on the same engine, threads, batch and length.

Every round visits every model under every condition, the conditions in an order drawn anew, and under each
the models in an order drawn anew: what else the machine does falls on all alike. A visit makes one call that
is not counted and keeps the mean of those that are. How many times faster a model is: the ratio of the two
times of the same round; over rounds the trimmed mean of its logarithm (a fifth cut off at either end), with a
bootstrap interval over rounds. The machine's load before and after is kept; on a busy machine two threads say
little.

Prints the ratios; writes results/benchmark_compression.json if --write is given, of those models alone.
"""

import argparse
import itertools
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import trim_mean

from benchmarks.compression_models import Loaded, load_all
from course_utils import paths, results
from course_utils.stats import Interval, bootstrap_interval

NAME, TEACHER = "benchmark_compression", "teacher"
BATCHES, LENGTHS, THREADS, ROUNDS = (1, 32), (32, 128), (1, 2), 12
CALLS = {1: 5, 32: 1}  # counted calls of a visit, by batch
CUT = 0.2  # of the rounds, at either end
FIRST_ID, IDS = 5, 900  # every vocabulary that was not trimmed to nothing has these
Row = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """What a model is timed under."""

    engine: str
    batch: int
    length: int
    threads: int


Times = dict[tuple[str, Condition], list[float]]


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    batches: Sequence[int] = BATCHES
    lengths: Sequence[int] = LENGTHS
    threads: Sequence[int] = THREADS
    rounds: int = ROUNDS
    seed: int = 0

    def conditions(self, engine: str) -> list[Condition]:
        """All combinations on one engine."""
        combined = itertools.product(self.batches, self.lengths, self.threads)
        return [Condition(engine, *values) for values in combined]


@dataclass
class Inputs:
    """Token ids, the same for every model; made once for each shape."""

    made: dict[tuple[int, int], torch.Tensor] = field(default_factory=dict)

    def of(self, batch: int, length: int) -> torch.Tensor:
        """(batch, length), without padding."""
        if (batch, length) not in self.made:
            generator = torch.Generator().manual_seed(length)
            self.made[batch, length] = torch.randint(
                FIRST_ID, FIRST_ID + IDS, (batch, length), generator=generator
            )
        return self.made[batch, length]


@torch.inference_mode()
def visit(call: Callable[..., object], ids: torch.Tensor) -> float:
    """Seconds of one forward pass, the mean of the counted calls."""
    call(ids[:1], attention_mask=torch.ones_like(ids[:1]))
    mask, calls = torch.ones_like(ids), CALLS.get(len(ids), 1)
    began = time.perf_counter()
    for _ in range(calls):
        call(ids, attention_mask=mask)
    return (time.perf_counter() - began) / calls


def measure(models: Sequence[Loaded], plan: Plan) -> Times:
    """Seconds of every model under every condition that it can be run under, one for each round."""
    rng, inputs = np.random.default_rng(plan.seed), Inputs()
    conditions = [c for engine in engines(models) for c in plan.conditions(engine)]
    times: Times = {}
    threads_before = torch.get_num_threads()
    for _ in range(plan.rounds):
        for place in rng.permutation(len(conditions)):
            condition = conditions[int(place)]
            torch.set_num_threads(condition.threads)
            able = [model for model in models if condition.engine in model.engines]
            for number in rng.permutation(len(able)):
                model = able[int(number)]
                if condition.length > model.longest:
                    continue
                call = model.engines[condition.engine](condition.threads)
                seconds = visit(call, inputs.of(condition.batch, condition.length))
                times.setdefault((model.name, condition), []).append(seconds)
    torch.set_num_threads(threads_before)
    return times


def engines(models: Sequence[Loaded]) -> list[str]:
    """All engines that some model runs on."""
    return sorted({engine for model in models for engine in model.engines})


def faster(reference: Sequence[float], own: Sequence[float], rng: np.random.Generator) -> Interval:
    """How many times faster than the reference, with its 95% interval over rounds.

    >>> str(faster([2.0, 4.0, 2.0], [1.0, 2.0, 1.0], np.random.default_rng(0)))
    '2.000 [2.000, 2.000]'
    """
    logs = np.log(reference) - np.log(own)
    made = bootstrap_interval(logs, lambda values: float(trim_mean(values, CUT)), rng=rng)
    return Interval(math.exp(made.estimate), math.exp(made.low), math.exp(made.high), made.level)


def rows_of(models: Sequence[Loaded], reference: str, times: Times) -> list[Row]:
    """A row for each model, and one for each model under each condition."""
    rng = np.random.default_rng(0)
    whole = next(model for model in models if model.name == reference)
    rows: list[Row] = [
        {
            "part": "model",
            "model": model.name,
            "bytes": model.bytes,
            "parameters": model.parameters,
            "engines": sorted(model.engines),
            "smaller": whole.bytes / model.bytes,
        }
        for model in models
    ]
    for (name, condition), own in times.items():
        row: Row = {
            "part": "time",
            "model": name,
            "engine": condition.engine,
            "batch": condition.batch,
            "length": condition.length,
            "threads": condition.threads,
            "milliseconds": 1000 * float(np.median(own)),
            "quartiles": [1000 * float(q) for q in np.quantile(own, [0.25, 0.75])],
            "rounds": len(own),
        }
        theirs = times.get((reference, condition))
        if theirs and name != reference:
            made = faster(theirs, own, rng)
            row |= {"faster": made.estimate, "low": made.low, "high": made.high}
        rows.append(row)
    return rows


def load() -> list[float]:
    """Processes that wanted to run, on average over the last 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def told(rows: Sequence[Row]) -> list[str]:
    """A line for each model, one for each ratio."""
    lines = [
        f"{row['model']:32s} {row['bytes'] / 1e6:8.2f} MB  {row['smaller']:6.2f}x smaller"
        for row in rows
        if row["part"] == "model"
    ]
    lines += [
        f"{row['model']:32s} {row['engine']:12s} batch {row['batch']:<3d} length {row['length']:<4d} threads "
        f"{row['threads']}  {row['milliseconds']:9.2f} ms  {row['faster']:6.2f}x faster "
        f"[{row['low']:.2f}, {row['high']:.2f}]"
        for row in rows
        if "faster" in row
    ]
    return lines


def main() -> None:
    """Measure the models that are named."""
    parser = argparse.ArgumentParser(description="Compressed models beside their reference, in one run.")
    parser.add_argument("models", type=Path, nargs="*", help="saved models, or folders of them")
    parser.add_argument("--reference", help="name of the model to compare with (default: the first)")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--threads", type=int, nargs="+", default=list(THREADS))
    parser.add_argument("--no-export", action="store_true", help="do not also run models in ONNX Runtime")
    parser.add_argument("--write", action="store_true", help="write the results file")
    given = parser.parse_args()
    if given.write and given.models:
        parser.error("the results file is of the frontier's models: name no others with --write")
    before, began = load(), time.perf_counter()
    models = load_all(given.models or [frontier()], export=not given.no_export)
    reference = given.reference or (models[0].name if given.models else TEACHER)
    if reference not in {model.name for model in models}:
        parser.error(f"there is no model {reference!r} among {', '.join(m.name for m in models)}")
    rows = rows_of(models, reference, measure(models, Plan(threads=given.threads, rounds=given.rounds)))
    print("\n".join(told(rows)))
    machine = {"part": "machine", "load_before": before, "load_after": load(), "reference": reference}
    if given.write:
        write([machine, *rows], time.perf_counter() - began, given.rounds)


def frontier() -> Path:
    """Where the frontier's models of the first seed lie."""
    return paths.cache_dir() / "experiments" / "compression_frontier" / "models-0"


def write(rows: Sequence[Row], seconds: float, rounds: int) -> None:
    """The results file: times differ from run to run, ratios less."""
    made = results.write(
        NAME,
        command=f"python -m benchmarks.compression --rounds {rounds} --write",
        rows=rows,
        seeds=[0],
        seconds=seconds,
        tolerance={
            "relative": 0.25,
            "absolute": 0.0,
            "ignore": ["milliseconds", "quartiles", "low", "high", "rounds", "load_before", "load_after"],
        },
    )
    print(made)


if __name__ == "__main__":
    main()
