"""``load``: one function for every data set of the course, whatever it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from course_utils.data import columns, rated_reviews, splits

if TYPE_CHECKING:
    from datasets import Dataset


def load(name: str, *, split: str | None = None, margin: float | None = None) -> Dataset:
    """The data set called ``name``."""
    rows = rated_reviews.sentences(name)
    groups, texts = [row.group for row in rows], [row.text for row in rows]
    found = columns.dataset(
        {
            "text": texts,
            "label": [columns.label_of(row.rating) for row in rows],
            "rating": [row.rating for row in rows],
            "domain": [name] * len(rows),
            "split": splits.assign(groups, texts, salt=name),
            "id": [row.id for row in rows],
            "group": groups,
        }
    )
    wanted = [
        row
        for row, (part, rating) in enumerate(zip(found["split"], found["rating"], strict=True))
        if split in (None, part) and (margin is None or (rating != 0 and abs(rating) >= margin))
    ]
    return found.select(wanted)
