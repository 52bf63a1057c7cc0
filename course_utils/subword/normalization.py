"""BERT's normalizer (Devlin et al. 2019): clean, set ideographs apart, strip accents, lower the case.

Equal to the `tokenizers` library's BertNormalizer. Nearly all of it replaces one character at a time, so a
table from character to replacement does it; the exception is the canonical order of marks that stay.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from course_utils.subword.bert_characters import (
    ACCENTS,
    IDEOGRAPHS,
    NEW_LOWER_CASE,
    NOT_DECOMPOSED,
    ORDERED_MARKS,
    REMOVED,
    WHITESPACE,
    character_class,
    code_points,
)

# Musical notes decompose into marks whose order matters.
_NEEDS_ORDER = re.compile(f"[{character_class(ORDERED_MARKS | code_points('1D15E-1D164 1D1BB-1D1C0'))}]")


class BertNormalizer:
    """Normalizes texts as BERT's uncased models want them, or cased (lowercase=False: accents stay too).

    >>> BertNormalizer().normalize("Crème\\tBrûlée 中文")
    'creme brulee  中  文 '
    """

    def __init__(self, lowercase: bool = True) -> None:
        self.lowercase = lowercase
        self._table = _Replacements(lowercase)

    def normalize(self, text: str) -> str:
        """The normalized text; words are separated by one or more spaces."""
        if self.lowercase and _NEEDS_ORDER.search(text):
            return self.align(text)[0]
        return text.translate(self._table)

    def align(self, text: str) -> tuple[str, Sequence[int]]:
        """The normalized text, and for each of its characters the place in `text` that it comes from.

        >>> BertNormalizer().align("É1")
        ('e1', [0, 1])
        """
        if self.lowercase and _NEEDS_ORDER.search(text):
            return _align_ordered(text)
        normalized = text.translate(self._table)
        if text.isascii() and len(normalized) == len(text):
            return normalized, range(len(text))
        table = self._table
        return normalized, [place for place, one in enumerate(text) for _ in table[ord(one)]]


class _Replacements(dict[int, str]):
    """Code point -> what stands for it in the normalized text; filled as characters are met."""

    def __init__(self, lowercase: bool) -> None:
        super().__init__()
        self._lowercase = lowercase

    def __missing__(self, point: int) -> str:
        self[point] = replacement = "".join(
            "".join(strip_and_lower(decompose(one))) if self._lowercase else one
            for one in clean_and_space(chr(point))
        )
        return replacement


def clean_and_space(character: str) -> str:
    r"""Nothing for a control character, a space for white space, an ideograph between two spaces.

    >>> clean_and_space("\t"), clean_and_space("\x00"), clean_and_space("中"), clean_and_space("a")
    (' ', '', ' 中 ', 'a')
    """
    point = ord(character)
    if point in REMOVED:
        return ""
    if point in WHITESPACE:
        return " "
    return f" {character} " if point in IDEOGRAPHS else character


def decompose(character: str) -> str:
    """The canonical decomposition: a letter, then its accents.

    >>> list(decompose("é")) == ["e", "\\u0301"]
    True
    """
    return character if ord(character) in NOT_DECOMPOSED else unicodedata.normalize("NFD", character)


def strip_and_lower(characters: str) -> Iterator[str]:
    """Each character in lower case, accents left out. One by one, so a final sigma is a plain one.

    >>> "".join(strip_and_lower("E\\u0301Σ"))
    'eσ'
    """
    for one in characters:
        if ord(one) not in ACCENTS:
            yield from NEW_LOWER_CASE.get(ord(one)) or one.lower()


def _align_ordered(text: str) -> tuple[str, list[int]]:
    """`align` for a text with marks that are sorted into canonical order, not stripped.

    A character that begins a decomposition takes the next place of the text, whatever the order became: the
    library's rule, by which sorted marks swap their places.
    """
    spaced = [(one, place) for place, whole in enumerate(text) for one in clean_and_space(whole)]
    parts = [(part, first == 0) for one, _ in spaced for first, part in enumerate(decompose(one))]
    taken = -1
    normalized: list[str] = []
    places: list[int] = []
    for part, begins in _canonical_order(parts):
        taken += begins
        for one in strip_and_lower(part):
            normalized.append(one)
            places.append(spaced[taken][1])
    return "".join(normalized), places


def _canonical_order(parts: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Sort each run of marks by combining class, equal ones as they stood."""
    ordered: list[tuple[str, bool]] = []
    run: list[tuple[str, bool]] = []
    for part in parts:
        if _combining_class(part[0]) == 0:
            ordered += [*sorted(run, key=lambda mark: _combining_class(mark[0])), part]
            run = []
        else:
            run.append(part)
    return ordered + sorted(run, key=lambda mark: _combining_class(mark[0]))


def _combining_class(character: str) -> int:
    known = ord(character) in ACCENTS or ord(character) in ORDERED_MARKS
    return unicodedata.combining(character) if known else 0
