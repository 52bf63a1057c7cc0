"""Special tokens such as [MASK]: found in a text before anything else is done with it."""

import re
from collections.abc import Iterator, Mapping


class SpecialTokens:
    """Finds special tokens in a text; of several that start at one place the longest is taken.

    tokens: string -> id.

    >>> list(SpecialTokens({"[MASK]": 103}).split("a [MASK]b"))
    [(0, 'a ', None), (2, '[MASK]', 103), (8, 'b', None)]
    """

    def __init__(self, tokens: Mapping[str, int]) -> None:
        if "" in tokens:
            raise ValueError("a special token must not be empty")
        self.ids = dict(tokens)
        by_length = sorted(self.ids, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, by_length))) if by_length else None

    def split(self, text: str) -> Iterator[tuple[int, str, int | None]]:
        """(start, piece, id) of each piece of `text` in order; id is None for what is plain text."""
        start = 0
        for found in self._pattern.finditer(text) if self._pattern else ():
            if found.start() > start:
                yield start, text[start : found.start()], None
            yield found.start(), found[0], self.ids[found[0]]
            start = found.end()
        if start < len(text):
            yield start, text[start:], None
