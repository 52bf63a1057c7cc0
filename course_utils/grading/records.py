"""What the grader knows of a submission, from the file that was handed in to the points of each check.

Plain values that survive JSON, pickling and a database, so that every part of the grader (intake,
workers, gradebook, feedback) speaks of the same things. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

GRADED = "graded"
INVALID = "invalid submission"
PENDING = "pending"  # an attempt that no run of the grader has reached yet
FAILED = "not graded: grader failure"  # the grader broke down over it, again and again: nobody's 0
WITHOUT_SCORE = (PENDING, FAILED)
WITHHELD = (
    "It passed, but no check of this task on other inputs did: the points of the checks that you see count "
    "only beside at least one of those."
)

# Before the error of an answer cell, and between it and that of the check that failed after it.
OWN_ERROR = "The answer cell stopped with an error of its own:"
AND_SO = "\n\nAnd so the check found:\n"


@dataclass(frozen=True)
class Submission:
    """One file that a student handed in, as intake read it. Nothing in it is trusted.

    student: who handed it in; the roster's name for them where there is a roster.
    sha256: of the file's bytes. A file that was refused unread has the hash of where it lay and why.
    path: where it was found, for people: below the submissions folder, or inside the archive.
    submitted: when, None where nothing says so.
    answers: task -> source of its answer cell. A task with no answer cell is left out.
    problems: task -> why its answer cannot be taken (two cells answer it, it is far too long).
    reason: "" for a notebook, else why the file is an invalid submission.
    """

    student: str
    sha256: str
    path: str
    submitted: float | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    id: the check's cell. kind: "public-check" or "hidden-check". points: what it can earn.
    earned: 0 or points. message: "" if it passed, else what the student is told. It may hold text that the
    student's code wrote: escape it. It never holds the output of a hidden check.
    withheld: points that it passed for and that do not count, see `public_beside_hidden`.
    """

    id: str
    task: str
    kind: str
    points: int
    earned: int
    message: str = ""
    withheld: int = 0

    @property
    def passed(self) -> bool:
        """Whether it showed the right value."""
        return self.earned + self.withheld == self.points


@dataclass(frozen=True)
class Grade:
    """One run of the grader over one submission.

    status: GRADED, INVALID or FAILED. reason: why it has no score, or what ended the run early ("" if nothing
    did).
    version: of the exercise, see `hidden.version`. seed: what its hidden inputs were drawn from.
    kernel: "forked", "ipykernel", or "" if nothing was run. sandboxed: False if it ran unprotected.
    suspicions: what a person should look at, in words. versions: of what the verdict rests on.
    seconds, cpu_seconds: of the whole job, CPU with its child processes.
    """

    status: str
    version: str
    seed: int
    checks: tuple[CheckResult, ...] = ()
    reason: str = ""
    kernel: str = ""
    sandboxed: bool = True
    suspicions: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    graded_at: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def earned(self) -> int:
        """Points of all checks together."""
        return sum(check.earned for check in self.checks)

    @property
    def points(self) -> int:
        """What a right submission earns."""
        return sum(check.points for check in self.checks)


@dataclass(frozen=True)
class Attempt:
    """A student's submission with its latest grade; the gradebook's row.

    id: of the attempt in this gradebook. number: 1 for the student's first attempt at the exercise.
    grade: None while it is pending.
    """

    id: int
    exercise: str
    number: int
    submission: Submission
    grade: Grade | None = None

    @property
    def student(self) -> str:
        """Who handed it in."""
        return self.submission.student

    @property
    def status(self) -> str:
        """GRADED, INVALID, FAILED or PENDING."""
        return self.grade.status if self.grade else PENDING


@dataclass(frozen=True)
class Manual:
    """Points and words that a person added for one student at one exercise.

    item: a task, a check, or "" for the exercise as a whole. points: added to the score; may be negative.
    """

    student: str
    item: str
    points: float
    comment: str = ""


@dataclass(frozen=True)
class Final:
    """What stands for a student at an exercise, after late days and the choice among attempts.

    attempt: the one that counts, None if nothing was handed in. late_days: begun days after the deadline
    that no free day covers. penalty: points taken off for them. manual: what people added, in order.
    """

    student: str
    name: str
    attempt: Attempt | None
    points: int
    late_days: int = 0
    penalty: float = 0.0
    manual: tuple[Manual, ...] = ()

    @property
    def score(self) -> float:
        """Points after penalty and manual points, never below 0."""
        grade = self.attempt.grade if self.attempt else None
        automatic = grade.earned - self.penalty if grade else 0.0
        return max(0.0, automatic + sum(entry.points for entry in self.manual))


@dataclass(frozen=True)
class Change:
    """What a regrade changed: one check of one attempt. before or after is None where the check is not."""

    student: str
    attempt: int
    check: str
    before: int | None
    after: int | None


def public_beside_hidden(checks: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """The checks, where the public ones of a task earn nothing unless one of its hidden ones passed.

    Everybody sees the inputs of public checks: a table of their values passes them. A task without hidden
    checks keeps its points.
    """
    found = tuple(checks)
    hidden = [check for check in found if check.kind == "hidden-check"]
    fitted = {check.task for check in hidden} - {check.task for check in hidden if check.passed}
    return tuple(
        replace(check, earned=0, withheld=check.earned, message=WITHHELD)
        if check.task in fitted and check.kind == "public-check" and check.passed
        else check
        for check in found
    )


def as_json(result: CheckResult) -> dict[str, Any]:
    """A check's result as a dictionary for JSON; CheckResult(**...) reads it back."""
    return dict(vars(result))
