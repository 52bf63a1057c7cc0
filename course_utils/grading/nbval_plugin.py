"""Let unmodified nbval compare what checks have shown, without a kernel and without a student's code.

The cells have run, in a sandbox. Here nbval gets a notebook of the checks alone, with their expected
outputs, and in the place of its `RunningKernel` one that repeats what each check showed. So nothing that
a student wrote (a comment such as NBVAL_SKIP, say) reaches nbval, and nbval's own time limits do not matter.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import threading
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Any

from course_utils.grading import lean  # noqa: F401 - before nbval, see there

# isort: split

import nbval.plugin
import pytest

from course_utils.grading.exercise import CHECK_TAG, Cell, course, dump_notebook
from course_utils.grading.sandbox.leftovers import prefix

Outputs = list[dict[str, Any]]
# Longer shown values are cut: pytest explains a difference in a time that grows with the cube of the length.
_LONGEST = 4000
_OPTIONS = ["--nbval-lax", "--nbval-current-env", "--color=no", "--capture=no", "-q", "-c", os.devnull]
# What pytest loads by itself and a comparison has no use for; and none of what happens to be installed.
_WITHOUT = ["cacheprovider", "faulthandler", "logging", "junitxml", "pastebin", "doctest", "unittest"]
_WITHOUT += ["unraisableexception", "threadexception", "stepwise", "setuponly", "setupplan", "debugging"]
_one_session = threading.Lock()  # pytest and nbval keep state in modules


def compare(checks: Sequence[Cell], shown: Mapping[str, Outputs]) -> dict[str, bool]:
    """Check id -> whether nbval finds what it showed equal to the output stored in the cell.

    checks: cells of an exercise with their expected outputs. shown: check id -> outputs; a check that is
    not there did not run, and is not equal. An error among the outputs is never equal.
    """
    ran = [check for check in checks if course(check)["id"] in shown]
    if not ran:
        return {}
    plugin = Comparison(shown)
    with tempfile.TemporaryDirectory(prefix=prefix()) as folder, _one_session:
        path = Path(folder) / "checks.ipynb"
        path.write_text(dump_notebook(_notebook(ran)), encoding="utf-8")
        _pytest([*_OPTIONS, "--rootdir", folder, "--confcutdir", folder, str(path)], plugin)
    return plugin.equal


def _pytest(arguments: list[str], plugin: Comparison) -> None:
    """One pytest session with nbval and nothing else. Raises RuntimeError if it broke down."""
    without = [word for name in _WITHOUT for word in ("-p", f"no:{name}")]
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        patch.setattr(nbval.plugin, "RunningKernel", lambda *args, **kwargs: plugin)
        status = pytest.main([*without, *arguments], plugins=[nbval.plugin, plugin])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"pytest --nbval-lax exited with {status}:\n{said.getvalue()}")


class Comparison:
    """A pytest plugin, and the kernel that nbval is given: it repeats what each check has shown."""

    def __init__(self, shown: Mapping[str, Outputs]) -> None:
        self.shown, self.equal = shown, dict[str, bool]()
        self._check, self._messages = "", deque[dict[str, Any]]()

    def pytest_runtest_setup(self, item: Any) -> None:
        """Note which check comes now."""
        self._check = item.cell["id"]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Generator[None, Any, Any]:
        """Note the verdict by the cell's id. A skip or an expected failure is no pass."""
        report = yield
        if call.when == "call":
            passed = report.outcome == "passed" and not hasattr(report, "wasxfail")
            self.equal[item.cell["id"]] = passed
        return report

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Line up the messages that a kernel would have sent."""
        self._messages.clear()
        for output in self.shown[self._check]:
            content = {key: value for key, value in output.items() if key != "output_type"}
            self._add(output["output_type"], {key: _cut(value) for key, value in content.items()})
        self._add("status", {"execution_state": "idle"})
        return self._check

    def _add(self, kind: str, content: dict[str, Any]) -> None:
        self._messages.append(
            {"msg_type": kind, "content": content, "parent_header": {"msg_id": self._check}}
        )

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
    """Texts of bounded length, in whatever a message holds."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else value[:_LONGEST] + f"... ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    return value


def _notebook(checks: Sequence[Cell]) -> dict[str, Any]:
    """A notebook of these checks alone, each marked for comparison and as one that ran."""
    cells = [
        {
            "cell_type": "code",
            "id": course(check)["id"],
            "metadata": {"tags": [CHECK_TAG]},
            "source": "",
            "outputs": check["outputs"],
            "execution_count": 1,
        }
        for check in checks
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
