"""Focal loss against cross-entropy on 1,600 reviews: `python -m experiments.finetuning_focal`.

The design of "You Only Need One BERT" (2022): 1,600 sentences to learn from, 400 to validate, 7 epochs,
batches of 16, Adam with a constant rate of 0.5e-5, gradient clipping at 1, focal loss with alpha 0.2 and
gamma 3. There it was one run each, tested on 200 reviews. Here each of 20 seeds draws its own sentences and
its own head, both losses see the same sentences in the same order, and all are tested on the same 1,200
sentences.

What differs from the source: the encoder (the small real BERT, 6 layers of 384, mean pooling, tables of
embeddings frozen) and the texts (film sentences of at most 28 tokens that raters scored at least 0.2 from
neutral; short ones, so that two cores can afford 20 seeds). A smaller encoder learns slowly at that rate, so
that a second pair of arms has ten times the rate, with 5 seeds.

Written before the runs, and not changed after them:
  measure   accuracy on the test sentences, focal minus cross-entropy, paired by seed, t interval over seeds
  holds            the whole interval is above 0.01, one point, the smallest difference that would matter
  does not hold    the whole interval is below 0.01
  cannot tell      otherwise
The verdict is about the source's rate; the other rate is told beside it.

Runs lie in the cache folder, a file each; a call makes those that are missing (about 3 minutes each on one
core). `--only REST/OF` (such as 1/2) makes every OFth run, for several processes at once, and reports
nothing.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils import data, paths
from course_utils.finetuning.classifier import (
    Example,
    cross_entropy,
    encode,
    epochs,
    fine_tune,
    freeze_embeddings,
    load_tokenizer,
    new_classifier,
    predict,
)
from course_utils.finetuning.designs import FOCAL
from course_utils.finetuning.losses import alpha_weights, focal_loss
from course_utils.models.weights import load_encoder
from course_utils.training import TrainingConfig

NAME = "finetuning_focal"
TRAIN, VALIDATION, TEST = FOCAL.train, FOCAL.validation, FOCAL.test
EPOCHS, BATCH, RATE = FOCAL.epochs, FOCAL.batch, FOCAL.rate
ALPHA, GAMMA = FOCAL.alpha, FOCAL.gamma
LONGEST = 28  # tokens, with [CLS] and [SEP]
SOURCE_TEST, SOURCE_GAIN = FOCAL.source_test, FOCAL.source_gain
DRAWS = 2000


@dataclass(frozen=True)
class Run:
    """One fine-tuning."""

    loss: str  # "cross-entropy" or "focal"
    rate: float
    seed: int

    @property
    def file(self) -> str:
        return f"{self.loss}-{self.rate:g}-{self.seed}.json"


RUNS = [Run(loss, RATE, seed) for seed in range(20) for loss in ("cross-entropy", "focal")]
RUNS += [Run(loss, 10 * RATE, seed) for seed in range(5) for loss in ("cross-entropy", "focal")]
LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross-entropy": cross_entropy,
    "focal": partial(focal_loss, gamma=GAMMA, class_weights=alpha_weights(ALPHA)),
}


def folder() -> Path:
    """Where the runs lie."""
    return paths.cache_dir() / "experiments" / NAME


@cache
def sentences(split: str) -> list[Example]:
    """All short film sentences of a split, scored at least 0.2 from neutral, in the set's order."""
    rows = data.load("movies", split=split, margin=0.2)
    tokenizer = load_tokenizer(data.small_model_dir() / "tokenizer.json", LONGEST + 1)
    examples = encode(tokenizer, list(rows["text"]), list(rows["label"]))
    return [example for example in examples if len(example.ids) <= LONGEST]


def drawn(seed: int) -> tuple[list[Example], list[Example]]:
    """The sentences of one seed, to learn from and to validate."""
    pool = sentences("train")
    order = np.random.default_rng([seed, 1]).permutation(len(pool))
    chosen = [pool[i] for i in order[: TRAIN + VALIDATION]]
    return chosen[:TRAIN], chosen[TRAIN:]


def test_sentences() -> list[Example]:
    """The same for all."""
    pool = sentences("test")
    return [pool[i] for i in np.random.default_rng(2026).permutation(len(pool))[:TEST]]


def make(run: Run) -> dict[str, Any]:
    """Fine-tune and predict: the probability of "positive" on the validation and test sentences."""
    began = time.process_time()
    training, validation = drawn(run.seed)
    model = new_classifier(load_encoder(data.small_model_dir()), 2, run.seed)
    freeze_embeddings(model)
    config = TrainingConfig(
        steps=epochs(TRAIN, BATCH, EPOCHS),
        batch_size=BATCH,
        learning_rate=run.rate,
        warmup=0.0,
        schedule="constant",
        weight_decay=0.0,
        seed=run.seed,
        log_every=epochs(TRAIN, BATCH, 1),
    )
    history = fine_tune(model, training, config, loss=LOSSES[run.loss])
    return {
        "losses": [line["loss"] for line in history],
        "gradient_norms": [line["grad_norm"] for line in history],
        "validation": _positive(predict(model, validation)),
        "test": _positive(predict(model, test_sentences())),
        "cpu_seconds": time.process_time() - began,
    }


def _positive(logits: Tensor) -> list[float]:
    return [round(p, 6) for p in logits.softmax(-1)[:, 1].tolist()]


def run_missing(runs: list[Run], where: Path) -> Iterator[Run]:
    """Make and keep what has no file yet, and say so."""
    where.mkdir(parents=True, exist_ok=True)
    for run in runs:
        if (where / run.file).exists():
            continue
        text = json.dumps(make(run))
        part = where / f"{run.file}.{os.getpid()}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(where / run.file)
        yield run


def main() -> None:
    """Make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description="Focal loss against cross-entropy on 1,600 reviews.")
    parser.add_argument("--only", default="0/1", help="REST/OF: make every OFth run only, without a report")
    rest, of = (int(n) for n in parser.parse_args().only.split("/"))
    torch.set_num_threads(1)
    for run in run_missing(RUNS[rest::of], folder()):
        print(run.file, flush=True)
    if of == 1:
        # Here, since the report reads this module's design.
        from experiments.finetuning_focal_report import report

        print(report(folder()))


if __name__ == "__main__":
    main()
