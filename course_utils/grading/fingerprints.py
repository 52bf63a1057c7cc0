"""Which known mistake an answer makes, by the checks of its task that it fails.

Every known wrong answer (`mutants`) is tried once for a version of the exercise. An answer that fails
exactly the checks that a known one fails has probably made its mistake; where several known ones
fail the same checks, the words that the student was shown decide, and else all are named. An answer that
raised an error or did not end fails all checks, whatever its mistake: only words name that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from course_utils.grading import mutants, trial
from course_utils.grading.exercise import Exercise
from course_utils.grading.hidden import version
from course_utils.grading.mutants import Mutant
from course_utils.grading.publish.words import told
from course_utils.grading.records import CheckResult, Grade
from course_utils.paths import cache_dir

SEED = 0
MAX_NAMED = 3  # more candidates than this say nothing
UNANSWERED = "no answer yet"


@dataclass(frozen=True)
class Fingerprint:
    """A known wrong answer and the checks of its task that it fails. says: as in `Mutant`."""

    task: str
    mistake: str
    says: str
    failed: tuple[str, ...]


def of_exercise(exercise: Exercise) -> list[Fingerprint]:
    """The fingerprints of all known wrong answers. The first time takes a minute; they are cached."""
    known = mutants.load(exercise)
    path = _cached(exercise, known)
    if path.is_file():
        return [
            Fingerprint(**{**row, "failed": tuple(row["failed"])})
            for row in json.loads(path.read_text("utf-8"))
        ]
    found = _try_out(exercise, known)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps([asdict(row) for row in found]), encoding="utf-8")
    partial.replace(path)
    return found


def mistakes(known: Sequence[Fingerprint], grade: Grade) -> dict[str, str]:
    """Task -> the known mistake that its answer most likely makes, "" if none is known.

    Tasks whose checks all passed are left out; of a stub it says UNANSWERED.
    """
    failed: dict[str, list[CheckResult]] = {}
    for check in grade.checks:
        if not check.passed:
            failed.setdefault(check.task, []).append(check)
    return {
        task: _mistake([row for row in known if row.task == task], checks) for task, checks in failed.items()
    }


def _mistake(known: Sequence[Fingerprint], failed: Sequence[CheckResult]) -> str:
    """The mistake that fits best, several of equal fit joined by "or"; "" if none or too many fit."""
    if any("NotImplementedError" in told(check.message) for check in failed):
        return UNANSWERED
    names = {check.id for check in failed}
    candidates = [row for row in known if set(row.failed) == names]
    said = "\n".join(told(check.message) for check in failed)
    fitting = [row.mistake for row in candidates if row.says in said]
    if not fitting and all(map(_was_compared, failed)):
        fitting = [row.mistake for row in candidates]
    return " or ".join(fitting) if len(fitting) <= MAX_NAMED else ""


def _was_compared(check: CheckResult) -> bool:
    """Whether a failed check showed a value. Of a hidden one all is known that its student is told."""
    if check.kind == "hidden-check":
        return "It was not compared" not in check.message
    return "Right value: " in told(check.message)


def _try_out(exercise: Exercise, known: Sequence[Mutant]) -> list[Fingerprint]:
    notebooks = {mutant.slug: trial.of_mutant(exercise, mutant, SEED) for mutant in known}
    shown = trial.run(notebooks | {"": trial.of_solution(exercise, SEED)})
    return [
        Fingerprint(
            mutant.task,
            mutant.mistake,
            mutant.says,
            tuple(sorted(trial.failed(exercise, mutant.task, shown[mutant.slug], shown[""]))),
        )
        for mutant in known
    ]


def _cached(exercise: Exercise, known: Sequence[Mutant]) -> Path:
    """Where an exercise's fingerprints are kept: under a hash of the exercise and its wrong answers."""
    said = json.dumps([version(exercise), [asdict(mutant) for mutant in known]])
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    return cache_dir() / "fingerprints" / f"{exercise.name}-{digest}.json"
