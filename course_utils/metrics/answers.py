"""Exact match and token F1 of answers, as the official script of SQuAD 1.1 has them (Rajpurkar et al. 2016).

Its quirks are kept: only ASCII's punctuation is removed and joins what it stood between ("U.S." is "us", and
the "a" of "a-b" is no article), "a", "an" and "the" go wherever they stand as words, case is folded by
`str.lower`, and the F1 of two answers without any token is 0 although they match exactly (the script of
SQuAD 2.0 gives 1 there).
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalize_answer(text: str) -> str:
    """Lower case, without ASCII punctuation, articles and extra white space; in that order.

    >>> normalize_answer("The  U.S. Army's well-known A-team")
    'us armys wellknown ateam'
    """
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(prediction: str, references: Sequence[str]) -> float:
    """1 if the normalized prediction equals any of the normalized references, else 0.

    Raises ValueError without a reference.

    >>> exact_match("Denver Broncos.", ["the Denver Broncos", "Broncos"])
    1.0
    """
    return _best(_equal, prediction, references)


def token_f1(prediction: str, references: Sequence[str]) -> float:
    """F1 of the normalized tokens as bags, from 0 to 1, with the reference that fits best.

    Raises ValueError without a reference.

    >>> round(token_f1("the Denver team", ["Denver Broncos", "Broncos"]), 3)
    0.5
    """
    return _best(_overlap, prediction, references)


def answer_scores(
    predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Means over all questions, in percent: {"exact_match": ..., "f1": ...}.

    predictions: question id -> answer. references: question id -> the answers people gave. A question without
    a prediction counts 0, as in the official script. Raises ValueError for a prediction without its question,
    which would be left out in silence, and for no question at all.

    >>> answer_scores({"q1": "in 1066", "q2": "Rollo"}, {"q1": ["1066"], "q2": ["Rollo", "King Rollo"]})
    {'exact_match': 50.0, 'f1': 83.33333333333333}
    """
    unknown = sorted(set(predictions) - set(references))
    if unknown or not references:
        raise ValueError(
            f"there are {len(references)} questions, and predictions for others: {unknown[:5]}; give both "
            "the same ids, and at least one question"
        )
    totals = {"exact_match": 0.0, "f1": 0.0}
    for question, answers in references.items():
        if question in predictions:
            totals["exact_match"] += exact_match(predictions[question], answers)
            totals["f1"] += token_f1(predictions[question], answers)
    return {name: 100 * total / len(references) for name, total in totals.items()}


def _best(score: Callable[[str, str], float], prediction: str, references: Sequence[str]) -> float:
    if isinstance(references, str):
        raise ValueError(f"references must be a list of answers, got one text: {references!r}")
    if not references:
        raise ValueError("there must be at least one reference answer")
    return max(score(normalize_answer(prediction), normalize_answer(reference)) for reference in references)


def _equal(prediction: str, reference: str) -> float:
    return float(prediction == reference)


def _overlap(prediction: str, reference: str) -> float:
    predicted, expected = prediction.split(), reference.split()
    shared = sum((Counter(predicted) & Counter(expected)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(expected)
    return 2 * precision * recall / (precision + recall)
