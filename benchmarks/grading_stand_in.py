"""A stand-in for the sandbox that runs cells in the process itself. For our own answers, in tests, alone."""

from __future__ import annotations

import ast
import contextlib
import io
from typing import Any

from course_utils.grading.exercise import CHECK_KINDS, Exercise, Notebook, course, source
from course_utils.grading.grade import Setting
from course_utils.grading.sandbox.outcomes import CellOutcome, Run


class StandIn:
    """Runs a notebook with `exec`, and compares the `repr` of each check's value."""

    def __init__(self, setting: Setting, exercise: Exercise, modules: list[str]) -> None:
        self.notebooks: list[Notebook] = []

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def run(self, notebook: Notebook) -> Run:
        """What each check of a notebook showed."""
        self.notebooks.append(notebook)
        space: dict[str, Any] = {"__name__": "__main__"}
        cells = {}
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                value, error = _shown(source(cell), space)
                right = course(cell)["kind"] not in CHECK_KINDS or (
                    value == cell["outputs"][0]["data"]["text/plain"]
                )
                cells[cell["id"]] = CellOutcome(right, "" if right else "wrong value", error)
        return Run(cells)


def _shown(text: str, space: dict[str, Any]) -> tuple[str, str]:
    """The value of a cell's last line as text, and what it raised."""
    try:
        tree = ast.parse(text)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(tree, "<cell>", "exec"), space)
            if isinstance(last, ast.Expr):
                return repr(eval(compile(ast.Expression(last.value), "<cell>", "eval"), space)), ""
    except Exception as error:
        return "", f"{type(error).__name__}: {error}"
    return "", ""
