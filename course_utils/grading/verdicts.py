"""Run plain nbval over notebooks and read off what it says about each cell, by cell id.

This module is also the pytest plugin that takes the notes: it watches and changes nothing. nbval's
own numbering counts code cells, and its junit file calls cells after a timeout passed; ids do not move.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_OUT = "COURSE_VERDICTS"


@dataclass(frozen=True)
class Verdict:
    """What nbval said about one cell: passed or not, and its whole message if not."""

    passed: bool
    message: str


def run(notebooks: Sequence[Path], *, cell_timeout: float = 60) -> dict[Path, dict[str, Verdict]]:
    """Notebook -> cell id -> verdict of `pytest --nbval-lax`, one kernel a notebook.

    cell_timeout: seconds; nbval's own default is 2000.
    Raises RuntimeError with pytest's output if pytest itself broke down.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "verdicts.jsonl"
        command = [sys.executable, "-m", "pytest", "--nbval-lax", f"--nbval-cell-timeout={cell_timeout}"]
        command += ["-p", "course_utils.grading.verdicts", "-p", "no:cacheprovider", "-q", "--color=no"]
        command += ["-c", os.devnull, "--rootdir", folder, *map(str, notebooks)]
        environment = {**os.environ, _OUT: str(out)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(
                f"pytest --nbval-lax exited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    found: dict[Path, dict[str, Verdict]] = {path: {} for path in notebooks}
    for row in rows:
        found[Path(row["notebook"])][row["cell"]] = Verdict(row["passed"], row["message"])
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, Any]:
    """Note the outcome of a cell's run. A skip or an expected failure is no pass."""
    report = yield
    cell = getattr(item, "cell", None)
    if call.when == "call" and cell is not None and _OUT in os.environ:
        passed = report.outcome == "passed" and not hasattr(report, "wasxfail")
        row = {
            "notebook": str(item.path),
            "cell": cell["id"],
            "passed": passed,
            "message": report.longreprtext,
        }
        with open(os.environ[_OUT], "a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")
    return report
