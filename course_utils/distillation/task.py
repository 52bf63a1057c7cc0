"""The task of chapters 7 and 8 at the laptop's scale, and its teacher.

Film sentences whose raters scored at least 0.2 from neutral: 8,000 to learn from, 419 to validate, 2,000 to
test. The split is fixed; seeds draw the head, the order and the dropout. The 2,000 are from the data set's
own test part, so that a model trained on the set's training part may be tested on them too.
Teacher: the small real BERT, 6 layers of 384, mean pooling, embedding tables frozen.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from course_utils import data, paths
from course_utils.finetuning import saved
from course_utils.finetuning.classifier import (
    Example,
    encode,
    epochs,
    fine_tune,
    freeze_embeddings,
    load_tokenizer,
    new_classifier,
)
from course_utils.models.heads import EncoderWithHead
from course_utils.models.weights import load_encoder
from course_utils.training import TrainingConfig

TRAIN, VALIDATION, TEST = 8000, 419, 2000
LONGEST = 64  # tokens, with [CLS] and [SEP]; 1 in 1,000 sentences is longer and is cut
CLASSES = ("negative", "positive")
SPLIT_SEED = 7
EPOCHS, BATCH, RATE = 2, 32, 5e-5


@dataclass(frozen=True)
class Part:
    """Texts of one part of the task and their classes, 0 negative and 1 positive."""

    texts: tuple[str, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def examples(self) -> list[Example]:
        """The sentences as the encoder reads them."""
        return encode(load_tokenizer(tokenizer_file(), LONGEST), self.texts, self.labels)


@dataclass(frozen=True)
class Task:
    """The three parts; no text is in two of them."""

    training: Part
    validation: Part
    test: Part


@cache
def load() -> Task:
    """The task, the same in every call. Raises SourceUnavailable when the film sentences cannot be had."""
    rows = data.load("movies", margin=0.2)
    splits = np.array(rows["split"])
    order = np.random.default_rng(SPLIT_SEED).permutation(len(rows))
    test = [i for i in order if splits[i] == "test"][:TEST]
    validation = [i for i in order if splits[i] == "validation"][:VALIDATION]
    taken = {*test, *validation}
    training = [i for i in order if i not in taken]
    if len(training) != TRAIN:
        raise ValueError(f"the film sentences changed: {len(rows):,} rows, expected 10,419")
    texts, labels = rows["text"], rows["label"]

    def part(chosen: Sequence[int]) -> Part:
        return Part(tuple(texts[i] for i in chosen), tuple(labels[i] for i in chosen))

    return Task(part(training), part(validation), part(test))


def tokenizer_file() -> Path:
    """The tokenizer of the teacher and of every student."""
    return data.small_model_dir() / "tokenizer.json"


@dataclass(frozen=True)
class TeacherDesign:
    """What a teacher is: every number that changes its weights."""

    seed: int
    rows: int = TRAIN  # the first of the training part
    epochs: float = EPOCHS
    rate: float = RATE

    @property
    def folder(self) -> Path:
        """Where it is kept, by its design and the encoder that it starts from."""
        start = data.small_model_dir() / "model.safetensors"
        design = asdict(self) | {"start": start.stat().st_size, "longest": LONGEST, "split": SPLIT_SEED}
        key = hashlib.sha256(json.dumps(design, sort_keys=True).encode()).hexdigest()[:12]
        return paths.cache_dir() / "distillation" / f"teacher-{self.seed}-{key}"


def teacher(design: TeacherDesign | int) -> EncoderWithHead:
    """The fine-tuned encoder of a design, or of a seed, in evaluation mode and frozen.

    Made on the first call (about 6 CPU minutes; a call that was interrupted goes on from its last
    checkpoint), then read from the cache.
    """
    design = TeacherDesign(design) if isinstance(design, int) else design
    folder = design.folder / "model"
    if not (folder / saved.ABOUT).is_file():
        _make_teacher(design, folder)
    return saved.load(folder).model.eval().requires_grad_(False)


def teacher_seconds(design: TeacherDesign | int) -> float:
    """CPU seconds of the last call that fine-tuned this teacher; FileNotFoundError before it was made."""
    design = TeacherDesign(design) if isinstance(design, int) else design
    return float(json.loads((design.folder / "cost.json").read_text())["cpu_seconds"])


def _make_teacher(design: TeacherDesign, folder: Path) -> None:
    began = time.process_time()
    examples = load().training.examples[: design.rows]
    model = new_classifier(load_encoder(data.small_model_dir()), len(CLASSES), design.seed)
    freeze_embeddings(model)
    config = TrainingConfig(
        steps=epochs(len(examples), BATCH, design.epochs),
        batch_size=BATCH,
        learning_rate=design.rate,
        seed=design.seed,
        log_every=50,
        checkpoint_every=100,
    )
    fine_tune(model, examples, config, folder=design.folder / "run")
    cost = {"cpu_seconds": time.process_time() - began}
    (design.folder / "cost.json").write_text(json.dumps(cost), encoding="utf-8")
    saved.save(saved.Classifier(model, tokenizer_file(), CLASSES, LONGEST), folder)
    (design.folder / "run" / "checkpoint.pt").unlink(missing_ok=True)
