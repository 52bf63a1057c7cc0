"""Checks of input that every tokenizer here makes."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def check_text(text: str) -> None:
    """Raise TypeError unless `text` is a str, ValueError if it holds a lone surrogate (half a character).

    >>> check_text("fine")
    """
    if not isinstance(text, str):
        raise TypeError(f"expected a str, got {type(text).__name__}; encode one text at a time")
    if found := _SURROGATE.search(text):
        raise ValueError(
            f"lone surrogate {found[0]!r} at character {found.start()}: no valid Unicode text holds one; "
            "decode the file with errors='replace', or drop the character"
        )
