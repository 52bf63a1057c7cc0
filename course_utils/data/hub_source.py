"""Data sets from the hub, brought to the course's columns.

What is read is the repository itself, or a copy of it on disk (the second source): a folder
``HUB_ROOT/owner/name`` as ``hf download --repo-type dataset`` leaves it, where HUB_ROOT is the
argument ``hub_root`` or the environment variable COURSE_HUB_ROOT. Rows are chosen before texts are
touched, and texts are mapped on disk, so that the millions of Steam and Amazon need little memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from course_utils.data import columns, splits
from course_utils.data.errors import DataError, SourceUnavailable
from course_utils.data.hub_table import copy_on_disk, remedy
from course_utils.data.registry import Entry, HubCopy
from course_utils.scale import Scale, go_offline

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

SAMPLE = {"train": 20_000, "validation": 2_000, "test": 5_000}  # rows below the full scale
PARTS = ("train", "validation", "test")


def load(entry: Entry, scale: Scale, rows: int | None, seed: int, hub_root: Path | None) -> Dataset:
    """A hub data set with the course's columns, in the order of the repository.

    rows: at most so many rows of each split; by default SAMPLE below the full scale, all at full
    (Steam: 300,000 training rows). seed: which rows are drawn. Rows without text or label, and
    training rows whose text is also tested on, are left out. Raises SourceUnavailable when neither
    the hub nor a copy is there, and DataError when the repository is not what the course knows.
    """
    if entry.hub is None:
        raise ValueError(f"{entry.name} does not come from the hub")
    go_offline()  # before anything imports datasets, which reads the setting once
    with _quiet():
        raw = _open(entry, hub_root)
        chosen = _choose(entry.hub, raw, _limits(entry.hub, scale, rows), seed)
        return _concatenate(
            [_convert(entry, raw[source], source, part, index) for part, source, index in chosen]
        )


def _open(entry: Entry, hub_root: Path | None) -> DatasetDict:
    """The repository as it is: from a copy on disk where there is one, else from the hub."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    hub = entry.hub
    assert hub is not None
    copy = copy_on_disk(hub.repository, hub_root)
    try:
        if copy is not None:
            return load_dataset(str(copy), hub.config)
        raw = load_dataset(hub.repository, hub.config, revision=hub.revision)
    except (OSError, ValueError, DatasetsError) as problem:
        raise SourceUnavailable(
            f"{entry.name} could not be read from {copy or 'the hub'} ({_first_line(problem)}): "
            + remedy(hub.repository)
        ) from problem
    found = {split: len(raw[split]) for split in raw}
    if found != dict(hub.rows):
        raise DataError(f"{hub.repository} has {found} rows instead of {dict(hub.rows)}: it has changed")
    return raw


def _choose(
    hub: HubCopy, raw: DatasetDict, limits: dict[str, int | None], seed: int
) -> list[tuple[str, str, NDArray[np.int64]]]:
    """(split, split of the repository, chosen row numbers); no text is in two splits."""
    chosen = []
    held_out: list[Any] = []
    for part, source, index in reversed(list(_parts(hub, raw))):
        wanted = _usable(hub, raw[source], held_out) & _mask(len(raw[source]), index)
        held_out.append(raw[source].data.column(hub.text[-1]).filter(wanted))
        labels = raw[source].data.column(hub.label).to_numpy()
        rng = np.random.default_rng([seed, PARTS.index(part)])
        rows = _sample(np.flatnonzero(wanted), labels, limits[part], hub.balanced, rng)
        chosen.append((part, source, rows))
    return chosen[::-1]


def _parts(hub: HubCopy, raw: DatasetDict) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
    """(split, split of the repository, all its row numbers) for train, validation and test."""
    if not hub.by_group:
        for part in PARTS:
            if part in raw:
                yield part, part, np.arange(len(raw[part]))
        return
    groups = raw["train"].data.column(hub.group).to_numpy()
    names, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    part_of = splits.assign_sizes(
        {str(name): int(n) for name, n in zip(names, sizes, strict=True)}, hub.repository
    )
    parts = np.array([part_of[str(name)] for name in names])[inverse]
    for part in PARTS:
        yield part, "train", np.flatnonzero(parts == part)


def _usable(hub: HubCopy, table: Dataset, held_out: list[Any]) -> NDArray[np.bool_]:
    """Which rows have a known label and a text that is in none of the ``held_out`` columns."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text, labels = table.data.column(hub.text[-1]), table.data.column(hub.label)
    known = pc.is_in(labels, value_set=pa.array(list(hub.labels), type=labels.type))
    empty = pa.array(["", hub.placeholder or "", None], type=text.type)
    good = pc.and_not(known, pc.is_in(pc.utf8_trim_whitespace(text), value_set=empty))
    for other in held_out:
        good = pc.and_not(good, pc.is_in(text, value_set=other))
    return good.to_numpy()


def _mask(length: int, index: NDArray[np.int64]) -> NDArray[np.bool_]:
    mask = np.zeros(length, dtype=bool)
    mask[index] = True
    return mask


def _sample(
    rows: NDArray[np.int64],
    labels: NDArray[np.int64],
    limit: int | None,
    balanced: bool,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """At most ``limit`` of ``rows`` in their order; equally many of every label where ``balanced``."""
    if not balanced:
        wanted = len(rows) if limit is None else min(limit, len(rows))
        return np.sort(rng.choice(rows, wanted, replace=False))
    kinds = [rows[labels[rows] == label] for label in np.unique(labels[rows])]
    each = min(map(len, kinds), default=0)
    if limit is not None:
        each = min(each, limit // max(1, len(kinds)))
    drawn = [rng.choice(kind, each, replace=False) for kind in kinds]
    return np.sort(np.concatenate([np.empty(0, dtype=np.int64), *drawn]))


def _convert(entry: Entry, table: Dataset, source: str, part: str, index: NDArray[np.int64]) -> Dataset:
    ids = [f"{source}-{row}" for row in index]
    chosen = table.select(index).add_column("_id", ids)
    return chosen.map(
        _to_columns,
        batched=True,
        remove_columns=chosen.column_names,
        features=columns.features(),
        fn_kwargs={"name": entry.name, "part": part},
        keep_in_memory=len(index) < 100_000,
    )


def _to_columns(batch: dict[str, list[Any]], name: str, part: str) -> dict[str, list[Any]]:
    from course_utils.data.registry import ENTRIES

    hub = ENTRIES[name].hub
    assert hub is not None
    texts = [
        "\n".join(part or "" for part in parts) for parts in zip(*(batch[c] for c in hub.text), strict=True)
    ]
    labels = [hub.labels[label] for label in batch[hub.label]]
    ratings: list[float | None] = [None] * len(labels)
    if hub.rating_from_label is not None:
        ratings = [float(label + hub.rating_from_label) for label in labels]
    return {
        "text": [hub.clean(text) for text in texts],
        "label": [
            label if rating is None else columns.label_of(rating, hub.middle)
            for label, rating in zip(labels, ratings, strict=True)
        ],
        "rating": ratings,
        "domain": [name] * len(labels),
        "split": [part] * len(labels),
        "id": batch["_id"],
        "group": [str(value) for value in batch[hub.group]] if hub.group else batch["_id"],
    }


def _concatenate(parts: list[Dataset]) -> Dataset:
    from datasets import concatenate_datasets

    return concatenate_datasets(parts)


def _limits(hub: HubCopy, scale: Scale, rows: int | None) -> dict[str, int | None]:
    if rows is not None:
        return dict.fromkeys(PARTS, rows)
    if scale is Scale.FULL:
        return {"train": hub.full_rows, "validation": None, "test": None}
    return dict(SAMPLE)


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of the library while this runs: they would end up in the book's pages."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    was_quiet = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not was_quiet:
            enable_progress_bars()


def _first_line(problem: BaseException) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0].rstrip(".")
