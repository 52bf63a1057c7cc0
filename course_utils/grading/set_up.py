"""The set-up cell that every exercise shares: `check`, `typed` and `in_time`, as the exercises have them."""

from __future__ import annotations

import ast

from course_utils.grading.exercise import load, names, source

SHARED = ("WrongValueError", "in_time", "typed", "check")
_HEAD = """\
# Run this cell first. It defines `check`, which shows the value of your answer.
import _thread
import threading
import time

# A task that may call the answer to an earlier one.
NEEDS = {}
"""


def standard_set_up() -> str:
    """A set-up cell without anything of its own, made of the first exercise's. Needs a checkout."""
    text = source(next(load(names()[0]).cells("setup")))
    defined = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    parts = [ast.get_source_segment(text, node) or "" for node in defined if node.name in SHARED]
    return "\n\n".join([_HEAD, "\n\n\n".join(parts)])
