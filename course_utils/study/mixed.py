"""Mixed sentiment, as the people who rated say, never as a model does. Written down before any run.

* A sentence that people scored is *mixed* if at least a quarter of its raters scored it above 0 and at least
  a quarter below.
* A review with stars is *mixed* if it has three of five.

Nothing of a text or of a prediction is looked at, so that neither system can choose its own hard cases.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.data import raters
from course_utils.data.rated_reviews import DOMAINS
from course_utils.study.design import Domain
from course_utils.study.ordinal import is_stars
from course_utils.study.runs import Rows

SHARE = 0.25


def mixed_by_raters(scores: ArrayLike) -> NDArray[np.bool_]:
    """Which sentences are mixed. scores: (sentences, raters), NaN where a rater gave none.

    >>> mixed_by_raters([[2, 1, -1, -2], [2, 1, 1, -2], [3, 1, 0, 1]]).tolist()
    [True, True, False]
    """
    given = np.asarray(scores, dtype=np.float64)
    if given.ndim != 2 or np.isnan(given).all(axis=1).any():
        raise ValueError("expected (sentences, raters) with at least one score a sentence")
    count = (~np.isnan(given)).sum(axis=1)
    shares = [(given > 0).sum(axis=1) / count, (given < 0).sum(axis=1) / count]
    return np.minimum(*shares) >= SHARE


def mixed_by_stars(stars: ArrayLike) -> NDArray[np.bool_]:
    """Which reviews are mixed.

    >>> mixed_by_stars([1, 3, 5]).tolist()
    [False, True, False]
    """
    return np.asarray(stars) == 3


def closeness_to_middle(positive: ArrayLike) -> NDArray[np.float64]:
    """How undecided a model is, 1 at P(positive) = 0.5 and 0 at 0 or 1: its score for "mixed".

    As a ranking it needs no cut points: its AUC for mixed reviews tells reading from a lucky threshold.
    """
    return 1 - 2 * np.abs(np.asarray(positive, dtype=np.float64) - 0.5)


def mixed(domain: Domain, rows: Rows) -> NDArray[np.bool_] | None:
    """Which rows of a domain are mixed; None where neither stars nor raters say."""
    if is_stars(rows.ratings):
        return mixed_by_stars(rows.ratings)
    if domain.source != "course" or domain.name not in DOMAINS:
        return None
    found = raters(domain.name)
    by_id = dict(zip(found.ids, mixed_by_raters(found.scores), strict=True))
    return np.array([by_id[str(name)] for name in rows.ids])
