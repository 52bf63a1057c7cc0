"""Sentiment against emotion: what a model of polarity cannot tell, for a teacher and its student.

Two halves of one claim ("emotion analysis tells apart strengths and kinds of feeling that sentiment analysis
takes for the same").

STRENGTH, offline. About 20 raters scored each film sentence from -4 to 4; the mean is how strong the feeling
is. A sentiment model learns the sign only; how sure it is (its logit for positive minus that for negative) is
all it can say about strength. A graded model learns the mean. Both: 6 layers of the real encoder fine-tuned,
and 3 of its layers (2, 4, 6) distilled from that teacher. Measure: Spearman's correlation with the raters,
among the positive test sentences only (and, beside it, among the negative ones), since over all sentences the
sign alone makes a high correlation. What the raters allow: the correlation of two halves of them, stepped up
to all of them (Spearman-Brown), and its square root, which a model that knew the true mean would reach.

KINDS, from the hub's tweets with one of six emotions. Teacher and student as above, six classes. Beside them
a model that knows the polarity of every tweet without error and nothing else: it says joy for what is
positive (joy, love), sadness for what is negative (sadness, anger, fear), and is given surprise for free.
Measures: accuracy, F1 of each class, their mean, and confusions.

1,000 texts to learn from (768 for strength), 3 epochs, batches of 16, tables of embeddings frozen; soft
targets at a temperature of 2 with a weight of 0.7 (for graded models: the squared difference to the teacher
with 0.7, to the raters' mean with 0.3); 3 seeds draw texts, head and order.

Written before the runs, and not changed after them (95% intervals over seeds by Student's t):
  strength holds if, for the 3-layer student, Spearman of the graded model minus that of the sentiment model's
      sureness lies above 0.05 with its whole interval; fails if it lies below 0.05; else it cannot be told
  kinds holds if the student's accuracy on six emotions minus that of perfect polarity lies above 0 with its
      whole interval; fails if below; else it cannot be told
  "holds here only" if both hold, "does not hold" if one fails, "cannot tell" otherwise.

Runs lie in the cache folder, a file each, about 70 CPU seconds each, 9 of them.
Run: COURSE_HUB_ROOT=... python -m experiments.distillation_emotion [--only strength]
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_utils import data
from course_utils.distillation.losses import mixed_of_rows
from course_utils.distillation.students import every_other, from_layers
from course_utils.finetuning.classifier import (
    PAD,
    epochs,
    freeze_embeddings,
    load_tokenizer,
    new_classifier,
    outputs,
    pad,
    run_model,
)
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead
from course_utils.models.weights import load_encoder
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train
from experiments import finetuning_common as common
from experiments.finetuning_common import Record

NAME = "distillation_emotion"
SEEDS = (0, 1, 2)
LONGEST = {"strength": 24, "kinds": 32}  # tokens, with [CLS] and [SEP]
TRAIN = {"strength": 768, "kinds": 1000}
TEST = {"strength": 900, "kinds": 1000}
EPOCHS, BATCH = 3, 16
RATES = {6: 1e-4, 3: 2e-4}  # by layers
TEMPERATURE, SOFT = 2.0, 0.7
STRONGEST = 4.0  # the raters' scale ends there; graded models learn rating / STRONGEST
EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise")


class Taught(NamedTuple):
    """A text as token ids, its class or its graded score, and what the teacher says of it (one a class)."""

    ids: list[int]
    label: int | float
    says: list[float]


RowLoss = Callable[[Tensor, Tensor, Tensor], Tensor]  # outputs, labels, teacher's outputs -> (rows,)


def hard(out: Tensor, labels: Tensor, says: Tensor) -> Tensor:
    """Cross-entropy of each row; the teacher is not asked."""
    return torch.nn.functional.cross_entropy(out, labels, reduction="none")


def soft(out: Tensor, labels: Tensor, says: Tensor) -> Tensor:
    """Soft targets of the teacher mixed with the labels."""
    return mixed_of_rows(out, says, labels, temperature=TEMPERATURE, soft_weight=SOFT)


def graded(out: Tensor, labels: Tensor, says: Tensor) -> Tensor:
    """Squared difference to the raters' mean; outputs and teacher's outputs are (rows, 1)."""
    return (out[:, 0] - labels) ** 2


def graded_soft(out: Tensor, labels: Tensor, says: Tensor) -> Tensor:
    """Squared differences to the teacher's number and to the raters' mean, mixed."""
    return SOFT * (out[:, 0] - says[:, 0]) ** 2 + (1 - SOFT) * graded(out, labels, says)


def collate_taught(rows: Sequence[Taught], generator: torch.Generator | None = None) -> dict[str, Tensor]:
    """input_ids (batch, length) padded on the right, labels (batch,), says (batch, classes)."""
    return {
        "input_ids": pad([row.ids for row in rows], PAD),
        "labels": torch.tensor([row.label for row in rows]),
        "says": torch.tensor([row.says for row in rows]),
    }


def fit(encoder: Encoder, rows: Sequence[Taught], classes: int, loss: RowLoss, seed: int) -> EncoderWithHead:
    """The encoder with a fresh head, trained on the rows."""
    model = new_classifier(encoder, classes, seed)
    freeze_embeddings(model)

    def terms(network: torch.nn.Module, batch: Mapping[str, Tensor]) -> LossTerms:
        values = loss(run_model(network, batch), batch["labels"], batch["says"])
        return LossTerms(values.sum(), len(values))

    config = TrainingConfig(
        steps=epochs(len(rows), BATCH, EPOCHS),
        batch_size=BATCH,
        learning_rate=RATES[encoder.config.num_layers],
        seed=seed,
        log_every=50,
    )
    train(model, terms, TrainingData(rows, collate_taught, [len(row.ids) for row in rows]), config)
    return model


def predict(model: EncoderWithHead, rows: Sequence[Taught]) -> Tensor:
    """(rows, classes)."""
    return torch.stack(outputs(model, rows, collate_taught))


def teacher_and_student(
    seed: int, rows: Sequence[Taught], classes: int, losses: tuple[RowLoss, RowLoss]
) -> dict[str, EncoderWithHead]:
    """Six layers trained on the labels, then three of the pretrained layers trained on what the six say."""
    whole = load_encoder(data.small_model_dir())
    student = from_layers(whole, every_other(whole.config.num_layers))
    whole.pooler = None
    teacher = fit(whole, rows, classes, losses[0], seed)
    said = predict(teacher, rows).tolist()
    taught = [row._replace(says=says) for row, says in zip(rows, said, strict=True)]
    return {"teacher": teacher, "student": fit(student, taught, classes, losses[1], seed)}


def strength(kind: str, seed: int) -> Record:
    """Teacher and student of the sign ("sentiment") or of the mean ("graded"); their strength of the test."""
    began = time.process_time()
    number = kind == "graded"
    rows = [
        Taught(ids, rating / STRONGEST if number else int(rating > 0), [0.0])
        for ids, rating, _ in drawn("train", TRAIN["strength"], seed)
    ]
    losses: tuple[RowLoss, RowLoss] = (graded, graded_soft) if number else (hard, soft)
    models = teacher_and_student(seed, rows, 1 if number else 2, losses)
    test = [Taught(ids, 0, [0.0]) for ids, _, _ in drawn("test", TEST["strength"], 2026)]
    made = {name: predict(model, test) for name, model in models.items()}
    said = {name: (out[:, 0] if number else out[:, 1] - out[:, 0]).tolist() for name, out in made.items()}
    return {"said": said, "cpu_seconds": time.process_time() - began}


def kinds(seed: int) -> Record:
    """Teacher and student of six emotions: the class that each gives to each test tweet."""
    began = time.process_time()
    rows = tweets("train", TRAIN["kinds"], seed)
    models = teacher_and_student(seed, rows, len(EMOTIONS), (hard, soft))
    test = tweets("test", TEST["kinds"], 2026)
    said = {name: predict(model, test).argmax(-1).tolist() for name, model in models.items()}
    return {"said": said, "true": [row.label for row in test], "cpu_seconds": time.process_time() - began}


@cache
def films() -> tuple[tuple[str, tuple[list[int], float, int]], ...]:
    """(split, (ids, raters' mean, row of the set)) of short film sentences at least 0.2 from neutral."""
    rows = data.load("movies")
    tokenizer = load_tokenizer(data.small_model_dir() / "tokenizer.json", LONGEST["strength"] + 1)
    ids = [encoded.ids for encoded in tokenizer.encode_batch(list(rows["text"]))]
    found = zip(rows["split"], ids, rows["rating"], range(len(ids)), strict=True)
    return tuple(
        (split, (tokens, rating, number))
        for split, tokens, rating, number in found
        if len(tokens) <= LONGEST["strength"] and abs(rating) >= 0.2
    )


def drawn(split: str, count: int, seed: int) -> list[tuple[list[int], float, int]]:
    """`count` of the split's film sentences, drawn without replacement."""
    pool = [row for part, row in films() if part == split]
    return [pool[i] for i in np.random.default_rng([seed, 3]).permutation(len(pool))[:count]]


def tweets(split: str, count: int, seed: int) -> list[Taught]:
    """`count` of the split's short tweets, drawn without replacement."""
    rows = data.load("emotion", split=split)
    tokenizer = load_tokenizer(data.small_model_dir() / "tokenizer.json", LONGEST["kinds"] + 1)
    ids = [encoded.ids for encoded in tokenizer.encode_batch(list(rows["text"]))]
    pool = [
        Taught(tokens, label, [0.0] * len(EMOTIONS))
        for tokens, label in zip(ids, rows["label"], strict=True)
        if len(tokens) <= LONGEST["kinds"]
    ]
    return [pool[i] for i in np.random.default_rng([seed, 4]).permutation(len(pool))[:count]]


RUNS: dict[str, Callable[[], Record]] = {
    f"strength-{kind}-{seed}": partial(strength, kind, seed)
    for seed in SEEDS
    for kind in ("sentiment", "graded")
}
RUNS |= {f"kinds-{seed}": partial(kinds, seed) for seed in SEEDS}


def main() -> None:
    """Make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description="Sentiment against emotion.")
    parser.add_argument("--only", default="", help="make the runs whose name begins so, without a report")
    chosen = parser.parse_args().only
    torch.set_num_threads(1)
    asked = {name: make for name, make in RUNS.items() if name.startswith(chosen)}
    for run in common.run_missing(NAME, asked):
        print(run, f"{common.read(NAME, run)['cpu_seconds']:.0f} CPU s", flush=True)
    if not chosen:
        # Here, since the report reads this module's design.
        from experiments.distillation_emotion_report import report

        print(report({run: common.read(NAME, run) for run in RUNS}))


if __name__ == "__main__":
    main()
