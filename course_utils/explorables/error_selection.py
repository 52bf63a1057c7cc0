"""What the error browser counts: a selection of predictions, its errors, its reliability. error_browser.js
computes the same."""

import base64
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

CODES = 200  # a probability is kept as one of 200 steps; no step has both sides of 0.5 in it
LENGTHS = ((1, None), (1, 8), (9, 16), (17, 24), (25, None))  # words, from and to
LIMITS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))  # stops of the slider
BINS = 5  # of confidence, from 0.5 to 1
Z = 1.96
ALL = -1
Row = dict[str, Any]


def codes(positive: ArrayLike) -> str:
    """Probabilities in steps, one byte each, as base64.

    >>> probabilities(codes([0.0, 0.5, 0.501, 1.0])).tolist()
    [0.0025, 0.4975, 0.5025, 0.9975]
    """
    # 0.5 itself says negative, as a score of 0 does everywhere in the study.
    steps = np.ceil(np.asarray(positive, dtype=np.float64) * CODES) - 1
    return base64.b64encode(np.clip(steps, 0, CODES - 1).astype(np.uint8).tobytes()).decode()


def probabilities(coded: str) -> NDArray[np.float64]:
    """The middle of each step."""
    return (np.frombuffer(base64.b64decode(coded), dtype=np.uint8) + 0.5) / CODES


def sample(wrong: ArrayLike, count: int, rng: np.random.Generator) -> list[int]:
    """The rows to show: `count` drawn at random of those that at least one model got wrong, or all of them.

    wrong: (predictions, n), True where one is wrong. Nothing of a text is looked at.

    >>> sample([[True, False, True], [True, False, False]], 5, np.random.default_rng(0))
    [0, 2]
    """
    rows = np.flatnonzero(np.asarray(wrong, dtype=bool).any(axis=0))
    return sorted(rng.choice(rows, min(count, len(rows)), replace=False).tolist())


def select(
    data: Mapping[str, Any],
    *,
    model: int = ALL,
    train: int = ALL,
    test: int = ALL,
    limit: float = 0.5,
    words: int = 0,
) -> Row:
    """What the filters leave: numbers of a model, a train and a test domain (-1: all), the least confidence,
    the number of a length.

    Returns count, errors, rate with low and high, bins (low, count, right, sure) and listed, the errors of
    the sample: domain, row, said, sure and by, the predictions that are wrong, the surest first.
    """
    parts, listed = [], []
    for number, one in enumerate(data["predicted"]):
        chosen = {"model": model, "train": train, "test": test}
        if any(wanted not in (ALL, one[name]) for name, wanted in chosen.items()):
            continue
        rows = _rows(data["domains"][one["test"]], one, limit, LENGTHS[words])
        parts.append(rows)
        listed += [(one["test"], int(n), number) for n in rows["listed"]]
    sure, wrong, groups = (
        np.concatenate([part[name] for part in parts] or [np.zeros(0)])
        for name in ("sure", "wrong", "groups")
    )
    rate, low, high = error_rate(wrong, groups)
    numbers = {"count": len(wrong), "errors": int(wrong.sum()), "rate": rate, "low": low, "high": high}
    return numbers | {"bins": _bins(sure, wrong), "listed": _listed(data, listed)}


def error_rate(wrong: ArrayLike, groups: ArrayLike) -> tuple[float | None, float | None, float | None]:
    """The share that is wrong, with its 95% interval: Wilson's, for as many independent rows as are worth
    these ones (Franco et al. 2019).

    wrong, groups: (n,). Predictions of one group, such as those of several models for one sentence, are not
    independent; what their sums by group vary says how many rows they are worth. (None, None, None) for no
    row.

    >>> [round(x, 3) for x in error_rate([1, 0, 0, 0], [0, 1, 2, 3])]
    [0.25, 0.046, 0.699]
    """
    hit, place = np.asarray(wrong, dtype=np.float64), np.unique(np.asarray(groups), return_inverse=True)[1]
    if not len(hit):
        return None, None, None
    rate, of_groups = float(hit.mean()), int(place.max()) + 1
    worth = float(of_groups)
    if 0 < rate < 1 and of_groups > 1:
        off = np.bincount(place, weights=hit - rate)
        variance = of_groups / (of_groups - 1) * float((off**2).sum()) / len(hit) ** 2
        alone = rate * (1 - rate) / (len(hit) - 1)
        worth = float(len(hit)) * (min(1.0, alone / variance) if variance else 1.0)
    middle = (rate + Z**2 / (2 * worth)) / (1 + Z**2 / worth)
    half = Z / (1 + Z**2 / worth) * sqrt(rate * (1 - rate) / worth + Z**2 / (4 * worth**2))
    return rate, max(0.0, middle - half), min(1.0, middle + half)


def _rows(domain: Row, one: Row, limit: float, words: tuple[int, int | None]) -> dict[str, NDArray]:
    """Of one model on one domain: confidence, wrong and group of each row that the filters leave."""
    positive = probabilities(one["codes"])
    sure = np.maximum(positive, 1 - positive)
    wrong = (positive > 0.5) != (np.array(list(domain["labels"])) == "1")
    long, (low, high) = np.array(domain["words"]), words
    kept = (sure >= limit) & (long >= low) & (long <= (high or long.max(initial=0)))
    texts = np.zeros(len(sure), dtype=bool)
    texts[[int(row) for row in domain["texts"]]] = True
    groups = np.array(domain["groups"]) + 1_000_000 * one["test"]
    return {
        "sure": sure[kept],
        "wrong": wrong[kept],
        "groups": groups[kept],
        "listed": np.flatnonzero(kept & wrong & texts),
    }


def _bins(sure: NDArray, wrong: NDArray) -> list[Row]:
    place = np.minimum((2 * BINS * (sure - 0.5)).astype(int), BINS - 1)
    found = []
    for n in range(BINS):
        inside = place == n
        count = int(inside.sum())
        right = float(1 - wrong[inside].mean()) if count else None
        mean = float(sure[inside].mean()) if count else None
        found.append({"low": round(0.5 + 0.5 * n / BINS, 2), "count": count, "right": right, "sure": mean})
    return found


def _listed(data: Mapping[str, Any], wrong: Sequence[tuple[int, int, int]]) -> list[Row]:
    """One entry a sentence of (domain, row, number of the prediction)."""
    entries: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for domain, row, number in wrong:
        positive = float(probabilities(data["predicted"][number]["codes"])[row])
        entries.setdefault((domain, row), []).append((max(positive, 1 - positive), number))
    listed = []
    for (domain, row), by in entries.items():
        by.sort(key=lambda one: (-one[0], one[1]))
        said = "negative" if data["domains"][domain]["labels"][row] == "1" else "positive"
        listed.append(
            {"domain": domain, "row": row, "said": said, "sure": by[0][0], "by": [n for _, n in by]}
        )
    return sorted(listed, key=lambda one: (-one["sure"], one["domain"], one["row"]))
