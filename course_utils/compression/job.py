"""`course compress` from a saved model to a smaller one; stopped at any time, it goes on.

The folder OUT of a job holds `job.json` (what the job is), `checkpoint/` (while a step trains), `model/`,
there only when it is whole, and the report.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_utils import data
from course_utils.compression import saved
from course_utils.compression.compress import compress
from course_utils.compression.recipe import Recipe
from course_utils.compression.saved import Compressed

MODEL, CHECKPOINT, RECORD = "model", "checkpoint", "job.json"
LEAST_TEXTS = 10
TEST_SHARE = 0.2  # of texts without labels: kept back, to see how alike the answers are


class CompressionError(RuntimeError):
    """A job that cannot be done as it was asked for; the message says what to change."""


@dataclass(frozen=True)
class Rows:
    """The reader's texts: what steps may use, and what the result is measured on."""

    texts: tuple[str, ...] = ()
    labels: tuple[int, ...] | None = None
    test_texts: tuple[str, ...] = ()
    test_labels: tuple[int, ...] | None = None


def read_labeled(
    path: Path,
    classes: Sequence[str],
    *,
    text: str,
    label: str,
    encoding: str = "utf-8",
    skip_incomplete: bool = False,
) -> Rows:
    """The training and the test rows of a file, split as `course finetune` splits it.

    A model that was fine-tuned on the same file has not seen its test rows. Raises DataError for what cannot
    be read, CompressionError for labels that are not the model's classes and for too few rows.
    """
    found = data.classes_in(path, label=label, encoding=encoding)
    foreign = [name for name in found if name not in classes]
    if foreign:
        raise CompressionError(
            f"{path}: column {label!r} has the label {foreign[0]!r}, but the model's classes are "
            f"{', '.join(classes)}; give rows with these labels, or another column (--label)"
        )
    table = data.load_file(
        path,
        text=text,
        label=label,
        labels=list(classes),
        encoding=encoding,
        skip_incomplete=skip_incomplete,
    )
    parts = {
        wanted: [(row["text"], row["label"]) for row in table if row["split"] == wanted]
        for wanted in ("train", "test")
    }
    if min(map(len, parts.values())) < 2:
        raise CompressionError(f"{path}: {len(table)} rows are too few to learn from and to test on")
    (texts, labels), (test_texts, test_labels) = (
        zip(*parts[name], strict=True) for name in ("train", "test")
    )
    return Rows(texts, labels, test_texts, test_labels)


def read_texts(path: Path, *, text: str, encoding: str = "utf-8", seed: int = 0) -> Rows:
    """Texts without labels; equal ones count once, and a fifth is kept back.

    Raises DataError for what cannot be read, CompressionError for fewer than ten.
    """
    every, _ = data.load_texts(path, text=text, encoding=encoding)
    texts = sorted(set(every))
    if len(texts) < LEAST_TEXTS:
        raise CompressionError(
            f"{path}: {len(texts)} different texts are too few, give at least {LEAST_TEXTS}"
        )
    order = np.random.default_rng(seed).permutation(len(texts)).tolist()
    kept_back = max(2, round(TEST_SHARE * len(texts)))
    return Rows(tuple(texts[i] for i in order[kept_back:]), None, tuple(texts[i] for i in order[:kept_back]))


def run(source: Path, out: Path, recipe: Recipe, rows: Rows, seed: int = 0) -> tuple[Compressed, Compressed]:
    """The original, and the compressed model as it was read back from out/model.

    A job that was stopped goes on from its last checkpoint; of one that is done, the model is read. Raises
    SavedModelError for a source that is no model, RecipeError, and CompressionError when `out` holds
    another job.
    """
    original = saved.load(source)
    recipe.check_rows(rows.texts, rows.labels)
    _claim(out, source, recipe, rows, seed)
    if not (out / MODEL).exists():
        made = compress(
            original,
            recipe,
            texts=rows.texts,
            labels=rows.labels,
            seed=seed,
            folder=out / CHECKPOINT,
            progress=True,
        )
        saved.save(made, out / MODEL)
        shutil.rmtree(out / CHECKPOINT, ignore_errors=True)
    return original, saved.load(out / MODEL)


def _claim(out: Path, source: Path, recipe: Recipe, rows: Rows, seed: int) -> None:
    """Write what the job is into `out`, or find that it is the one already there."""
    record = {"model": source.name, "recipe": str(recipe), "seed": seed}
    content = json.dumps([record, _checksums(source), rows.texts, rows.labels])
    record["fingerprint"] = hashlib.sha256(content.encode()).hexdigest()[:16]
    file = out / RECORD
    begun = any((out / name).exists() for name in (MODEL, CHECKPOINT))
    if not file.exists():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise CompressionError(f"{out} holds other files; name a new folder with --out")
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        return
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))["fingerprint"]
    except (ValueError, KeyError, TypeError) as problem:
        raise CompressionError(f"{file} is damaged ({problem!r}); name a new folder with --out") from problem
    if found != record["fingerprint"] and not begun:  # it failed before there was anything to keep
        file.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    elif found != record["fingerprint"]:
        raise CompressionError(
            f"{out} holds a job with another model, recipe or rows; name a new folder with --out, or delete "
            "it to begin anew"
        )


def _checksums(folder: Path) -> list[str]:
    """A hash of each file of the source, so that another model in the same place is noticed."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
