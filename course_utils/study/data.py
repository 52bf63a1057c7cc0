"""The rows that all runs of a study share: made once, checked, and kept in the study's folder.

`prepare` writes `data/DOMAIN.parquet` and, when all are there, `data/data.json`. It holds to three rules:

* Test rows are chosen first, then validation rows, then those to learn from. No group (review, article, game)
  is in two of them, and none has a text that an earlier one has, in any domain, up to case and punctuation.
* Test and validation rows are the same for every run. What a run learns from is drawn by its seed, half of it
  positive, and is the same for all systems.
* A row without a label (three stars, a rating within the margin) may be tested on, for five classes only.
"""

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy.typing import NDArray

from course_utils import data
from course_utils.data import registry
from course_utils.data.errors import DataError
from course_utils.study.cleaning import cleaned, comparable
from course_utils.study.design import Design, Domain, Sizes
from course_utils.study.runs import PARTS, Rows, RunError

if TYPE_CHECKING:
    from datasets import Dataset

COLUMNS = ("id", "text", "label", "rating", "group", "split")
POOL = 3  # rows read from the hub for each row wanted: duplicates and short ones fall out
Indices = NDArray[np.int64]
Role = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Table:
    """The rows of one domain that have a role: `texts` and `rows`, and which row is for what."""

    texts: Sequence[str]
    rows: Rows
    roles: NDArray[np.str_]

    def part(self, role: str) -> "Table":
        """The rows with a role ("train", "validation" or "test"), in order."""
        return self.select(np.flatnonzero(self.roles == role))

    def select(self, chosen: Indices) -> "Table":
        """Some rows, in the given order."""
        rows = self.rows
        return Table(
            [self.texts[i] for i in chosen],
            Rows(
                rows.ids[chosen],
                rows.labels[chosen],
                rows.ratings[chosen],
                rows.groups[chosen],
                rows.words[chosen],
            ),
            self.roles[chosen],
        )

    def training_sample(self, count: int, seed: int) -> "Table":
        """What a run with this seed learns from: `count` of the rows for training, half of them positive."""
        pool = self.part("train")
        rng = np.random.default_rng([seed, count])
        chosen = [
            rng.choice(np.flatnonzero(pool.rows.labels == label), count // 2, replace=False)
            for label in (0, 1)
        ]
        return pool.select(rng.permutation(np.concatenate(chosen)))


def prepare(design: Design, folder: Path) -> dict[str, str]:
    """Make the data of a study unless it is there; returns the sha256 of each domain's rows.

    Raises RunError when the folder holds the data of another design, DataError when a domain has not what the
    design asks for, and SourceUnavailable when it cannot be had.
    """
    place = folder / "data"
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / ".lock"):
        record = place / "data.json"
        if not record.is_file():
            frames = build(design)
            for name, frame in frames.items():
                frame.to_parquet(place / f"{name}.parquet", index=False)
            about = {"fingerprint": design.data_fingerprint(), "sha256": _hashes(frames)}
            part = record.with_suffix(".part")
            part.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
            part.replace(record)
    return check(design, folder)


def check(design: Design, folder: Path) -> dict[str, str]:
    """The sha256 of each domain's rows; RunError unless they are there and of this design."""
    record = folder / "data" / "data.json"
    if not record.is_file():
        raise RunError(f"{record} is missing: there is no data yet; make it with: course study run")
    about = json.loads(record.read_text(encoding="utf-8"))
    if about["fingerprint"] != design.data_fingerprint():
        raise RunError(f"{folder} holds the data of another design; use another --folder, or delete this one")
    return about["sha256"]


def read(folder: Path, domain: str) -> Table:
    """The rows of a domain that `prepare` wrote."""
    return table(pd.read_parquet(folder / "data" / f"{domain}.parquet"))


def table(frame: pd.DataFrame) -> Table:
    """Rows with roles out of a data frame."""
    text = list(frame["text"])
    rows = Rows(
        ids=np.array(frame["id"], dtype=np.str_),
        labels=frame["label"].to_numpy(dtype=np.int8),
        ratings=frame["rating"].to_numpy(dtype=np.float32),
        groups=np.array(frame["group"], dtype=np.str_),
        words=np.array([len(one.split()) for one in text], dtype=np.int32),
    )
    return Table(text, rows, np.array(frame["role"], dtype=np.str_))


def build(design: Design) -> dict[str, pd.DataFrame]:
    """The rows with a role, for each domain."""
    frames = {
        name: candidates(domain, design.rows, name in design.seeds) for name, domain in design.domains.items()
    }
    taken: set[str] = set()  # texts of earlier roles, over all domains
    roles: tuple[Role, ...] = ("test", "validation", "train")
    for role in roles:
        for name, frame in frames.items():
            if role != "train" or name in design.seeds:
                _assign(frame, role, name, design, taken)
    return {name: frame[frame["role"] != ""].reset_index(drop=True) for name, frame in frames.items()}


def candidates(domain: Domain, sizes: Sizes, trained: bool) -> pd.DataFrame:
    """The rows of a source, cleaned; without short texts and repeated ones. label -1: there is none."""
    frame = _source(domain, sizes, trained).to_pandas()[list(COLUMNS)]
    frame["label"] = frame["label"].fillna(-1).astype(np.int8)
    frame["rating"] = frame["rating"].astype(np.float32)
    if not frame["label"].isin([-1, 0, 1]).all():
        raise DataError(f"{domain.name}: the study has two classes, 0 and 1; found {set(frame['label'])}")
    if domain.margin is not None:
        frame.loc[frame["rating"].abs() < domain.margin, "label"] = -1
    if domain.clean:
        frame["text"] = frame["text"].map(cleaned)
    frame["key"] = frame["text"].map(comparable)
    long_enough = frame["text"].str.split().str.len() >= domain.least_words
    frame = frame[long_enough].drop_duplicates("key").reset_index(drop=True)
    frame["role"] = ""
    return frame


def _source(domain: Domain, sizes: Sizes, trained: bool) -> "Dataset":
    if domain.source == "file":
        return data.load_file(domain.name, **dict(domain.columns))  # type: ignore[arg-type]
    if registry.entry(domain.name).hub is None:
        return data.load(domain.name)
    wanted = max(sizes.test, sizes.validation, sizes.train if trained else 0)
    return data.load(domain.name, rows=POOL * wanted)


def _assign(frame: pd.DataFrame, role: Role, name: str, design: Design, taken: set[str]) -> None:
    """Give rows of a domain a role, in place; `taken` grows by their texts."""
    domain = design.domains[name]
    parts = {"test": domain.test_parts, "validation": domain.validation_parts, "train": ("train",)}[role]
    used_groups = set(frame.loc[frame["role"] != "", "group"])
    free = frame["split"].isin(parts) & ~frame["key"].isin(taken) & ~frame["group"].isin(used_groups)
    if role == "train":
        free &= frame["label"] >= 0
    rng = np.random.default_rng([design.data_seed, zlib.crc32(f"{name}/{role}".encode())])
    chosen = _capped(frame, np.flatnonzero(free & (frame["role"] == "")), domain.most_of_group, rng)
    if role != "train":
        wanted = design.rows.test if role == "test" else design.rows.validation
        chosen = _drawn(frame, chosen, wanted, domain.balance, rng)
    _check_enough(frame.loc[chosen, "label"], role, name, design)
    frame.loc[chosen, "role"] = role
    taken.update(frame.loc[chosen, "key"])


def _capped(
    frame: pd.DataFrame, rows: Indices, most_of_group: int | None, rng: np.random.Generator
) -> Indices:
    """At most so many rows of each group, drawn at random; in order."""
    if most_of_group is None:
        return rows
    mixed = rng.permutation(rows)
    place = frame.loc[mixed].groupby("group", sort=False).cumcount().to_numpy()
    return np.sort(mixed[place < most_of_group])


def _drawn(
    frame: pd.DataFrame, rows: Indices, wanted: int, balance: str, rng: np.random.Generator
) -> Indices:
    """At most `wanted` of the rows, in order; as many of each label or rating where `balance` says so."""
    if balance == "none":
        return np.sort(rng.choice(rows, min(wanted, len(rows)), replace=False))
    values = frame.loc[rows, balance].to_numpy()
    known = rows[values >= 0] if balance == "label" else rows[~np.isnan(values)]
    values = frame.loc[known, balance].to_numpy()
    kinds = [known[values == value] for value in np.unique(values)]
    each = min([wanted // max(1, len(kinds)), *map(len, kinds)])
    return np.sort(np.concatenate([known[:0], *(rng.choice(kind, each, replace=False) for kind in kinds)]))


def _check_enough(labels: pd.Series, role: Role, name: str, design: Design) -> None:
    counts = {label: int((labels == label).sum()) for label in (0, 1)}
    if role == "train" and min(counts.values()) < design.rows.train // 2:
        raise DataError(
            f"domain '{name}' has {counts[0]:,} negative and {counts[1]:,} positive rows to train on, and "
            f"rows.train asks for {design.rows.train // 2:,} of each: take a smaller number"
        )
    if role == "test" and not min(counts.values()):
        raise DataError(
            f"domain '{name}' has {counts[0]:,} negative and {counts[1]:,} positive rows to test on; it "
            "takes both: look at its test_parts, margin and least_words"
        )


def _hashes(frames: dict[str, pd.DataFrame]) -> dict[str, str]:
    """One sha256 a domain, of all its rows and texts."""
    return {
        name: hashlib.sha256(
            frame[["id", "text", "label", "rating", "group", "role"]].to_csv(index=False).encode()
        ).hexdigest()
        for name, frame in frames.items()
    }


def held_out(tables: dict[str, Table]) -> list[tuple[str, str, Table]]:
    """(domain, part, its rows) of everything that is predicted; parts without rows are left out."""
    found = [(name, part, one.part(part)) for part in PARTS for name, one in tables.items()]
    return [(name, part, rows) for name, part, rows in found if len(rows.rows)]
