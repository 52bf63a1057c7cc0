"""The columns that every source returns, and the rule that makes a label out of a rating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from course_utils.scale import go_offline

if TYPE_CHECKING:
    from datasets import Dataset

NAMES = ("text", "label", "rating", "domain", "split", "id", "group")


def label_of(rating: float, middle: float = 0.0) -> int | None:
    """1 above the middle of the scale, 0 below it, None exactly on it.

    >>> [label_of(rating) for rating in (-1.5, 0.0, 0.05)]
    [0, None, 1]
    """
    if rating == middle:
        return None
    return int(rating > middle)


def dataset(columns: Mapping[str, Sequence[Any]]) -> Dataset:
    """A ``datasets.Dataset`` with exactly the course's columns; missing ones are filled with None."""
    go_offline()
    from datasets import Dataset, Features, Value

    kinds = {"label": "int64", "rating": "float64"}
    features = Features({name: Value(kinds.get(name, "string")) for name in NAMES})
    rows = len(columns["text"])
    return Dataset.from_dict({name: columns.get(name, [None] * rows) for name in NAMES}, features=features)
