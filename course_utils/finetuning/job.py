"""Fine-tuning on the reader's own file, from the rows to a saved model; stopped at any time, it goes on.

The folder OUT of a job holds `job.json` (what the job is), `checkpoint/` (while it runs), `model/` and, once
it is written, the report.
"""

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Generator, randperm

from course_utils import data
from course_utils.data.errors import DataError
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
from course_utils.finetuning.saved import Classifier
from course_utils.models.heads import EncoderWithHead
from course_utils.models.weights import load_encoder
from course_utils.training import TrainingConfig

LEAST_ROWS, LEAST_OF_CLASS, MOST_CLASSES = 40, 10, 50
CHECKPOINT_EVERY = 50  # steps: about 10 seconds of a laptop's core
RECORD, CHECKPOINT, MODEL = "job.json", "checkpoint", "model"


class JobError(RuntimeError):
    """A job that cannot be done as it was asked for; the message says what to change."""


@dataclass(frozen=True)
class Settings:
    """What the reader may choose."""

    text: str = "text"  # column
    label: str = "label"  # column
    epochs: float = 3.0
    batch_size: int = 16
    learning_rate: float = 5e-5
    max_length: int = 128  # tokens; what is beyond is cut off
    rows: int | None = None  # learn from so many rows only
    seed: int = 0
    encoding: str = "utf-8"
    skip_incomplete: bool = False

    def __post_init__(self) -> None:
        if self.epochs <= 0 or self.batch_size < 1 or self.learning_rate <= 0:
            raise JobError("epochs, batch size and learning rate must be greater than 0")
        if not 8 <= self.max_length <= 512:
            raise JobError(f"--max-length must lie between 8 and 512 tokens, got {self.max_length}")
        if self.rows is not None and self.rows < 1:
            raise JobError(f"--rows must be at least 1, got {self.rows}")


@dataclass(frozen=True)
class Table:
    """The reader's rows, ready to learn from."""

    classes: tuple[str, ...]
    texts: dict[str, list[str]]  # by split: train, validation, test
    labels: dict[str, list[int]]
    places: dict[str, list[str]]  # where each row stands in the file
    skipped: tuple[str, ...]  # rows left out, and why


def read_table(path: Path, settings: Settings) -> Table:
    """The rows of a file in three splits, 70/10/20, equal texts together.

    Raises DataError for what cannot be read, JobError for too few rows or classes to learn from.
    """
    columns = {"text": settings.text, "label": settings.label, "encoding": settings.encoding}
    lacking = data.incomplete_rows(path, **columns)
    if lacking and not settings.skip_incomplete:
        first = "; ".join(lacking[:5]) + (f"; and {len(lacking) - 5} more" if len(lacking) > 5 else "")
        raise DataError(
            f"{path}: {len(lacking)} incomplete rows ({first}); fill them in, or leave them out with "
            "--skip-incomplete"
        )
    classes = data.classes_in(path, label=settings.label, encoding=settings.encoding)
    _check_classes(path, settings.label, classes)
    rows = data.load_file(path, labels=classes, skip_incomplete=settings.skip_incomplete, **columns)
    _check_counts(path, classes, rows["label"])
    splits = list(rows["split"])
    text, label, place = (_by_split(list(rows[column]), splits) for column in ("text", "label", "id"))
    table = Table(tuple(classes), text, label, place, tuple(lacking))
    _check_splits(path, table)
    return table


def _by_split(values: Sequence[Any], splits: Sequence[str]) -> dict[str, list[Any]]:
    return {
        wanted: [value for value, split in zip(values, splits, strict=True) if split == wanted]
        for wanted in ("train", "validation", "test")
    }


def _check_classes(path: Path, column: str, classes: Sequence[str]) -> None:
    if len(classes) < 2:
        what = f"the only label in column {column!r} is {classes[0]!r}" if classes else "there are no labels"
        raise JobError(f"{path}: {what}; a classifier needs at least two classes to tell apart")
    if len(classes) > MOST_CLASSES:
        raise JobError(
            f"{path}: column {column!r} has {len(classes)} different labels, such as {classes[0]!r} and "
            f"{classes[-1]!r}; at most {MOST_CLASSES} can be told apart here. Is it the right column? "
            "Numbers on a fine scale must be grouped into classes first"
        )


def _check_counts(path: Path, classes: Sequence[str], labels: Sequence[int]) -> None:
    if len(labels) < LEAST_ROWS:
        raise JobError(
            f"{path}: {len(labels)} rows are too few to learn from and to test on; it takes at least "
            f"{LEAST_ROWS}, and some hundred to be worth it"
        )
    counts = Counter(labels)
    rare = [f"{name!r} {counts[i]}" for i, name in enumerate(classes) if counts[i] < LEAST_OF_CLASS]
    if rare:
        raise JobError(
            f"{path}: every class needs at least {LEAST_OF_CLASS} rows, but there are of {', '.join(rare)}; "
            "add rows, merge classes, or remove them"
        )


def _check_splits(path: Path, table: Table) -> None:
    for split in ("train", "test"):
        missing = [name for i, name in enumerate(table.classes) if i not in set(table.labels[split])]
        if missing:
            raise JobError(
                f"{path}: no row of class {missing[0]!r} fell into the {split} part, perhaps because "
                "many texts are equal; add different rows of it, or merge it with another class"
            )


def train_job(path: Path, out: Path, settings: Settings, table: Table) -> Classifier:
    """Fine-tune the small real encoder on the training rows and save it in out/model.

    A job that was stopped goes on from its last checkpoint; of one that is done, the model is read. Raises
    JobError when `out` holds another job.
    """
    tokenizer_file = data.small_model_dir() / "tokenizer.json"
    examples = training_examples(table, settings)
    _claim(out, path, settings, table, examples)
    if (out / MODEL / saved.ABOUT).is_file():
        return saved.load(out / MODEL)
    model = new_classifier(load_encoder(data.small_model_dir()), len(table.classes), settings.seed)
    freeze_embeddings(model)
    config = TrainingConfig(
        steps=epochs(len(examples), settings.batch_size, settings.epochs),
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
        checkpoint_every=CHECKPOINT_EVERY,
    )
    fine_tune(model, examples, config, folder=out / CHECKPOINT, progress=True)
    classifier = Classifier(_done(model), tokenizer_file, table.classes, settings.max_length)
    saved.save(classifier, out / MODEL)
    shutil.rmtree(out / CHECKPOINT)
    return classifier


def training_examples(table: Table, settings: Settings) -> list[Example]:
    """The training rows as tokens; of more than `settings.rows`, a draw by the seed."""
    tokenizer = load_tokenizer(data.small_model_dir() / "tokenizer.json", settings.max_length)
    examples = encode(tokenizer, table.texts["train"], table.labels["train"])
    if settings.rows is None or settings.rows >= len(examples):
        return examples
    order = randperm(len(examples), generator=Generator().manual_seed(settings.seed)).tolist()
    return [examples[i] for i in order[: settings.rows]]


def cut_texts(table: Table, settings: Settings) -> int:
    """How many texts are longer than the model may read."""
    tokenizer = load_tokenizer(data.small_model_dir() / "tokenizer.json", settings.max_length)
    texts = [text for split in table.texts.values() for text in split]
    return sum(bool(encoding.overflowing) for encoding in tokenizer.encode_batch(texts))


def _done(model: EncoderWithHead) -> EncoderWithHead:
    model.requires_grad_(True)
    return model.eval()


def _claim(out: Path, path: Path, settings: Settings, table: Table, examples: Sequence[Example]) -> None:
    """Write what the job is into `out`, or find that it is the one already there."""
    content = json.dumps([asdict(settings), table.classes, [list(e) for e in examples]])
    record = {
        "file": path.name,
        "settings": asdict(settings),
        "fingerprint": hashlib.sha256(content.encode()).hexdigest()[:16],
    }
    file = out / RECORD
    if not file.exists():
        if out.exists() and any(out.iterdir()):
            raise JobError(f"{out} holds other files; name a new folder with --out")
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        return
    try:
        found = json.loads(file.read_text(encoding="utf-8"))["fingerprint"]
    except (ValueError, KeyError, TypeError) as problem:
        raise JobError(f"{file} is damaged ({problem!r}); name a new folder with --out") from problem
    if found != record["fingerprint"]:
        raise JobError(
            f"{out} holds a job with other rows or settings; name a new folder with --out, or delete it "
            "to begin anew"
        )
