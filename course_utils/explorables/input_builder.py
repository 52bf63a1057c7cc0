"""BERT input builder: type one text or two, and see every number that the encoder is given."""

from typing import Any

import numpy as np

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.explorables.packing import pack
from course_utils.explorables.wordpiece_walker import UNKNOWN, check_vocabulary
from course_utils.subword.wordpiece import MAX_WORD_LENGTH, WordPiece

LONGEST_TEXT = 120  # characters of each text; even letter by letter they fit into BERT's positions
PADDED = (16, 32, 64)  # lengths that the reader can pad to
SPECIALS = {"first": "[CLS]", "between": "[SEP]", "padding": "[PAD]"}
LEDE = (
    "One sequence, two texts, three embeddings a token. Bars above the line are positive numbers, "
    "below it negative ones."
)


def input_builder(
    wordpiece: WordPiece,
    tokens: Any,
    positions: Any,
    segments: Any,
    first: str = "The bank rose.",
    second: str = "It was a flood.",
    *,
    title: str = "What BERT is given",
) -> Explorable:
    """Two text fields, the tokens with ids, segments, positions and mask, and the sum of the embeddings.

    wordpiece: the whole vocabulary goes into the page, so that any text can be typed.
    tokens (vocab, n), positions (positions, n), segments (2, n): the first n numbers of each row of the
    three tables, n from 1 to 16; with 8 of them the page grows by 330 KB. They are stored in 8 bits, so a
    number in the page is off by less than 1% of the table's largest.
    Raises ValueError for tables that do not fit the vocabulary or each other, and for a longer text.
    """
    tables = {
        "tokens": np.asarray(tokens),
        "positions": np.asarray(positions),
        "segments": np.asarray(segments),
    }
    _check(wordpiece, tables, (first, second))
    data = {
        "vocab": "\n".join(wordpiece.ids[number] for number in range(len(wordpiece.ids))),
        "lowercase": wordpiece.normalizer.lowercase,
        "unknown": UNKNOWN,
        "longest": MAX_WORD_LENGTH,
        "texts": [first, second],
        "specials": SPECIALS,
        "padded": list(PADDED),
        "numbers": int(tables["tokens"].shape[1]),
        "tables": {name: pack(table, bits=8) for name, table in tables.items()},
    }
    return Explorable(
        "input_builder",
        title,
        LEDE,
        data,
        _first_state(wordpiece, first, second),
        uses=("wordpiece.js", "vectors.js"),
    )


def _check(wordpiece: WordPiece, tables: dict[str, np.ndarray], texts: tuple[str, str]) -> None:
    check_vocabulary(wordpiece)
    shapes = {name: table.shape for name, table in tables.items()}
    width = shapes["tokens"][-1]
    if not 1 <= width <= 16 or any(len(shape) != 2 or shape[1] != width for shape in shapes.values()):
        raise ValueError(f"tables must be (rows, n) with one n from 1 to 16, got {shapes}")
    if shapes["tokens"][0] != len(wordpiece.ids) or shapes["segments"][0] != 2:
        raise ValueError(f"need a row for each of {len(wordpiece.ids)} tokens and 2 segments, got {shapes}")
    if shapes["positions"][0] < 2 * LONGEST_TEXT + 3:
        raise ValueError(
            f"two texts can make {2 * LONGEST_TEXT + 3} tokens: give that many positions, got {shapes}"
        )
    missing = [token for token in SPECIALS.values() if token not in wordpiece.vocab]
    if missing:
        raise ValueError(f"the vocabulary lacks {missing}: BERT's input cannot be built without them")
    if any(len(text) > LONGEST_TEXT for text in texts):
        raise ValueError(f"each text may have {LONGEST_TEXT} characters, got {[len(t) for t in texts]}")


def build_input(wordpiece: WordPiece, first: str, second: str = "", length: int = 0) -> list[dict[str, Any]]:
    """What BERT is given, token by token: token, id, segment, position, mask; padded up to `length`.

    A second text without words does not count: then there is one [SEP] only.
    """
    other = wordpiece.tokenize(second)
    texts = [wordpiece.tokenize(first), *([other] if other else [])]
    rows = [("[CLS]", 0)]
    for segment, text in enumerate(texts):
        rows += [(token, segment) for token in [*text, "[SEP]"]]
    real = len(rows)
    rows += [("[PAD]", 0)] * (length - real)
    return [
        {
            "token": token,
            "id": wordpiece.vocab[token],
            "segment": segment,
            "position": position,
            "mask": int(position < real),
        }
        for position, (token, segment) in enumerate(rows)
    ]


def _first_state(wordpiece: WordPiece, first: str, second: str) -> Html:
    rows = build_input(wordpiece, first, second)
    return fill(
        asset("input_builder.html"),
        longest=LONGEST_TEXT,
        rows=join(
            tag(
                "tr",
                tag("td", row["position"], class_="cw-number"),
                tag("th", tag("span", row["token"], class_="cw-chip"), scope="row"),
                *(tag("td", row[name], class_="cw-number") for name in ("id", "segment", "mask")),
            )
            for row in rows
        ),
    )
