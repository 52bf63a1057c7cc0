"""What the studies of compression share: a teacher's answers, a step that imitates them, runs kept as files.

Task and teachers are those of course_utils.distillation.task; unlabeled text is sentences of the hub's IMDb
reviews (training fold; COURSE_HUB_ROOT names a copy on disk), less those that equal a rated film sentence.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Generator, Tensor, nn

from course_utils import paths
from course_utils.compression.registry import Context, Parameter, step
from course_utils.distillation import task
from course_utils.distillation.corpus import without
from course_utils.distillation.losses import soft_of_rows
from course_utils.distillation.outputs import teacher_logits
from course_utils.finetuning.classifier import (
    Example,
    collate,
    encode,
    epochs,
    load_tokenizer,
    run_model,
)
from course_utils.models.heads import EncoderWithHead
from course_utils.stats import crossed_estimate
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train
from experiments.distillation_general import film_sentences, held_out

CHUNK = 4000  # unlabeled texts whose logits are kept in one file
SHORTEST = 20  # characters of an unlabeled sentence
Record = dict[str, Any]


def context(teacher: nn.Module, seed: int) -> Context:
    """The context of one run: the task's training rows, the teacher, randomness from the seed."""
    part = task.load().training
    tokenizer = load_tokenizer(task.tokenizer_file(), None)
    generator = Generator().manual_seed(seed)
    return Context(tokenizer, task.LONGEST, generator, part.texts, part.labels, teacher)


@cache
def unlabeled_sentences(count: int) -> tuple[str, ...]:
    """The first so many film sentences of the hub that nobody rated."""
    if not count:
        return ()
    long_enough = (text for text in without(film_sentences(), held_out()) if len(text) >= SHORTEST)
    found = tuple(islice(long_enough, count))
    if len(found) < count:
        raise ValueError(f"the reviews hold {len(found):,} sentences that can be used, asked for {count:,}")
    return found


def teacher_answers(teacher: EncoderWithHead, texts: Sequence[str], unlabeled: int) -> Tensor:
    """The teacher's logits, of the task's texts and of the unlabeled ones, (texts, classes), from the cache.

    Unlabeled texts are kept in chunks: a stopped call goes on, and a longer list continues a shorter one.
    """
    sentences = unlabeled_sentences(unlabeled)
    chunks = [texts, *(sentences[i : i + CHUNK] for i in range(0, len(sentences), CHUNK))]
    tokenizer = load_tokenizer(task.tokenizer_file(), task.LONGEST)
    return torch.cat(
        [teacher_logits(teacher, encode(tokenizer, chunk, [0] * len(chunk))) for chunk in chunks]
    )


def tokens_of(tokenizer: Tokenizer, texts: Sequence[str], max_length: int) -> list[Example]:
    """Examples by any tokenizer; label 0 throughout."""
    own = Tokenizer.from_str(tokenizer.to_str())
    own.no_padding()
    own.enable_truncation(max_length)
    return encode(own, texts, [0] * len(texts))


@step(
    "imitate",
    stage="shape",
    help="train on the teacher's softened answers, on the task's texts and on unlabeled ones",
    parameters=[
        Parameter("passes", float, "over all texts", required=True, low=0.001, high=1000),
        Parameter("unlabeled", int, "sentences beside the task's", default=0, low=0, high=10**7),
        Parameter("rate", float, "peak of the learning rate", default=1e-4, low=1e-8, high=1.0),
        Parameter("temperature", float, "of both", default=2.0, low=0.1, high=100.0),
    ],
    needs="texts",
    source="Hinton et al. 2015",
)
def imitate(
    model: nn.Module, context: Context, passes: float, unlabeled: int, rate: float, temperature: float
) -> nn.Module:
    """Train in place, embeddings frozen, on soft targets alone."""
    assert isinstance(model, EncoderWithHead), "only an encoder with a head is trained here"
    assert isinstance(context.original, EncoderWithHead), "this step needs a teacher"
    texts = (*context.texts, *unlabeled_sentences(unlabeled))
    answers = teacher_answers(context.original, context.texts, unlabeled)
    lessons = Lessons(tokens_of(context.tokenizer, texts, context.max_length), answers)
    config = TrainingConfig(
        steps=epochs(len(texts), 32, passes),
        learning_rate=rate,
        precision="bf16",  # as in distillation_common, where its price is told
        seed=context.seed(),
        log_every=100,
    )
    model.encoder.embeddings.requires_grad_(False)
    train(model, lessons.loss(temperature), lessons.data(), config)
    model.requires_grad_(True)
    context.notes.append(f"imitated the teacher on {len(texts):,} texts for {config.steps:,} steps")
    return model


@dataclass(frozen=True)
class Lessons:
    """Texts as tokens, and the teacher's answer to each."""

    examples: list[Example]
    answers: Tensor  # (texts, classes)

    def data(self) -> TrainingData:
        """Batches of texts of similar length, with the answers."""

        def batch(rows: Sequence[int], _generator: Generator) -> dict[str, Tensor]:
            return collate([self.examples[i] for i in rows]) | {"answers": self.answers[list(rows)]}

        return TrainingData(range(len(self.examples)), batch, [len(e.ids) for e in self.examples])

    def loss(self, temperature: float) -> Callable[[nn.Module, Mapping[str, Tensor]], LossTerms]:
        """Soft targets alone: unlabeled text has nothing else."""

        def terms(network: nn.Module, batch: Mapping[str, Tensor]) -> LossTerms:
            rows = soft_of_rows(run_model(network, batch), batch["answers"], temperature)
            return LossTerms(rows.sum(), len(rows))

        return terms


def folder(name: str) -> Path:
    """Where a study's runs lie."""
    return paths.cache_dir() / "experiments" / f"compression_{name}"


def keep(file: Path, record: Record) -> None:
    """Write a record whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_text(json.dumps(record), encoding="utf-8")
    part.replace(file)


def run_missing(where: Path, runs: Mapping[str, Callable[[], Record]]) -> Iterator[str]:
    """Make every run that has no file yet, and say which it was."""
    for name, make in runs.items():
        file = where / f"{name}.json"
        if not file.exists():
            keep(file, make())
            yield name


def positive(probabilities: Any) -> list[float]:
    """The probability of the second class, to six places."""
    return [round(float(p), 6) for p in probabilities[:, 1]]


def right(record: Record, labels: Sequence[int]) -> np.ndarray:
    """(rows,): 1 where the class was right."""
    return (np.array(record["test"]) > 0.5).astype(int) == np.array(labels)


def gained(
    one: Mapping[int, Record], other: Mapping[int, Record], labels: Sequence[int], level: float = 0.95
) -> Record:
    """Accuracy of one model minus that of another, paired by seed and by sentence, with its interval.

    one, other: seed -> record; at least 2 seeds that both have.
    """
    seeds = sorted(one.keys() & other.keys())
    table = [right(one[s], labels).astype(float) - right(other[s], labels) for s in seeds]
    found = crossed_estimate([table]).interval(level)
    return {"gain": found.estimate, "low": found.low, "high": found.high, "level": level, "seeds": len(seeds)}
