"""Other graders on an exercise of ours: their environments, their files, and one whole job of each."""

from __future__ import annotations

import ast
import contextlib
import copy
import json
import os
import subprocess
import sys
import textwrap
import time
import venv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from course_utils.grading import nbgrader_export
from course_utils.grading.execute import execute
from course_utils.grading.exercise import (
    CHECK_KINDS,
    Cell,
    Exercise,
    Notebook,
    course,
    dump_notebook,
    read_notebook,
    source,
)
from course_utils.grading.inside import confine
from course_utils.grading.release import notebook_of, reference_source
from course_utils.grading.splice import splice

PEERS = {"nbgrader": "nbgrader==0.9.6", "otter": "otter-grader==7.0.0"}
NEEDED = ("ipykernel", "numpy")  # what the exercises import; both peers run them in their own environment
ASSIGNMENT = "exercise"
ORPHAN_SECONDS = 60
OTTER_LOOP = """
import sys
from otter.api import grade_submission
for path in sys.argv[2:]:
    results = grade_submission(path, sys.argv[1], quiet=True)
    print(results.total)
"""


def environment(peer: str) -> Path:
    """A peer's virtual environment, made from the registry when it is first asked for."""
    folder = user_cache_path("bert-course") / "peers" / PEERS[peer]
    if not (folder / "ready").is_file():
        venv.create(folder, with_pip=True, clear=True)
        install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", PEERS[peer], *NEEDED]
        subprocess.run(install, check=True)
        (folder / "ready").touch()
    return folder


def nbgrader_course(exercise: Exercise, folder: Path) -> None:
    """A course folder of nbgrader's with the exercise in it."""
    source_path = folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    source_path.parent.mkdir(parents=True)
    source_path.write_text(dump_notebook(nbgrader_export.export(exercise)), encoding="utf-8")


def nbgrader_submissions(answers: Mapping[str, Mapping[str, str]], folder: Path) -> None:
    """Everybody's answers in the notebook that nbgrader released. answers: student -> task -> answer."""
    released = read_notebook(folder / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    for student, given in answers.items():
        path = folder / "submitted" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(dump_notebook(splice(released, given)), encoding="utf-8")


def nbgrader_commands(python: Path) -> list[list[str]]:
    """The whole job: autograde everybody, write the feedback."""
    start = [str(python), "-m", "nbgrader"]
    return [[*start, "autograde", ASSIGNMENT], [*start, "generate_feedback", ASSIGNMENT]]


def otter_files(
    exercise: Exercise, answers: Mapping[str, Mapping[str, str]], python: Path, folder: Path
) -> list[str]:
    """An autograder zip of otter's and everybody's notebook. Returns the command that grades them all."""
    right = execute(notebook_of(exercise, solved=True, hidden_seed=0))
    tests = folder / "tests"
    tests.mkdir(parents=True)
    made = notebook_of(exercise, solved=False, hidden_seed=0)
    for cell in made["cells"]:
        if course(cell)["kind"] in CHECK_KINDS:
            value = "".join(right[course(cell)["id"]][-1]["data"]["text/plain"])
            test = _otter_test(cell, value)
            (tests / f"{test['name']}.py").write_text(
                f"OK_FORMAT = True\ntest = {test!r}\n", encoding="utf-8"
            )
    (folder / "requirements.txt").write_text("")
    generate = [str(python), "-m", "otter", "generate", "-t", "tests", "-o", "autograder.zip"]
    generate += ["-r", "requirements.txt"]
    cost([generate], folder)
    paths = []
    for student, given in answers.items():
        path = folder / f"{student}.ipynb"
        path.write_text(dump_notebook(_otter_notebook(splice(made, given))), encoding="utf-8")
        paths.append(str(path))
    return [str(python), "-c", OTTER_LOOP, str(folder / "autograder.zip"), *paths]


def _otter_notebook(notebook: Notebook) -> Notebook:
    """The notebook without checks, which are otter's tests, and with its first cell."""
    cells = [copy.deepcopy(c) for c in notebook["cells"] if course(c)["kind"] not in CHECK_KINDS]
    for cell in cells:
        if course(cell)["kind"] == "reference":
            cell["source"] = reference_source({})
    first: Cell = {"id": "otter", "cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    first["source"] = "import otter\ngrader = otter.Notebook()"
    return {**notebook, "cells": [first, *cells]}


def _otter_test(cell: Cell, value: str) -> dict[str, object]:
    """A check as otter's test: a doctest that shows the value."""
    name = course(cell)["id"].replace("-", "_")
    case = {"code": f"{doctest(source(cell))}\n{value}", "hidden": False, "locked": False}
    suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    return {"name": name, "points": course(cell)["points"], "suites": [suite]}


def doctest(text: str) -> str:
    """Code as the lines of a doctest: a statement begins after >>>, and goes on after three dots."""
    lines = []
    for node in ast.parse(text).body:
        statement = textwrap.dedent(ast.get_source_segment(text, node) or "")
        first, *others = [line for line in statement.splitlines() if line.strip()]
        lines += [f">>> {first}", *(f"... {line}" for line in others)]
        if not isinstance(node, ast.Expr | ast.Assign | ast.Import | ast.ImportFrom):
            lines.append("...")
    return "\n".join(lines)


@dataclass(frozen=True)
class Cost:
    """What commands took. cpu: seconds, with all processes that they waited for. said: on stdout."""

    cpu: float
    wall: float
    said: str


def cost(commands: Iterable[list[str]], folder: Path) -> Cost:
    """Run commands one after the other. Raises RuntimeError with a command's own words if it fails.

    The operating system adds a process's time to its parent's when the parent waits for it. bubblewrap leaves
    the sandbox it started to whoever adopts it, so this process does that, and no time is lost.
    """
    confine.reap_orphans()
    said, before = "", os.times()
    for command in commands:
        environ = _environ(command[0])
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environ, check=False)
        if done.returncode:
            raise RuntimeError(
                f"{' '.join(command[:6])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            )
        said += done.stdout
        _wait_for_orphans()
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(cpu, after.elapsed - before.elapsed, said)


def _wait_for_orphans() -> None:
    """Wait for what the command's processes left behind. Raises TimeoutError if something goes on and on."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    with contextlib.suppress(ChildProcessError):  # none is left
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.05)
        raise TimeoutError(f"A process that was left behind still runs after {ORPHAN_SECONDS} seconds.")


def _environ(python: str) -> dict[str, str]:
    """One thread for everybody; each tool finds the programs of its own virtual environment first."""
    path = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": "", "PATH": path}


def ours_commands(name: str, submissions: Path, book: Path, workers: int) -> list[list[str]]:
    """Our whole job: intake, splice, hidden checks, gradebook; then feedback, sheets and summary."""
    start = [sys.executable, "-c", "from course_utils.cli import app; app()", "grade"]
    grade = [*start, name, str(submissions), "--gradebook", str(book), "--workers", str(workers)]
    out = str(book.with_suffix(""))
    return [grade, [*start, "publish", name, "--gradebook", str(book), "--out", out, "--no-mistakes"]]


def scores_of_nbgrader(python: Path, folder: Path) -> list[float]:
    """What nbgrader's own gradebook says, sorted: a peer that graded nothing must not look fast."""
    code = (
        "import json; from nbgrader.api import Gradebook\n"
        "with Gradebook('sqlite:///gradebook.db') as book:\n"
        "    print(json.dumps(sorted(s.score for s in book.assignment_submissions('exercise'))))"
    )
    done = subprocess.run([str(python), "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return [float(score) for score in json.loads(done.stdout.splitlines()[-1])]
