"""A recipe: named steps in a row, such as `drop-layers=3,vocabulary,heads=0.4,int8`.

    recipe := step ("," step)*
    step   := NAME ["=" VALUE] (":" OPTION "=" VALUE)*        heads=0.4   or   heads=0.4:batch_size=8

The value after the name belongs to the step's first parameter. A module that has a step registers it:

    @step("heads", stage="shape", help="remove the least useful heads", parameters=[
        Parameter("share", float, low=0, high=0.9, help="of all heads, to remove")])
    def heads(model, context, share):
        ...
        context.notes.append("48 of 72 heads are left")
        return model

and stands in `registry.STEP_MODULES`. A step may change the model that it is given; a step that changes the
vocabulary also sets `context.tokenizer`.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from torch import nn

from course_utils.compression.registry import (
    STAGES,
    Context,
    Parameter,
    RecipeError,
    Stage,
    Step,
    step,
    steps,
)

__all__ = [
    "Context",
    "Parameter",
    "Planned",
    "Recipe",
    "RecipeError",
    "Stage",
    "Step",
    "parse",
    "step",
    "steps",
]


@dataclass(frozen=True)
class Planned:
    """A step of a recipe, with its values."""

    step: Step
    values: dict[str, Any]

    def run(self, model: nn.Module, context: Context) -> nn.Module:
        """Do the step; the model comes back in evaluation mode."""
        return self.step.run(model, context, **self.values).eval()

    def __str__(self) -> str:
        """As it is written, values left at their defaults not named."""
        given = {p.name: self.values[p.name] for p in self.step.parameters}
        shown = [p for p in self.step.parameters if p.required or given[p.name] != p.default]
        texts = {p.name: _written(given[p.name]) for p in shown}
        first = self.step.parameters[0].name if self.step.parameters else ""
        options = "".join(f":{name}={text}" for name, text in texts.items() if name != first)
        return self.step.name + (f"={texts[first]}" if first in texts else "") + options


@dataclass(frozen=True)
class Recipe:
    """Steps in the order in which they are done."""

    planned: tuple[Planned, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.planned))

    @property
    def needs(self) -> Literal["nothing", "texts", "labels"]:
        """What the most demanding step needs."""
        found = {p.step.needs for p in self.planned}
        return "labels" if "labels" in found else "texts" if "texts" in found else "nothing"

    def check_rows(self, texts: Sequence[str], labels: Sequence[int] | None) -> None:
        """Raises RecipeError where a step needs texts or labels and there are none."""
        for p in self.planned:
            if p.step.needs != "nothing" and not texts:
                raise RecipeError(f"step {p.step.name!r} needs texts to work with; give some (--data FILE)")
            if p.step.needs == "labels" and labels is None:
                raise RecipeError(f"step {p.step.name!r} needs labels; name their column (--label COLUMN)")

    def apply(self, model: nn.Module, context: Context) -> nn.Module:
        """Do the steps, one after another. The model that is given is changed, or returned anew."""
        self.check_rows(context.texts, context.labels)
        for planned in self.planned:
            model = planned.run(model, context)
        return model


def parse(text: str) -> Recipe:
    """The recipe that a text describes.

    Raises RecipeError for an unknown step, a wrong value, or an order that cannot be followed.
    """
    parts = [part.strip() for part in text.split(",")]
    if not text.strip() or not all(parts):
        raise RecipeError(
            f"the recipe {text!r} has an empty step; write steps with single commas between them, such as "
            "int8 or drop-layers=3,int8"
        )
    recipe = Recipe(tuple(_planned(part) for part in parts))
    _check_order([p.step for p in recipe.planned])
    return recipe


def _planned(text: str) -> Planned:
    """One step of a recipe."""
    head, *options = text.split(":")
    name, equals, first = head.partition("=")
    found = _find(name.strip())
    given: dict[str, str] = {}
    if equals:
        if not found.parameters:
            raise RecipeError(f"step {found.name!r} takes no value, got {first!r}; write {found.usage()}")
        given[found.parameters[0].name] = first.strip()
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or key.strip() in given:
            problem = "is given twice" if equals else "has no value"
            raise RecipeError(f"step {found.name!r}: option {key.strip()!r} {problem}; write {found.usage()}")
        given[key.strip()] = value.strip()
    return Planned(found, _values(found, given))


def _find(name: str) -> Step:
    known = steps()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise RecipeError(f"unknown step {name!r}: {hint}there are {', '.join(known)}")


def _values(found: Step, given: dict[str, str]) -> dict[str, Any]:
    """The value of each parameter, read or by default."""
    unknown = [name for name in given if name not in {p.name for p in found.parameters}]
    if unknown:
        raise RecipeError(f"step {found.name!r} has no option {unknown[0]!r}; write {found.usage()}")
    missing = [p for p in found.parameters if p.required and p.name not in given]
    if missing:
        p = missing[0]
        raise RecipeError(f"step {found.name!r} needs {p.name}: {p.expected()}; write {found.usage()}")
    return {
        p.name: p.read(given[p.name], found.name) if p.name in given else p.default for p in found.parameters
    }


def _written(value: Any) -> str:
    """A value as it is given: 2 for 2.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


_WHY = {
    "integers": "weights that are stored as integers can no longer be changed",
    "half": "weights in half precision are final",
    "engine": "a model that was handed to another engine can no longer be changed",
}


def _check_order(chain: Sequence[Step]) -> None:
    """Shape first, as often as wanted; then at most one step of each later stage, in order."""
    for before, after in pairwise(chain):
        if before.stage != "shape" and after.stage == "engine":
            raise RecipeError(
                f"{after.name!r} cannot follow {before.name!r}: it takes a model in full precision and "
                f"has its own numbers; leave {before.name!r} out"
            )
        if before.stage != "shape" and before.stage == after.stage:
            raise RecipeError(f"{before.name!r} and {after.name!r} exclude each other; take one of them")
        if STAGES.index(after.stage) < STAGES.index(before.stage):
            raise RecipeError(
                f"{after.name!r} cannot follow {before.name!r}: {_WHY[before.stage]}; write "
                f"{after.name!r} before it"
            )
