"""The compression method from which byte-pair encoding has its name and its idea (Gage 1994)."""

from collections.abc import Mapping, Sequence


def compress(text: str, spare_symbols: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Replace the most frequent pair of characters by a spare symbol, again and again.

    Returns the text and the table of replacements after each step. Stops when no pair occurs twice, or no
    spare symbol is left; overlapping occurrences count once. Of equally frequent pairs the smallest is taken:
    characters of the text in code point order, then spare symbols in the order in which they came into use.
    Raises ValueError if a spare symbol is not one character that the text lacks, or is given twice.

    >>> [shorter for shorter, _ in compress("aaabdaaabac", "ZYX")]
    ['ZabdZabac', 'ZYdZYac', 'XdXac']
    """
    if len(set(spare_symbols)) < len(spare_symbols) or any(len(s) != 1 or s in text for s in spare_symbols):
        raise ValueError("spare symbols must be different single characters that the text does not hold")
    order = {symbol: rank for rank, symbol in enumerate([*sorted(set(text)), *spare_symbols])}
    steps: list[tuple[str, dict[str, str]]] = []
    table: dict[str, str] = {}
    for spare in spare_symbols:
        pairs = {text[at : at + 2] for at in range(len(text) - 1)}
        ranked = sorted(pairs, key=lambda pair: (-text.count(pair), order[pair[0]], order[pair[1]]))
        if not ranked or text.count(ranked[0]) < 2:
            break
        text, table = text.replace(ranked[0], spare), table | {spare: ranked[0]}
        steps.append((text, table))
    return steps


def expand(text: str, table: Mapping[str, str]) -> str:
    """Undo `compress`: the last replacement first.

    >>> expand(*compress("aaabdaaabac", "ZYX")[-1])
    'aaabdaaabac'
    """
    for spare, pair in reversed(list(table.items())):
        text = text.replace(spare, pair)
    return text
