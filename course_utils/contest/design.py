"""What a contest compares, decided before it runs: a YAML file beside this module, read into a dataclass.

Every number that shapes a run is in the file, and its hash goes into every run, so that runs of two designs
are never mixed.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import resources
from typing import TYPE_CHECKING, Protocol

import yaml

from course_utils.contest.entrants import ENTRANTS
from course_utils.contest.grammar import Grammar
from course_utils.contest.measures import Budget
from course_utils.contest.models import Sizes

if TYPE_CHECKING:  # it imports this module
    from course_utils.contest.english.design import EnglishDesign


@dataclass(frozen=True)
class Measure:
    """A common measure: which direction is good, and the smallest difference that matters."""

    better: str  # "low" or "high"
    smallest_difference: float
    unit: str
    chance: float | None = None  # what blind guessing gets, where that is a constant


@dataclass(frozen=True)
class Training:
    """Pretraining of every entrant; the number of steps follows from the compute."""

    gigaflops: float  # forward and backward, for each final run
    tuning_share: float  # of that, for each run that only helps to choose a learning rate
    batch_size: int
    corpus_texts: int  # drawn from the run's seed; all entrants of a seed read the same texts
    learning_rates: tuple[float, ...]


class Contest(Protocol):
    """What the runs and the report of any contest need of its design."""

    @property
    def name(self) -> str:
        """Its file's name, and that of its results."""

    @property
    def entrants(self) -> tuple[str, ...]:
        """Names in `ENTRANTS`."""

    @property
    def training(self) -> Training:
        """Compute and learning rates."""

    @property
    def tuning_seeds(self) -> tuple[int, ...]:
        """What the learning rates are chosen on."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """What is reported."""

    @property
    def primary(self) -> str:
        """The measure that chooses."""

    @property
    def measures(self) -> dict[str, Measure]:
        """Every common measure."""

    @property
    def alpha(self) -> float:
        """Level of the corrected tests."""

    def fingerprint(self) -> str:
        """A hash of all that shapes a run."""


@dataclass(frozen=True)
class Design:
    """A contest in world (a). Raises ValueError where the file asks for what does not exist."""

    name: str
    length: int  # tokens of a text, [CLS] not counted
    entrants: tuple[str, ...]
    training: Training
    budget: Budget  # of the common measures
    tuning_seeds: tuple[int, ...]
    seeds: tuple[int, ...]
    examination_seed: int  # of the final questions; the tuning runs have their own
    tuning_examination_seed: int
    test_texts: int
    cases: int
    own_task_texts: int
    primary: str  # the measure that chooses learning rates, and that the verdict is about
    measures: dict[str, Measure]
    alpha: float

    def __post_init__(self) -> None:
        unknown = [name for name in self.entrants if name not in ENTRANTS]
        if unknown:
            raise ValueError(f"the design '{self.name}' has entrants {unknown}; known are {sorted(ENTRANTS)}")
        if self.primary not in self.measures:
            raise ValueError(f"the primary measure '{self.primary}' is not among {sorted(self.measures)}")
        if set(self.seeds) & set(self.tuning_seeds):
            raise ValueError("a seed that chooses the learning rate must not be tested on")
        if self.examination_seed == self.tuning_examination_seed:
            raise ValueError("questions that choose the learning rate must not be the final ones")

    def fingerprint(self) -> str:
        """A short hash of the whole design, and of the language and the models that it is about."""
        shaping = [asdict(self), asdict(Grammar()), asdict(Sizes(0, 0))]
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]


def names() -> list[str]:
    """The designs there are."""
    files = resources.files("course_utils.contest").iterdir()
    return sorted(file.name.removesuffix(".yml") for file in files if file.name.endswith(".yml"))


def load(name: str) -> "Design | EnglishDesign":
    """The design called `name`, of either world; FileNotFoundError lists what there is.

    >>> len(load("formal").entrants) >= 8
    True
    """
    if name not in names():
        raise FileNotFoundError(f"there is no contest '{name}', only {names()}")
    text = (resources.files("course_utils.contest") / f"{name}.yml").read_text(encoding="utf-8")
    fields = yaml.safe_load(text)
    if fields.pop("world", "formal") == "formal":
        return parse(fields, name)
    from course_utils.contest.english.design import parse as parse_english

    return parse_english(fields, name)


def parse(fields: dict, name: str) -> Design:
    """A design from the fields of its file; TypeError names a field that is missing or not known."""
    lists = ("entrants", "seeds", "tuning_seeds")
    training = fields["training"] | {"learning_rates": tuple(fields["training"]["learning_rates"])}
    return Design(
        **fields
        | {key: tuple(fields[key]) for key in lists}
        | {
            "name": name,
            "training": Training(**training),
            "budget": Budget(**fields["budget"]),
            "measures": {key: Measure(**value) for key, value in fields["measures"].items()},
        }
    )
