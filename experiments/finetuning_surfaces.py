"""The loss around optima, from pretrained and from random weights: `python -m
experiments.finetuning_surfaces`.

Hao et al. (2019) draw the training loss around fine-tuned BERT and around the same network trained from
nothing, and find the first wider. Here both start from the first three layers of the small real BERT, once
with its weights, once with random ones; the embedding tables are frozen in both (those of the random start
are random), so that the same parameters move. 48 film sentences, mean pooling, 5 seeds (sentences, weights,
head, order). 60 steps of 16 at 2e-4 from pretrained weights, 120 from random ones, which need more; both must
end with a training loss below 0.1, or the seed counts for none.

Width: along 8 random directions, normalized filter by filter (Li et al. 2018), the distance at which the
training loss (no dropout) has risen by 0.5 nats, in lengths of the filters: at 1, every row was moved by its
own length. A radius for each optimum, the geometric mean over its directions.

Verdict on `wider-optima`, written before the runs, by the ratio of radii, pretrained to random, paired by
seed, t interval of its logarithm; a tenth is the smallest difference that would matter:
  holds here only  if the whole interval is above 1.1
  does not hold    if it is all below 1.1
  cannot tell      otherwise

Drawn, for 3 of the seeds: the loss of the training sentences and of 48 test sentences on a grid of 11 x 11 in
two random directions; for all, the loss on the straight line from start to optimum and beyond.

Runs lie in the cache folder, a file each; a call makes those that are missing, then reports. `--report` only
reports.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from course_utils import results
from course_utils.finetuning.classifier import (
    Example,
    fine_tune,
    freeze_embeddings,
    new_classifier,
    predict,
)
from course_utils.finetuning.designs import SURFACES
from course_utils.finetuning.starts import random_like
from course_utils.finetuning.surfaces import loss_grid, moved, radius, random_direction
from course_utils.models.heads import EncoderWithHead
from course_utils.stats import Interval
from course_utils.training import TrainingConfig
from experiments import finetuning_common as common
from experiments.finetuning_common import Record

NAME = "finetuning_surfaces"
LAYERS, TRAIN, TEST, BATCH, RATE = SURFACES.layers, SURFACES.train, 48, 16, 2e-4
STEPS = {"pretrained": 60, "random": 120}
SEEDS, DRAWN = range(5), range(3)
DIRECTIONS, RISE = SURFACES.directions, SURFACES.rise
TRAINED = 0.1  # nats: the largest loss of an optimum
LEAST = 1.1
GRID = [round(float(step), 3) for step in np.linspace(-1.5, 1.5, 11)]
LINE = [round(float(step), 3) for step in np.linspace(-0.25, 1.5, 15)]  # 0: the start, 1: the optimum


def make(start: str, seed: int) -> Record:
    """Train from a start; the losses around where it ends."""
    began = time.process_time()
    training, test = examples(seed)
    model, origin, history = optimum(start, seed, training)
    names = {name for name, p in model.named_parameters() if p.requires_grad}
    back = {name: origin[name] - p.detach() for name, p in model.named_parameters() if name in names}
    generators = [torch.Generator().manual_seed(1000 * seed + i) for i in range(DIRECTIONS)]
    at_optimum = loss_of(model, training)
    record: Record = {
        "losses": history,
        "train_loss": at_optimum,
        "test_loss": loss_of(model, test),
        "test_accuracy": accuracy(model, test_rows(seed)),
        "radii": [radius_along(model, training, at_optimum, g) for g in generators],
        "moved": float(sum(t.square().sum() for t in back.values())) ** 0.5,
        "length": float(sum(p.detach().square().sum() for n, p in model.named_parameters() if n in names))
        ** 0.5,
        "line_train": on_line(model, back, training),
        "line_test": on_line(model, back, test),
    }
    return record | {"cpu_seconds": time.process_time() - began}


def make_grids(start: str, seed: int) -> Record:
    """Training and test loss in one plane of two random directions around the same optimum, trained again."""
    began = time.process_time()
    training, test = examples(seed)
    model, _, _ = optimum(start, seed, training)
    first, second = (random_direction(model, torch.Generator().manual_seed(seed + s)) for s in (7000, 8000))
    grid = lambda rows: loss_grid(model, partial(loss_of, model, rows), first, second, GRID).tolist()
    return {
        "grid_train": grid(training),
        "grid_test": grid(test),
        "cpu_seconds": time.process_time() - began,
    }


def examples(seed: int) -> tuple[list[Example], list[Example]]:
    """The sentences of one seed, to learn from and to test."""
    return common.encoded(common.drawn("train", TRAIN, seed, 3)), test_rows(seed)[:TEST]


def test_rows(seed: int) -> list[Example]:
    """Enough test sentences for an accuracy; the first of them are those of the surface."""
    return common.encoded(common.drawn("test", 400, seed, 4))


def optimum(
    start: str, seed: int, training: list[Example]
) -> tuple[EncoderWithHead, dict[str, torch.Tensor], list[float]]:
    """The trained model in evaluation mode, its weights before, and the training loss every 10 steps."""
    encoder = common.encoder(LAYERS)
    model = new_classifier(encoder if start == "pretrained" else random_like(encoder, seed), 2, seed)
    freeze_embeddings(model)
    origin = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}
    config = TrainingConfig(steps=STEPS[start], batch_size=BATCH, learning_rate=RATE, seed=seed)
    history = [line["loss"] for line in fine_tune(model, training, config)]
    return model.eval(), origin, history


def loss_of(model: EncoderWithHead, rows: list[Example]) -> float:
    """Mean cross-entropy without dropout, nats."""
    logits = predict(model, rows)
    return float(F.cross_entropy(logits, torch.tensor([one.label for one in rows])))


def accuracy(model: EncoderWithHead, rows: list[Example]) -> float:
    """The share of right answers."""
    right = predict(model, rows).argmax(dim=1) == torch.tensor([one.label for one in rows])
    return float(right.float().mean())


def radius_along(
    model: EncoderWithHead, rows: list[Example], at_optimum: float, generator: torch.Generator
) -> float:
    """How far one random direction leads before the loss has risen by RISE."""
    direction = random_direction(model, generator)

    def loss_at(step: float) -> float:
        with moved(model, (step, direction)):
            return loss_of(model, rows)

    return radius(loss_at, at_optimum + RISE, start=0.5)


def on_line(model: EncoderWithHead, back: dict[str, torch.Tensor], rows: list[Example]) -> list[float]:
    """The loss at start + step * (optimum - start), for each step of LINE."""
    losses = []
    for step in LINE:
        with moved(model, (1 - step, back)):
            losses.append(loss_of(model, rows))
    return losses


def makers() -> dict[str, Callable[[], Record]]:
    """Every run by the name of its file; the planes last, since no verdict needs them."""
    optima = {f"{start}-{seed}": partial(make, start, seed) for seed in SEEDS for start in STEPS}
    drawn = {f"grids-{start}-{seed}": partial(make_grids, start, seed) for seed in DRAWN for start in STEPS}
    return optima | drawn


def report() -> str:
    """Write results/finetuning_surfaces.json from the seeds that have both runs, and return where."""
    there = {file.stem for file in common.folder(NAME).glob("*.json")}
    seeds = [seed for seed in SEEDS if {f"{start}-{seed}" for start in STEPS} <= there]
    found = {(start, seed): common.read(NAME, f"{start}-{seed}") for seed in seeds for start in STEPS}
    rows = [row(start, seed, record) for (start, seed), record in found.items()]
    ratio, counted = width_ratio(rows)
    planes = {
        (start, seed): common.read(NAME, f"grids-{start}-{seed}")
        for seed in DRAWN
        for start in STEPS
        if f"grids-{start}-{seed}" in there
    }
    rows += [surface_row(*key, record) for key, record in planes.items()]
    path = results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=seeds,
        seconds=sum(record["cpu_seconds"] for record in [*found.values(), *planes.values()]),
        tolerance={"relative": 0.2, "absolute": 0.1, "ignore": ["wider-optima", "cpu_seconds"]},
        claims={"wider-optima": claim(ratio, counted, rows)},
    )
    return str(path)


def row(start: str, seed: int, record: Record) -> Record:
    """One optimum: its losses, its radius, the line to it."""
    return {
        "part": "optimum",
        "start": start,
        "seed": seed,
        "train_loss": record["train_loss"],
        "test_loss": record["test_loss"],
        "test_accuracy": record["test_accuracy"],
        "radius": float(np.exp(np.mean(np.log(record["radii"])))),
        "radius_low": min(record["radii"]),
        "radius_high": max(record["radii"]),
        "moved": record["moved"] / record["length"],
        "line": LINE,
        "line_train": [round(loss, 4) for loss in record["line_train"]],
        "line_test": [round(loss, 4) for loss in record["line_test"]],
        "cpu_seconds": record["cpu_seconds"],
    }


def surface_row(start: str, seed: int, record: Record) -> Record:
    """One plane: rows of the grids are steps of the second direction."""
    rounded = {name: np.round(record[name], 3).tolist() for name in ("grid_train", "grid_test")}
    return {"part": "surface", "start": start, "seed": seed, "steps": GRID} | rounded


def width_ratio(rows: list[Record]) -> tuple[Interval, int]:
    """Radius from pretrained weights over radius from random ones, over seeds where both were trained; and
    how many those are.

    Raises ValueError when fewer than 3 seeds are left.
    """
    by = {(one["start"], one["seed"]): one for one in rows}
    whole = sorted({seed for _, seed in by})
    seeds = [s for s in whole if all(by[start, s]["train_loss"] < TRAINED for start in STEPS)]
    if len(seeds) < 3:
        raise ValueError(f"only the seeds {seeds} were trained from both starts; train longer")
    logs = [float(np.log(by["pretrained", s]["radius"] / by["random", s]["radius"])) for s in seeds]
    found = common.interval(logs)
    ratio = (float(np.exp(x)) for x in (found.estimate, found.low, found.high))
    return Interval(*ratio, found.level), len(seeds)


def claim(ratio: Interval, seeds: int, rows: list[Record]) -> dict[str, Any]:
    """The entry of `wider-optima`."""
    optima = [one for one in rows if one["part"] == "optimum"]
    mean = lambda start, key: float(np.mean([one[key] for one in optima if one["start"] == start]))
    return {
        "verdict": common.gain_verdict(ratio, LEAST),
        "estimate": ratio.estimate,
        "interval": [ratio.low, ratio.high],
        "unit": "radius from pretrained weights / radius from random weights",
        "seeds": seeds,
        "sentence": (
            f"In random filter-normalized directions the loss of {TRAIN} sentences rises by {RISE:g} nats "
            f"at a radius of {mean('pretrained', 'radius'):.2f} filter lengths around the optimum from "
            f"pretrained weights and of {mean('random', 'radius'):.2f} from random ones; the ratio is "
            f"{ratio.estimate:.2f} (95% interval {ratio.low:.2f} to {ratio.high:.2f}, {seeds} seeds, three "
            f"layers of a small BERT). Both know them by heart; of test sentences they get "
            f"{mean('pretrained', 'test_accuracy'):.0%} and {mean('random', 'test_accuracy'):.0%} right."
        ),
    }


def main() -> None:
    """Make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description="The loss around optima, by where training starts.")
    parser.add_argument("--report", action="store_true", help="make no run, only report")
    torch.set_num_threads(1)
    if not parser.parse_args().report:
        for name in common.run_missing(NAME, makers()):
            print(name, flush=True)
    print(report())


if __name__ == "__main__":
    main()
