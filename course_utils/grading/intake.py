"""Find what students handed in and read it, so that the worst file costs only itself.

A folder, a zip archive, or what Canvas, Moodle, Gradescope or GitHub Classroom hand out. This process only
lists names (see intake_listing); a process with limits opens the files (see intake_reader).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from re import Pattern
from typing import Any

from course_utils.grading.children import Child
from course_utils.grading.exercise import Exercise
from course_utils.grading.intake_listing import Entry, list_archive, list_folder
from course_utils.grading.intake_names import (
    GRADESCOPE_INDEX,
    Owner,
    Submitters,
    owner,
    packed_at_download,
    shared_beginning,
    students,
)
from course_utils.grading.intake_reader import ReadLimits
from course_utils.grading.records import Submission
from course_utils.grading.roster import Roster, plain

# Every other answer meets other hidden inputs, and costs a run: one hand-in shall not be many throws of the
# dice. Three leave room for a copy and an old draft beside the notebook that is meant.
MAX_NOTEBOOKS = 3
MAX_READ = 30  # of a student's notebooks: all exercises of a course in one folder, and some more
DIED = "Reading it took more memory or time than any notebook needs."


class IntakeError(RuntimeError):
    """Submissions that cannot be taken in at all; the message says what to do."""


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
        entries = list_folder(source) if source.is_dir() else list_archive(source, _members(source, reader))
        rules = _rules(source, entries, reader, names)
        for student, found in sorted(_by_student(entries, rules, roster or Roster()).items()):
            yield from _submissions(student, found, exercise, reader)


def _members(source: Path, reader: Reader) -> list[tuple[str, list[int], str]]:
    """What an archive holds. Raises IntakeError if it is none."""
    reply = reader.ask(op="list", path=os.path.realpath(source))
    if "members" not in reply:
        raise IntakeError(f"{source} is no folder and no archive that can be read: {reply['reason']}")
    return list(reply["members"])


@dataclass(frozen=True)
class _Rules:
    """How the names of one download are read.

    submitters, times: of Gradescope's folders. checkouts: the folders, where they are Git checkouts.
    assignment: with which their names begin.
    """

    own: Pattern[str] | None
    submitters: Submitters
    times: Mapping[str, float | None]
    checkouts: frozenset[str]
    assignment: str

    def owner(self, entry: Entry) -> Owner | None:
        """Whose file it is."""
        return owner(entry.name, own=self.own, submitters=self.submitters, assignment=self.assignment)

    def dated(self, entry: Entry) -> Entry:
        """The entry with the time of submission: not when a checkout was made or a download packed."""
        top = entry.name.partition("/")[0]
        other = top in self.times or top in self.checkouts or packed_at_download(entry.name)
        return replace(entry, submitted=self.times.get(top)) if other else entry


def _rules(source: Path, entries: Iterable[Entry], reader: Reader, own: Pattern[str] | None) -> _Rules:
    """Look for Gradescope's index and for Git checkouts."""
    index: dict[str, Any] = {}
    for entry in entries:
        if entry.name == GRADESCOPE_INDEX:
            reply = reader.ask(op="index", path=entry.path, member=entry.member)
            if "submitters" not in reply:
                raise IntakeError(f"{source}: {reply['reason']}")
            index = reply["submitters"]
    submitters = {folder: (tuple(ids), name) for folder, (ids, name, _) in index.items()}
    times = {folder: when for folder, (*_, when) in index.items()}
    # A folder that cannot be entered is refused alone, and says nothing of the others.
    tops = {entry.name.partition("/")[0] for entry in entries if "/" in entry.name and not entry.problem}
    checkouts = _checkouts(source, tops - index.keys())
    return _Rules(own, submitters, times, checkouts, shared_beginning(checkouts))


def _checkouts(source: Path, folders: set[str]) -> frozenset[str]:
    """The folders, if there are several and each is a Git checkout; else none is one.

    Whoever hands in a folder can put `.git` into it, and the files of a checkout are never late. A single
    folder may be one or the other: its files keep their times.
    """
    marks = [source / folder / ".git" for folder in folders]
    every = len(marks) > 1 and all(os.path.isdir(mark) and not os.path.islink(mark) for mark in marks)
    return frozenset(folders if every else ())


def _by_student(entries: Iterable[Entry], rules: _Rules, roster: Roster) -> dict[str, list[Entry]]:
    """Student -> their files. A loose file that is no notebook is nobody's."""
    whose = {
        entry: found
        for entry in entries
        if entry.name != GRADESCOPE_INDEX and (found := rules.owner(entry))
        if found.sole or entry.name.endswith(".ipynb")
    }
    names = students(whose.values(), roster)
    by_student: dict[str, list[Entry]] = {}
    for entry, found in whose.items():
        by_student.setdefault(names[found], []).append(rules.dated(entry))
    return by_student


def _submissions(
    student: str, entries: list[Entry], exercise: Exercise, reader: Reader
) -> Iterator[Submission]:
    """A student's attempts: a few notebooks of the exercise, and files that should be one and are not.

    Notebooks that say that they are another exercise's count only where nothing else is there. The one with
    the exercise's own name comes first, then they are taken by name.
    """
    notebooks = [entry for entry in entries if entry.name.endswith(".ipynb")]
    if not notebooks:
        yield _refused(student, entries[0], _nothing(entries))
        return
    notebooks.sort(key=lambda entry: (entry.name.rpartition("/")[2] != f"{exercise.name}.ipynb", entry.name))
    ours, others, left = _chosen(notebooks, exercise, reader)
    if left:
        reason = f"One hand-in may hold {MAX_NOTEBOOKS} notebooks: {left} more were not graded. Hand in one."
        yield _refused(student, replace(notebooks[-1], submitted=None), reason)
    for entry, reply in ours or others[:MAX_NOTEBOOKS]:
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


def _nothing(entries: list[Entry]) -> str:
    """Why files without a notebook among them are no submission."""
    listed = ", ".join(plain(entry.name.rpartition("/")[2]) for entry in entries[:5])
    problems = (entry.problem for entry in entries if entry.name.endswith("/"))
    return next(problems, f"There is no notebook (.ipynb) among the files: {listed}.")


_Replies = list[tuple[Entry, dict[str, Any]]]


def _chosen(notebooks: list[Entry], exercise: Exercise, reader: Reader) -> tuple[_Replies, _Replies, int]:
    """The notebooks of the exercise that count, those of other exercises, and how many were left unread.

    The same content again is the same notebook, handed in at the earlier time.
    """
    ours: dict[str, tuple[Entry, dict[str, Any]]] = {}
    others: _Replies = []
    for place, entry in enumerate(notebooks):
        if place == MAX_READ:
            return [*ours.values()], others, len(notebooks) - place
        reply = _read(entry, exercise, reader)
        if reply.get("exercise", "") not in ("", exercise.name):
            others.append((entry, reply))
            continue
        content = reply.get("sha256", entry.name)
        if content not in ours and len(ours) == MAX_NOTEBOOKS:
            return [*ours.values()], others, len(notebooks) - place
        known, _ = ours.get(content, (entry, reply))
        ours[content] = (min(known, entry, key=_time), reply)
    return [*ours.values()], others, 0


def _time(entry: Entry) -> float:
    """When it was handed in; the end of time if nobody knows."""
    return math.inf if entry.submitted is None else entry.submitted


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


def _shown(name: str) -> str:
    """A file's name as text that can be stored and shown; names on disk need not be UTF-8."""
    valid = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(character if character.isprintable() else " " for character in valid)
