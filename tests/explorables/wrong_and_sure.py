"""Made-up predictions of two domains, for the tests of the error browser."""

import numpy as np

from course_utils.explorables import Explorable, error_browser
from course_utils.explorables.error_browser import Domain, Predicted
from course_utils.explorables.error_selection import sample

NAMES = ("films", "tweets 😀")
MODELS = ("6 layers", "TF-IDF")
COUNT = 120


def columns(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, lengths, and groups of three rows."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2, COUNT), rng.integers(1, 40, COUNT), np.arange(COUNT) // 3


def predicted(seed: int = 0) -> list[Predicted]:
    """Two models, each trained on each domain and tested on both; TF-IDF is the worse one."""
    rng = np.random.default_rng(seed)
    made = []
    for model, train in ((m, t) for m in MODELS for t in NAMES):
        for number, test in enumerate(NAMES):
            labels, _, groups = columns(number)
            skill = (2.0 if model == MODELS[0] else 0.7) + (0.5 if train == test else 0.0)
            odds = skill * (2 * labels - 1) + rng.normal(size=COUNT) + rng.normal(size=COUNT)[groups]
            made.append(Predicted(model, train, test, 1 / (1 + np.exp(-2 * odds))))
    return made


def domains(given: list[Predicted], shown: int = 12) -> list[Domain]:
    """The sample's texts are named by domain and row."""
    made = []
    for number, name in enumerate(NAMES):
        labels, words, groups = columns(number)
        wrong = [(np.asarray(p.positive) > 0.5) != (labels == 1) for p in given if p.test == name]
        rows = sample(wrong, shown, np.random.default_rng(number))
        texts = {row: f"Sentence {row} of {name} <i>as it is</i>." for row in rows}
        made.append(Domain(name, labels, words, groups, texts))
    return made


def browser() -> Explorable:
    given = predicted()
    return error_browser(domains(given), given)
