"""Checks on inputs drawn for one submission, and the values that the solution shows for them.

A submission's seed is a keyed hash of the exercise, the student and the answers that were handed in. The key
is drawn when a gradebook is made and stays in it: without it, a student who knows this program could compute
their own inputs before the deadline, and look up values instead of computing them. Other answers meet other
inputs, so that attempts teach nothing about a draw that will come again. The same answers meet the same
inputs, always: a regrade is exact, and no change in the rest of a file is another throw of the dice.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from course_utils.grading.exercise import (
    CHECK_KINDS,
    CODE_KINDS,
    Exercise,
    ExerciseError,
    Notebook,
    course,
    source,
)
from course_utils.grading.release import notebook_of
from course_utils.grading.splice import splice

Outputs = dict[str, dict[str, Any]]  # check id -> MIME type -> value, as IPython shows it
_SEEDS = 2**31  # every seeded generator that an exercise may use takes so many
_VERSION = 1  # of this grader's notebooks; raise it when they change for the same exercise


def submission_seed(salt: bytes, exercise: str, student: str, answers: Mapping[str, str]) -> int:
    """What a submission's hidden inputs are drawn from: from 0 to 2**31 - 1.

    answers: task -> source of the answer, as the gradebook keeps them.

    >>> first = submission_seed(b"key", "01", "ann", {"add": "x = 1"})
    >>> first == submission_seed(b"key", "01", "ann", {"add": "x = 1"})
    True
    >>> first == submission_seed(b"key", "01", "ann", {"add": "x = 1 "})
    False
    """
    said = json.dumps([exercise, student, sorted(answers.items())]).encode()
    return int.from_bytes(hmac.digest(salt, said, "sha256")[:8], "big") % _SEEDS


def version(exercise: Exercise) -> str:
    """A hash of everything in an exercise that a score depends on: code cells and their metadata.

    A change in a text leaves it as it was, so that a corrected typing error regrades nobody.
    """
    cells = [[course(cell), source(cell)] for cell in exercise.cells(*CODE_KINDS)]
    return hashlib.sha256(json.dumps([_VERSION, cells], sort_keys=True).encode()).hexdigest()[:16]


class Solution:
    """The instructor's solution in a process of its own, for one exercise. Use it in a `with`.

    No student's code ever runs in that process, or in one forked from it.
    """

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._process: subprocess.Popen[str] | None = None
        self._modules: list[str] = []

    def __enter__(self) -> Solution:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()

    def outputs(self, seed: int) -> Outputs:
        """What the solution shows in every check, for a seed.

        Raises ExerciseError if the solution raises or shows nothing: that is the exercise's fault.
        """
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{seed}\n")
        process.stdin.flush()
        reply = json.loads(process.stdout.readline() or '{"error": "its process ended"}')
        empty = [name for name, shown in reply.get("outputs", {}).items() if "text/plain" not in shown]
        if "error" in reply or empty:
            why = reply.get("error") or f"nothing is shown by {', '.join(empty)}"
            raise ExerciseError(f"The solution of {self._exercise.name} fails with seed {seed}: {why}.")
        self._modules = self._modules or reply["imported"]
        return dict(reply["outputs"])

    def modules(self) -> list[str]:
        """What the cells below the seed imported, by themselves or within a library, in the first run."""
        return self._modules

    def _start(self) -> subprocess.Popen[str]:
        """The process, with the code of the solved exercise; it starts when the first seed asks for it."""
        notebook = notebook_of(self._exercise, solved=True, hidden_seed=0)
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        process = subprocess.Popen(
            [sys.executable, "-m", "course_utils.grading.solution_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        )
        assert process.stdin is not None
        cells = [[course(cell)["id"], course(cell)["kind"], source(cell)] for cell in code]
        process.stdin.write(json.dumps(cells) + "\n")
        return process


def graded_notebook(exercise: Exercise, answers: Mapping[str, str], seed: int, right: Outputs) -> Notebook:
    """What is run for one submission: the pristine exercise with a student's answers, and the right outputs.

    answers: task -> source; a task without one keeps its stub. right: what `Solution.outputs` gave for the
    seed. They stand in outputs, which nothing in the sandbox sees; the reference cell stays empty.
    """
    notebook = splice(notebook_of(exercise, solved=False, hidden_seed=seed), answers)
    for count, cell in enumerate(notebook["cells"], start=1):
        meta = course(cell)
        if meta["kind"] in CHECK_KINDS:
            # Without a count nbval takes the cell for one that never ran, and compares nothing.
            cell.update(execution_count=count, outputs=[_result(right[meta["id"]], count)])
    return notebook


def _result(data: Mapping[str, Any], count: int) -> dict[str, Any]:
    """The stored output of a check."""
    return {"output_type": "execute_result", "execution_count": count, "metadata": {}, "data": dict(data)}
