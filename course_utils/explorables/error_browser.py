"""Error browser: what classifiers got wrong, filtered by where they learned, where they are tested, how sure
they were and how long the text is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.explorables.error_selection import ALL, LENGTHS, LIMITS, codes, probabilities, select

NAMED = 3  # models that are named under a sentence; the others are counted
TITLE = "Where the models go wrong"
LEDE = (
    "Choose where a model learned, where it is tested, how sure it must have been and how long the sentence "
    "is. The numbers count every test sentence; the list shows those of a small, fixed sample."
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Domain:
    """The test rows of one domain, and the texts that may be shown.

    labels: (n,) 0 or 1. words: (n,) lengths. groups: (n,) what must be counted together, such as the review
    that a sentence stands in. texts: row number -> text.
    """

    name: str
    labels: ArrayLike
    words: ArrayLike
    groups: ArrayLike
    texts: Mapping[int, str]


@dataclass(frozen=True)
class Predicted:
    """What a model, trained on `train`, says of the rows of the domain `test`: (n,) P(positive)."""

    model: str
    train: str
    test: str
    positive: ArrayLike


def error_browser(
    domains: Sequence[Domain], predicted: Sequence[Predicted], *, title: str = TITLE
) -> Explorable:
    """Five filters; the error rate with its interval, a reliability strip, and the errors of the sample.

    It begins with the first model and its train domain, tested everywhere. Raises ValueError for no
    prediction, an unknown test domain, columns of other lengths, or what is no probability.
    """
    data = _data(domains, predicted)
    model, train = data["predicted"][0]["model"], data["predicted"][0]["train"]
    found = select(data, model=model, train=train)
    body = fill(
        asset("error_browser.html"),
        models=_options("every model", data["models"], model),
        trains=_options("any domain", data["trains"], train),
        tests=_options("any domain", [one["name"] for one in data["domains"]], ALL),
        lengths=join(tag("option", length(one), value=n) for n, one in enumerate(LENGTHS)),
        last=len(LIMITS) - 1,
        story=story(found),
        bins=join(
            tag("th", f"{one['low']:.1f} to {one['low'] + 0.1:.1f}", scope="col") for one in found["bins"]
        ),
        right=join(_right(one) for one in found["bins"]),
        counts=join(tag("td", f"{one['count']:,}", class_="cw-number") for one in found["bins"]),
        heading=heading(data, found),
        errors=join(_error(data, one) for one in found["listed"]),
    )
    return Explorable("error_browser", title, LEDE, data | {"start": [model, train]}, body)


def length(words: tuple[int, int | None]) -> str:
    """A range of words in words.

    >>> [length(one) for one in LENGTHS[:3]]
    ['any length', 'up to 8 words', '9 to 16 words']
    """
    low, high = words
    if high is None:
        return "any length" if low == 1 else f"{low} words and more"
    return f"up to {high} words" if low == 1 else f"{low} to {high} words"


def story(found: Row) -> str:
    """The numbers of a selection in a sentence."""
    if not found["count"]:
        return "No prediction is like that. Lower the confidence, or take any length."
    rate, low, high = (_percent(found[name]) for name in ("rate", "low", "high"))
    return f"{found['errors']:,} of {found['count']:,} predictions are wrong: {rate}% [{low}, {high}]."


def _percent(share: float, digits: int = 1) -> str:
    """A share in percent, rounded as JavaScript's toFixed does: of two nearest numbers, the larger.

    >>> _percent(0.0625)
    '6.3'
    """
    return str(Decimal(100 * share).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def heading(data: Mapping[str, Any], found: Row) -> str:
    """What the list holds."""
    shown = sum(len(one["texts"]) for one in data["domains"])
    return f"{len(found['listed'])} of the {shown} sentences of the sample, the surest errors first"


def _data(domains: Sequence[Domain], predicted: Sequence[Predicted]) -> dict[str, Any]:
    """Everything that the page computes with."""
    if not predicted:
        raise ValueError("there is no prediction to show")
    names = [one.name for one in domains]
    models, trains = (list(dict.fromkeys(getattr(p, n) for p in predicted)) for n in ("model", "train"))
    made = []
    for one in predicted:
        if one.test not in names:
            raise ValueError(f"'{one.test}' is no test domain; there are {names}")
        place = names.index(one.test)
        coded = _codes(one, len(np.asarray(domains[place].labels)))
        made.append(
            {
                "model": models.index(one.model),
                "train": trains.index(one.train),
                "test": place,
                "codes": coded,
            }
        )
    return {
        "domains": [_domain(one) for one in domains],
        "models": models,
        "trains": trains,
        "predicted": made,
    }


def _domain(domain: Domain) -> Row:
    labels, words, groups = (np.asarray(column) for column in (domain.labels, domain.words, domain.groups))
    if not len(labels) == len(words) == len(groups) or not set(labels.tolist()) <= {0, 1}:
        raise ValueError(f"{domain.name}: labels (0 or 1), words and groups must be of one length")
    if not all(0 <= row < len(labels) for row in domain.texts):
        raise ValueError(f"{domain.name}: a text belongs to a row that is not there")
    return {
        "name": domain.name,
        "labels": "".join(map(str, labels.tolist())),
        "words": words.tolist(),
        "groups": np.unique(groups, return_inverse=True)[1].tolist(),
        "texts": {str(row): domain.texts[row] for row in sorted(domain.texts)},
    }


def _codes(one: Predicted, count: int) -> str:
    positive = np.asarray(one.positive, dtype=np.float64)
    if positive.shape != (count,) or not ((positive >= 0) & (positive <= 1)).all():
        raise ValueError(f"{one.model} on {one.test}: expected {count} probabilities, got {positive.shape}")
    return codes(positive)


def _options(every: str, names: Sequence[str], chosen: int) -> Html:
    """A choice of all or one."""
    return join(
        tag("option", name, value=value, **({"selected": "selected"} if value == chosen else {}))
        for value, name in ((ALL, every), *enumerate(names))
    )


def _right(one: Row) -> Html:
    """How many of a bin are right, with a bar, and a mark at the mean confidence."""
    if not one["count"]:
        return tag("td", "–", class_="cw-number")
    style = f"--right: {_percent(one['right'])}%; --sure: {_percent(one['sure'])}%"
    bar = tag("span", tag("i"), class_="cw-bar", style=style)
    return tag("td", bar, f"{_percent(one['right'], 0)}%", class_="cw-number")


def _error(data: Mapping[str, Any], one: Row) -> Html:
    """A sentence, what it is labeled, and who said the opposite."""
    domain = data["domains"][one["domain"]]
    label = "positive" if one["said"] == "negative" else "negative"
    return tag(
        "li",
        tag("p", domain["texts"][str(one["row"])], class_="cw-text"),
        tag("p", f"{domain['name']}, {domain['words'][one['row']]} words, labeled {label}", class_="cw-note"),
        tag("p", who(data, one), class_="cw-note"),
    )


def who(data: Mapping[str, Any], one: Row) -> str:
    """The models that are wrong on a sentence, the surest first."""
    named = []
    for number in one["by"][:NAMED]:
        by = data["predicted"][number]
        positive = float(probabilities(by["codes"])[one["row"]])
        sure = max(positive, 1 - positive)
        named.append(
            f"{data['models'][by['model']]}, trained on {data['trains'][by['train']]}, {sure:.2f} sure"
        )
    more = len(one["by"]) - NAMED
    return f"called {one['said']} by {'; '.join(named)}" + (f"; and {more} more" if more > 0 else "")
