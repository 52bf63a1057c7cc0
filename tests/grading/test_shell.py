"""The forked kernel runs plain Python without IPython's detours: nobody can tell from what is shown."""

import json
import subprocess
import sys

import pytest

CELLS = [
    "1 + 1",
    "a = 3\na * 2",
    "a;",
    "None",
    "'a string\\nof two lines, \\u2028 \\x85 \"quoted\" and long: ' + 'abc ' * 60",
    "type('Named', (str,), {'__repr__': lambda self: 'mine'})('of its own kind')",
    "print('printed')\n'shown'",
    "class A:\n    __repr__ = lambda self: 'A'\n    _repr_html_ = lambda self: '<b>A</b>'\nA()",
    "display(A())\nA",
    "_",
    "def f():\n    raise ValueError('no')\nf()",
    "import sys\nsys.exit('bye')",
    "raise KeyboardInterrupt",
    "get_ipython().__class__.__name__, __name__",
    "from __future__ import annotations\ndef g(x: Undefined):\n    return 7\ng(0)",
    "def h(x: Undefined):\n    return 8\nh(0)",
    "b = 1\nreturn b",
    "b",
    "b = \n",
    "",
    "# nothing",
    "%who_ls int",
    "import asyncio\nawait asyncio.sleep(0, 'awaited')",
]
RUNS = """
import json, sys
from course_utils.grading.inside import shell as shells
shell = shells.make()
if sys.argv[1] == "IPython's way":
    shells.Shell.compiled = lambda self, source: []
    del shells._Hook.compute_format_data
cells = json.load(sys.stdin)
shell.prepared = {cell: shell.compiled(cell) for cell in cells[::2]}
shown = [shells.run(shell, cell) for cell in cells]
for outputs in shown:
    for output in outputs:
        output["traceback"] = " ".join(output.get("traceback", [])).split()[-2:]
print(json.dumps([shown, [bool(shell.compiled(cell)) for cell in cells]]))
"""


def runs(how: str) -> tuple[list[list[dict]], list[bool]]:
    """What each cell shows, and whether it runs without IPython's detours."""
    done = subprocess.run(
        [sys.executable, "-c", RUNS, how], input=json.dumps(CELLS), capture_output=True, text=True, check=True
    )
    shown, plain = json.loads(done.stdout.splitlines()[-1])
    return shown, plain


@pytest.fixture(scope="module")
def ours() -> tuple[list[list[dict]], list[bool]]:
    return runs("ours")


def test_what_is_shown_is_the_same(ours: tuple[list[list[dict]], list[bool]]) -> None:
    theirs, plain = runs("IPython's way")
    assert not any(plain)
    for cell, one, other in zip(CELLS, ours[0], theirs, strict=True):
        assert one == other, cell


def test_what_is_no_plain_python_is_left_to_ipython(ours: tuple[list[list[dict]], list[bool]]) -> None:
    left = [cell for cell, plain in zip(CELLS, ours[1], strict=True) if not plain]
    assert left == ["b = 1\nreturn b", "b = \n", "", "# nothing", "%who_ls int", CELLS[-1]]


def test_the_cells_do_something(ours: tuple[list[list[dict]], list[bool]]) -> None:
    shown = dict(zip(CELLS, ours[0], strict=True))
    assert shown["a = 3\na * 2"][0]["data"] == {"text/plain": "6"}
    assert shown["def h(x: Undefined):\n    return 8\nh(0)"][0]["data"] == {"text/plain": "8"}
    assert shown["b"][0]["data"] == {"text/plain": "1"}, "what stands before a late syntax error has run"
    assert [output["type"] for output in shown["display(A())\nA"]] == ["display_data", "execute_result"]
