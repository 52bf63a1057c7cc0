"""Sentences with ambiguous words, written for the course: 12 words x 2 senses x 10 sentences.

Corpora with marked senses may not be passed on, or need a hub; these are small, natural and free. The
sentences are in ``senses.yml``, which says how they were made.
"""

import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from course_utils.data.errors import DataError

FILE = Path(__file__).with_name("senses.yml")


class SenseSentence(NamedTuple):
    """A sentence with one ambiguous word; `text[slice(*span)]` is the word."""

    word: str
    sense: str
    text: str
    span: tuple[int, int]


def sense_sentences(words: Collection[str] | None = None) -> list[SenseSentence]:
    """All sentences, word by word and sense by sense; or only those of `words`, in the file's order.

    Raises KeyError for a word that the file does not have, DataError if the file is damaged.

    >>> found = sense_sentences(["bat"])
    >>> len(found), found[0].sense, found[0].text, found[0].span
    (20, 'animal', 'A bat flew in through the attic window at dusk.', (2, 5))
    """
    senses = _read(FILE)
    strange = set(words or ()) - senses.keys()
    if strange:
        raise KeyError(f"no sentences for {sorted(strange)}: there are {', '.join(senses)}")
    return [row for word, rows in senses.items() if words is None or word in words for row in rows]


@cache
def _read(file: Path) -> dict[str, list[SenseSentence]]:
    """Word -> its sentences, each checked."""
    senses = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {
        word: [
            SenseSentence(word, sense, text, word_span(word, text, file.name))
            for sense, texts in by_sense.items()
            for text in texts
        ]
        for word, by_sense in senses.items()
    }


def word_span(word: str, text: str, where: str = "the text") -> tuple[int, int]:
    """Where `word` stands in `text`, in lower case and as a whole word.

    Raises DataError unless it stands there exactly once.

    >>> word_span("bat", "The bat flew.")
    (4, 7)
    """
    found = [match.span() for match in re.finditer(rf"\b{re.escape(word)}\b", text)]
    if len(found) != 1:
        raise DataError(
            f"{where}: '{word}' must stand exactly once in {text!r}, in lower case, but stands there "
            f"{len(found)} times: write the sentence anew"
        )
    return found[0]
