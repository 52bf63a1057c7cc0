"""Grade all that is pending in a gradebook. If it is killed, the same call goes on where it stopped.

This process alone writes the gradebook. It runs no student's code and trusts no reply to be there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from course_utils.grading.exercise import CHECK_KINDS, Exercise, course
from course_utils.grading.grade import Job, Outcome, Setting, versions
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.hidden import submission_seed, version
from course_utils.grading.records import FAILED, GRADED, INVALID, Attempt, Change, CheckResult, Grade

Runner = Callable[[Iterable[Job]], Iterator[Outcome]]


@dataclass(frozen=True)
class Summary:
    """What a call did. graded: attempts run. invalid: attempts that are none. left: still without a grade."""

    graded: int
    invalid: int
    left: int


def grade_pending(
    book: Gradebook,
    exercise: Exercise,
    setting: Setting,
    run: Runner,
    *,
    on_start: Callable[[int], object] = lambda total: None,
    on_grade: Callable[[Attempt, Grade], object] = lambda attempt, grade: None,
) -> Summary:
    """Grade every attempt that has no grade under this version of the exercise.

    run: what grades jobs (see workers and cluster). on_start: called with the number of attempts;
    on_grade: called after each grade that is in the gradebook.
    """
    known = version(exercise)
    pending = book.pending(exercise.name, known, sandboxed=setting.sandboxed)
    on_start(len(pending))
    invalid = [attempt for attempt in pending if attempt.submission.reason]
    by_id = {attempt.id: attempt for attempt in pending if not attempt.submission.reason}
    for attempt in invalid:
        grade = refused(exercise, attempt, _seed(book, attempt), setting)
        book.record(attempt.id, grade)
        on_grade(attempt, grade)
    graded = 0
    for outcome in run(_jobs(book, known, by_id.values())):
        if outcome.expected is not None:
            book.keep_expected(known, outcome.grade.seed, outcome.expected)
        graded += book.record(outcome.attempt, outcome.grade) and outcome.grade.status == GRADED
        on_grade(by_id[outcome.attempt], outcome.grade)
    return Summary(graded, len(invalid), len(by_id) - graded)


def refused(exercise: Exercise, attempt: Attempt, seed: int, setting: Setting) -> Grade:
    """The grade of an invalid submission: nothing ran, every check earned 0."""
    reason = attempt.submission.reason
    checks = tuple(
        CheckResult(meta["id"], meta["task"], meta["kind"], meta["points"], 0, reason)
        for meta in map(course, exercise.cells(*CHECK_KINDS))
    )
    return Grade(
        INVALID,
        version(exercise),
        seed,
        checks,
        reason,
        sandboxed=setting.sandboxed,
        versions=versions(),
        graded_at=time.time(),
    )


def changes(book: Gradebook, exercise: Exercise) -> list[Change]:
    """What this version of the exercise changed: each check whose points differ from the version before.

    Sorted by student, attempt and check. Attempts that were graded under one version only changed nothing.
    """
    found, policy = [], book.policy(exercise.name)
    for attempt in book.attempts(exercise.name):
        new = book.latest_grade(attempt.id, version(exercise))
        old = book.grade_before(attempt.id, version(exercise))
        if new is None or old is None or FAILED in (new.status, old.status):
            continue
        before, after = (_earned(policy.counted(replace(attempt, grade=grade))) for grade in (old, new))
        for name in sorted(before | after):
            if before.get(name) != after.get(name):
                found.append(Change(attempt.student, attempt.number, name, before.get(name), after.get(name)))
    return found


def _earned(attempt: Attempt) -> dict[str, int]:
    """Check id -> its points."""
    return {check.id: check.earned for check in attempt.grade.checks} if attempt.grade else {}


def _seed(book: Gradebook, attempt: Attempt) -> int:
    """What the attempt's hidden inputs are drawn from; everything that decides it is in the gradebook."""
    return submission_seed(book.salt(), attempt.exercise, attempt.student, attempt.submission.answers)


def _jobs(book: Gradebook, known: str, attempts: Iterable[Attempt]) -> Iterator[Job]:
    """The attempts as jobs, each with the expected values that the gradebook already has for its seed."""
    for attempt in attempts:
        seed, given = _seed(book, attempt), attempt.submission
        yield Job(attempt.id, seed, given.answers, given.problems, book.expected(known, seed))
