"""VADER's rules (Hutto & Gilbert 2014), as their authors wrote them: the module of vaderSentiment 3.3.2.

It is fetched, like the rated sets, out of the package's pinned source distribution and is not installed. The
rated sets are what the authors tried their rules on, so that VADER is at home in all four domains.
"""

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.data import package_source, store
from course_utils.data.rated_sources import SDIST
from course_utils.data.store import PinnedFile, Source
from course_utils.study.runs import Floats

MODULE = "vaderSentiment.py"
BUNDLE = store.Bundle(
    name="vader-3.3.2",
    title="VADER's rules and lexicon (0.6 MB)",
    files=(
        PinnedFile(MODULE, 34407, "25cd814d23000b41c0e242d99960832c6620b3f1b844469173404500ce63206b"),
        PinnedFile(
            "vader_lexicon.txt", 434304, "1ec9c6e9ee19aade328f8beb393a6afa71a5bb3acf7d3cc22d4ef568df374bf5"
        ),
        PinnedFile(
            "emoji_utf8_lexicon.txt",
            121986,
            "b8d54223ae1ce22a3e12c1f745316b71678c328eb5f5d3063a842f37cfbe2823",
        ),
    ),
)
TIE = 1e-6  # a score that says nothing but which class was the more frequent one


def compound(texts: Sequence[str]) -> Floats:
    """VADER's compound score of each text, from -1 to 1; 0 where it knows no word.

    Raises SourceUnavailable when the rules cannot be fetched.
    """
    rules = _rules()
    return np.array([rules.polarity_scores(text)["compound"] for text in texts], dtype=np.float32)


def scores(texts: Sequence[str], positive_share: float) -> Floats:
    """The same, with its ties decided: a text that VADER has nothing to say of gets the class that is more
    frequent in training (positive for equal shares), by a hair."""
    found = compound(texts)
    return np.where(found == 0, np.float32(TIE if positive_share >= 0.5 else -TIE), found)


def fetch() -> Path:
    """The folder with the module and its two lexicons, from the cache or the package index."""
    return store.ensure(BUNDLE, [Source(str(SDIST), _from_sdist)])


def _from_sdist(place: Path) -> None:
    path = package_source.fetch_archive(SDIST, place)
    inner = {f"vaderSentiment-3.3.2/vaderSentiment/{file.name}": file.name for file in BUNDLE.files}
    with path.open("rb") as file:
        package_source.extract_tar(file, inner, place)
    package_source.discard(path)


@cache
def _rules() -> Any:
    """The authors' analyzer. Its module finds the lexicons beside itself."""
    spec = importlib.util.spec_from_file_location("vader_rules", fetch() / MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SentimentIntensityAnalyzer()
