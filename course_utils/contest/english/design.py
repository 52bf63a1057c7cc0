"""What the contest on English compares, decided before it runs: english.yml, read into a dataclass."""

import hashlib
import json
from dataclasses import asdict, dataclass

from course_utils.contest.design import Measure, Training
from course_utils.contest.english.corpus import Sizing
from course_utils.contest.english.reviews import ReviewTask
from course_utils.contest.entrants import ENTRANTS
from course_utils.contest.measures import Budget
from course_utils.contest.models import Sizes

INSERTED = 16  # places beyond the text that [CLS] and inserted masks may take


@dataclass(frozen=True)
class EnglishDesign:
    """A contest in world (b). Raises ValueError where the file asks for what does not exist."""

    name: str
    corpus: Sizing
    sizes: Sizes
    entrants: tuple[str, ...]
    training: Training
    budget: Budget  # of the common measures
    reviews: ReviewTask
    pairs_each: int  # minimal pairs of each paradigm
    test_texts: int
    tagged_sentences: int  # to learn from, and as many to be tested on
    tuning_seeds: tuple[int, ...]
    seeds: tuple[int, ...]
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
        asked = self.budget.texts + self.test_texts
        if self.corpus.held_out_texts < asked:
            raise ValueError(
                f"the questions need {asked} texts, but only {self.corpus.held_out_texts} are held out"
            )

    def fingerprint(self) -> str:
        """A short hash of the whole design, model sizes included."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def parse(fields: dict, name: str) -> EnglishDesign:
    """A design from the fields of its file; TypeError names a field that is missing or not known."""
    corpus = Sizing(**fields["corpus"])
    training = fields["training"] | {"learning_rates": tuple(fields["training"]["learning_rates"])}
    return EnglishDesign(
        **fields
        | {key: tuple(fields[key]) for key in ("entrants", "seeds", "tuning_seeds")}
        | {
            "name": name,
            "corpus": corpus,
            "sizes": Sizes(corpus.vocabulary, corpus.length + INSERTED, **fields["sizes"]),
            "training": Training(**training),
            "budget": Budget(**fields["budget"]),
            "reviews": ReviewTask(**fields["reviews"]),
            "measures": {key: Measure(**value) for key, value in fields["measures"].items()},
        }
    )
