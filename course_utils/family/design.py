"""What a study compares, decided before it runs: a YAML file beside this module, read into a dataclass.

Runs carry the hash of everything in the file that shapes them, so that runs of two designs are never mixed.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import Any

import yaml

from course_utils.contest.design import Measure
from course_utils.contest.measures import Budget


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: which variant, and what of the study's common settings it changes."""

    title: str
    variant: str  # a name in `variants.VARIANTS`
    options: dict[str, Any] = field(default_factory=dict)  # of the variant
    shape: dict[str, Any] = field(default_factory=dict)  # of the encoder, over the study's
    learning_rates: tuple[float, ...] = ()  # empty: the study's; several are chosen from on the tuning seed
    batch_size: int = 0  # 0: the study's
    texts: int = 0  # different texts that it reads; 0: the study's

    def __post_init__(self) -> None:
        object.__setattr__(self, "learning_rates", tuple(self.learning_rates))


@dataclass(frozen=True)
class Study:
    """A study. Raises ValueError where the file asks for what does not exist or decides nothing."""

    name: str
    world: str  # a name in `worlds.WORLDS`: which language, and what is asked after training
    grammar: dict[str, Any]
    length: int  # tokens of a text, without frame
    arms: dict[str, Arm]
    compare: tuple[tuple[str, str], ...]  # pairs of arms; each difference is first minus second
    learning_rates: tuple[float, ...]
    batch_size: int
    seeds: tuple[int, ...]
    primary: str  # the measure that chooses learning rates and that verdicts are about
    measures: dict[str, Measure]
    gigaflops: float = 0.0  # of each run, forward and backward: equal compute; or
    texts_read: int = 0  # of each run: equal tokens. One of the two
    texts: int = 0  # different ones; 0: as many as are read. Fewer: they are read in several passes
    shape: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)  # id -> the rule and its arms
    tuning_seeds: tuple[int, ...] = (100,)
    examination_seed: int = 2026
    tuning_examination_seed: int = 2025
    test_texts: int = 512
    cases: int = 400
    budget: Budget = field(default_factory=Budget)
    alpha: float = 0.05

    def __post_init__(self) -> None:
        unknown = sorted({name for pair in self.compare for name in pair} - set(self.arms))
        if unknown:
            raise ValueError(f"the study '{self.name}' compares {unknown}; its arms are {sorted(self.arms)}")
        if self.primary not in self.measures:
            raise ValueError(f"the primary measure '{self.primary}' is not among {sorted(self.measures)}")
        if set(self.seeds) & set(self.tuning_seeds):
            raise ValueError("a seed that chooses the learning rate must not be tested on")
        if bool(self.gigaflops) == bool(self.texts_read):
            raise ValueError(f"the study '{self.name}' must set one of gigaflops and texts_read, not both")

    def rates(self, arm: str) -> tuple[float, ...]:
        """The learning rates that an arm may choose from."""
        return self.arms[arm].learning_rates or self.learning_rates

    def fingerprint(self) -> str:
        """A short hash of what shapes the runs; rules of verdicts and titles are not part of it."""
        shaping = asdict(self)
        for name in ("claims", "compare", "measures", "alpha"):
            del shaping[name]
        for arm in shaping["arms"].values():
            del arm["title"]
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]


def names() -> list[str]:
    """The studies there are."""
    files = resources.files("course_utils.family").iterdir()
    return sorted(file.name.removesuffix(".yml") for file in files if file.name.endswith(".yml"))


def load(name: str) -> Study:
    """The study called `name`; FileNotFoundError lists what there is.

    >>> load("masking").primary
    'masked_kl'
    """
    if name not in names():
        raise FileNotFoundError(f"there is no study '{name}', only {names()}")
    text = (resources.files("course_utils.family") / f"{name}.yml").read_text(encoding="utf-8")
    return parse(yaml.safe_load(text), name)


def parse(fields: dict[str, Any], name: str) -> Study:
    """A study from the fields of its file; TypeError names a field that is missing or not known."""
    lists = ("seeds", "learning_rates", "tuning_seeds")
    made: dict[str, Any] = {
        **{key: tuple(fields[key]) for key in lists if key in fields},
        "arms": {key: Arm(**arm) for key, arm in fields["arms"].items()},
        "compare": tuple((first, second) for first, second in fields["compare"]),
        "measures": {key: Measure(**value) for key, value in fields["measures"].items()},
        "budget": Budget(**fields.get("budget", {})),
    }
    return Study(**fields | made, name=name)
