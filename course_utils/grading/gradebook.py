"""The gradebook: one SQLite file with every submission, attempt and score.

Only one process, the coordinator, writes. It commits each grade as it comes, so that a grader that is
killed loses nothing but the runs under way, and a row's key (attempt, version of the exercise, seed,
sandboxed or not) keeps anything from being graded twice. A grade is never changed: a regrade adds one. Only
`drop` takes any out.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from course_utils.grading.gradebook_tables import GradebookError, connect
from course_utils.grading.late import Policy, counting
from course_utils.grading.records import FAILED, Attempt, CheckResult, Final, Grade, Manual, Submission

_COLUMNS = ("id", "task", "kind", "points", "earned", "message")  # of a check, as it was graded
_LATEST = "SELECT MAX(id) FROM grades WHERE attempt = ? AND (? IS NULL OR version = ?)"


class Gradebook:
    """An open gradebook. Use it in a `with`, which closes the file.

    path: the SQLite file. create: make it if it is not there.
    Raises GradebookError if there is none, or the file is something else.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._file = connect(path, create=create)

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the gradebook against other graders; the lock falls with the process that holds it.

        Raises GradebookError if another grader is at work on it.
        """
        lock = FileLock(f"{self.path}.lock")
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise GradebookError(
                f"Another grader is at work on {self.path}: wait until it has finished."
            ) from None
        with lock:
            yield

    # What publishing reads.

    def exercises(self) -> list[str]:
        """The names of the exercises that have attempts, sorted."""
        return [row[0] for row in self._rows("SELECT DISTINCT exercise FROM attempts ORDER BY exercise")]

    def students(self) -> dict[str, str]:
        """Student -> full name, sorted: the roster, and whoever else handed something in."""
        listed = {row["student"]: row["name"] for row in self._rows("SELECT * FROM students")}
        others = {row[0]: row[0] for row in self._rows("SELECT DISTINCT student FROM attempts")}
        return dict(sorted((others | listed).items()))

    def attempts(self, exercise: str, student: str | None = None) -> list[Attempt]:
        """All attempts at an exercise, or one student's, each with its latest grade.

        They are sorted by student, then by time of submission (unknown first), then as they came in.
        """
        rows = self._rows(
            "SELECT * FROM attempts JOIN submissions USING (exercise, sha256) WHERE exercise = ? "
            "AND (? IS NULL OR student = ?) ORDER BY student, submitted, id",
            exercise,
            student,
            student,
        )
        found: list[Attempt] = []
        for row in rows:
            number = found[-1].number + 1 if found and found[-1].student == row["student"] else 1
            found.append(Attempt(row["id"], exercise, number, _submission(row), self.latest_grade(row["id"])))
        return found

    def latest_grade(self, attempt: int, version: str | None = None) -> Grade | None:
        """The newest grade of an attempt, or the newest under one version of the exercise."""
        rows = self._rows(f"SELECT * FROM grades WHERE id = ({_LATEST})", attempt, version, version)
        return self._grade(rows[0]) if rows else None

    def grade_before(self, attempt: int, version: str) -> Grade | None:
        """The newest grade of an attempt under any other version of the exercise than this one."""
        rows = self._rows(
            "SELECT * FROM grades WHERE attempt = ? AND version != ? ORDER BY id DESC LIMIT 1",
            attempt,
            version,
        )
        return self._grade(rows[0]) if rows else None

    def count_grades(self) -> int:
        """How many grades there are, of all exercises and versions."""
        return self._count("grades")

    def finals(self, exercise: str) -> list[Final]:
        """What stands for each student, sorted: the attempt that counts, late days, manual points."""
        policy = self.policy(exercise)
        by_student = _grouped(map(policy.counted, self.attempts(exercise)))
        manual = _grouped(self.manual(exercise))
        found = []
        for student, name in self.students().items():
            chosen = counting(by_student.get(student, []), policy)
            found.append(
                Final(
                    student,
                    name,
                    chosen,
                    chosen.grade.points if chosen and chosen.grade else 0,
                    policy.charged_days(chosen.submission.submitted) if chosen else 0,
                    policy.deduction(chosen) if chosen else 0.0,
                    tuple(manual.get(student, [])),
                )
            )
        return found

    def manual(self, exercise: str) -> list[Manual]:
        """Points and comments that people added, sorted by student and item."""
        rows = self._rows("SELECT * FROM manual WHERE exercise = ? ORDER BY student, item", exercise)
        return [Manual(row["student"], row["item"], row["points"], row["comment"]) for row in rows]

    def policy(self, exercise: str) -> Policy:
        """Late days and the choice among attempts; the defaults where nobody set any."""
        rows = self._rows("SELECT settings FROM policies WHERE exercise = ?", exercise)
        return Policy(**json.loads(rows[0]["settings"])) if rows else Policy()

    # What the grader needs and writes.

    def salt(self) -> bytes:
        """The secret that the seeds of submissions are drawn with."""
        return bytes.fromhex(self._rows("SELECT value FROM facts WHERE name = 'salt'")[0]["value"])

    def enroll(self, students: Mapping[str, str]) -> None:
        """Write the roster: student -> full name."""
        with self._transaction():
            self._file.executemany("INSERT OR REPLACE INTO students VALUES (?, ?)", students.items())

    def add(self, exercise: str, submissions: Iterable[Submission]) -> int:
        """Note submissions; a known one (same student, same content) stays. Returns how many are new.

        It stays as it was first noted, with its time: a second download, whose files have new times, makes
        nobody late, and a late file handed in again under an earlier date stays late.
        """
        before = self._count("attempts")
        with self._transaction():
            for given in submissions:
                self._file.execute(
                    "INSERT OR IGNORE INTO submissions VALUES (?, ?, ?, ?, ?)",
                    (
                        exercise,
                        given.sha256,
                        given.reason,
                        json.dumps(dict(given.answers)),
                        json.dumps(dict(given.problems)),
                    ),
                )
                self._file.execute(
                    "INSERT OR IGNORE INTO attempts (exercise, student, sha256, path, submitted) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (exercise, given.student, given.sha256, given.path, given.submitted),
                )
        return self._count("attempts") - before

    def drop(self, exercise: str, student: str) -> None:
        """Take out a student's attempts at an exercise with their grades. Manual points stay."""
        attempts = "SELECT id FROM attempts WHERE exercise = ? AND student = ?"
        grades = f"SELECT id FROM grades WHERE attempt IN ({attempts})"
        nobodys = "exercise = ? AND sha256 NOT IN (SELECT sha256 FROM attempts WHERE exercise = ?)"
        with self._transaction():
            for table, chosen in (
                ("checks", f"grade IN ({grades})"),
                ("grades", f"attempt IN ({attempts})"),
                ("attempts", "exercise = ? AND student = ?"),
            ):
                self._file.execute(f"DELETE FROM {table} WHERE {chosen}", (exercise, student))
            self._file.execute(f"DELETE FROM submissions WHERE {nobodys}", (exercise, exercise))

    def pending(self, exercise: str, version: str, *, sandboxed: bool) -> list[Attempt]:
        """Attempts without a grade under this version, and those over which the grader failed.

        A grade without a sandbox does not count with one.
        """
        done = {
            row["attempt"]
            for row in self._rows(
                "SELECT attempt FROM grades WHERE version = ? AND sandboxed >= ? AND status != ?",
                *(version, int(sandboxed), FAILED),
            )
        }
        return [attempt for attempt in self.attempts(exercise) if attempt.id not in done]

    def record(self, attempt: int, grade: Grade) -> bool:
        """Write a grade, whole or not at all. Returns False if that run is in the gradebook already.

        A failure of the grader is no grade: what comes after it takes its place.
        """
        values = {**vars(grade), "suspicions": json.dumps(grade.suspicions)}
        values |= {"versions": json.dumps(dict(grade.versions)), "sandboxed": int(grade.sandboxed)}
        del values["checks"]
        names = ", ".join(["attempt", *values])
        marks = ", ".join("?" * (len(values) + 1))
        with self._transaction():
            self._file.execute("DELETE FROM grades WHERE attempt = ? AND status = ?", (attempt, FAILED))
            done = self._file.execute(
                f"INSERT OR IGNORE INTO grades ({names}) VALUES ({marks})", (attempt, *values.values())
            )
            if not done.rowcount:
                return False
            rows = [
                (done.lastrowid, place, *(getattr(check, name) for name in _COLUMNS))
                for place, check in enumerate(grade.checks)
            ]
            self._file.executemany("INSERT INTO checks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return True

    def expected(self, version: str, seed: int) -> dict[str, Any] | None:
        """Cell id -> the output of the solution's check for a seed; None if nobody has computed it."""
        rows = self._rows("SELECT outputs FROM expected WHERE version = ? AND seed = ?", version, seed)
        return json.loads(rows[0]["outputs"]) if rows else None

    def keep_expected(self, version: str, seed: int, outputs: Mapping[str, Any]) -> None:
        """Keep what the solution shows for a seed."""
        with self._transaction():
            self._file.execute(
                "INSERT OR REPLACE INTO expected VALUES (?, ?, ?)", (version, seed, json.dumps(dict(outputs)))
            )

    def set_policy(self, exercise: str, policy: Policy) -> None:
        """Write the late days and the choice among attempts; scores follow when they are read."""
        with self._transaction():
            settings = json.dumps(policy.as_json())
            self._file.execute("INSERT OR REPLACE INTO policies VALUES (?, ?)", (exercise, settings))

    def set_manual(self, exercise: str, entries: Iterable[Manual]) -> None:
        """Replace all manual points and comments of an exercise."""
        with self._transaction():
            self._file.execute("DELETE FROM manual WHERE exercise = ?", (exercise,))
            rows = [(exercise, *vars(entry).values()) for entry in entries]
            self._file.executemany("INSERT INTO manual VALUES (?, ?, ?, ?, ?)", rows)

    def _grade(self, row: sqlite3.Row) -> Grade:
        """A grade with its checks, from its row."""
        found = self._rows("SELECT * FROM checks WHERE grade = ? ORDER BY place", row["id"])
        values = {name: row[name] for name in row.keys() if name not in ("id", "attempt")}  # noqa: SIM118
        values |= {"sandboxed": bool(row["sandboxed"]), "versions": json.loads(row["versions"])}
        values |= {"suspicions": tuple(json.loads(row["suspicions"]))}
        return Grade(
            **values, checks=tuple(CheckResult(**{name: row[name] for name in _COLUMNS}) for row in found)
        )

    def _rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self._file.execute(query, values).fetchall()

    def _count(self, table: str) -> int:
        return int(self._rows(f"SELECT COUNT(*) FROM {table}")[0][0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it, or nothing."""
        self._file.execute("BEGIN IMMEDIATE")
        with self._file:  # commits, or rolls back when something is raised
            yield


def _submission(row: sqlite3.Row) -> Submission:
    """A submission from the row of its attempt."""
    return Submission(
        row["student"],
        row["sha256"],
        row["path"],
        row["submitted"],
        json.loads(row["answers"]),
        json.loads(row["problems"]),
        row["reason"],
    )


def _grouped(entries: Iterable[Any]) -> dict[str, list[Any]]:
    """Student -> their entries, in order."""
    found: dict[str, list[Any]] = {}
    for entry in entries:
        found.setdefault(entry.student, []).append(entry)
    return found
