"""Attention, step by step: one query of one head of a real encoder, from scores to the weighted sum."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.explorables.packing import pack, unpack

LONGEST = 24  # tokens: more rows are no longer taken in at a glance
# What the scores are divided by -> how a reader sees it.
SCALES = {"root": "√d, as in BERT", "one": "nothing (the bug)", "size": "d"}
MASKS = {"none": "nobody", "future": "the future, as in GPT", "special": "[CLS] and [SEP]"}
LEDE = (
    "One token asks, every token answers. Choose who asks and in which head, then follow the numbers: "
    "they come from the real encoder."
)


def attention_steps(
    tokens: Sequence[str],
    query: Any,
    key: Any,
    value: Any,
    *,
    layers: Sequence[int] = (1,),
    ask: int = 0,
    title: str = "Attention, step by step",
) -> Explorable:
    """Buttons, a slider and the arrow keys step from the query to the weighted sum of the values.

    query, key, value: (layers, heads, length, head_size), one head_size row for each of the `tokens`;
    layers: the numbers that readers see for the first axis. ask: the token that asks at first.
    They are stored in 16 bits: a number in the page is off by less than 0.002% of the largest.
    Raises ValueError for shapes that do not fit each other, for more than 24 tokens, or no such token.

    >>> numbers = [[[[1.0, 0.0], [0.0, 1.0]]]]
    >>> attention_steps(["a", "b"], numbers, numbers, numbers).data["heads"]
    1
    """
    parts = {name: np.asarray(part, float) for name, part in zip("qkv", (query, key, value), strict=True)}
    _check(tokens, parts, layers, ask)
    _, heads, _, size = parts["q"].shape
    data = {
        "tokens": list(tokens),
        "layers": list(layers),
        "heads": heads,
        "size": size,
        "ask": ask,
        "scales": list(SCALES.items()),
        "masks": list(MASKS.items()),
        "vectors": {name: pack(part) for name, part in parts.items()},
    }
    stored = {name: unpack(data["vectors"][name], parts[name].shape)[0, 0] for name in "qk"}
    weights = first_weights(stored["q"][ask], stored["k"])
    return Explorable(
        "attention_steps", title, LEDE, data, _first_state(tokens, ask, weights), uses=("vectors.js",)
    )


def _check(tokens: Sequence[str], parts: dict[str, np.ndarray], layers: Sequence[int], ask: int) -> None:
    shapes = {name: part.shape for name, part in parts.items()}
    if len(set(shapes.values())) != 1 or len(shapes["q"]) != 4:
        raise ValueError(
            f"query, key and value must have one shape, (layers, heads, length, head_size), got {shapes}"
        )
    if shapes["q"][0] != len(layers) or shapes["q"][2] != len(tokens):
        raise ValueError(f"{len(layers)} layers and {len(tokens)} tokens do not fit the shape {shapes['q']}")
    if not 1 <= len(tokens) <= LONGEST:
        raise ValueError(f"the figure shows 1 to {LONGEST} tokens, got {len(tokens)}")
    if not 0 <= ask < len(tokens):
        raise ValueError(f"ask must be the place of a token, 0 to {len(tokens) - 1}, got {ask}")


def first_weights(query: np.ndarray, key: np.ndarray) -> np.ndarray:
    """softmax(K q / sqrt(d)). query: (head_size,), key: (length, head_size). Returns (length,)."""
    scores = key @ query / np.sqrt(len(query))
    parts = np.exp(scores - scores.max())
    return parts / parts.sum()


def _first_state(tokens: Sequence[str], ask: int, weights: np.ndarray) -> Html:
    return fill(
        asset("attention_steps.html"),
        steps=asset("steps.html"),
        token=tokens[ask],
        rows=join(map(_row, tokens, weights)),
    )


def _row(token: str, weight: float) -> Html:
    return tag(
        "tr",
        tag("th", tag("span", token, class_="cw-chip"), scope="row"),
        tag("td", f"{weight:.3f}", class_="cw-number"),
    )
