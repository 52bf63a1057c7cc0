"""Frozen features, adapters or fine-tuning, for few sentences: `python -m experiments.finetuning_transfer`.

The small real BERT (6 layers of 384, mean pooling, embedding tables frozen) and 64, 256 and 1,024 film
sentences; 3 seeds, each draws its sentences and its head; 600 test sentences that are the same for all.

  words        TF-IDF of words and pairs of words, logistic regression: what needs no network
  random       logistic regression on the frozen mean states of the same network with random weights
  frozen       logistic regression on its frozen mean states
  adapters     low-rank corrections (rank 8) of all linear maps and a fresh head, rate 1e-3
  fine-tuning  all but the tables, rate 1e-4

Penalties of the regressions are chosen by cross-validation inside the training sentences. Steps of 16
sentences: 40, 64 and 96 (10, 4 and 1.5 epochs), the same for adapters and fine-tuning; their rates were taken
from the papers' habits for small models, before the runs, and not tuned. Told: accuracy with t intervals over
seeds, parameters trained, seconds of one core to train. The differences from "frozen" are paired by seed;
with 3 seeds they settle only what is large, and no claim hangs on them.

Runs lie in the cache folder, a file each; a call makes those that are missing, then reports. `--report` only
reports.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch

from course_utils import results
from course_utils.finetuning.classifier import fine_tune, freeze_embeddings, new_classifier, predict
from course_utils.finetuning.designs import TRANSFER
from course_utils.finetuning.features import bag_of_words, mean_states, probe, right_share
from course_utils.finetuning.starts import random_like
from course_utils.models.adapters import add_adapters
from course_utils.training import TrainingConfig
from experiments import finetuning_common as common
from experiments.finetuning_common import Record

NAME = "finetuning_transfer"
LAYERS, TEST, BATCH, RANK = TRANSFER.layers, TRANSFER.test, 16, 8
STEPS = {64: 40, 256: 64, 1024: 96}
SEEDS = range(3)
RATES = {"adapters": 1e-3, "fine-tuning": 1e-4}
METHODS = ("words", "random", "frozen", "adapters", "fine-tuning")


def make_probes(seed: int) -> Record:
    """The methods that train no network, at all sizes; states are computed once."""
    training, test = common.drawn("train", max(STEPS), seed, 5), common.drawn("test", TEST, 2026)
    labels, answers = [one.label for one in training], [one.label for one in test]
    record: Record = {}
    real = common.encoder(LAYERS)
    for method, encoder in (("frozen", real), ("random", random_like(real, seed))):
        began = time.process_time()
        states = mean_states(encoder, common.encoded(training))
        each = (time.process_time() - began) / len(training)
        of_test = mean_states(encoder, common.encoded(test))
        for size in STEPS:
            began = time.process_time()
            model = probe().fit(states[:size], labels[:size])
            spent = time.process_time() - began + size * each
            record[f"{method}-{size}"] = [right_share(model, of_test, answers), spent]
    for size in STEPS:
        began = time.process_time()
        model = bag_of_words().fit([one.text for one in training[:size]], labels[:size])
        spent = time.process_time() - began
        record[f"words-{size}"] = [right_share(model, [one.text for one in test], answers), spent]
        record[f"terms-{size}"] = len(model.best_estimator_[0].vocabulary_) + 1
    return record


def make(method: str, size: int, seed: int) -> Record:
    """Train adapters, or the encoder itself, on the first `size` sentences of the seed."""
    training, test = common.drawn("train", size, seed, 5), common.drawn("test", TEST, 2026)
    model = new_classifier(common.encoder(LAYERS), 2, seed)
    freeze_embeddings(model)
    if method == "adapters":
        # The encoder's maps are frozen and corrected; the head is new, and trained as it is.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            add_adapters(model.encoder, rank=RANK)
    config = TrainingConfig(steps=STEPS[size], batch_size=BATCH, learning_rate=RATES[method], seed=seed)
    began = time.process_time()
    history = fine_tune(model, common.encoded(training), config)
    spent = time.process_time() - began
    right = predict(model, common.encoded(test)).argmax(dim=1) == torch.tensor([one.label for one in test])
    return {
        "accuracy": float(right.float().mean()),
        "seconds": spent,
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "losses": [line["loss"] for line in history],
    }


def makers() -> dict[str, Callable[[], Record]]:
    """Every run by the name of its file, by seed."""
    found: dict[str, Callable[[], Record]] = {}
    for seed in SEEDS:
        found[f"probes-{seed}"] = partial(make_probes, seed)
        for size in STEPS:
            for method in RATES:
                found[f"{method}-{size}-{seed}"] = partial(make, method, size, seed)
    return found


def report() -> str:
    """Write results/finetuning_transfer.json from the seeds that have all runs, and return where.

    Raises ValueError while there are fewer than 2 of them.
    """
    there = {file.stem for file in common.folder(NAME).glob("*.json")}
    seeds = [seed for seed in SEEDS if {name for name in makers() if name.endswith(f"-{seed}")} <= there]
    if len(seeds) < 2:
        raise ValueError(f"an interval needs 2 whole seeds, got {seeds}; run: python -m experiments.{NAME}")
    rows = [row(method, size, seeds) for size in STEPS for method in METHODS]
    path = results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=seeds,
        seconds=sum(one["cpu_seconds"] * len(seeds) for one in rows),
        tolerance={"relative": 0.1, "absolute": 0.05, "ignore": ["cpu_seconds"]},
    )
    return str(path)


def row(method: str, size: int, seeds: Sequence[int]) -> Record:
    """Accuracy of one method on one size, what it cost, and its difference from the frozen features."""
    found, frozen = of_method(method, size, seeds), of_method("frozen", size, seeds)
    accuracy = common.interval([one["accuracy"] for one in found])
    gain = common.interval(
        [a["accuracy"] - b["accuracy"] for a, b in zip(found, frozen, strict=True)]
        if method != "frozen"
        else [0.0] * len(found)
    )
    return {
        "method": method,
        "sentences": size,
        "accuracy": accuracy.estimate,
        "low": accuracy.low,
        "high": accuracy.high,
        "values": [one["accuracy"] for one in found],
        "gain": gain.estimate,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "parameters": mean([one["parameters"] for one in found]),
        "cpu_seconds": mean([one["seconds"] for one in found]),
        "steps": STEPS[size] if method in RATES else 0,
    }


def of_method(method: str, size: int, seeds: Sequence[int]) -> list[Record]:
    """The record of each seed: accuracy, seconds, parameters."""
    if method in RATES:
        return [common.read(NAME, f"{method}-{size}-{seed}") for seed in seeds]
    found = []
    for seed in seeds:
        record = common.read(NAME, f"probes-{seed}")
        accuracy, seconds = record[f"{method}-{size}"]
        # One logit: a weight a feature and a bias.
        parameters = record[f"terms-{size}"] if method == "words" else 384 + 1
        found.append({"accuracy": accuracy, "seconds": seconds, "parameters": parameters})
    return found


def mean(values: Sequence[float]) -> float:
    """The mean."""
    return sum(values) / len(values)


def main() -> None:
    """Make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description="Frozen features, adapters or fine-tuning.")
    parser.add_argument("--report", action="store_true", help="make no run, only report")
    torch.set_num_threads(1)
    if not parser.parse_args().report:
        for name in common.run_missing(NAME, makers()):
            print(name, flush=True)
    print(report())


if __name__ == "__main__":
    main()
