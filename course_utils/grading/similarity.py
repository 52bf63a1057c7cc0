"""Answers that are the same once names, comments and layout are taken away.

A hint for a person to look at, never a verdict: there are few ways to write a short function, and two
students may have found the same one. What the notebook itself gave (the stub) and very short answers
are left out. Nothing of an answer is run.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

MAX_CHARACTERS = 20_000
MIN_NODES = 60  # of the syntax tree: about five lines


@dataclass(frozen=True)
class Shape:
    """An answer without names and layout: a hash of it, and how many nodes its syntax tree has."""

    digest: str
    nodes: int


@dataclass(frozen=True)
class Twins:
    """Students whose answers to one task have the same shape."""

    task: str
    students: tuple[str, ...]
    nodes: int


def shape(source: str) -> Shape | None:
    """The shape of an answer; None for one that is no Python, or too long or too deep to be read.

    >>> shape("def f(x):\\n    return x + 1") == shape("def f(y):  # mine\\n\\n    return (y+1)")
    True
    >>> shape("def f(x):\\n    return x + 1") == shape("def f(x):\\n    return x + 2")
    False
    """
    if len(source) > MAX_CHARACTERS:
        return None
    try:
        tree = _Plain().visit(ast.parse(source))
        dumped = ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Shape(
        hashlib.sha256(dumped.encode("utf-8", "replace")).hexdigest(), sum(1 for _ in ast.walk(tree))
    )


def twins(
    answers: Mapping[str, Mapping[str, str]], known: Iterable[str] = (), min_nodes: int = MIN_NODES
) -> list[Twins]:
    """Groups of students with the same answer to a task, the longest answers first.

    answers: student -> task -> source. known: sources that everybody has, such as the stubs.
    """
    shared = {found.digest for found in map(shape, known) if found}
    groups: dict[tuple[str, Shape], list[str]] = {}
    for student, given in answers.items():
        for task, source in given.items():
            found = shape(source)
            if found and found.nodes >= min_nodes and found.digest not in shared:
                groups.setdefault((task, found), []).append(student)
    same = [
        Twins(task, tuple(sorted(who)), found.nodes) for (task, found), who in groups.items() if len(who) > 1
    ]
    return sorted(same, key=lambda group: (-group.nodes, group.task, group.students))


class _Plain(ast.NodeTransformer):
    """Numbers the names that an answer chooses itself, as they appear, and drops what does nothing."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}
        self._own: Collection[str] = ()

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self._own = set(_chosen_names(node))
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns, node.type_comment = None, None
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._plain(node.arg), None)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._plain(node.id), node.ctx)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        plain = ast.Assign([node.target], node.value) if node.value else ast.Pass()
        return self.generic_visit(plain)

    def _plain(self, name: str) -> str:
        return self._numbers.setdefault(name, f"name{len(self._numbers)}") if name in self._own else name


def _chosen_names(tree: ast.AST) -> Iterable[str]:
    """Arguments and names that are assigned to: renaming these changes nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(body) > 1
    return body[1:] if is_text else body
