"""The names of what was handed in, from a folder or an archive. No file is opened here.

What cannot be listed, or is too much, is said of one student's folder and leaves the others alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

MAX_DEPTH = 12  # folders below folders
MAX_FILES = 20_000  # files and folders of one student; a project with its installed packages has more
SKIPPED = {"__MACOSX", ".ipynb_checkpoints", ".git"}


@dataclass(frozen=True)
class Entry:
    """One file among the submissions. name: below the folder or in the archive. member: its place there.

    problem: why it is refused unread, "" if it is not.
    """

    name: str
    path: str
    member: int | None = None
    submitted: float | None = None
    problem: str = ""


def list_folder(folder: Path) -> list[Entry]:
    """The files below a folder, sorted by name. Links are listed as refused, and never followed."""
    found: list[Entry] = []
    with os.scandir(os.fspath(folder)) as children:
        for child in children:
            found += _bounded(child.name, _walk(child))
    return sorted(found, key=lambda entry: entry.name)


def _bounded(top: str, entries: Iterable[Entry | None]) -> list[Entry]:
    """The files of one folder; if there are too many, a single entry that says so."""
    found = list(islice(entries, MAX_FILES + 1))
    if len(found) > MAX_FILES:
        return [Entry(f"{top}/", "", problem=f"The folder holds more than {MAX_FILES:,} files.")]
    return [entry for entry in found if entry]


def _walk(child: os.DirEntry[str], prefix: str = "", depth: int = 0) -> Iterator[Entry | None]:
    """The file, or what is in the folder: files, None for each folder, an entry for one that is refused."""
    name = prefix + child.name
    if child.name in SKIPPED:
        return
    if not child.is_dir(follow_symlinks=False):
        yield _file_entry(name, child)
        return
    yield None
    if depth == MAX_DEPTH:
        yield Entry(f"{name}/", child.path, problem="The folders are nested too deep.")
        return
    try:
        with os.scandir(child.path) as children:
            for below in children:
                yield from _walk(below, f"{name}/", depth + 1)
    except OSError as error:
        yield Entry(f"{name}/", child.path, problem=f"The folder cannot be listed: {error.strerror}.")


def _file_entry(name: str, child: os.DirEntry[str]) -> Entry:
    """A file as the folder lists it."""
    status = child.stat(follow_symlinks=False)
    problem = "" if stat.S_ISREG(status.st_mode) else "It is no plain file, but a link, a pipe or a device."
    return Entry(name, child.path, None, status.st_mtime, problem)


def list_archive(source: Path, members: Iterable[tuple[str, list[int], str]]) -> list[Entry]:
    """The files in an archive. Packing a folder adds one with the archive's own name around all of them.

    members: name, time and problem of each, in their order; see `intake_reader.members`.
    """
    archive, around = os.path.realpath(source), f"{source.stem}/"
    entries = []
    for place, (name, when, problem) in enumerate(members):
        path = name.replace("\\", "/")
        if (problem or not path.endswith("/")) and not SKIPPED.intersection(path.split("/")):
            entries.append(Entry(path, archive, place, _moment(when), problem))
    if all(entry.name.startswith(around) for entry in entries):
        entries = [replace(entry, name=entry.name.removeprefix(around)) for entry in entries]
    by_top: dict[str, list[Entry]] = {}
    for entry in entries:
        by_top.setdefault(entry.name.partition("/")[0], []).append(entry)
    return [entry for top, below in sorted(by_top.items()) for entry in _bounded(top, below)]


def _moment(when: list[int]) -> float | None:
    """The time in an archive, which has no zone: read as local, as unpacking does. None if there is none."""
    try:
        year, month, day, hour, minute, second = when
        return datetime(year, month, day, hour, minute, second).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
