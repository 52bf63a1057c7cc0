"""A grade as Gradescope's `results.json` (https://gradescope-autograders.readthedocs.io/en/latest/specs/)."""

from __future__ import annotations

from typing import Any

from course_utils.grading.exercise import Exercise
from course_utils.grading.publish.words import NO_SANDBOX, clean, task_titles, told
from course_utils.grading.records import GRADED, CheckResult, Grade

VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")


def results(exercise: Exercise, grade: Grade, hidden_visibility: str = "visible") -> dict[str, Any]:
    """What Gradescope shows a student and takes as the score, ready for `json.dump`.

    hidden_visibility: when students see the outcome of hidden checks, one of VISIBILITIES. Nothing that the
    submission printed is in it; messages are plain text, which Gradescope escapes.
    """
    if hidden_visibility not in VISIBILITIES:
        raise ValueError(f"{hidden_visibility!r} is no visibility: choose one of {', '.join(VISIBILITIES)}.")
    titles, tests = task_titles(exercise), []
    places = {task: place for place, task in enumerate(exercise.tasks(), start=1)}
    counts = dict.fromkeys(places, 0)
    for check in grade.checks if grade.status == GRADED else ():
        counts[check.task] = counts.get(check.task, 0) + 1
        number = f"{places.get(check.task, 0)}.{counts[check.task]}"
        visibility = hidden_visibility if check.kind == "hidden-check" else "visible"
        tests.append(_test(check, titles.get(check.task, check.task), number, visibility))
    return {
        "score": grade.earned,
        "execution_time": round(grade.seconds, 3),
        "output": _output(grade),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"status": grade.status, "version": grade.version, "sandboxed": grade.sandboxed},
    }


def broken(reason: str) -> dict[str, Any]:
    """The results of a run that could not grade: no score is made up, and the reason is for people."""
    return {
        "score": 0,
        "output": f"This submission was not graded: {clean(reason)}\nPlease tell your instructor.",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [],
    }


def _output(grade: Grade) -> str:
    """What stands above the tests."""
    lines = [] if grade.sandboxed else [NO_SANDBOX]
    if grade.status != GRADED:
        lines.append(f"{grade.status.capitalize()}: {clean(grade.reason)}")
    elif grade.reason:
        lines.append(clean(grade.reason))
    return "\n".join(lines)


def _test(check: CheckResult, title: str, number: str, visibility: str) -> dict[str, Any]:
    kind = " (on inputs drawn for you)" if check.kind == "hidden-check" else ""
    return {
        "name": f"{title}: {check.id}{kind}",
        "number": number,
        "score": check.earned,
        "max_score": check.points,
        "status": "passed" if check.passed else "failed",
        "output": told(check.message),
        "output_format": "text",
        "visibility": visibility,
    }
