"""Grade one submission inside a Gradescope autograder: what `run_autograder` calls.

    /autograder/source       what `course grade package` put into the zip
    /autograder/submission   what the student handed in
    /autograder/results      where results.json goes
    /autograder/submission_metadata.json   who handed it in

`python -m course_utils.grading.gradescope [ROOT]`; ROOT stands for /autograder. Whatever happens, there is a
results.json at the end: a run that could not grade says so there, and makes no score up.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from course_utils.grading import hidden, intake, intake_names
from course_utils.grading.exercise import Exercise, ExerciseError, parse, read_notebook
from course_utils.grading.grade import Job, Session, Setting, versions
from course_utils.grading.publish.gradescope_results import broken, results
from course_utils.grading.records import FAILED, INVALID, Grade, Submission, public_beside_hidden
from course_utils.grading.sandbox.outcomes import SandboxMissing

CONFIG, EXERCISE = "autograder.json", "exercise.ipynb"
# Gradescope has said whose files they are, so intake may take the end of a file's name for a student.
EVERY_FILE = intake_names.pattern(r"(?P<student>\.[^./]*|[^/])\Z")


def run(root: Path) -> dict[str, Any]:
    """Grade what is in ROOT/submission; returns what results.json shall hold."""
    settings = json.loads((root / "source" / CONFIG).read_text(encoding="utf-8"))
    exercise = parse(settings["exercise"], read_notebook(root / "source" / EXERCISE))
    setting = Setting(sandboxed=settings["sandboxed"])
    try:
        submission = chosen(exercise, list(intake.collect(root / "submission", exercise, names=EVERY_FILE)))
        answers = submission.answers if submission else {}
        grade = _grade(exercise, submission, _seed(root, settings, answers), setting)
    except (SandboxMissing, ExerciseError, intake.IntakeError) as error:
        return broken(str(error))
    if grade.status == FAILED:
        return broken(grade.reason)
    if settings["public_needs_hidden"]:
        grade = replace(grade, checks=public_beside_hidden(grade.checks))
    return results(exercise, grade, settings["hidden_visibility"])


def chosen(exercise: Exercise, submissions: list[Submission]) -> Submission | None:
    """The notebook to grade: one that can be read before one that cannot, the exercise's own name first."""
    wanted = f"{exercise.name}.ipynb"
    ranked = sorted(submissions, key=lambda given: (bool(given.reason), Path(given.path).name != wanted))
    return ranked[0] if ranked else None


def student(root: Path) -> str:
    """Who handed it in: the mail address, or what Gradescope numbers them by; a group's are joined."""
    path = root / "submission_metadata.json"
    users = json.loads(path.read_text(encoding="utf-8")).get("users", []) if path.is_file() else []
    return "+".join(sorted(str(user.get("email") or user.get("id")) for user in users)) or "unknown"


def _seed(root: Path, settings: dict[str, Any], answers: Mapping[str, str]) -> int:
    salt = bytes.fromhex(settings["salt"])
    return hidden.submission_seed(salt, settings["exercise"], student(root), answers)


def _grade(exercise: Exercise, given: Submission | None, seed: int, setting: Setting) -> Grade:
    reason = given.reason if given else "There is no file in the submission."
    if given is None or reason:
        return Grade(INVALID, hidden.version(exercise), seed, reason=reason, sandboxed=setting.sandboxed)
    with Session(exercise, setting) as session:
        return session.grade(Job(1, seed, given.answers, given.problems)).grade


def main(arguments: list[str]) -> None:
    """Write ROOT/results/results.json, whole or not at all."""
    root = Path(arguments[0] if arguments else "/autograder")
    try:
        found = run(root)
    except Exception as error:  # the student must get an answer, and the instructor the stack trace
        found = broken("the autograder itself failed")
        out = root / "results" / "results.json"
        _write(out, found)
        raise error
    found["extra_data"] = {**found.get("extra_data", {}), "versions": versions()}
    _write(root / "results" / "results.json", found)


def _write(path: Path, found: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(found, indent=1), encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    main(sys.argv[1:])
