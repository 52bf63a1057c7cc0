"""The instructor's solution, run for many students: one process, forked once for each seed.

It never runs a line that a student wrote. Everything above the seed's cell (imports, above all) runs
once; what follows runs in a forked child for each seed, so that no run sees what another left behind.
As in the sandbox, public checks run without the seed and hidden checks, and these without the public ones:
a check that leans on one of the other kind fails here, as the exercise's fault, before it fails a student.
A fork needs Linux or macOS.
"""

from __future__ import annotations

import ast
import gc
import importlib
import json
import os
import signal
import sys
import types
from collections.abc import Sequence
from functools import cache
from typing import Any

from course_utils.grading.exercise import UNSEEN_KINDS

SECONDS = 120  # for one seed


def main() -> None:
    """Speak with the parent: lines of JSON on stdin and stdout.

    First line in: [[cell id, kind, source], ...]. Then a seed a line. Out, for each: {"outputs": {cell id:
    {MIME type: value}}, "imported": [module, ...]} of the checks, or {"error": words}.
    """
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)  # what cells print must not mix with replies
    requests = sys.stdin
    cells = json.loads(requests.readline())
    start = next(place for place, (_, kind, _) in enumerate(cells) if kind == "seed")
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    try:
        run_cells(cells[:start], module.__dict__)
        for name, _, text in cells:
            _compiled(name, text)
    except Exception as error:
        replies.write(json.dumps({"error": _told(error)}) + "\n")
        return
    public = None
    _formatter()
    gc.collect()
    gc.freeze()  # the collector then does not touch, and so not copy, what children share
    for line in requests:
        seen = [cell for cell in cells[start:] if cell[1] not in UNSEEN_KINDS]
        public = public or _in_child(seen, module.__dict__)
        seeded = [_seeded(cell, int(line)) for cell in cells[start:] if cell[1] != "public-check"]
        reply = public if "error" in public else _joined(public, _in_child(seeded, module.__dict__))
        replies.write(json.dumps(reply) + "\n")


def run_cells(cells: Sequence[Sequence[str]], space: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Run cells one after the other. Returns the id of each check -> what IPython shows for its value."""
    outputs = {}
    for name, kind, text in cells:
        statements, last = _compiled(name, text)
        exec(statements, space)
        value = eval(last, space) if last else None
        if kind.endswith("-check"):
            outputs[name] = _shown(value)
    return outputs


def _shown(value: Any) -> dict[str, Any]:
    """MIME type -> a value as a kernel shows it. Most checks show a string, of which
    ten formatters have no more to say.

    >>> _shown("it's \\u2028") == _formatter().format("it's \\u2028")[0]
    True
    """
    if type(value) is str:
        return {"text/plain": repr(value)}
    return {} if value is None else dict(_formatter().format(value)[0])


@cache
def _compiled(name: str, text: str) -> tuple[types.CodeType, types.CodeType | None]:
    """A cell's statements, and its last expression, if it ends in one. Made once, for all children."""
    tree = ast.parse(text)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    statements = compile(tree, f"<{name}>", "exec")
    if not isinstance(last, ast.Expr):
        return statements, None
    return statements, compile(ast.Expression(last.value), f"<{name}>", "eval")


@cache
def _formatter() -> Any:
    """IPython's, which asks a value how it is shown."""
    from IPython.core.formatters import DisplayFormatter

    return DisplayFormatter()


def _seeded(cell: Sequence[str], seed: int) -> Sequence[str]:
    """The cell; that of the seed with this seed."""
    from course_utils.grading.release import SEED_LINE

    name, kind, text = cell
    return cell if kind != "seed" else (name, kind, SEED_LINE.sub(f"student_seed = {seed}", text))


def _joined(public: dict[str, Any], hidden: dict[str, Any]) -> dict[str, Any]:
    """One reply of two. What their children imported is imported here, for the children to come."""
    if "error" in hidden:
        return hidden
    names = sorted({*public["imported"], *hidden["imported"]})
    outputs = {**public["outputs"], **hidden["outputs"]}
    return {"outputs": outputs, "imported": [name for name in names if _imports(name)]}


def _in_child(cells: Sequence[Sequence[str]], space: dict[str, Any]) -> dict[str, Any]:
    """One reply, written by a forked child; one that ends without a reply has run out of time.

    The reply also names what the cells imported: torch imports a second's worth of modules when some
    function is first called, and once they are imported here, later children find them.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(SECONDS)
        known = set(sys.modules)
        try:
            reply: dict[str, Any] = {"outputs": run_cells(cells, space)}
            reply["imported"] = sorted(set(sys.modules) - known)
        except Exception as error:
            reply = {"error": _told(error)}
        with os.fdopen(writing, "w") as out:
            out.write(json.dumps(reply))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else {"error": f"no value after {SECONDS} seconds"}


def _imports(name: str) -> bool:
    """Import a module; False for one that only its parent package can make."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
