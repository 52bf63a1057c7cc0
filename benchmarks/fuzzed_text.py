"""Strings that look for trouble: mixed scripts, stacked marks, controls, near-special tokens, long words."""

import unicodedata
from collections.abc import Iterator
from functools import cache
from random import Random

_SCALARS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
_PHRASES = (
    "[CLS]",
    "[MASK]",
    "[UNK]",
    "[SEP",
    "##",
    "don't",
    "'s",
    "  ",
    "\r\n",
    "İstanbul",
    "ΟΔΟΣ",
    "straße",
)


@cache
def _pools() -> list[list[int]]:
    """Code points by kind; a string draws from a few kinds, so that troublesome neighbors meet often."""
    by_category: dict[str, list[int]] = {}
    for point in _SCALARS:
        by_category.setdefault(unicodedata.category(chr(point))[0], []).append(point)
    marks = [point for point in _SCALARS if unicodedata.combining(chr(point))]
    spans = [(0x20, 0x7F), (0x80, 0x250), (0x300, 0x370), (0x370, 0x600), (0x900, 0xA00), (0x4E00, 0x4F00)]
    spans += [(0xAC00, 0xAD00), (0xF900, 0xFA00), (0x1D150, 0x1D1D0), (0x1F300, 0x1F700)]
    latin = [[ord(one) for one in "abcdefghij klmnop"]] * 3
    return [*latin, _SCALARS, marks, *by_category.values(), *(list(range(*span)) for span in spans)]


def fuzzed_texts(number: int, seed: int) -> Iterator[str]:
    """`number` texts of 0 to 30 characters (one in fifty longer than 100), the same for the same seed."""
    rng = Random(seed)
    for _ in range(number):
        kinds = rng.sample(_pools(), rng.randint(1, 4))
        parts = [chr(rng.choice(rng.choice(kinds))) for _ in range(rng.randint(0, 30))]
        if rng.random() < 0.2:
            parts.insert(rng.randint(0, len(parts)), rng.choice(_PHRASES))
        if rng.random() < 0.02:
            parts.append(chr(rng.choice(rng.choice(kinds))) * rng.randint(95, 110))
        yield "".join(parts)


def code_point_blocks(step: int) -> Iterator[list[str]]:
    """Every character of the first two planes and each step-th of the others, 64 at a time."""
    points = [point for point in _SCALARS if point < 0x20000 or point % step == 0]
    for start in range(0, len(points), 64):
        yield [chr(point) for point in points[start : start + 64]]
