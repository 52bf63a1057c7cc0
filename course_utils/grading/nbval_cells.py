"""Let unmodified nbval compare what checks have shown, without a kernel and without a student's code.

The cells have run, in a sandbox. Here nbval's test items are made by hand, one for each check with its
expected outputs, and in the place of nbval's `RunningKernel` they find one that repeats what it showed.
So nothing that a student wrote (a comment such as NBVAL_SKIP, say) reaches nbval, and nbval's own time limits
do not matter. All items hang on one empty pytest session: one a submission took longer than its checks.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import threading
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from queue import Empty
from typing import Any

from course_utils.grading import lean  # noqa: F401 - before nbval, see there

# isort: split

import nbformat
import nbval.plugin
import pytest

from course_utils.grading.exercise import Cell, course

Outputs = list[dict[str, Any]]
# Longer values are cut: pytest explains a difference in a time that grows with the cube of the length.
_LONGEST = 4000
_OPTIONS = ["--nbval-lax", "--color=no", "--capture=no", "-q", "--noconftest", "-c", os.devnull]
_OPTIONS += ["--rootdir", os.path.dirname(os.devnull)]
# What pytest loads by itself and a comparison has no use for; and none of what happens to be installed.
_WITHOUT = ["cacheprovider", "faulthandler", "logging", "junitxml", "pastebin", "doctest", "unittest"]
_WITHOUT += ["unraisableexception", "threadexception", "stepwise", "setuponly", "setupplan", "debugging"]
_one_at_a_time = threading.Lock()  # pytest and nbval keep state in modules


def compare(checks: Sequence[Cell], shown: Mapping[str, Outputs]) -> dict[str, bool]:
    """Check id -> whether nbval finds what it showed equal to the output stored in the cell.

    checks: cells of an exercise with their expected outputs. shown: check id -> outputs; a check that is
    not there did not run, and is not equal. An error among the outputs is never equal.
    Raises RuntimeError if pytest cannot start.
    """
    with _one_at_a_time:
        return {
            name: _equal(check, shown[name]) for check in checks if (name := course(check)["id"]) in shown
        }


def _equal(check: Cell, outputs: Outputs) -> bool:
    """Whether nbval's test of this cell passes, in a notebook of its own."""
    notebook = nbval.plugin.IPyNbFile.from_parent(_session(), path=Path("check.ipynb"))
    notebook.kernel = _Repeater(outputs)
    item = nbval.plugin.IPyNbCell.from_parent(
        notebook, name="check", cell_num=0, cell=_as_run(check), options=defaultdict(bool, check=True)
    )
    try:
        item.runtest()
    except Exception:  # nbval's own for a difference; and whatever else it may make of what was shown
        return False
    return True


def _as_run(check: Cell) -> nbformat.NotebookNode:
    """The check as nbval wants it: with its outputs, marked as one that ran, without its source."""
    outputs = [_cut(output) for output in check["outputs"]]
    return nbformat.from_dict(
        {"cell_type": "code", "source": "", "outputs": outputs, "execution_count": 1, "metadata": {}}
    )


class _Catcher:
    """A pytest plugin that keeps the session, and lets it find no tests."""

    session: pytest.Session

    def pytest_collection(self, session: pytest.Session) -> bool:
        """Keep it."""
        self.session = session
        return True


@cache
def _session() -> pytest.Session:
    """A pytest session with nbval's options, and nothing else. Raises RuntimeError if pytest fails."""
    without = [word for name in _WITHOUT for word in ("-p", f"no:{name}")]
    said, catcher = io.StringIO(), _Catcher()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        status = pytest.main([*without, *_OPTIONS], plugins=[nbval.plugin, catcher])
    if status != pytest.ExitCode.NO_TESTS_COLLECTED:
        raise RuntimeError(f"pytest --nbval-lax exited with {status}:\n{said.getvalue()}")
    return catcher.session


class _Repeater:
    """The kernel that nbval is given: asked to run a cell, it repeats what the check has shown."""

    def __init__(self, outputs: Outputs) -> None:
        self._messages = deque[dict[str, Any]]()
        for output in outputs:
            content = {key: _cut(value) for key, value in output.items() if key != "output_type"}
            self._add(output["output_type"], content)
        self._add("status", {"execution_state": "idle"})

    def _add(self, kind: str, content: dict[str, Any]) -> None:
        self._messages.append({"msg_type": kind, "content": content, "parent_header": {"msg_id": "check"}})

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """The number of the request, which every message repeats."""
        return "check"

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next message. Raises queue.Empty after the last one, as a kernel's channel does."""
        if not self._messages:
            raise Empty
        return self._messages.popleft()

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """The cell has run."""

    def await_idle(self, msg_id: str, timeout: float | None = None) -> None:
        """It is idle."""

    def is_alive(self) -> bool:
        """It always answers."""
        return True

    def stop(self) -> None:
        """There is nothing to stop."""


def _cut(value: Any) -> Any:
    """Texts of bounded length, in whatever a message holds; the rest of a long one is told by its hash.

    Two are cut to the same text only if they are the same: a cut one is itself long enough to be cut.
    """
    if isinstance(value, str):
        if len(value) <= _LONGEST:
            return value
        rest = hashlib.sha256(value[_LONGEST:].encode("utf-8", errors="surrogatepass")).hexdigest()
        return f"{value[:_LONGEST]}... ({rest})"
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    return value
