"""Texts without their digits and punctuation, as many pages advise before a bag of words."""

import unicodedata
from functools import cache


def strip_marks(text: str, *, digits: bool = True, punctuation: bool = True) -> str:
    """The text without digits and punctuation (Unicode's categories N* and P*, and ASCII's symbols).

    Marks are deleted, not replaced by spaces, as `str.translate` with `string.punctuation` does on those
    pages; white space is then made single. Symbols outside of ASCII, such as emoji, stay.

    >>> strip_marks("It isn't bad: 8/10 :-)")
    'It isnt bad'
    >>> strip_marks("It isn't bad: 8/10 :-)", digits=False)
    'It isnt bad 810'
    """
    kept = (c for c in text if not (digits and _is_digit(c)) and not (punctuation and _is_mark(c)))
    return " ".join("".join(kept).split())


@cache
def _is_digit(character: str) -> bool:
    return unicodedata.category(character).startswith("N")


@cache
def _is_mark(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("P") or (character.isascii() and category.startswith("S"))
