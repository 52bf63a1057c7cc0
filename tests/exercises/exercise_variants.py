"""The notebooks that an exercise is tested with: released, solved, broken, and one for each wrong answer."""

from course_utils.grading import exercise, mutants, release, splice
from course_utils.grading.exercise import Exercise, Notebook, course, source
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


def variants(found: Exercise) -> dict[str, Notebook]:
    """Every notebook to run. One kernel each, so all go through one pytest process."""
    student, solved = student_notebook(found), solutions(found)
    some = mutants.load(found)[0]
    crash = {some.task: "raise RuntimeError('a broken answer')"}
    return {
        "stub": student,
        "solution": splice.splice(student, solved),
        "crash": splice.splice(student, solved | crash),
        "bare": bare(splice.splice(student, solved | {some.task: some.source})),
        "cleared": cleared(splice.splice(student, solved | {some.task: some.source})),
        **{m.slug: splice.splice(student, solved | {m.task: m.source}) for m in mutants.load(found)},
    }
