"""Refuse checks that cannot be trusted: no value, a verdict, a guessable value, an unstable one.

A check must show one short value that depends on the answer alone. Two runs in kernels with different
hash seeds find values that depend on time, addresses, unseeded randomness or the order of a set. No
cell may call an answer without the time limit: an endless loop in it would hang the notebook.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import Any

from course_utils.grading.execute import execute
from course_utils.grading.exercise import CHECK_KINDS, Exercise, course, source
from course_utils.grading.release import notebook_of, solution

LONG_FLOAT = re.compile(r"\d\.\d{7,}|\d\.\d*e-\d")
MAX_CHARACTERS = 400
MIN_DISTINCT = 4
GUARDS = {"check", "in_time"}  # what the set-up defines to call a function with a time limit


def lint(exercise: Exercise, seed: int = 0) -> list[str]:
    """Everything wrong with an exercise's checks, in words; [] if nothing is. Runs it in two kernels.

    seed: what the hidden checks draw their inputs from.
    """
    checks = {course(cell)["id"]: source(cell) for cell in exercise.cells(*CHECK_KINDS)}
    found = [f"{name}: {line}" for name, text in checks.items() for line in source_problems(text)]
    found += unguarded_cells(exercise)
    if found:
        return found
    notebook = notebook_of(exercise, solved=True, hidden_seed=seed)
    first, second = execute(notebook, hash_seed=1), execute(notebook, hash_seed=2)
    for name in checks:
        found += [f"{name}: {line}" for line in output_problems(first[name])]
        if _values(first[name]) != _values(second[name]):
            found.append(
                f"{name}: two runs differ; sort sets, seed random numbers, show no time and no address"
            )
    return found


def source_problems(text: str) -> Iterator[str]:
    """What can be seen in a check's code.

    >>> list(source_problems("assert f(1) == 2"))
    ['it asserts; show the value instead, so that nbval compares it', 'its last line shows no value']
    """
    tree = ast.parse(text)
    if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        yield "it asserts; show the value instead, so that nbval compares it"
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or text.rstrip().endswith(";"):
        yield "its last line shows no value"
    elif isinstance(last.value, (ast.Constant, ast.Compare, ast.BoolOp)):
        yield "its last line shows a constant or a verdict; show the value that the answer returned"


def unguarded_cells(exercise: Exercise) -> Iterator[str]:
    """The given cells and checks that call an answer without the time limit."""
    answers = [ast.parse(solution(source(cell))) for cell in exercise.cells("answer")]
    functions = {node.name for tree in answers for node in tree.body if isinstance(node, ast.FunctionDef)}
    for cell in exercise.cells("given", *CHECK_KINDS):
        for name in unguarded(source(cell), functions):
            yield (
                f"{course(cell)['id']}: it uses {name} without a time limit, and a loop that never ends "
                f"would hang the notebook; write in_time(lambda: ...{name}(...)...)"
            )


def unguarded(text: str, functions: Collection[str]) -> list[str]:
    """The given functions that code uses outside a lambda handed to `check` or `in_time`, sorted.

    >>> unguarded("check('name', lambda: f(1))\\nin_time(g(2))", {"f", "g"})
    ['g']
    """
    nodes = list(ast.walk(ast.parse(text)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    guards = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in GUARDS]
    late = [argument for call in guards for argument in call.args if isinstance(argument, ast.Lambda)]
    safe = {id(node) for argument in late for node in ast.walk(argument)}
    names = [node for node in nodes if isinstance(node, ast.Name) and node.id in functions]
    return sorted({node.id for node in names if id(node) not in safe})


def output_problems(outputs: list[dict[str, Any]]) -> Iterator[str]:
    """What can be seen in a check's outputs."""
    values = _values(outputs)
    if len(outputs) != 1 or len(values) != 1:
        yield "it must show exactly one value and print nothing"
        return
    value = values[0]
    if value in ("True", "False", "None", ""):
        yield f"it shows {value or 'nothing'}: a verdict, which any answer may hit by chance"
    elif len(set(value) - set("[](){}, '")) < MIN_DISTINCT:
        yield f"it shows {value}, which is easy to guess; show a richer value"
    if LONG_FLOAT.search(value):
        yield f"it shows {value}: round to at most 6 decimals, far above the noise of floats"
    if len(value) > MAX_CHARACTERS:
        yield f"it shows {len(value)} characters; show at most {MAX_CHARACTERS}"


def _values(outputs: list[dict[str, Any]]) -> list[str]:
    """The text of each shown value."""
    return ["".join(output["data"].get("text/plain", "")) for output in outputs if "data" in output]
