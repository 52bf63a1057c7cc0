"""The notebooks that an exercise is tested with: released, solved, broken, and with wrong answers in it.

Every wrong answer runs in this process, cell by cell: a kernel for each would take a quarter of an hour.
nbval runs one of each task, and those that never end, which only a kernel survives.
"""

import contextlib
import io

from course_utils.grading import exercise, mutants, release, splice
from course_utils.grading.exercise import Exercise, Notebook, course, source
from course_utils.grading.mutants import Mutant
from course_utils.grading.verdicts import Verdict

Runs = dict[str, dict[str, Verdict]]


def student_notebook(found: Exercise) -> Notebook:
    """The committed student's notebook."""
    return exercise.read_notebook(release.released_path(found.name))


def solutions(found: Exercise) -> dict[str, str]:
    """Task -> the solution's answer cell."""
    return splice.answers(release.notebook_of(found, solved=True), found.tasks())


def cleared(notebook: Notebook) -> Notebook:
    """The notebook as Jupyter saves it after "clear all outputs": nbval has nothing left to compare with."""
    empty = {"outputs": [], "execution_count": None}
    cells = [cell | (empty if cell["cell_type"] == "code" else {}) for cell in notebook["cells"]]
    return {**notebook, "cells": cells}


def bare(notebook: Notebook) -> Notebook:
    """The notebook with a `check` that only shows the value: what remains is nbval's own comparison."""
    plain = "\n\ndef check(name, answer, mistakes=None):\n    return answer()\n"
    cells = [
        {**cell, "source": source(cell) + plain} if course(cell)["kind"] == "setup" else cell
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def is_endless(mutant: Mutant) -> bool:
    """Whether it must be stopped by the time limit of the notebook's own `check`."""
    return mutant.says == "does a loop in it never end"


def run_by_nbval(found: Exercise) -> list[Mutant]:
    """The wrong answers that get a kernel: the first of each task, and the endless ones."""
    known = mutants.load(found)
    first = {mutant.task: mutant for mutant in reversed(known)}
    return [mutant for mutant in known if mutant is first[mutant.task] or is_endless(mutant)]


def with_answer(found: Exercise, mutant: Mutant) -> Notebook:
    """The student's notebook, solved but for this wrong answer."""
    return splice.splice(student_notebook(found), solutions(found) | {mutant.task: mutant.source})


def variants(found: Exercise) -> dict[str, Notebook]:
    """Every notebook for nbval. One kernel each, so all go through one pytest process."""
    student, solved = student_notebook(found), solutions(found)
    some = mutants.load(found)[0]
    crash = {some.task: "raise RuntimeError('a broken answer')"}
    return {
        "stub": student,
        "solution": splice.splice(student, solved),
        "crash": splice.splice(student, solved | crash),
        "bare": bare(with_answer(found, some)),
        "cleared": cleared(with_answer(found, some)),
        **{mutant.slug: with_answer(found, mutant) for mutant in run_by_nbval(found)},
    }


def without_kernel(notebook: Notebook) -> dict[str, Verdict]:
    """Cell id -> did it run, and what was raised if not; for wrong answers of our own that end."""
    space: dict[str, object] = {}
    said: dict[str, Verdict] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(source(cell), space)
                said[course(cell)["id"]] = Verdict(True, "")
            except Exception as error:
                said[course(cell)["id"]] = Verdict(False, f"{type(error).__name__}: {error}")
    return said
