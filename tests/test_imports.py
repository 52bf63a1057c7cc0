"""The floors of the house: who may import whom, read from the source of every module.

A room is a module or a folder directly below `course_utils`. Imports only go down or stay in the room, and
some rooms must do without some libraries, even through others. A new room needs a floor here.
"""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "course_utils"
FLOORS = [
    {"paths", "scale", "metrics"},
    {"results_format"},
    {"results"},
    {"stats", "calibration", "figures"},
    {"subword", "objectives", "models", "data"},
    {"explorables", "released", "training"},
    {"finetuning"},
    {"contest", "distillation", "compression", "analysis"},
    {"family", "study"},
    {"boxes", "reproduction"},
    {"claims", "page"},
    {"grading"},
    {"cli"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Room -> what it never imports: a library, or a room as course_utils.ROOM.
NEVER = {
    "subword": {"torch", "transformers"},
    "objectives": {"course_utils.models"},
    "models": {"course_utils.objectives", "course_utils.data"},
    "data": {"course_utils.models"},
    "explorables": {"torch"},
    "training": {"course_utils.study", "course_utils.grading"},
    "distillation": {"course_utils.study"},
    "compression": {"course_utils.study"},
    "study": {"course_utils.grading"},
    "grading": {"torch", "course_utils.models"},
}
# Room -> the only libraries it may import, beside the standard library.
ONLY = {"stats": {"numpy", "scipy"}, "calibration": {"numpy"}, "metrics": {"numpy"}}


def module_name(file):
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source, package):
    """Every module that a source text imports, anywhere in it, by its absolute name.

    `from a import b` counts as a.b too, since b may be a module.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {base} | {f"{base}.{alias.name}" for alias in node.names}
    return found


def room(module):
    """The room of a module of the course; None for the package itself and for libraries."""
    parts = module.split(".")
    return parts[1] if parts[0] == "course_utils" and len(parts) > 1 else None


FILES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}
IMPORTS = {
    name: imports(
        file.read_text(encoding="utf-8"), name if file.stem == "__init__" else name.rpartition(".")[0]
    )
    for name, file in FILES.items()
}


def rooms_used(module):
    """The rooms that a module imports; `__version__` and its like in the package itself are no rooms."""
    return {room(name) for name in IMPORTS[module] if room(name) in FLOOR}


def reached(module):
    """Everything that a module imports, itself or through other modules of the course."""
    found, waiting = set(), [module]
    while waiting:
        for name in IMPORTS.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return found


def broken_rules(module):
    """Every rule that a module breaks, in words."""
    own, file = room(module), FILES[module].relative_to(PACKAGE.parent)
    for other in sorted(rooms_used(module) - {own}):
        if FLOOR[other] >= FLOOR[own]:
            yield f"{file}: '{own}' must not import '{other}', which is not below it"
    everything = reached(module)
    for never in sorted(NEVER.get(own, ())):
        if any(name == never or name.startswith(f"{never}.") for name in everything):
            yield f"{file}: '{own}' must never import {never}, not even through another module"
    libraries = {name.split(".")[0] for name in IMPORTS[module]} - set(sys.stdlib_module_names)
    for library in sorted(libraries - ONLY[own] - {"course_utils"} if own in ONLY else ()):
        yield f"{file}: '{own}' may import only {sorted(ONLY[own])}, not {library}"


def test_every_room_has_a_floor():
    unknown = {room(name) for name in FILES} - set(FLOOR) - {None}
    assert not unknown, f"{unknown}: give each a floor in tests/test_imports.py and in the docs"


@pytest.mark.parametrize("module", [name for name in FILES if room(name) in FLOOR])
def test_imports_only_go_down(module):
    assert list(broken_rules(module)) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import torch.nn", "torch.nn"),
        ("def f():\n    from course_utils import models", "course_utils.models"),
        ("from . import pairs", "course_utils.subword.pairs"),
        ("from ..models.layers import Attention", "course_utils.models.layers"),
    ],
)
def test_every_form_of_import_is_seen(source, expected):
    assert expected in imports(source, "course_utils.subword")


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        ("course_utils.subword.bpe", "import torch", "must never import torch"),
        ("course_utils.subword.bpe", "from course_utils import claims", "'claims', which is not below it"),
        ("course_utils.stats", "import pandas", "may import only ['numpy', 'scipy'], not pandas"),
        ("course_utils.grading.lint", "from course_utils.results import load", "must never import torch"),
    ],
)
def test_a_broken_rule_is_noticed(monkeypatch, module, source, message):
    monkeypatch.setitem(FILES, module, PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py"))
    monkeypatch.setitem(IMPORTS, module, imports(source, module.rpartition(".")[0]))
    monkeypatch.setitem(IMPORTS, "course_utils.results", {"torch"})
    assert any(message in rule for rule in broken_rules(module))
