"""Hold the forked kernel's verdicts against the reference kernel's, on every answer that the course knows.

    python -m course_utils.grading.sandbox.parity [EXERCISE ...] [--mutants N]

Runs the solution, the stub and the known wrong answers of each exercise with both kernels, hidden checks
included, and lists every cell of which they say different things. The exit status is 0 if there is none.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Mapping
from typing import Literal

from course_utils.grading import mutants, release, splice
from course_utils.grading.execute import execute
from course_utils.grading.exercise import CHECK_KINDS, Exercise, Notebook, course, load, names, source
from course_utils.grading.sandbox import Grader, Run

SEED = 7  # of the hidden checks' inputs


def imported(exercise: Exercise) -> list[str]:
    """The modules that an exercise's set-up imports, to be imported before the fork."""
    tree = ast.parse(source(next(exercise.cells("setup"))))
    found = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    found |= {str(node.module) for node in tree.body if isinstance(node, ast.ImportFrom)}
    return sorted(found)


def variants(exercise: Exercise, most: int | None = None) -> dict[str, Notebook]:
    """Name -> notebook with hidden checks and expected values: solution, stub, and up to `most` mutants."""
    solved = release.notebook_of(exercise, solved=True, hidden_seed=SEED)
    shown = execute(solved)

    def expecting(notebook: Notebook) -> Notebook:
        cells = [
            {**cell, "outputs": shown[cell["id"]]} if course(cell)["kind"] in CHECK_KINDS else cell
            for cell in notebook["cells"]
        ]
        return {**notebook, "cells": cells}

    wrong = {m.slug: splice.splice(solved, {m.task: m.source}) for m in mutants.load(exercise)[:most]}
    stub = release.notebook_of(exercise, solved=False, hidden_seed=SEED)
    return {name: expecting(nb) for name, nb in {"solution": solved, "stub": stub, **wrong}.items()}


def runs(
    exercise: Exercise, kernel: Literal["forked", "ipykernel"], most: int | None = None
) -> dict[str, Run]:
    """Variant -> what one kernel says of it."""
    with Grader(kernel, preimport=imported(exercise), cells=release.shared_sources(exercise)) as grader:
        return {name: grader.run(notebook) for name, notebook in variants(exercise, most).items()}


def differences(ours: Mapping[str, Run], theirs: Mapping[str, Run]) -> list[str]:
    """Every cell of which two kernels say different things: whether it passed, and the reason."""
    return [
        f"{variant}, {cell}: {outcome.reason or 'passed'} against {other.reason or 'passed'}"
        for variant, run in ours.items()
        for cell, outcome in run.cells.items()
        if (other := theirs[variant].cells[cell])
        and (outcome.passed, outcome.reason) != (other.passed, other.reason)
    ]


def main() -> int:
    """Compare, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_utils.grading.sandbox.parity")
    parser.add_argument("exercise", nargs="*", help="names, or beginnings such as 01; all if none is given")
    parser.add_argument("--mutants", type=int, help="only so many wrong answers of each exercise")
    given = parser.parse_args()
    found = []
    for exercise in [load(name) for name in given.exercise or names()]:
        ours, theirs = runs(exercise, "forked", given.mutants), runs(exercise, "ipykernel", given.mutants)
        lines = differences(ours, theirs)
        seconds = [sum(run.cpu_seconds for run in side.values()) / len(side) for side in (ours, theirs)]
        print(f"{exercise.name}: {len(ours)} notebooks, {len(lines)} differences", end="; ")
        print(f"CPU seconds a kernel: forked {seconds[0]:.3f}, ipykernel {seconds[1]:.3f}", flush=True)
        print("".join(f"  {line}\n" for line in lines), end="")
        found += lines
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
