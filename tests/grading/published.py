"""A small exercise with a graded class, for the tests of what is published."""

import json

import tiny_exercise

from course_utils.grading.exercise import Exercise, parse
from course_utils.grading.records import (
    GRADED,
    INVALID,
    Attempt,
    CheckResult,
    Final,
    Grade,
    Manual,
    Submission,
)

SECRET = "hidden-output-never-shown"
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e'\"&<b>"


def exercise() -> Exercise:
    """The tiny exercise: task double, checks double-word (public, 2) and double-random (hidden, 1)."""
    return parse("01_tiny", tiny_exercise.notebook())


def two_tasks() -> Exercise:
    """The tiny exercise with a second task, triple, that may call the answer to double."""
    made = tiny_exercise.notebook()
    own = [cell for cell in made["cells"] if cell["id"].startswith("double")]
    task, *rest = json.loads(json.dumps(own).replace("double", "triple").replace("Task 1", "Task 2"))
    task["metadata"]["course"]["needs"] = ["double"]
    return parse("01_tiny", {**made, "cells": [*made["cells"], task, *rest]})


def checks(public: str = "", hidden: str = "") -> tuple[CheckResult, ...]:
    """The results of both checks; a message makes the check fail."""
    return (
        CheckResult("double-word", "double", "public-check", 2, 0 if public else 2, public),
        CheckResult("double-random", "double", "hidden-check", 1, 0 if hidden else 1, hidden),
    )


def grade(public: str = "", hidden: str = "", **changes: object) -> Grade:
    """A grade of one run; without messages it has full points."""
    values = {
        "checks": checks(public, hidden),
        "graded_at": 1_700_000_000.0,
        "seconds": 0.5,
        "kernel": "forked",
    }
    return Grade(**{"status": GRADED, "version": "v1", "seed": 5, **values, **changes})  # type: ignore[arg-type]


def final(student: str, given: Grade | None, *manual: Manual, answer: str = "", **changes: object) -> Final:
    """What stands for a student with one attempt."""
    submission = Submission(student, "0" * 64, "a.ipynb", answers={"double": answer or f"x = {student!r}"})
    attempt = Attempt(1, "01_tiny", 1, submission, given)
    values = {"name": student.title(), "attempt": attempt, "points": given.points if given else 0}
    return Final(student=student, manual=manual, **{**values, **changes})  # type: ignore[arg-type]


def invalid(student: str, reason: str) -> Final:
    """What stands for a student whose file is no notebook."""
    submission = Submission(student, "1" * 64, "b.ipynb", reason=reason)
    given = Grade(INVALID, "v1", 5, checks(reason, reason), reason=reason)
    return Final(student, student.title(), Attempt(2, "01_tiny", 1, submission, given), 3)


def absent(student: str) -> Final:
    """What stands for a student who handed in nothing."""
    return Final(student, student.title(), None, 0)
