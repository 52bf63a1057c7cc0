"""The steps that recipes are made of: what a step gets, what it takes, and the registry (see `recipe`)."""

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer
from torch import Generator, nn

from course_utils.finetuning.classifier import Example, encode

# Modules of this folder that register steps; they are imported when the first recipe is read.
STEP_MODULES: tuple[str, ...] = ("number_steps", "pruning_steps")

Stage = Literal["shape", "integers", "half", "engine"]
# shape: the model stays in floating point and can be trained on; as many steps as wanted, in any order.
# integers, half, engine: at most one step each, in this order.
STAGES: tuple[Stage, ...] = ("shape", "integers", "half", "engine")


class RecipeError(ValueError):
    """A recipe that cannot be followed; the message says what was wrong and what was expected."""


@dataclass
class Context:
    """What a step may use beside the model."""

    tokenizer: Tokenizer  # replaced by a step that changes the vocabulary; PAD must keep id 0
    max_length: int  # tokens of a text, with [CLS] and [SEP]; what is beyond is cut off
    generator: Generator  # all randomness of the steps
    texts: Sequence[str] = ()  # of the training rows; empty where none were given
    labels: Sequence[int] | None = None  # of the texts; None where none were given
    original: nn.Module | None = (
        None  # the model before the first step, in evaluation mode; not to be changed
    )
    folder: Path | None = None  # where training keeps its checkpoints; None: nowhere
    progress: bool = False
    notes: list[str] = field(default_factory=list)  # what a step has to tell the reader of the report

    def examples(self) -> list[Example]:
        """The texts as tokens of today's tokenizer; label 0 where no labels were given."""
        tokenizer = Tokenizer.from_str(self.tokenizer.to_str())
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.max_length)
        return encode(tokenizer, self.texts, [0] * len(self.texts) if self.labels is None else self.labels)

    def seed(self) -> int:
        """A new seed out of the generator, for what takes a number."""
        return int(torch.randint(2**31, (1,), generator=self.generator))


@dataclass(frozen=True)
class Parameter:
    """One number or word that a step takes. Without a default it must be given."""

    name: str
    kind: type  # int, float or str
    help: str
    default: Any = None
    required: bool = False
    low: float = -math.inf  # both ends belong to what is allowed
    high: float = math.inf
    choices: tuple[Any, ...] = ()

    def expected(self) -> str:
        """What may be given, in words.

        >>> Parameter("share", float, "of the heads", low=0, high=0.9).expected()
        'a number from 0 to 0.9 (of the heads)'
        """
        if self.choices:
            what = "one of " + ", ".join(map(str, self.choices))
        else:
            what = {int: "a whole number", float: "a number", str: "a word"}[self.kind]
            if self.low > -math.inf and self.high < math.inf:
                what += f" from {self.low:g} to {self.high:g}"
            elif self.low > -math.inf:
                what += f" of at least {self.low:g}"
        return f"{what} ({self.help})"

    def read(self, text: str, step: str) -> Any:
        """The value that a text names. Raises RecipeError."""
        try:
            value = self.kind(text)
            fits = value in self.choices if self.choices else True
            fits = fits and (self.kind is str or self.low <= value <= self.high)
        except ValueError:
            fits = False
        if not fits:
            raise RecipeError(f"step {step!r}: {self.name}={text!r}: expected {self.expected()}")
        return value


Run = Callable[..., nn.Module]  # (model, context, **values of the parameters) -> model


@dataclass(frozen=True)
class Step:
    """Something that can be done to a model, and when."""

    name: str
    stage: Stage
    run: Run
    help: str
    parameters: tuple[Parameter, ...] = ()
    needs: Literal["nothing", "texts", "labels"] = "nothing"  # labels: texts with labels
    source: str = ""  # the paper

    def usage(self) -> str:
        """How it is written.

        >>> Step("int4", "integers", lambda m, c: m, "", (Parameter("group", int, "", 64),)).usage()
        'int4[=GROUP]'
        """
        if not self.parameters:
            return self.name
        first, *rest = self.parameters
        value = f"={first.name.upper()}"
        options = "".join(f"[:{p.name}={p.name.upper()}]" for p in rest)
        return self.name + (value if first.required else f"[{value}]") + options


_STEPS: dict[str, Step] = {}


def step(
    name: str,
    *,
    stage: Stage,
    help: str,
    parameters: Sequence[Parameter] = (),
    needs: Literal["nothing", "texts", "labels"] = "nothing",
    source: str = "",
) -> Callable[[Run], Run]:
    """Register a function as a step of recipes; returns the function itself."""

    def register(run: Run) -> Run:
        if name in _STEPS and _STEPS[name].run.__module__ != run.__module__:
            raise ValueError(f"the step {name!r} is registered by {_STEPS[name].run.__module__} already")
        _STEPS[name] = Step(name, stage, run, help, tuple(parameters), needs, source)
        return run

    return register


def steps() -> dict[str, Step]:
    """All steps by name, in the order of their stages."""
    for module in STEP_MODULES:
        importlib.import_module(f"course_utils.compression.{module}")
    return {s.name: s for s in sorted(_STEPS.values(), key=lambda s: STAGES.index(s.stage))}
