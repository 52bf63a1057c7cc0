"""Real text, from a folder or from the hub, cut into texts of equal length that start with a sentence."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from course_utils.data.errors import DataError
from course_utils.data.hub_table import hub_column

WIKITEXT = ("Salesforce/wikitext", "wikitext-103-raw-v1")  # 103 million words; the default without a folder
_BLOCK = 200  # lines that stay together: held-out text is never from the same page as training text
# After a full stop, perhaps a closing quote, before a capital or an opening quote.
_SENTENCE = re.compile(r"(?<=[.!?])[\"'”’)]*\s+(?=[\"'“‘(]?[A-Z])")


def read_folder(folder: Path) -> dict[str, list[str]]:
    """The lines of every .txt file of a folder, blank ones left out, by the file's name without its ending.

    Raises DataError where there is no folder, no text file, no text in a file, or a file is not UTF-8.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder; give one that holds .txt files of English text")
    files = sorted(folder.glob("*.txt"))
    if not files:
        raise DataError(f"{folder}: it holds no file that ends in .txt; put your texts there, saved as UTF-8")
    return {path.stem: _lines(path) for path in files}


def read_hub(hub_root: Path | None = None) -> dict[str, list[str]]:
    """WikiText-103's lines from the hub, or from a copy on disk; headings and blank lines left out.

    Raises SourceUnavailable when neither is there.
    """
    repository, config = WIKITEXT
    lines = (line.strip() for line in hub_column(repository, config, "train", "text", hub_root))
    return {config: [_plain(line) for line in lines if line and not line.startswith("=")]}


def blocks(lines_of: dict[str, list[str]]) -> list[list[str]]:
    """Lines in blocks of neighbors; no block spans two files."""
    return [
        lines[first : first + _BLOCK] for lines in lines_of.values() for first in range(0, len(lines), _BLOCK)
    ]


def sentences(lines: Iterable[str]) -> Iterator[str]:
    """Each sentence; a line break ends one, too.

    >>> list(sentences(['He came. "Why?" she asked.', "It rained"]))
    ['He came.', '"Why?" she asked.', 'It rained']
    """
    for line in lines:
        yield from (sentence for sentence in _SENTENCE.split(line) if sentence.strip())


def windows(of_sentences: Iterable[Sequence[int]], length: int) -> Iterator[list[int]]:
    """Texts of exactly `length` tokens: each begins with a sentence and is filled with those that follow.

    The rest of the sentence that does not fit is left out, and so is a last text that is not full.

    >>> list(windows([[1, 2], [3, 4, 5], [6], [7, 8, 9]], 4))
    [[1, 2, 3, 4], [6, 7, 8, 9]]
    """
    text: list[int] = []
    for sentence in of_sentences:
        text += sentence
        if len(text) >= length:
            yield text[:length]
            text = []


def _lines(path: Path) -> list[str]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise DataError(f"{path}, line {line}: it is not valid UTF-8; save the file as UTF-8") from problem
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{path}: the file is empty; fill it, or take it out of the folder")
    return lines


def _plain(line: str) -> str:
    """WikiText's spaced hyphens, commas and points in numbers as they were."""
    return re.sub(r" @([-,.])@ ", r"\1", line)
