"""The columns that every source returns, and the rule that makes a label out of a rating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from course_utils.scale import go_offline

if TYPE_CHECKING:
    from datasets import Dataset, Features

NAMES = ("text", "label", "rating", "domain", "split", "id", "group")


def label_of(rating: float, middle: float = 0.0) -> int | None:
    """1 above the middle of the scale, 0 below it, None exactly on it.

    >>> [label_of(rating) for rating in (-1.5, 0.0, 0.05)]
    [0, None, 1]
    """
    if rating == middle:
        return None
    return int(rating > middle)


def features() -> Features:
    """The columns with their types; only text, domain and split are never None."""
    go_offline()
    from datasets import Features, Value

    kinds = {"label": "int64", "rating": "float64"}
    return Features({name: Value(kinds.get(name, "string")) for name in NAMES})


def dataset(values: Mapping[str, Sequence[Any]]) -> Dataset:
    """A ``datasets.Dataset`` with exactly the course's columns."""
    found = features()
    from datasets import Dataset

    return Dataset.from_dict({name: values[name] for name in NAMES}, features=found)
