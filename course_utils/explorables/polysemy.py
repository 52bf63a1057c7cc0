"""Polysemy explorer: one word in many sentences, a point each, layer by layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

Array = NDArray[np.float64]
# Word, sense, text, and the characters of the text where the word stands.
Row = tuple[str, str, str, tuple[int, int]]

NEAREST = 5
MOST_SENSES = 6  # as many shapes as chart.js can draw
TITLE = "One word, many sentences"
LEDE = (
    "Each point is the vector of the word in one sentence, flattened to two dimensions; its color and shape "
    "tell the "
    "sense. Move the slider from the single static vector up through the layers."
)


def polysemy_explorer(sentences: Sequence[Row], vectors: ArrayLike, *, title: str = TITLE) -> Explorable:
    """Points by sense with a slider for the layer, and the nearest sentences of the chosen one.

    sentences: (word, sense, text, span) each, as `course_utils.data.senses.sense_sentences` gives them.
    vectors: (sentences, layers, hidden), the word's vector at every layer, the embedding layer first.
    The points of a word are the two directions of largest variance of its vectors at length 1 (principal
    components), on one scale for all layers, each layer turned so that it fits the next.
    Raises ValueError for shapes that do not fit, numbers that are not finite, a word in fewer than 3
    sentences or with more than 6 senses.

    >>> rows = [("bat", sense, f"a bat {n}", (2, 5)) for n, sense in enumerate(["animal", "animal", "stick"])]
    >>> made = polysemy_explorer(rows, np.eye(6).reshape(3, 2, 6))
    >>> made.data["words"][0]["layers"][0]["nearest"][0]
    [[1, 0.0], [2, 0.0]]
    """
    array = np.asarray(vectors, dtype=np.float64)
    if array.ndim != 3 or len(array) != len(sentences) or not len(sentences):
        raise ValueError(
            f"vectors must be (sentences, layers, hidden) with {len(sentences)} sentences, got shape "
            f"{array.shape}"
        )
    if not np.isfinite(array).all() or not np.linalg.norm(array, axis=-1).all():
        raise ValueError("every vector must be finite and not all zeros")
    names = list(dict.fromkeys(row[0] for row in sentences))
    words = []
    for name in names:
        rows = [number for number, row in enumerate(sentences) if row[0] == name]
        words.append(_word(name, [sentences[row] for row in rows], array[rows]))
    return Explorable("polysemy", title, LEDE, {"words": words}, _first_state(words), uses=("chart.js",))


def _word(name: str, rows: Sequence[Row], vectors: Array) -> dict[str, Any]:
    """Everything the page needs to know of one word."""
    senses = list(dict.fromkeys(row[1] for row in rows))
    if len(rows) < 3 or len(senses) > MOST_SENSES:
        raise ValueError(
            f"'{name}' needs at least 3 sentences and at most {MOST_SENSES} senses, got {len(rows)} and "
            f"{len(senses)}"
        )
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    points, shown = _project(unit)
    layers = [
        {
            "points": points[layer].round(3).tolist(),
            "nearest": _nearest(unit[:, layer]),
            "shown": round(float(shown[layer]), 3),
        }
        for layer in range(unit.shape[1])
    ]
    return {
        "word": name,
        "senses": senses,
        "sentences": [{"text": row[2], "span": list(row[3]), "sense": senses.index(row[1])} for row in rows],
        "layers": layers,
    }


def _project(unit: Array) -> tuple[Array, Array]:
    """(sentences, layers, hidden) -> points (layers, sentences, 2) within [-1, 1], shares of variance
    (layers,).

    From the last layer down, each is rotated (or mirrored) to lie as near as it can to the one above, since
    the signs of principal components mean nothing.
    """
    layers = unit.shape[1]
    points, shown = np.zeros((layers, len(unit), 2)), np.zeros(layers)
    for layer in reversed(range(layers)):
        centered = unit[:, layer] - unit[:, layer].mean(axis=0)
        left, sizes, _ = np.linalg.svd(centered, full_matrices=False)
        points[layer] = left[:, :2] * sizes[:2]
        total = np.square(sizes).sum()
        shown[layer] = np.square(sizes[:2]).sum() / total if total > 0 else 1.0
        if layer < layers - 1:
            turn, _, back = np.linalg.svd(points[layer].T @ points[layer + 1])
            points[layer] = points[layer] @ turn @ back
    largest = np.abs(points).max()
    return points / largest if largest > 0 else points, shown


def _nearest(unit: Array) -> list[list[list[float]]]:
    """For each row the nearest others, the nearest first: [row, cosine]."""
    similar = unit @ unit.T
    np.fill_diagonal(similar, -np.inf)
    order = np.argsort(-similar, axis=1, kind="stable")[:, : min(NEAREST, len(unit) - 1)]
    return [
        [[int(other), round(float(similar[row, other]), 3)] for other in others]
        for row, others in enumerate(order)
    ]


def _first_state(words: Sequence[dict[str, Any]]) -> Html:
    """The nearest sentences of the first word's first sentence at the last layer."""
    word = words[0]
    chosen, last = word["sentences"][0], word["layers"][-1]
    rows = join(_row(word, word["sentences"][other], cosine) for other, cosine in last["nearest"][0])
    options = join(tag("option", one["word"], value=number) for number, one in enumerate(words))
    return fill(
        asset("polysemy.html"), options=options, last=len(word["layers"]), text=chosen["text"], rows=rows,
        layer=f"layer {len(word['layers']) - 1}",
    )  # fmt: skip


def _row(word: dict[str, Any], sentence: dict[str, Any], cosine: float) -> Html:
    sense = tag("td", word["senses"][sentence["sense"]])
    return tag(
        "tr", tag("th", sentence["text"], scope="row"), sense, tag("td", f"{cosine:.2f}", class_="cw-number")
    )
