"""Projection explorer: one cloud of vectors in many pictures, and how far their groups agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

MOST_GROUPS = 26  # one letter each
TITLE = "One cloud, many pictures"
LEDE = (
    "Each letter is a sentence. Change the perplexity and the seed, and watch whether the groups stay "
    "together; then look at a cloud that has no groups."
)


@dataclass(frozen=True)
class Picture:
    """One projection of a cloud: what it was made with, its points (n, 2), and groups fitted in it (n,)."""

    perplexity: float
    seed: int
    points: ArrayLike
    groups: ArrayLike


@dataclass(frozen=True)
class Cloud:
    """Vectors in pictures: groups fitted before the projection (n,), names of known labels (n,) if any."""

    name: str
    before: ArrayLike
    pictures: Sequence[Picture]
    known: Sequence[str] | None = None


def projection_explorer(clouds: Sequence[Cloud], *, title: str = TITLE) -> Explorable:
    """Pictures of each cloud, colored by groups, with the agreement of groups between pictures.

    Agreement is the adjusted Rand index: 1 the same groups, about 0 by chance. Every cloud needs the same
    perplexities and seeds, at least two seeds, and as many points and groups in each picture.
    Raises ValueError otherwise.
    """
    if not clouds:
        raise ValueError("there is no cloud to show")
    made = [_cloud(one) for one in clouds]
    if len({tuple((p["perplexity"], p["seed"]) for p in one["pictures"]) for one in made}) > 1:
        raise ValueError("every cloud needs pictures of the same perplexities and seeds, in the same order")
    return Explorable("projection", title, LEDE, {"clouds": made}, _first_state(made), uses=("chart.js",))


def _cloud(cloud: Cloud) -> dict[str, Any]:
    """Everything that the page needs to know of one cloud."""
    before = _groups(cloud.before, f"{cloud.name}, before")
    names = sorted(set(cloud.known or ()))
    known = None if cloud.known is None else np.array([names.index(one) for one in cloud.known])
    if known is not None and len(known) != len(before):
        raise ValueError(f"{cloud.name}: {len(known)} known labels for {len(before)} points")
    groups = [_groups(one.groups, f"{cloud.name}, perplexity {one.perplexity}") for one in cloud.pictures]
    pictures = []
    for number, picture in enumerate(cloud.pictures):
        peers = [
            groups[other]
            for other, peer in enumerate(cloud.pictures)
            if other != number and peer.perplexity == picture.perplexity
        ]
        if not peers or len(groups[number]) != len(before):
            raise ValueError(
                f"{cloud.name}: each perplexity needs pictures of two seeds or more, of {len(before)} points"
            )
        pictures.append(
            {
                "perplexity": picture.perplexity,
                "seed": picture.seed,
                "points": _unit_square(picture.points, len(before)).round(3).tolist(),
                "groups": groups[number].tolist(),
                "seeds": _agreement(groups[number], peers),
                "before": _agreement(groups[number], [before]),
                "known": None if known is None else _agreement(groups[number], [known]),
            }
        )
    labels = None if known is None else {"names": names, "of": known.tolist()}
    return {"name": cloud.name, "before": before.tolist(), "known": labels, "pictures": pictures}


def _agreement(groups: NDArray[np.int64], others: Sequence[NDArray[np.int64]]) -> float:
    return round(float(np.mean([_adjusted_rand(groups, other) for other in others])), 3)


def _adjusted_rand(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """The adjusted Rand index (Hubert and Arabie 1985), as scikit-learn's, which would slow every import."""
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    both, rows, columns = (_pairs(counts) for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    chance, most = rows * columns / _pairs(np.array([float(len(first))])), (rows + columns) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def _pairs(counts: NDArray[np.float64]) -> float:
    """How many pairs can be drawn within groups of these sizes."""
    return float((counts * (counts - 1) / 2).sum())


def _groups(groups: ArrayLike, where: str) -> NDArray[np.int64]:
    array = np.asarray(groups)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError(f"{where}: groups must be whole numbers from 0, (n,)")
    if array.max() >= MOST_GROUPS:
        raise ValueError(f"{where}: at most {MOST_GROUPS} groups have a letter, got {array.max() + 1}")
    return array.astype(np.int64)


def _unit_square(points: ArrayLike, count: int) -> NDArray[np.float64]:
    """The points within [-1, 1], both axes on one scale."""
    array = np.asarray(points, dtype=np.float64)
    if array.shape != (count, 2) or not np.isfinite(array).all():
        raise ValueError(f"points must be finite numbers of shape ({count}, 2), got shape {array.shape}")
    centered = array - (array.max(axis=0) + array.min(axis=0)) / 2
    largest = np.abs(centered).max()
    return centered / largest if largest > 0 else centered


def _first_state(clouds: Sequence[dict[str, Any]]) -> Html:
    """The controls, and the table of agreements, which stays below the picture."""
    pictures = clouds[0]["pictures"]
    perplexities = list(dict.fromkeys(one["perplexity"] for one in pictures))
    seeds = list(dict.fromkeys(one["seed"] for one in pictures))
    rows = join(_row(cloud, perplexity) for cloud in clouds for perplexity in perplexities)
    return fill(
        asset("projection.html"),
        clouds=join(tag("option", one["name"], value=number) for number, one in enumerate(clouds)),
        perplexities=join(tag("option", f"{one:g}", value=one) for one in perplexities),
        seeds=join(tag("option", one, value=one) for one in seeds),
        rows=rows,
    )


def _row(cloud: dict[str, Any], perplexity: float) -> Html:
    pictures = [one for one in cloud["pictures"] if one["perplexity"] == perplexity]
    numbers = []
    for measure in ("seeds", "before", "known"):
        values = [one[measure] for one in pictures]
        text = "–" if None in values else f"{np.mean(values):.2f}"
        numbers.append(tag("td", text, class_="cw-number"))
    head = tag("th", cloud["name"], scope="row")
    return tag("tr", head, tag("td", f"{perplexity:g}", class_="cw-number"), *numbers)
