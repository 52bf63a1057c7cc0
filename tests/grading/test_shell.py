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
# A cell that changes how IPython runs cells, and cells after it.
CHANGES = {
    "input": "get_ipython().input_transformers_post.append(lambda lines: ['display(7)\\n', *lines])",
    "line": "get_ipython().input_transformer_manager.line_transforms.insert(0, lambda lines: ['8'])",
    "tree": "import ast\nclass T(ast.NodeTransformer):\n"
    "    visit_Constant = lambda self, node: ast.Constant(9)\n"
    "get_ipython().ast_transformers.append(T())",
    "interactivity": "get_ipython().ast_node_interactivity = 'all'",
    "before": "get_ipython().events.register('pre_run_cell', lambda info: display(info.raw_cell))",
    "after": "get_ipython().events.register('post_run_cell', lambda result: display(str(result.result)))",
    "errors": "get_ipython().set_custom_exc((NameError,), lambda *given, **named: display('mine'))",
    "own run_cell": "get_ipython().run_cell = lambda *given, **named: display('instead')",
    "any run_cell": "type(get_ipython()).run_cell = lambda *given, **named: display('instead of all')",
    "IPython's own": "from IPython.core.interactiveshell import InteractiveShell\n"
    "InteractiveShell.transform_cell = lambda self, cell: '10'",
    "compiler": "get_ipython().compile.ast_parse = lambda *given, **named: compile('11', 'x', 'exec', 1024)",
    "nothing": "%who_ls str",
}
AFTER = ["1\n'two'", "undefined", "c = 'three'\nc"]
RUNS = """
import json, os, sys
from course_utils.grading.inside import shell as shells
shell = shells.make()
if sys.argv[1] == "IPython's way":
    shells.Shell.compiled = lambda self, source: []
    del shells._Hook.compute_format_data
compiled, plain = shells.Shell.compiled, []
def counted(self, source):
    codes = compiled(self, source)
    plain.append(source if codes else None)
    return codes
shells.Shell.compiled = counted
for cells in json.load(sys.stdin):
    shell.prepared = {cell: compiled(shell, cell) for cell in cells[::2]}
    if os.fork():  # each row in a shell of its own
        os.wait()
        continue
    shown = [shells.run(shell, cell) for cell in cells]
    for outputs in shown:
        for output in outputs:
            output["traceback"] = " ".join(output.get("traceback", [])).split()[-2:]
    sys.stderr.write(json.dumps([shown, [cell in plain for cell in cells]]) + chr(10))
    os._exit(0)
"""
Rows = list[tuple[list[list[dict]], list[bool]]]


def runs(how: str) -> Rows:
    """What each cell shows, and whether it runs without IPython's detours: CELLS first, then each change."""
    rows = [CELLS, *([change, *AFTER] for change in CHANGES.values())]
    done = subprocess.run(
        [sys.executable, "-c", RUNS, how], input=json.dumps(rows), capture_output=True, text=True, check=True
    )
    told = [line for line in done.stderr.splitlines() if line.startswith("[[")]
    assert len(told) == len(rows)
    return [tuple(json.loads(line)) for line in told]


@pytest.fixture(scope="module")
def ours() -> Rows:
    return runs("ours")


@pytest.fixture(scope="module")
def theirs() -> Rows:
    return runs("IPython's way")


def test_what_is_shown_is_the_same(ours: Rows, theirs: Rows) -> None:
    assert not any(any(plain) for _, plain in theirs)
    for cell, one, other in zip(CELLS, ours[0][0], theirs[0][0], strict=True):
        assert one == other, cell


@pytest.mark.parametrize("change", CHANGES)
def test_code_that_changes_ipython_meets_ipython(ours: Rows, theirs: Rows, change: str) -> None:
    place = list(CHANGES).index(change) + 1
    assert ours[place][0][1:] == theirs[place][0][1:]  # from the next cell on
    assert ours[place][1][1:] == [change == "nothing"] * len(AFTER)
    untouched = theirs[len(CHANGES)][0][1:]
    assert (theirs[place][0][1:] == untouched) is (change == "nothing"), "the change changes nothing"


def test_what_is_no_plain_python_is_left_to_ipython(ours: Rows) -> None:
    left = [cell for cell, plain in zip(CELLS, ours[0][1], strict=True) if not plain]
    assert left == ["b = 1\nreturn b", "b = \n", "", "# nothing", "%who_ls int", CELLS[-1]]


def test_the_cells_do_something(ours: Rows) -> None:
    shown = dict(zip(CELLS, ours[0][0], strict=True))
    assert shown["a = 3\na * 2"][0]["data"] == {"text/plain": "6"}
    assert shown["def h(x: Undefined):\n    return 8\nh(0)"][0]["data"] == {"text/plain": "8"}
