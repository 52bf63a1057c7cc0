"""Every data set that the course knows by name, and how its hub repository is read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from course_utils.data.rated_reviews import ROWS
from course_utils.scale import Scale

STEAM_PLACEHOLDER = "Early Access Review"


def _as_it_is(text: str) -> str:
    return text


def without_html_breaks(text: str) -> str:
    """A line break for every ``<br />`` of IMDb's pages.

    >>> without_html_breaks("Slow.<br /><br />Then it ends.")
    'Slow.\\n\\nThen it ends.'
    """
    return re.sub(r"<br ?/?>", "\n", text)


def without_csv_escapes(text: str) -> str:
    r"""A line break for every escaped one, and one quote for two: how Zhang et al. (2015) wrote CSV.

    >>> without_csv_escapes('a ""real"" bargain\\nbought two')
    'a "real" bargain\nbought two'
    """
    return text.replace("\\n", "\n").replace('""', '"')


@dataclass(frozen=True)
class HubCopy:
    """Where a data set lives on the hub, and what its columns mean.

    rows: how many rows each split of the repository has; checked after every download.
    text: the columns that make the text, joined by a line break.
    rating_from_label: added to the label column to give stars; None where there are no stars.
    by_group: the repository has one split only, which is cut 70/10/20 by the column ``group``.
    placeholder: a text that stands for an empty one, dropped with the empty ones.
    full_rows: training rows at the full scale; None for all.
    """

    repository: str
    rows: Mapping[str, int]
    text: tuple[str, ...]
    label: str = "label"
    config: str | None = None
    revision: str | None = None
    labels: Mapping[int, int] = field(default_factory=lambda: {0: 0, 1: 1})
    rating_from_label: int | None = None
    middle: float = 0.0
    group: str | None = None
    by_group: bool = False
    placeholder: str | None = None
    balanced: bool = False
    clean: Callable[[str], str] = _as_it_is
    full_rows: int | None = None


@dataclass(frozen=True)
class Entry:
    """One data set: what it is, on which terms, how large, and from which scale on it is used."""

    name: str
    title: str
    terms: str
    size: str
    scale: Scale
    source: str
    hub: HubCopy | None = None
    classes: tuple[str, ...] = ("negative", "positive")


def _rated(name: str, what: str) -> Entry:
    return Entry(
        name=name,
        title=f"{what}, each rated by 15 or more people from -4 to 4 (Hutto & Gilbert 2014)",
        terms="MIT (as part of vaderSentiment); texts by their authors",
        size=f"{ROWS[name]:,} sentences",
        scale=Scale.LAPTOP,
        source="package vaderSentiment 3.3.2 (sdist)",
    )


def _from_hub(name: str, title: str, terms: str, size: str, hub: HubCopy, **more: tuple[str, ...]) -> Entry:
    return Entry(name, title, terms, size, Scale.COLAB, f"hub {hub.repository}", hub, **more)


_ENTRIES = (
    _rated("products", "Sentences of product reviews"),
    _rated("movies", "Sentences of film reviews"),
    _rated("editorials", "Sentences of newspaper editorials"),
    _rated("tweets", "Tweets"),
    _from_hub(
        "steam",
        "Game reviews with thumb up or down; split by game (Sobkowicz & Stokowiec 2016)",
        "user texts, no licence given: study only",
        "6,417,106 reviews, 2.2 GB; 300,000 for training at full",
        HubCopy(
            repository="ksang/steamreviews",
            rows={"train": 6_417_106},
            text=("review_text",),
            label="review_score",
            labels={-1: 0, 1: 1},
            group="app_id",
            by_group=True,
            placeholder=STEAM_PLACEHOLDER,
            balanced=True,
            full_rows=300_000,
        ),
    ),
    _from_hub(
        "imdb",
        "Film reviews, very positive or very negative (Maas et al. 2011)",
        "no licence given: research use",
        "50,000 reviews, 84 MB",
        HubCopy(
            repository="stanfordnlp/imdb",
            config="plain_text",
            revision="e6281661ce1c48d982bc483cf8a173c1bbeb5d31",
            rows={"train": 25_000, "test": 25_000, "unsupervised": 50_000},
            text=("text",),
            clean=without_html_breaks,
        ),
    ),
    _from_hub(
        "sst2",
        "Phrases and sentences of film reviews (Socher et al. 2013); the test labels are hidden",
        "no licence given: research use",
        "68,221 labeled phrases, 7 MB",
        HubCopy(
            repository="stanfordnlp/sst2",
            revision="8d51e7e4887a4caaa95b3fbebbf53c0490b58bbb",
            rows={"train": 67_349, "validation": 872, "test": 1_821},
            text=("sentence",),
        ),
    ),
    _from_hub(
        "yelp",
        "Reviews with one to five stars; three stars have no label (Zhang et al. 2015)",
        "Yelp's data set terms: academic use, no redistribution",
        "700,000 reviews, 323 MB",
        HubCopy(
            repository="Yelp/yelp_review_full",
            config="yelp_review_full",
            revision="c1f9ee939b7d05667af864ee1cb066393154bf85",
            rows={"train": 650_000, "test": 50_000},
            text=("text",),
            labels={label: label for label in range(5)},
            rating_from_label=1,
            middle=3.0,
            clean=without_csv_escapes,
        ),
    ),
    _from_hub(
        "amazon",
        "Product reviews, title and text, without three stars (Zhang et al. 2015)",
        "Apache-2.0 on the hub; texts by their authors",
        "4,000,000 reviews, 1.2 GB",
        HubCopy(
            repository="fancyzhx/amazon_polarity",
            config="amazon_polarity",
            rows={"train": 3_600_000, "test": 400_000},
            text=("title", "content"),
            clean=without_csv_escapes,
        ),
    ),
    _from_hub(
        "emotion",
        "Tweets with one of six emotions (Saravia et al. 2018); label is the class, not the sentiment",
        "educational and research use only",
        "20,000 tweets, 1.3 MB",
        HubCopy(
            repository="dair-ai/emotion",
            config="split",
            revision="cab853a1dbdf4c42c2b3ef2173804746df8825fe",
            rows={"train": 16_000, "validation": 2_000, "test": 2_000},
            text=("text",),
            labels={label: label for label in range(6)},
        ),
        classes=("sadness", "joy", "love", "anger", "fear", "surprise"),
    ),
)
ENTRIES = {entry.name: entry for entry in _ENTRIES}


def entry(name: str) -> Entry:
    """The data set called ``name``; raises KeyError with all the names for an unknown one."""
    if name not in ENTRIES:
        raise KeyError(f"there is no data set {name!r}: take one of {', '.join(ENTRIES)}")
    return ENTRIES[name]
