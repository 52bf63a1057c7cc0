"""Distillation for a task, one run: a student learns from labels, from the teacher's logits, or from both.

The teacher's logits are computed once for all runs (see `outputs`); sentences without a label learn from them
alone. Runs on course_utils.training.train, so that a run with a folder goes on after an interruption.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from course_utils.distillation.losses import UNLABELED, mixed_of_rows, smoothed_of_rows
from course_utils.finetuning.classifier import (
    Example,
    collate,
    encode,
    freeze_embeddings,
    load_tokenizer,
    new_classifier,
    predict,
    run_model,
)
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train


@dataclass(frozen=True)
class Lesson:
    """What a student learns from. Raises ValueError for values that cannot be meant.

    soft_weight: 1 is the teacher alone, 0 labels alone. smoothing: of the labels, only with soft_weight=0.
    """

    soft_weight: float = 0.7
    temperature: float = 2.0
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.soft_weight <= 1 or self.temperature <= 0 or not 0 <= self.smoothing < 1:
            raise ValueError(f"soft_weight in [0, 1], temperature > 0 and smoothing in [0, 1), got {self}")
        if self.smoothing and self.soft_weight:
            raise ValueError("smoothing takes the place of a teacher: set soft_weight=0")

    def of_rows(self, logits: Tensor, labels: Tensor, teacher: Tensor | None) -> Tensor:
        """The loss of each row, (rows,)."""
        if self.soft_weight == 0:
            return smoothed_of_rows(logits, labels, self.smoothing)
        if teacher is None:
            raise ValueError("soft_weight is above 0: give the teacher's logits")
        return mixed_of_rows(
            logits, teacher, labels, temperature=self.temperature, soft_weight=self.soft_weight
        )


class Taught(NamedTuple):
    """An example and what the teacher says of it."""

    example: Example
    logits: Tensor | None  # (classes,)


@dataclass(frozen=True)
class Outcome:
    """What a run gave."""

    accuracy: float
    positive: list[float]  # the probability of the last class, a test row each
    cpu_seconds: float  # of training
    losses: list[float]

    @property
    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "accuracy": self.accuracy,
            "positive": [round(p, 5) for p in self.positive],
            "cpu_seconds": self.cpu_seconds,
            "losses": self.losses,
        }


def without_labels(texts: Sequence[str], tokenizer_file: Path, max_length: int) -> list[Example]:
    """Examples of texts that nobody labeled."""
    return encode(load_tokenizer(tokenizer_file, max_length), texts, [UNLABELED] * len(texts))


def distil_task(
    encoder: Encoder,
    examples: Sequence[Example],
    logits: Tensor | None,
    lesson: Lesson,
    config: TrainingConfig,
    *,
    test: Sequence[Example],
    classes: int = 2,
    head: nn.Module | None = None,
    frozen_embeddings: bool = True,
    **options: Any,
) -> tuple[EncoderWithHead, Outcome]:
    """Put a head on an encoder, train both in place, and test.

    logits: the teacher's, a row for each example (None: labels alone). head: weights to start from, such as
    the teacher's of the same width (default: drawn from config.seed). frozen_embeddings: tables are no part
    of training. options go to `train`: folder, evaluate, progress.
    """
    model = new_classifier(encoder, classes, config.seed)
    if head is not None:
        model.head.load_state_dict(head.state_dict())
    if frozen_embeddings:
        freeze_embeddings(model)
    began = time.process_time()
    history = learn(model, examples, logits, lesson, config, **options)
    spent = time.process_time() - began
    said = predict(model, test)
    right = said.argmax(dim=1) == torch.tensor([one.label for one in test])
    return model, Outcome(
        accuracy=float(right.double().mean()),
        positive=said.double().softmax(dim=1)[:, -1].tolist(),
        cpu_seconds=spent,
        losses=[line["loss"] for line in history],
    )


def learn(
    model: EncoderWithHead,
    examples: Sequence[Example],
    logits: Tensor | None,
    lesson: Lesson,
    config: TrainingConfig,
    **options: Any,
) -> list[dict[str, float]]:
    """Train a student in place on examples, labeled or not, and the teacher's logits of them, (examples,
    classes). Raises ValueError if there are more or fewer logits than examples."""
    if logits is not None and len(logits) != len(examples):
        raise ValueError(f"{len(examples)} examples need as many rows of logits, got {len(logits)}")
    said: Sequence[Tensor | None] = [None] * len(examples) if logits is None else list(logits)
    taught = [Taught(example, row) for example, row in zip(examples, said, strict=True)]

    def terms(network: nn.Module, batch: Any) -> LossTerms:
        rows = lesson.of_rows(run_model(network, batch), batch["labels"], batch.get("teacher"))
        return LossTerms(rows.sum(), len(rows))

    data = TrainingData(taught, collate_taught, [len(one.example.ids) for one in taught])
    return train(model, terms, data, config, **options)


def collate_taught(rows: Sequence[Taught], generator: Generator | None = None) -> dict[str, Tensor]:
    """One batch, as `classifier.collate`, and teacher (batch, classes) where the rows have logits."""
    batch = collate([row.example for row in rows])
    said = [row.logits for row in rows if row.logits is not None]
    return batch | ({"teacher": torch.stack(said)} if said else {})
