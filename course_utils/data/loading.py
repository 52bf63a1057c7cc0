"""``load``: one function for every data set of the course, whatever it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.data import columns, hub_source, rated_reviews, registry, splits
from course_utils.scale import Scale, current

if TYPE_CHECKING:
    from datasets import Dataset


def load(
    name: str,
    *,
    split: str | None = None,
    margin: float | None = None,
    rows: int | None = None,
    seed: int = 0,
    scale: Scale | None = None,
    hub_root: Path | None = None,
) -> Dataset:
    """The data set called ``name`` as a ``datasets.Dataset`` with the columns of ``columns.NAMES``.

    split: only "train", "validation" or "test"; by default all rows, told apart by the column split.
    margin: only rows whose rating is at least this far from the middle of its scale (0 for the rated
    sets, three stars for Yelp) and not exactly on it, so that every row has a label. By default all
    rows are there, and the label of a rating that is exactly in the middle is None.
    rows, seed, scale, hub_root: for data sets of the hub, see ``hub_source.load``; scale is the
    current one by default.

    Raises KeyError for an unknown name, ValueError for an unknown split or a margin without ratings,
    SourceUnavailable when no source delivers, DataError when what was delivered is not as it should be.
    """
    entry = registry.entry(name)
    if split not in (None, *hub_source.PARTS):
        raise ValueError(f"unknown split {split!r}: take one of {', '.join(hub_source.PARTS)}")
    if entry.hub is None:
        return _filter(_rated(name), split, margin, middle=0.0)
    if margin is not None and entry.hub.rating_from_label is None:
        raise ValueError(f"{name} has no ratings, only labels: leave margin away")
    found = hub_source.load(entry, scale or current(), rows, seed, hub_root)
    return _filter(found, split, margin, entry.hub.middle)


def _rated(name: str) -> Dataset:
    rows = rated_reviews.sentences(name)
    groups, texts = [row.group for row in rows], [row.text for row in rows]
    return columns.dataset(
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


def _filter(found: Dataset, split: str | None, margin: float | None, middle: float) -> Dataset:
    if split is None and margin is None:
        return found
    wanted = [
        row
        for row, (part, rating) in enumerate(zip(found["split"], found["rating"], strict=True))
        if split in (None, part) and (margin is None or (rating != middle and abs(rating - middle) >= margin))
    ]
    return found.select(wanted)
