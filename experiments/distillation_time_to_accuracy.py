"""Three sizes on product reviews: how good, how soon? The comparison of "You Only Need One BERT" (2022).

There: BERT, DistilBERT and TinyBERT, 1,600 reviews, 7 epochs, one run each, one learning rate for two of them
and a higher one for the third, 200 test reviews. Here: the 6-layer real encoder, and its two generally
distilled students of experiments/distillation_general.py, `halved` (3 layers) and `quick` (2 thin layers), as
DistilBERT and TinyBERT are generally distilled students of BERT. Rated product sentences at least 0.2 from
neutral, 640 to learn from, 4 epochs, batches of 16, tables of embeddings frozen, mean pooling.

The learning rate is tuned for each size alike: one run at each of RATES with a seed of its own, the best
accuracy on the validation sentences at the end, the lower rate where two are equal. Then 5 seeds draw texts,
head and order, the same for all sizes. Accuracy on the validation sentences is taken twice an epoch, on the
test sentences at the end of each of the last two epochs. Seconds are CPU seconds of one thread, in training
alone.

  soon     CPU seconds until the validation accuracy is first within 2 points of what the 6-layer encoder has
           at its own end, with the same seed; None where it never is
  close    test accuracy at the end, a student's minus the 6-layer encoder's, paired by seed
  time     training seconds of an epoch, a student's over the 6-layer encoder's, paired by seed
  rising   test accuracy at the end minus that an epoch before

Written before the runs (95% intervals over seeds by Student's t):
  half in half the time   holds if `close` is above -0.02 with its whole interval and `time` below 0.55; fails
                          if one of the two intervals lies wholly on the other side
  quick, higher rate      holds if its tuned rate is above that of the 6-layer encoder, else fails
  quick, still improves   holds if `rising` is above 0 with its whole interval, fails if wholly below 0.005
  "holds here only" if all three hold, "does not hold" if the first fails, "cannot tell" otherwise.

Runs lie in the cache folder, a file each (about 20 to 90 CPU seconds; 27 of them, about 17 CPU minutes).
Run: python -m experiments.distillation_time_to_accuracy (after experiments.distillation_general)
"""

import argparse
import time
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import torch

from course_utils import data
from course_utils.finetuning.classifier import (
    Example,
    encode,
    epochs,
    fine_tune,
    freeze_embeddings,
    load_tokenizer,
    new_classifier,
    predict,
)
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead
from course_utils.models.weights import load_encoder
from course_utils.training import TrainingConfig
from experiments import distillation_general as general
from experiments import finetuning_common as common
from experiments.finetuning_common import Record

NAME = "distillation_time_to_accuracy"
SIZES = ("whole", "halved", "quick")
RATES = (2e-5, 6e-5, 2e-4, 6e-4)
SEEDS = (0, 1, 2, 3, 4)
TUNING_SEED = 100
TRAIN, EPOCHS, BATCH = 640, 4, 16
LONGEST = 40  # tokens, with [CLS] and [SEP]; one sentence in ten is longer and is cut
LOOKS = 2  # at the validation sentences, an epoch


def encoder(size: str) -> Encoder:
    """A fresh copy of the real encoder without its pooler, or of a student."""
    if size != "whole":
        return general.student(size)
    whole = load_encoder(data.small_model_dir())
    whole.pooler = None
    return whole


@cache
def sentences(split: str) -> tuple[Example, ...]:
    """All product sentences of a split."""
    rows = data.load("products", split=split, margin=0.2)
    tokenizer = load_tokenizer(data.small_model_dir() / "tokenizer.json", LONGEST)
    return tuple(encode(tokenizer, list(rows["text"]), list(rows["label"])))


def drawn(seed: int) -> list[Example]:
    """The sentences of one seed."""
    pool = sentences("train")
    return [pool[i] for i in np.random.default_rng([seed, 5]).permutation(len(pool))[:TRAIN]]


def right(model: EncoderWithHead, split: str) -> float:
    """Accuracy on a split."""
    examples = sentences(split)
    truth = torch.tensor([example.label for example in examples])
    return float((predict(model, examples).argmax(-1) == truth).float().mean())


class Watch:
    """Looks at the model during training, and keeps what it costs apart from what training costs."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.seconds: list[float] = []  # of training alone, at each look
        self.validation: list[float] = []
        self.test: list[float] = []  # at the ends of the last two epochs
        self._spent = 0.0
        self._began = time.process_time()

    def __call__(self, model: EncoderWithHead) -> dict[str, float]:
        now = time.process_time()
        self.seconds.append(now - self._began - self._spent)
        self.validation.append(right(model, "validation"))
        if len(self.seconds) in (self.looks - LOOKS, self.looks):
            self.test.append(right(model, "test"))
        self._spent += time.process_time() - now
        return {}


def make(size: str, rate: float, seed: int) -> Record:
    """One fine-tuning: seconds and accuracies on the way."""
    model = new_classifier(encoder(size), 2, seed)
    freeze_embeddings(model)
    config = TrainingConfig(
        steps=epochs(TRAIN, BATCH, EPOCHS),
        batch_size=BATCH,
        learning_rate=rate,
        seed=seed,
        log_every=epochs(TRAIN, BATCH, 1) // LOOKS,
    )
    for split in ("train", "validation", "test"):
        sentences(split)  # read before the clock starts
    watch = Watch(LOOKS * EPOCHS)
    fine_tune(model, drawn(seed), config, evaluate=watch)
    return {
        "rate": rate,
        "seconds": watch.seconds,
        "validation": watch.validation,
        "test": watch.test,
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def tuning_run(size: str, rate: float) -> str:
    """The name of a run that tunes the rate."""
    return f"tune-{size}-{rate:g}"


def tuned(size: str) -> float:
    """The rate with the best validation accuracy at the end; the lower one of equals."""
    ends = {rate: common.read(NAME, tuning_run(size, rate))["validation"][-1] for rate in RATES}
    return max(RATES, key=lambda rate: (ends[rate], -rate))


def tuned_run(size: str, seed: int) -> Record:
    """A run at the size's own rate, once the rates were tried."""
    return make(size, tuned(size), seed)


TUNING: dict[str, Callable[[], Record]] = {
    tuning_run(size, rate): partial(make, size, rate, TUNING_SEED) for size in SIZES for rate in RATES
}
RUNS: dict[str, Callable[[], Record]] = {
    f"{size}-{seed}": partial(tuned_run, size, seed) for seed in SEEDS for size in SIZES
}


def main() -> None:
    """Make the runs that are missing, first those that tune, then report."""
    argparse.ArgumentParser(description="Three sizes on product reviews: how good, how soon?").parse_args()
    torch.set_num_threads(1)
    for runs in (TUNING, RUNS):
        for run in common.run_missing(NAME, runs):
            print(run, flush=True)
    # Here, since the report reads this module's design.
    from experiments.distillation_time_to_accuracy_report import report

    print(report({run: common.read(NAME, run) for run in (*TUNING, *RUNS)}))


if __name__ == "__main__":
    main()
