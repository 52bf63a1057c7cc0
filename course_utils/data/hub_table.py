"""A column of a hub repository as it is, for what is no set of labeled texts: corpora, minimal pairs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from course_utils.data.errors import DataError, SourceUnavailable
from course_utils.scale import Scale, current, go_offline


def hub_column(
    repository: str, config: str, split: str, column: str, hub_root: Path | None = None
) -> list[Any]:
    """All values of one column; see `hub_rows`."""
    return [row[column] for row in hub_rows(repository, config, split, (column,), hub_root)]


def hub_rows(
    repository: str, config: str, split: str, columns: tuple[str, ...], hub_root: Path | None = None
) -> list[dict[str, Any]]:
    """Some columns of a repository's split, a row each, from a copy on disk where there is one, else the hub.

    A copy is a folder HUB_ROOT/owner/name as ``hf download --repo-type dataset`` leaves it, where HUB_ROOT is
    ``hub_root`` or the environment variable COURSE_HUB_ROOT. Raises SourceUnavailable when neither the hub
    nor a copy is there, DataError when a column is missing.
    """
    go_offline()  # before anything imports datasets, which reads the setting once
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    place = copy_on_disk(repository, hub_root)
    try:
        table = load_dataset(repository if place is None else str(place), config, split=split)
    except (OSError, ValueError, DatasetsError) as problem:
        where = place or "the hub"
        raise SourceUnavailable(
            f"{repository} ({config}) could not be read from {where}: {remedy(repository)}"
        ) from problem
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise DataError(f"{repository}, {config}: no column {missing} among {table.column_names}")
    return table.select_columns(list(columns)).to_list()


def copy_on_disk(repository: str, hub_root: Path | None = None) -> Path | None:
    """Where the copy of a repository is, or None."""
    root = hub_root or os.environ.get("COURSE_HUB_ROOT", "").strip()
    folder = Path(root).expanduser() / repository if root else None
    return folder if folder is not None and folder.is_dir() else None


def remedy(repository: str) -> str:
    """What to do when a repository cannot be read."""
    network = "connect to the network"
    if current() is Scale.LAPTOP:
        network += " and set COURSE_SCALE=colab (the laptop scale stays off the hub)"
    return f"{network}, or let COURSE_HUB_ROOT name a folder with a copy of the repository in {repository}"
