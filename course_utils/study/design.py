"""What a study compares, decided before it runs: a YAML file read into a frozen, validated dataclass.

The course's designs lie in `designs/`; a reader's own is a path to a file. `Design.fingerprint` is the hash
of all that shapes one run, so that more seeds or another system leave the finished runs valid; `registration`
is the hash of everything, hypotheses and exclusion rules too. Both go into every run's file.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from course_utils.study.runs import Key

Method = Literal["fine-tune", "probe", "tfidf", "vader", "majority"]
EncoderKind = Literal["small", "small-layers", "released", "hub", "folder"]
Metric = Literal["accuracy", "balanced_accuracy", "auc"]
Quantity = Literal["gap", "in_domain", "out_of_domain"]
NAME = re.compile(r"[a-z0-9]+([_-][a-z0-9]+)*")  # of systems and domains: they name files
SPLITS = ("train", "validation", "test")


class DesignError(ValueError):
    """A design that cannot be meant; the message says where, what was expected, and what to do."""


def _check(condition: object, message: str) -> None:
    if not condition:
        raise DesignError(message)


def _choice(what: str, value: object, kind: Any) -> None:
    _check(value in get_args(kind), f"{what} must be one of {', '.join(get_args(kind))}, got {value!r}")


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder to start from.

    small: the package's real BERT of 6 layers. small-layers: some of its layers, undistilled. released NAME:
    a student that the course distilled in general, from weights/NAME. hub NAME: a repository. folder NAME: a
    checkpoint on disk. random: its shape, with weights drawn from the run's seed.
    """

    kind: EncoderKind
    name: str | None = None
    layers: tuple[int, ...] | None = None  # of small-layers, from 0
    random: bool = False

    def __post_init__(self) -> None:
        _choice("the kind of an encoder", self.kind, EncoderKind)
        named = self.kind in ("released", "hub", "folder")
        _check(
            bool(self.name) == named, f"encoder {self.kind}: " + ("needs a name" if named else "has no name")
        )
        _check(
            (self.layers is not None) == (self.kind == "small-layers"),
            f"encoder {self.kind}: layers, such as [0, 2, 5], belong to small-layers and to nothing else",
        )


@dataclass(frozen=True)
class System:
    """What is compared. fine-tune trains an encoder and a head; probe is a logistic regression on an
    encoder's frozen states; tfidf is one on words; vader is VADER's rules; majority says what was
    frequent."""

    method: Method
    title: str  # as tables name it
    encoder: EncoderChoice | None = None
    training: Mapping[str, Any] = field(default_factory=dict)  # overrides the design's, such as the rate
    seeds: int | None = None  # at most so many; None: as many as the train domain has

    def __post_init__(self) -> None:
        _choice("the method of a system", self.method, Method)
        wants = self.method in ("fine-tune", "probe")
        _check(
            (self.encoder is not None) == wants,
            f"system '{self.title}': {self.method} " + ("needs an encoder" if wants else "takes no encoder"),
        )
        _check(
            not self.training or self.method == "fine-tune",
            f"system '{self.title}': only fine-tune has a training to override",
        )
        _check(self.seeds is None or self.seeds >= 1, f"system '{self.title}': seeds must be at least 1")


@dataclass(frozen=True)
class Domain:
    """Where the rows of a domain come from. name: a data set of `course data list`, or a file of the
    reader's.

    test_parts, validation_parts: which splits of the source give them. Every row that a model is trained on
    is of the split "train", so that a domain that is trained on must not be tested on that one.
    """

    name: str
    title: str
    source: Literal["course", "file"] = "course"
    margin: float | None = None  # labels only for ratings at least so far from 0
    balance: Literal["none", "label", "rating"] = "none"  # of its test rows
    clean: bool = False  # BBCode, HTML breaks, addresses
    least_words: int = 1
    most_of_group: int | None = None  # rows of one game, say
    test_parts: tuple[str, ...] = ("test",)
    validation_parts: tuple[str, ...] = ("validation",)
    columns: Mapping[str, str] = field(default_factory=dict)  # of a file: text, label, rating, group, split

    def __post_init__(self) -> None:
        where = f"domain '{self.name}'"
        _check(self.source in ("course", "file"), f"{where}: source must be course or file")
        _check(self.balance in ("none", "label", "rating"), f"{where}: balance is none, label or rating")
        _check(self.test_parts, f"{where}: test_parts must name at least one split")
        for part in (*self.test_parts, *self.validation_parts):
            _check(part in SPLITS, f"{where}: {part!r} is no split; take {', '.join(SPLITS)}")
        known = {"text", "label", "rating", "group", "split", "encoding"}
        _check(
            set(self.columns) <= known, f"{where}: columns may name {sorted(known)}, got {dict(self.columns)}"
        )
        _check(self.source == "file" or not self.columns, f"{where}: only a file has columns to name")
        _check(self.least_words >= 1, f"{where}: least_words must be at least 1")
        _check(self.most_of_group is None or self.most_of_group >= 1, f"{where}: most_of_group is 1 or more")


@dataclass(frozen=True)
class Sizes:
    """Rows of each domain: at most so many to test and to validate, exactly so many (half of them positive)
    to train on."""

    train: int
    validation: int
    test: int

    def __post_init__(self) -> None:
        _check(
            self.train >= 2 and self.train % 2 == 0, f"rows.train must be even and above 0, got {self.train}"
        )
        _check(min(self.validation, self.test) >= 1, "rows.validation and rows.test must be at least 1")


@dataclass(frozen=True)
class Training:
    """Hyper-parameters of fine-tuning; a system may override some."""

    epochs: float
    batch_size: int
    learning_rate: float
    max_length: int  # tokens with [CLS] and [SEP]; the rest of a text is not read
    warmup: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.1  # of the head
    precision: Literal["no", "bf16"] = "no"  # bf16 pays on GPUs and on CPUs with matrix units (AMX) only
    pooling: Literal["mean", "cls"] = "mean"
    freeze_embeddings: bool = True
    checkpoint_every: int = 200  # steps; shapes no number

    def __post_init__(self) -> None:
        _check(self.epochs > 0 and self.learning_rate > 0, "training: epochs and learning_rate must be > 0")
        _check(self.batch_size >= 1, "training: batch_size must be at least 1")
        _check(8 <= self.max_length <= 512, f"training: max_length lies in 8 to 512, got {self.max_length}")
        _check(self.precision in ("no", "bf16"), f"training: precision is no or bf16, got {self.precision!r}")
        _check(self.pooling in ("mean", "cls"), f"training: pooling is mean or cls, got {self.pooling!r}")
        _check(0 <= self.warmup <= 1 and 0 <= self.dropout < 1, "training: warmup and dropout are shares")
        _check(self.checkpoint_every >= 0, "training: checkpoint_every must not be negative")


@dataclass(frozen=True)
class Hypothesis:
    """A statement about first minus second, paired by seed.

    quantity: "in_domain" is the metric on the train domain's test rows, "out_of_domain" its mean over all
    other test domains, "gap" the former minus the latter. train: which train domains; all by default.
    """

    id: str
    statement: str
    first: str
    second: str
    quantity: Quantity
    metric: Metric
    direction: Literal["greater", "less"]  # what the statement says of first minus second
    smallest_effect: float  # a difference below it does not matter; for equivalence tests too
    train: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        where = f"hypothesis '{self.id}': "
        _choice(where + "quantity", self.quantity, Quantity)
        _choice(where + "metric", self.metric, Metric)
        _check(self.direction in ("greater", "less"), where + "direction is greater or less")
        _check(0 < self.smallest_effect < 1, where + "smallest_effect lies between 0 and 1, as shares do")
        _check(
            self.first != self.second, where + f"first and second are both '{self.first}'; name two systems"
        )


@dataclass(frozen=True)
class Exclusions:
    """What is left out of the comparison, and named in the report."""

    # A fine-tuned run whose balanced accuracy on the train domain's validation rows is lower has not learnt;
    # its seed is left out for all systems, so that pairs stay pairs.
    least_validation_accuracy: float
    # A test domain with fewer rows of either class is left out.
    least_rows_of_class: int


@dataclass(frozen=True)
class Power:
    """What the number of seeds and rows was chosen by."""

    wanted: float  # probability to find the smallest effect
    seed_sd: float  # assumed standard deviation over seeds of a paired difference
    source: str  # where that assumption comes from

    def __post_init__(self) -> None:
        _check(0 < self.wanted < 1, f"power.wanted lies between 0 and 1, got {self.wanted}")
        _check(self.seed_sd >= 0, f"power.seed_sd must not be negative, got {self.seed_sd}")


@dataclass(frozen=True)
class Design:
    """A study. Raises DesignError where parts do not fit together."""

    name: str
    question: str
    hypotheses: tuple[Hypothesis, ...]
    systems: Mapping[str, System]
    domains: Mapping[str, Domain]
    seeds: Mapping[str, int]  # train domain -> how many: 0, 1, ...
    rows: Sizes
    training: Training
    metrics: tuple[Metric, ...]
    primary: Metric
    alpha: float
    exclusions: Exclusions
    power: Power
    data_seed: int = 2026  # which rows are tested on; the run's seed draws those that it learns from

    def __post_init__(self) -> None:
        for name in (*self.systems, *self.domains):
            _check(NAME.fullmatch(name), f"{name!r}: names are small letters, digits, single - and _")
        _check(self.systems and self.seeds, "a design needs systems, and seeds for a train domain")
        for train, count in self.seeds.items():
            _check(train in self.domains, f"seeds: '{train}' is no domain; there are {list(self.domains)}")
            whole = isinstance(count, int) and not isinstance(count, bool)
            _check(whole, f"seeds: '{train}' needs a whole number, such as 3, got {count!r}")
            _check(count >= 1, f"seeds: '{train}' needs at least 1, got {count}")
            for part in ("test_parts", "validation_parts"):
                tested = "train" in getattr(self.domains[train], part)
                _check(not tested, f"domain '{train}' is trained on: its {part} must not have train")
        for metric in self.metrics:
            _choice("metrics", metric, Metric)
        _check(self.primary in self.metrics, f"the primary metric '{self.primary}' is not in {self.metrics}")
        _check(0 < self.alpha < 1, f"alpha lies between 0 and 1, got {self.alpha}")
        ids = [hypothesis.id for hypothesis in self.hypotheses]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        _check(not twice, f"hypotheses: {twice} stand there more than once; give each an id of its own")
        for hypothesis in self.hypotheses:
            self._check_hypothesis(hypothesis)
        for name in self.systems:
            self.training_of(name)

    def _check_hypothesis(self, hypothesis: Hypothesis) -> None:
        where = f"hypothesis '{hypothesis.id}': "
        for system in (hypothesis.first, hypothesis.second):
            _check(system in self.systems, where + f"'{system}' is no system of {list(self.systems)}")
        for train in hypothesis.train or ():
            _check(train in self.seeds, where + f"'{train}' is not trained on")

    @property
    def first_hypothesis(self) -> Hypothesis:
        """The one that power is planned for. Raises DesignError where there is none: runs can be made without
        a hypothesis, a plan and a report cannot."""
        _check(
            self.hypotheses, f"design '{self.name}' has no hypotheses: a plan and a report need at least one"
        )
        return self.hypotheses[0]

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Every run, by seed, so that a study that is stopped early has whole seeds."""
        return tuple(
            Key(system, train, seed)
            for seed in range(max(self.seeds.values()))
            for train, count in self.seeds.items()
            for system, about in self.systems.items()
            if seed < min(count, about.seeds or count)
        )

    def training_of(self, system: str) -> Training:
        """The hyper-parameters of a system. Raises DesignError for an override that does not exist."""
        overrides = self.systems[system].training
        return _build(Training, asdict(self.training) | dict(overrides), f"system '{system}', training")

    def fingerprint(self, key: Key) -> str:
        """A short hash of all that shapes one run but its seed."""
        training = asdict(self.training_of(key.system))
        training.pop("checkpoint_every")
        system = asdict(self.systems[key.system])
        for shapes_nothing in ("title", "seeds", "training"):
            system.pop(shapes_nothing)
        return _hash([system, training, key.train, self.data_fingerprint()])

    def data_fingerprint(self) -> str:
        """A short hash of all that decides which rows there are. Which domains are trained on matters, since
        nothing of a test set may be trained on."""
        domains = {name: {**asdict(domain), "title": ""} for name, domain in self.domains.items()}
        return _hash([domains, asdict(self.rows), self.data_seed, sorted(self.seeds)])

    def registration(self) -> str:
        """A short hash of the whole design."""
        return _hash(asdict(self))


def _hash(shaping: Any) -> str:
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]


def names() -> list[str]:
    """The course's designs."""
    found = (resources.files("course_utils.study") / "designs").iterdir()
    return sorted(file.name.removesuffix(".yml") for file in found if file.name.endswith(".yml"))


def load(name: str) -> Design:
    """The course's design of this name, or the design in a file that ends on .yml.

    Raises DesignError, which says what is wrong with the file, or lists the names that there are.

    >>> load("quick").primary
    'balanced_accuracy'
    """
    if name.endswith((".yml", ".yaml")):
        path = Path(name)
        _check(path.is_file(), f"there is no file {name}")
        return parse(path.read_text(encoding="utf-8"), path.stem)
    _check(name in names(), f"there is no design '{name}'; take one of {', '.join(names())}, or a file .yml")
    file = resources.files("course_utils.study") / "designs" / f"{name}.yml"
    return parse(file.read_text(encoding="utf-8"), name)


def parse(text: str, name: str) -> Design:
    """A design out of the text of its file; DesignError says what is wrong."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise DesignError(f"design '{name}' is no YAML: {problem}") from problem
    _check(isinstance(content, dict), f"design '{name}': expected fields, such as 'question: ...'")
    nested: dict[str, Any] = {
        "rows": Sizes,
        "training": Training,
        "exclusions": Exclusions,
        "power": Power,
    }
    try:
        built = {key: _build(kind, content.get(key), key) for key, kind in nested.items()}
        built["systems"] = {k: _system(v, f"system '{k}'") for k, v in _mapping(content, "systems").items()}
        built["domains"] = {
            k: _build(Domain, v, f"domain '{k}'") for k, v in _mapping(content, "domains").items()
        }
        stated = content.get("hypotheses")
        _check(
            isinstance(stated, list) and stated,
            f"hypotheses: expected a list of at least one, each with an id and a statement, got {stated!r}",
        )
        built["hypotheses"] = tuple(_build(Hypothesis, one, "a hypothesis") for one in stated)
        return _build(Design, content | built | {"name": name}, "the design")
    except DesignError as problem:
        raise DesignError(f"design '{name}': {problem}") from problem


def _mapping(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = content.get(key)
    _check(isinstance(found, dict), f"{key}: expected names with fields, got {found!r}")
    return found  # type: ignore[return-value]


def _system(values: Any, where: str) -> System:
    _check(isinstance(values, dict), f"{where}: expected fields, got {values!r}")
    if values.get("encoder") is not None:
        values = values | {"encoder": _build(EncoderChoice, values["encoder"], f"{where}, encoder")}
    return _build(System, values, where)


def _build(kind: Any, values: Any, where: str) -> Any:
    """A dataclass out of a file's fields; lists become tuples. DesignError for missing and unknown fields."""
    _check(isinstance(values, dict), f"{where}: expected fields, got {values!r}")
    known = {one.name for one in fields(kind)}
    unknown = sorted(map(str, set(values) - known))
    _check(not unknown, f"{where}: unknown fields {unknown}; the fields are {sorted(known)}")
    for one in fields(kind):
        value = values.get(one.name, 0)
        if one.type in (int, float) and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise DesignError(
                f"{where}: {one.name} is {value!r} and not a number (YAML reads 5e-5 as a word: write 5.0e-5)"
            )
    try:
        return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
    except TypeError as problem:
        raise DesignError(
            f"{where}: {str(problem).removeprefix(kind.__name__ + '.__init__() ')}"
        ) from problem
