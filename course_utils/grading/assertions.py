"""Tests that assert, turned into values that are shown: `assert f(1) == 2` becomes `f(1)`.

Only what compares two values exactly can be turned. Everything else is named, with the reason.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

_EXACT = {"assert_equal", "assertEqual", "assertListEqual", "assertDictEqual", "assert_array_equal", "eq_"}
_CLOSE = {
    "assert_allclose",
    "assert_almost_equal",
    "assert_array_almost_equal",
    "assertAlmostEqual",
    "assert_close",
}
_CLOSE_VERDICTS = {"allclose", "isclose"}


@dataclass
class Converted:
    """A test cell as values. values: expressions to show. before: what they need. todo: what is left."""

    values: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)


def shown_values(code: str) -> Converted:
    """The values that a cell of tests compares.

    >>> found = shown_values("x = [1, 2]\\nassert f(x) == 3, 'sum'\\nassert f([])")
    >>> found.before, found.values
    (['x = [1, 2]'], ['f(x)'])
    >>> found.todo
    ['`assert f([])` is a verdict: show the value behind it.']
    """
    found = Converted()
    try:
        statements = ast.parse(code).body
    except SyntaxError as error:
        found.todo.append(f"it is no Python ({error.msg}); cell magics are not taken over.")
        return found
    for statement in statements:
        _convert(statement, code, found)
    return found


def _convert(statement: ast.stmt, code: str, found: Converted) -> None:
    text = ast.get_source_segment(code, statement) or ast.unparse(statement)
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(statement, ast.Assert):
        _assertion(statement.test, text, code, found)
    elif isinstance(call, ast.Call) and _name(call) in _EXACT | _CLOSE and len(call.args) >= 2:
        _show(call.args[0], call.args[1], code, found)
        if _name(call) in _CLOSE:
            found.todo.append(f"`{text}` has a tolerance: round the value far above the noise of floats.")
    elif isinstance(call, ast.Call) and _name(call) == "print":
        return
    elif any(isinstance(node, ast.Assert | ast.Raise | ast.Try) for node in ast.walk(statement)):
        found.todo.append(f"`{_first_line(text)}` tests inside a block: show what it compares in one value.")
    else:
        found.before.append(text)


def _assertion(test: ast.expr, text: str, code: str, found: Converted) -> None:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for part in test.values:
            _assertion(part, f"assert {ast.get_source_segment(code, part)}", code, found)
    elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        _show(test.left, test.comparators[0], code, found)
    elif isinstance(test, ast.Call) and _name(test) in _CLOSE_VERDICTS and len(test.args) >= 2:
        _show(test.args[0], test.args[1], code, found)
        found.todo.append(
            f"`{_first_line(text)}` has a tolerance: round the value far above the noise of floats."
        )
    else:
        found.todo.append(f"`{_first_line(text)}` is a verdict: show the value behind it.")


def _show(left: ast.expr, right: ast.expr, code: str, found: Converted) -> None:
    """Show the side that calls something; the left one if both do, or neither."""
    calls = [side for side in (left, right) if any(isinstance(node, ast.Call) for node in ast.walk(side))]
    side = calls[0] if calls else left
    found.values.append(ast.get_source_segment(code, side) or ast.unparse(side))


def _name(call: ast.Call) -> str:
    """The last part of what is called: "allclose" of `np.allclose(a, b)`."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
