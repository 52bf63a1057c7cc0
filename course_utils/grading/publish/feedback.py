"""A student's page: points by task and check, what each failed check says, and what to do next."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from course_utils.grading.exercise import Exercise
from course_utils.grading.publish.pages import render
from course_utils.grading.publish.sheets import is_sandboxed, number, status, task_points
from course_utils.grading.publish.words import NO_SANDBOX, clean, exercise_title, task_titles, told
from course_utils.grading.records import (
    FAILED,
    GRADED,
    INVALID,
    OWN_ERROR,
    WITHOUT_SCORE,
    CheckResult,
    Final,
    Grade,
    Manual,
    Submission,
)

_STUB = "NotImplementedError"
_LACKING = re.compile(r"NameError: name '(\w+)' is not defined")
_HASHED = re.compile(r"-[0-9a-f]{8}$")


def write(exercise: Exercise, finals: Sequence[Final], folder: Path) -> list[Path]:
    """Write one page a student below FOLDER/EXERCISE/; returns the paths. Old pages are replaced."""
    place = folder / exercise.name
    place.mkdir(parents=True, exist_ok=True)
    paths = []
    for final in finals:
        path = place / f"{file_name(final.student)}.html"
        path.write_text(page(exercise, final), encoding="utf-8", newline="\n")
        paths.append(path)
    return paths


def file_name(student: str) -> str:
    """A name for a student's file: theirs where it is plain, else made plain, with a hash of the whole.

    >>> file_name("ann"), file_name("../ann")
    ('ann', 'ann-2a8c40f7')
    """
    plain = re.sub(r"[^A-Za-z0-9_.@-]+", "-", student).strip(".-")[:80]
    # Case counts in a student's name, but not on every disk. Who is called like a hashed name gets another.
    same = plain == student and plain == plain.lower() and not _HASHED.search(plain)
    return plain if same else f"{plain or 'student'}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"


def page(exercise: Exercise, final: Final) -> str:
    """The HTML of a student's page."""
    grade = final.attempt.grade if final.attempt else None
    checks = grade.checks if grade and grade.status == GRADED else ()
    return render(
        "feedback.html",
        title=exercise_title(exercise),
        name=clean(final.name, 200),
        sandboxed=is_sandboxed(final),
        no_sandbox=NO_SANDBOX,
        status=status(final),
        waits=status(final) in WITHOUT_SCORE,
        score=number(final.score),
        points=grade.points if checks and grade else exercise.points(),
        notes=list(_notes(final, grade)),
        refusal=_refusal(final),
        tasks=_tasks(exercise, final, checks),
        adjustments=list(_adjustments(exercise, final)),
        steps=list(next_steps(exercise, final)),
        provenance=_provenance(grade),
    )


def in_words(exercise: Exercise, finals: Sequence[Final]) -> dict[str, str]:
    """Student -> a line of feedback for a sheet: all points of the score, or why there are none; comments."""
    return {final.student: "; ".join(_words(exercise, final)) for final in finals}


def _words(exercise: Exercise, final: Final) -> Iterator[str]:
    titles = task_titles(exercise)
    if status(final) == GRADED:
        yield from (f"{titles.get(task, task)}: {points}" for task, points in task_points(final).items())
    else:
        yield f"{status(final).capitalize()}. {_refusal(final)}".strip()
    yield from (f"{line['words']}: {line['points']}" for line in _adjustments(exercise, final))
    for entry in final.manual:
        if entry.comment:
            yield f"Your instructor{_where(exercise, entry)}: {clean(entry.comment)}"


def next_steps(exercise: Exercise, final: Final) -> Iterator[str]:
    """What a student should do now, most useful first. Nothing for full points."""
    grade = final.attempt.grade if final.attempt else None
    if final.attempt is None or status(final) != GRADED or grade is None:
        yield from _steps_without_grade(exercise, status(final))
        return
    failed = [check for check in grade.checks if not check.passed]
    broken = {check.task for check in failed}
    for task, title in task_titles(exercise).items():
        if task in broken:
            yield f"{title}: {_advice(exercise, final.attempt.submission, task, failed)}"
    if any(check.kind == "public-check" for check in failed):
        yield f"Before you hand in again: pytest --nbval-lax {exercise.name}.ipynb"


def _advice(exercise: Exercise, submission: Submission, task: str, failed: Sequence[CheckResult]) -> str:
    """What to do about a task. failed: the checks that failed, of all tasks."""
    public = [check for check in failed if check.task == task and check.kind == "public-check"]
    needs = exercise.tasks()[task].get("needs", [])
    before = [check for check in failed if check.task in needs]
    earlier = [task_titles(exercise)[name] for name in dict.fromkeys(check.task for check in before)]
    if task in submission.problems:
        return clean(submission.problems[task], 300)
    if task not in submission.answers:
        return "your notebook has no answer cell for it. Take a fresh notebook, and copy your answers in."
    if public and all(_STUB in check.message for check in public):
        return "still open. Its hints are folded under the task."
    if any(check.message.startswith(OWN_ERROR) for check in public):
        return "its answer cell stops with an error of its own, told below. Mend that first."
    if lacking := sorted(_lacking(public) - _lacking(before)):
        return (
            f"not defined: {', '.join(lacking)}. Only answer cells are graded, so keep what an answer needs "
            "in its cell, under the name that the task gives."
        )
    if earlier:
        return f"first mend {' and '.join(earlier)}, which it may call; then check it again."
    if public:
        which = f"{public[0].id} fails" if len(public) == 1 else f"{len(public)} checks in the notebook fail"
        return f"{which}. Read what is said below; you see the same on your own machine."
    return (
        "the checks in the notebook pass, other inputs do not. Try empty, repeated, longer and extreme "
        "inputs, and compare with what the task's text asks for."
    )


def _lacking(checks: Iterable[CheckResult]) -> set[str]:
    """The names that checks did not find."""
    return {name for check in checks for name in _LACKING.findall(told(check.message))}


def _steps_without_grade(exercise: Exercise, what: str) -> Iterator[str]:
    if what == INVALID:
        yield "Open the notebook in Jupyter, save it, and check that it is the .ipynb file that you hand in."
        yield f"Run pytest --nbval-lax {exercise.name}.ipynb, then hand in that same file."
    elif what in WITHOUT_SCORE:
        yield "Nothing: your submission has not been graded yet."
    else:
        yield "Nothing was handed in under your name. If you did, tell your instructor which file, and when."


def _tasks(exercise: Exercise, final: Final, checks: Sequence[CheckResult]) -> list[dict[str, Any]]:
    """What the page shows of each task. Checks of tasks that the exercise no longer has come last."""
    titles = task_titles(exercise)
    order = [*titles, *dict.fromkeys(check.task for check in checks if check.task not in titles)]
    found = []
    for task in order:
        own = [check for check in checks if check.task == task]
        items = {task, *(check.id for check in own)}
        comments = [_comment(entry.comment, entry.points) for entry in final.manual if entry.item in items]
        if own:
            found.append(
                {
                    "id": task,
                    "title": titles.get(task, task),
                    "earned": sum(check.earned for check in own),
                    "points": sum(check.points for check in own),
                    "comments": comments,
                    "checks": [_check(check) for check in own],
                }
            )
    return found


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "id": check.id,
        "passed": check.passed,
        "earned": check.earned,
        "points": check.points,
        "hidden": check.kind == "hidden-check",
        "message": "" if check.passed and not check.withheld else told(check.message),
    }


def _adjustments(exercise: Exercise, final: Final) -> Iterator[dict[str, Any]]:
    """Rows of the table that are no tasks: lateness, and points that people added."""
    if final.penalty:
        days = f"{final.late_days} day{'s' if final.late_days != 1 else ''}"
        words = f"Late by {days} beyond the free ones" if final.late_days else "Handed in too late to count"
        yield {"words": words, "points": number(-final.penalty)}
    for entry in final.manual:
        if entry.points:
            words = f"Added by your instructor{_where(exercise, entry)}"
            yield {"words": words, "points": number(entry.points)}


def _where(exercise: Exercise, entry: Manual) -> str:
    """What somebody's points and words are for: a task by its title, a check by its name."""
    return f" ({task_titles(exercise).get(entry.item, entry.item)})" if entry.item else ""


def _notes(final: Final, grade: Grade | None) -> Iterator[str]:
    """Quiet lines under the score."""
    if final.attempt and final.attempt.number > 1:
        yield f"This is your attempt {final.attempt.number}; it is the one that counts."
    if grade and grade.status == GRADED and grade.reason:
        yield clean(grade.reason)
    for entry in final.manual:
        if not entry.item and entry.comment:
            yield _comment(entry.comment, entry.points)


def _comment(words: str, points: float) -> str:
    added = f" ({number(points):+} points)" if points else ""
    return f"{clean(words)}{added}" if words else f"Your instructor changed your points{added}."


def _refusal(final: Final) -> str:
    """Why there are no checks to show; "" if there are."""
    if status(final) == GRADED:
        return ""
    grade = final.attempt.grade if final.attempt else None
    said = (grade.reason if grade else "") or (final.attempt.submission.reason if final.attempt else "")
    return clean(said)


def _provenance(grade: Grade | None) -> str:
    if grade is None or grade.status == FAILED:
        return "Not graded yet."
    when = datetime.fromtimestamp(grade.graded_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"Graded {when}, version {grade.version} of the exercise. Hidden checks have inputs of your own."
