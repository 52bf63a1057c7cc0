"""What a run leaves behind, and how it is read: a JSON file, and an .npz file with one number a predicted
row.

A study's folder holds `runs/SYSTEM--TRAIN--SEED.json` and `.npz`. The .json names what was run, the .npz's
sha256, the cost and the versions; it is written last, so that a run with it is whole. The .npz holds for each
domain and part ("test", "validation") six arrays of equal length, `DOMAIN.PART.NAME`:

  ids        str      the row's name in its data set
  labels     int8     0 negative, 1 positive, -1 no label (three stars; raters who could not say)
  ratings    float32  mean rating or stars; NaN where there are none
  groups     str      the review, article or game that the row stands in
  words      int32    its length in words
  scores     float32  above 0 says positive. Where the run's "kind" is "log_odds": log P(positive)/P(negative)

All runs of a study predict the same rows. What a report leaves of them stands in `predictions`.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
PARTS = ("test", "validation")
Floats = NDArray[np.float32]
Part = tuple[str, str]  # domain, "test" or "validation"
About = dict[str, Any]


class RunError(RuntimeError):
    """Files of runs that are missing, damaged, or do not fit together; the message says what to do."""


class Key(NamedTuple):
    """Which run: a system of the design, trained on a domain, with a seed."""

    system: str
    train: str
    seed: int

    @property
    def name(self) -> str:
        """Of its files.

        >>> Key("six-layers", "movies", 3).name
        'six-layers--movies--3'
        """
        return f"{self.system}--{self.train}--{self.seed}"


@dataclass(frozen=True)
class Rows:
    """The rows of one part of a domain; arrays of equal length, see the module's text."""

    ids: NDArray[np.str_]
    labels: NDArray[np.int8]
    ratings: Floats
    groups: NDArray[np.str_]
    words: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def labeled(self) -> NDArray[np.bool_]:
        """Which rows have a label; the others are for five classes only."""
        return self.labels >= 0

    def equals(self, other: "Rows") -> bool:
        """Whether every column is the same."""
        return all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=name == "ratings")
            for name in ROW_COLUMNS
        )


ROW_COLUMNS = ("ids", "labels", "ratings", "groups", "words")
_TYPES = {"labels": np.int8, "ratings": np.float32, "words": np.int32}


@dataclass(frozen=True)
class Run:
    """One run. about: its JSON; rows and scores by (domain, part)."""

    about: About
    rows: Mapping[Part, Rows]
    scores: Mapping[Part, Floats]

    @property
    def key(self) -> Key:
        """Which run it is."""
        return Key(self.about["system"], self.about["train"], self.about["seed"])

    def positive(self, domain: str, part: str = "test") -> NDArray[np.float64]:
        """P(positive) of each row. Raises ValueError for a system that gives no probabilities (VADER)."""
        if self.about["kind"] != "log_odds":
            raise ValueError(f"the scores of {self.key.system} are no log-odds and have no probability")
        return 1 / (1 + np.exp(-self.scores[domain, part].astype(np.float64)))


@dataclass(frozen=True)
class Study:
    """All runs of a design that there are; every run predicts the same `rows`."""

    name: str
    runs: Mapping[Key, Run]

    @cached_property
    def rows(self) -> Mapping[Part, Rows]:
        """Rows by (domain, part)."""
        return next(iter(self.runs.values())).rows

    @property
    def systems(self) -> list[str]:
        """Systems that have runs, in the order of their first one."""
        return list(dict.fromkeys(key.system for key in self.runs))

    @property
    def train_domains(self) -> list[str]:
        """Domains that were trained on."""
        return list(dict.fromkeys(key.train for key in self.runs))

    @property
    def test_domains(self) -> list[str]:
        """Domains that were tested on."""
        return [domain for domain, part in self.rows if part == "test"]

    def seeds(self, system: str, train: str) -> list[int]:
        """The seeds of a system on a train domain, in order."""
        return sorted(key.seed for key in self.runs if key[:2] == (system, train))


def write(folder: Path, run: Run) -> Path:
    """Write a run, whole or not at all; returns its .json file. Raises ValueError for uneven arrays."""
    arrays = packed(_arrays(run))
    place = folder / "runs"
    place.mkdir(parents=True, exist_ok=True)
    about = {"format": FORMAT, **run.about, "npz_sha256": hashlib.sha256(arrays).hexdigest()}
    write_whole(place / f"{run.key.name}.npz", arrays)
    text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
    return write_whole(place / f"{run.key.name}.json", text.encode())


def exists(folder: Path, key: Key) -> bool:
    """Whether a run is there, as a whole."""
    return (folder / "runs" / f"{key.name}.json").is_file()


def read(folder: Path, key: Key, fingerprint: str | None = None) -> Run:
    """A run. Raises RunError when it is missing, damaged, or (with a fingerprint) of another design."""
    path = folder / "runs" / f"{key.name}.json"
    about = read_about(folder, key, fingerprint)
    file = path.with_suffix(".npz")
    data = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(data).hexdigest() != about.get("npz_sha256"):
        raise RunError(f"{file} is missing or damaged; delete {path.name} and run the study again")
    return from_arrays(about, unpacked(data, file))


def read_about(folder: Path, key: Key, fingerprint: str | None = None) -> About:
    """The JSON of a run; raises RunError as `read` does, without looking at the .npz."""
    path = folder / "runs" / f"{key.name}.json"
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise RunError(f"{path} is missing; make it with: course study run") from problem
    except ValueError as problem:
        raise RunError(f"{path} is damaged ({problem}); delete it and run the study again") from problem
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise RunError(f"{path} is not of format {FORMAT}; delete it and run the study again")
    if fingerprint is not None and about["fingerprint"] != fingerprint:
        raise RunError(
            f"{path} was made by another design of this name; use another --folder, or delete the old runs"
        )
    return about


def gather(name: str, runs: Iterable[Run]) -> Study:
    """A study of runs. Raises RunError for none, and unless all of them predict the same rows of the same
    data."""
    found = {run.key: run for run in runs}
    if not found:
        raise RunError(f"the study '{name}' has no runs yet; make them with: course study run {name}")
    first = next(iter(found.values()))
    for run in found.values():
        same = run.rows.keys() == first.rows.keys() and all(
            run.rows[part].equals(first.rows[part]) for part in run.rows
        )
        if not same:
            raise RunError(
                f"{run.key.name} and {first.key.name} were tested on different rows; delete the older one"
            )
    return Study(name, found)


def _arrays(run: Run) -> dict[str, NDArray]:
    """The arrays of a run's .npz. Raises ValueError unless all columns of a part are equally long."""
    arrays: dict[str, NDArray] = {}
    for (domain, part), rows in run.rows.items():
        columns = {name: getattr(rows, name) for name in ROW_COLUMNS}
        columns["scores"] = run.scores[domain, part]
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{run.key.name}, {domain}, {part}: columns of different lengths {lengths}")
        if not np.isfinite(columns["scores"]).all():
            raise ValueError(f"{run.key.name}, {domain}, {part}: a score is not finite")
        arrays |= {f"{domain}.{part}.{name}": column for name, column in columns.items()}
    return arrays


def from_arrays(about: About, arrays: Mapping[str, NDArray]) -> Run:
    """A run out of the arrays of an .npz file, with whatever scores they hold."""
    parts = list(dict.fromkeys((name.split(".")[0], name.split(".")[1]) for name in arrays))
    rows = {
        (domain, part): Rows(*(arrays[f"{domain}.{part}.{column}"] for column in ROW_COLUMNS))
        for domain, part in parts
    }
    return Run(about, rows, {part: arrays[f"{part[0]}.{part[1]}.scores"] for part in parts})


def packed(arrays: Mapping[str, NDArray]) -> bytes:
    """The bytes of an .npz: a function of the arrays alone (numpy writes no date)."""
    buffer = io.BytesIO()
    typed = {name: np.asarray(a, dtype=_TYPES.get(name.split(".")[-1])) for name, a in arrays.items()}
    np.savez_compressed(buffer, **typed)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpacked(data: bytes, file: Path) -> dict[str, NDArray]:
    """The arrays in the bytes of an .npz; RunError, which names the file, for anything else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (ValueError, BadZipFile, EOFError) as problem:
        raise RunError(f"{file} is damaged ({problem}); delete it and run the study again") from problem


def write_whole(path: Path, data: bytes) -> Path:
    """Write a file whole, or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return part.replace(path)


def found(folder: Path) -> Iterator[Key]:
    """The runs whose files are in a study's folder, whatever their design, by name."""
    for path in sorted((folder / "runs").glob("*.json")):
        system, train, seed = path.stem.split("--")
        yield Key(system, train, int(seed))
