"""Find what students handed in and read it, so that the worst file costs only itself.

A folder, a zip archive, or what Canvas, Moodle, Gradescope or GitHub Classroom hand out. This process only
lists names; a process with limits opens the files (see intake_reader).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from re import Pattern
from typing import Any

from course_utils.grading.children import Child
from course_utils.grading.exercise import Exercise
from course_utils.grading.intake_names import GRADESCOPE_INDEX, Owner, owner, shared_beginning
from course_utils.grading.intake_reader import ReadLimits
from course_utils.grading.records import Submission
from course_utils.grading.roster import Roster, plain

MAX_DEPTH = 12  # folders below folders
SKIPPED = {"__MACOSX", ".ipynb_checkpoints", ".git"}
DIED = "Reading it took more memory or time than any notebook needs."


class IntakeError(RuntimeError):
    """Submissions that cannot be taken in at all; the message says what to do."""


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


class Reader:
    """The reading process: started when needed, and again after it died. Use it in a `with`."""

    def __init__(self, limits: ReadLimits | None = None) -> None:
        self._limits = limits or ReadLimits()
        self._child: Child | None = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop(patience=5)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Its reply; {"reason": words} if the file is refused, or the process died of it."""
        child = self._child = self._child or self._start()
        try:
            child.connection.send_bytes(json.dumps(request).encode())
            if child.connection.poll(self._limits.seconds):
                return dict(json.loads(child.connection.recv_bytes()))
        except (EOFError, OSError):
            pass  # it died: that is the answer
        self._stop()
        return {"reason": DIED}

    def _start(self) -> Child:
        return Child("course_utils.grading.intake_reader", json.dumps(asdict(self._limits))).wait_ready()

    def _stop(self, patience: float = 0) -> None:
        if self._child:
            self._child.stop(patience)
            self._child = None


def collect(
    source: Path,
    exercise: Exercise,
    *,
    roster: Roster | None = None,
    names: Pattern[str] | None = None,
    limits: ReadLimits | None = None,
) -> Iterator[Submission]:
    """Every submission in a folder or a zip archive, sorted by student; bad ones with their reason.

    roster: whose names stand for whom. names: a pattern of your own, see intake_names.
    Raises IntakeError if the source itself is neither a folder nor a zip archive.
    """
    with Reader(limits) as reader:
        entries = list_folder(source) if source.is_dir() else _list_archive(source, reader)
        rules = _rules(source, entries, reader, names)
        for student, found in sorted(_by_student(entries, rules, roster or Roster()).items()):
            yield from _submissions(student, found, exercise, reader)


def list_folder(folder: Path) -> list[Entry]:
    """The files below a folder, sorted by name. Links are listed as refused, and never followed."""
    found: list[Entry] = []
    waiting = [(os.fspath(folder), "", 0)]
    while waiting:
        path, prefix, depth = waiting.pop()
        with os.scandir(path) as children:
            for child in children:
                name = prefix + child.name
                if child.name in SKIPPED:
                    continue
                if not child.is_dir(follow_symlinks=False):
                    found.append(_file_entry(name, child))
                elif depth < MAX_DEPTH:
                    waiting.append((child.path, f"{name}/", depth + 1))
    return sorted(found, key=lambda entry: entry.name)


def _file_entry(name: str, child: os.DirEntry[str]) -> Entry:
    """A file as the folder lists it."""
    status = child.stat(follow_symlinks=False)
    problem = "" if stat.S_ISREG(status.st_mode) else "It is no plain file, but a link, a pipe or a device."
    return Entry(name, child.path, None, status.st_mtime, problem)


def _list_archive(source: Path, reader: Reader) -> list[Entry]:
    """The files in an archive. A folder with the archive's own name is what packing a folder adds."""
    reply = reader.ask(op="list", path=os.path.realpath(source))
    if "members" not in reply:
        raise IntakeError(f"{source} is neither a folder nor a zip archive: {reply['reason']}")
    entries = []
    for place, (name, when, problem) in enumerate(reply["members"]):
        path = name.replace("\\", "/").removeprefix(f"{source.stem}/")
        if not path.endswith("/") and not SKIPPED.intersection(path.split("/")):
            entries.append(Entry(path, os.path.realpath(source), place, _moment(when), problem))
    return entries


@dataclass(frozen=True)
class _Rules:
    """How the names of one download are read. checkouts: the folders that are Git checkouts."""

    own: Pattern[str] | None
    submitters: Mapping[str, tuple[tuple[str, ...], float | None]]
    checkouts: frozenset[str]

    def owner(self, entry: Entry) -> Owner | None:
        """Whose file it is."""
        keys = {folder: names for folder, (names, _) in self.submitters.items()}
        beginning = shared_beginning(self.checkouts)
        return owner(entry.name, own=self.own, submitters=keys, assignment=beginning)

    def dated(self, entry: Entry) -> Entry:
        """The entry with the time of submission: a checkout's files only have the time of the checkout."""
        top = entry.name.partition("/")[0]
        if top in self.submitters:
            return replace(entry, submitted=self.submitters[top][1])
        return replace(entry, submitted=None) if top in self.checkouts else entry


def _rules(source: Path, entries: Iterable[Entry], reader: Reader, own: Pattern[str] | None) -> _Rules:
    """Look for Gradescope's index and for Git checkouts."""
    submitters: dict[str, Any] = {}
    for entry in entries:
        if entry.name == GRADESCOPE_INDEX:
            reply = reader.ask(op="index", path=entry.path, member=entry.member)
            if "submitters" not in reply:
                raise IntakeError(f"{source}: {reply['reason']}")
            submitters = {folder: (tuple(keys), when) for folder, (keys, when) in reply["submitters"].items()}
    tops = {entry.name.partition("/")[0] for entry in entries if "/" in entry.name}
    return _Rules(own, submitters, frozenset(top for top in tops if (source / top / ".git").exists()))


def _by_student(entries: Iterable[Entry], rules: _Rules, roster: Roster) -> dict[str, list[Entry]]:
    """Student -> their files. A loose file that is no notebook is nobody's."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        whose = rules.owner(entry)
        if entry.name == GRADESCOPE_INDEX or whose is None:
            continue
        if whose.sole or entry.name.endswith(".ipynb"):
            student = whose.student(roster) or "(no name)"
            found.setdefault(student, []).append(rules.dated(entry))
    return found


def _submissions(
    student: str, entries: list[Entry], exercise: Exercise, reader: Reader
) -> Iterator[Submission]:
    """A student's attempts: each notebook of the exercise, and each file that should be one and is not.

    Notebooks that say that they are another exercise's count only where nothing else is there.
    """
    notebooks = [entry for entry in entries if entry.name.endswith(".ipynb")]
    if not notebooks:
        listed = ", ".join(plain(entry.name.rpartition("/")[2]) for entry in entries[:5])
        yield _refused(student, entries[0], f"There is no notebook (.ipynb) among the files: {listed}.")
    read = [(entry, _read(entry, exercise, reader)) for entry in notebooks]
    ours = [pair for pair in read if pair[1].get("exercise", "") in ("", exercise.name)]
    for entry, reply in ours or read:
        if not ours:
            other = plain(reply["exercise"])
            reply = {**reply, "reason": f"It is a notebook of {other}, not of {exercise.name}."}
        if "sha256" not in reply:
            yield _refused(student, entry, reply["reason"])
            continue
        reason = reply.get("reason", "")
        yield Submission(
            student,
            reply["sha256"],
            _shown(entry.name),
            entry.submitted,
            {} if reason else reply["answers"],
            {} if reason else reply["problems"],
            reason,
        )


def _read(entry: Entry, exercise: Exercise, reader: Reader) -> dict[str, Any]:
    """What the reading process says of a file."""
    if entry.problem:
        return {"reason": entry.problem}
    tasks = list(exercise.tasks())
    return reader.ask(op="read", path=entry.path, member=entry.member, tasks=tasks)


def _refused(student: str, entry: Entry, reason: str) -> Submission:
    """An invalid submission whose bytes nobody hashed: the same file refused again is the same attempt."""
    mark = hashlib.sha256(f"refused\0{_shown(entry.name)}\0{reason}".encode()).hexdigest()
    return Submission(student, mark, _shown(entry.name), entry.submitted, reason=reason)


def _moment(when: list[int]) -> float | None:
    """The time in an archive, which has no zone and is read as UTC; None if there is no such time."""
    try:
        return (
            datetime.strptime(" ".join(map(str, when)), "%Y %m %d %H %M %S").replace(tzinfo=UTC).timestamp()
        )
    except ValueError:
        return None


def _shown(name: str) -> str:
    """A file's name as text that can be stored and shown; names on disk need not be UTF-8."""
    return name.encode("utf-8", "replace").decode("utf-8")
