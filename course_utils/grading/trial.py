"""What notebooks of our own show, cell by cell, without a kernel for each: twenty wrong answers take seconds.

One fresh Python imports what the set-up imports, then forks a child for each notebook. For solutions and
known wrong answers only: nothing here holds back code that means harm. A fork needs Linux or macOS.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from course_utils.grading.exercise import CHECK_KINDS, Exercise, Notebook, course, source
from course_utils.grading.mutants import Mutant
from course_utils.grading.release import notebook_of, solution, stub

SECONDS = 120  # for one notebook
ENDLESS_SECONDS = 1.0  # for one check; the notebook's own limit gives a student's slow machine more


@dataclass(frozen=True)
class Shown:
    """What one cell showed: the `repr` of its last expression, or what was raised (then value is None)."""

    value: str | None
    error: str | None


def of_answers(exercise: Exercise, answers: Mapping[str, str], hidden_seed: int) -> Notebook:
    """The solved exercise with hidden checks, in which the answers of some tasks are replaced.

    answers: task -> answer cell. If given, the checks of other tasks are left out.
    """
    cells = []
    for cell in notebook_of(exercise, solved=True, hidden_seed=hidden_seed)["cells"]:
        meta = course(cell)
        if answers and meta["kind"] in CHECK_KINDS and meta["task"] not in answers:
            continue
        replaced = meta["kind"] == "answer" and meta["task"] in answers
        cells.append({**cell, "source": answers[meta["task"]]} if replaced else cell)
    return {"cells": cells}


def of_mutant(
    exercise: Exercise, mutant: Mutant, hidden_seed: int, kinds: Collection[str] = CHECK_KINDS
) -> Notebook:
    """The solved exercise with one known wrong answer, and the checks of its task that are of these kinds."""
    made = of_answers(exercise, {mutant.task: mutant.source}, hidden_seed)
    left_out = CHECK_KINDS - set(kinds)
    return {**made, "cells": [cell for cell in made["cells"] if course(cell)["kind"] not in left_out]}


def of_stub(exercise: Exercise, hidden_seed: int) -> Notebook:
    """The exercise as a student finds it, with hidden checks."""
    cells = {course(cell)["task"]: source(cell) for cell in exercise.cells("answer")}
    return of_answers(exercise, {task: stub(text, task) for task, text in cells.items()}, hidden_seed)


def of_solution(exercise: Exercise, hidden_seed: int) -> Notebook:
    """The solved exercise with all of its checks."""
    cells = {course(cell)["task"]: source(cell) for cell in exercise.cells("answer")}
    return of_answers(exercise, {task: solution(text) for task, text in cells.items()}, hidden_seed)


def run(notebooks: Mapping[str, Notebook]) -> dict[str, dict[str, Shown]]:
    """Name of a notebook -> cell id -> what the cell showed. All notebooks are of one exercise.

    A cell that did not end in time, and all after it, are missing. Raises RuntimeError if Python broke down.
    """
    cells = {name: _code(notebook) for name, notebook in notebooks.items()}
    command = [sys.executable, "-c", "from course_utils.grading import trial; trial.main()"]
    done = subprocess.run(command, input=json.dumps(cells), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Running the answers failed:\n{done.stderr}")
    said = json.loads(done.stdout)
    return {name: {cell: Shown(*row) for cell, row in rows.items()} for name, rows in said.items()}


def failed(
    exercise: Exercise, task: str, shown: Mapping[str, Shown], right: Mapping[str, Shown]
) -> frozenset[str]:
    """The checks of a task that did not show what they show for the solution."""
    checks = [course(cell)["id"] for cell in exercise.cells(*CHECK_KINDS) if course(cell)["task"] == task]
    return frozenset(
        name
        for name in checks
        if name not in shown or shown[name].value in (None, "") or shown[name] != right[name]
    )


def _code(notebook: Notebook) -> list[tuple[str, str, str]]:
    """(id, kind, source) of each code cell."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [(course(cell)["id"], course(cell)["kind"], source(cell)) for cell in code]


def main() -> None:
    """The forking process: cells as JSON on stdin, what they showed as JSON on stdout."""
    asked: dict[str, list[list[str]]] = json.load(sys.stdin)
    _import_for_all(asked)
    json.dump({name: _in_child(cells) for name, cells in asked.items()}, sys.stdout)


def _import_for_all(asked: Mapping[str, list[list[str]]]) -> None:
    """Import once, before any fork, what the set-up cells import: torch takes seconds."""
    for text in {text for cells in asked.values() for _, kind, text in cells if kind == "setup"}:
        imports: list[ast.stmt] = [
            n for n in ast.parse(text).body if isinstance(n, ast.Import | ast.ImportFrom)
        ]
        exec(compile(ast.Module(imports, []), "<set-up>", "exec"), {})


def _in_child(cells: list[list[str]]) -> dict[str, tuple[str | None, str | None]]:
    """Run the cells in a forked child. It writes a line a cell, so what was shown before a hang is kept."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(SECONDS)  # kills this child, and nothing else
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
        with os.fdopen(writing, "w", buffering=1) as out:
            _run_cells(cells, out)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as lines:
        rows = [json.loads(line) for line in lines if line.endswith("\n")]
    os.waitpid(child, 0)
    return {name: (value, error) for name, value, error in rows}


def _run_cells(cells: list[list[str]], out: io.TextIOBase | Any) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    for name, kind, text in cells:
        value, error = _run_cell(text, space)
        if kind == "setup" and callable(space.get("in_time")):
            space["in_time"].__defaults__ = (ENDLESS_SECONDS,)
        out.write(json.dumps([name, value, error]) + "\n")


def _run_cell(text: str, space: dict[str, Any]) -> tuple[str | None, str | None]:
    """The `repr` of the last expression or what was raised; what is printed is lost."""
    try:
        tree = ast.parse(text)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(tree, "<cell>", "exec"), space)
            if not isinstance(last, ast.Expr):
                return "", None
            return repr(eval(compile(ast.Expression(last.value), "<cell>", "eval"), space)), None
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        return None, f"{type(error).__name__}: {error}"
