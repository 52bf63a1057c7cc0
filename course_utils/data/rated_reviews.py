"""The four rated sets of Hutto & Gilbert (2014): sentences, their mean rating and every rater's score.

They come out of the source distribution of ``vaderSentiment`` 3.3.2, which carries the authors'
archive ``hutto_ICWSM_2014.tar.gz``. Second sources are a hub repository of the reader's own choice
(COURSE_HUB_MIRROR names a data set repository that holds the archive) and the authors' repository on
GitHub. The archive is pinned by sha256, so it is the same wherever it comes from.

What the files are, measured:

* All eight that are used decode strictly as UTF-8 (products and editorials are pure ASCII), with
  Windows line ends and no line end after the last row; one starts with a byte order mark. Texts are
  kept to the character: HTML entities, doubled quotes and outer blanks included. (The archive's
  read-me and lexicon are not UTF-8; they are not used.)
* Products and editorials have 20 raters a sentence, movies 15 to 29, tweets 20 (3,200 of them) or 92
  to 99. Scores are whole numbers from -4 to 4. The raters' file of the products has another order
  than its texts, so everything is joined by id.
* The mean of the raters' scores is the published rating, except for 199 tweets with 92 or more
  raters: their published rating is another number, always with the same sign.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from course_utils.data import rated_sources
from course_utils.data.errors import DataError

ROWS = {"products": 3708, "movies": 10605, "editorials": 5190, "tweets": 4200}
DOMAINS = tuple(ROWS)
_STEMS = {
    "products": "amazonReviewSnippets",
    "movies": "movieReviewSnippets",
    "editorials": "nytEditorialSnippets",
    "tweets": "tweets",
}


@dataclass(frozen=True)
class RatedSentence:
    """One row of a rated set; ``group`` is the review or article that the sentence stands in."""

    id: str
    group: str
    rating: float
    text: str


@dataclass(frozen=True)
class Ratings:
    """Every rater's score, row by row.

    ids: n sentence ids, in the order of ``load(domain)``.
    scores: (n, most raters of any row) floats from -4 to 4; NaN where a row has fewer raters.
    """

    ids: list[str]
    scores: NDArray[np.float64]


def sentences(domain: str) -> list[RatedSentence]:
    """All rows of a rated set in the order of the file.

    Raises KeyError for an unknown domain, SourceUnavailable when the set cannot be fetched, and
    DataError when it does not have exactly the known number of rows.
    """
    rows = [
        RatedSentence(id=name, group=name.split("_")[0], rating=float(rating), text=text)
        for name, rating, text in _read(domain, "GroundTruth", columns=3)
    ]
    if len(rows) != ROWS[domain]:
        raise DataError(f"{domain} has {len(rows)} rows instead of {ROWS[domain]}: remove it from the cache")
    return rows


@cache
def raters(domain: str) -> Ratings:
    """The individual raters' scores of a rated set, in the order of ``load(domain)``.

    Raises like ``sentences``.
    """
    by_id = {row[0]: json.loads(row[3]) for row in _read(domain, "anonDataRatings", columns=4)}
    ids = [sentence.id for sentence in sentences(domain)]
    scores = np.full((len(ids), max(map(len, by_id.values()))), np.nan)
    for row, name in enumerate(ids):
        scores[row, : len(by_id[name])] = by_id[name]
    scores.setflags(write=False)
    return Ratings(ids, scores)


def _read(domain: str, kind: str, columns: int) -> list[list[str]]:
    """The tab-separated fields of one file; a text may not hold a tab, and none does."""
    path: Path = rated_sources.folder() / f"{_STEMS[domain]}_{kind}.txt"
    lines = path.read_bytes().decode("utf-8-sig").split("\r\n")
    rows = [line.split("\t") for line in lines]
    if any(len(row) != columns for row in rows):
        raise DataError(f"{path} has a row that does not have {columns} fields: remove it from the cache")
    return rows
