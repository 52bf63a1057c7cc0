"""The documentation of installed Python packages: a domain of its own, whose text any machine has.

Docstrings are read from the source files (nothing is imported) and cut at numpydoc's headings into
passages: a paragraph of prose, or the description of one parameter, return value or error. Examples,
tables, formulas and private modules are left out. No text of a package is kept anywhere but there.

What is read depends on the versions that are installed; results that come from it name them.
"""

import ast
import importlib.util
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from course_utils.data.errors import SourceUnavailable

PACKAGES = ("numpy", "scipy", "sklearn", "pandas", "matplotlib")
SECTIONS = ("summary", "description", "parameters", "returns", "raises", "notes")
_HEADINGS = {
    "Parameters": "parameters",
    "Other Parameters": "parameters",
    "Attributes": "parameters",
    "Returns": "returns",
    "Yields": "returns",
    "Raises": "raises",
    "Notes": "notes",
}
_LISTS = ("parameters", "returns", "raises")
_SKIPPED = ("test", "tests", "testing", "externals", "_vendor", "typing_tests")
_UNDERLINE = re.compile(r"[-=~]{3,}")
_ROLE = re.compile(r":[\w:+.-]+:`~?([^`<]+?)(?:\s*<[^>]*>)?`")
_MARKS = re.compile(r"`+|\*\*|\[\d+\]_|_(?=\s)")
_NO_PROSE = re.compile(r">>>|^\.\. |^\s*[|+]|\\[a-z]+\{|%\(|\{[^}]*\}", re.MULTILINE)
FEWEST_WORDS = 5
TEST_SHARE = 4  # one group of modules in so many is for testing


class Passage(NamedTuple):
    """A paragraph of documentation: where it stands, in which kind of section, and its text."""

    package: str
    module: str
    section: str
    text: str

    @property
    def group(self) -> str:
        """What a split must not tear apart: the package and the first level below it.

        >>> Passage("scipy", "scipy.stats._qmc", "notes", "").group
        'scipy.stats'
        """
        return ".".join(self.module.split(".")[:2])

    @property
    def split(self) -> str:
        """ "test" for the passages of about a quarter of the groups of modules, "train" for the others."""
        return "test" if crc32(self.group.encode()) % TEST_SHARE == 0 else "train"


def documentation(packages: Sequence[str] = PACKAGES) -> list[Passage]:
    """All passages of some installed packages, each text once, in the order of their files.

    A text that stands in several places counts for the first one in training, so that no text is in both
    splits. Raises SourceUnavailable for a package that is not installed.
    """
    found = [passage for package in packages for passage in _of_package(package)]
    found.sort(key=lambda passage: passage.split == "test")  # stable: what is in both is for training
    return list({passage.text: passage for passage in reversed(found)}.values())[::-1]


def passages(docstring: str) -> Iterator[tuple[str, str]]:
    """(section, text) of each passage of one docstring.

    >>> text = "Add two numbers to each other.\\n\\nReturns\\n-------\\nint\\n    The sum of the two numbers."
    >>> list(passages(text))
    [('summary', 'Add two numbers to each other.'), ('returns', 'The sum of the two numbers.')]
    """
    section = "summary"
    for heading, body in _sections(inspect.cleandoc(docstring)):
        section = _HEADINGS.get(heading, "") if heading else "summary"
        paragraphs = _descriptions(body) if section in _LISTS else re.split(r"\n\s*\n", body)
        for text in map(plain, paragraphs if section else []):
            if text:
                yield section, text
            if section == "summary":
                section = "description"


def plain(paragraph: str) -> str:
    """A paragraph without markup on one line, or "" where it is not prose.

    >>> plain("See :func:`numpy.dot` for\\n  the ``out`` argument of this.")
    'See numpy.dot for the out argument of this.'
    """
    if _NO_PROSE.search(paragraph):
        return ""
    text = " ".join(_MARKS.sub("", _ROLE.sub(r"\1", paragraph)).split()).rstrip(":")
    letters = sum(character.isalpha() or character == " " for character in text)
    prose = len(text.split()) >= FEWEST_WORDS and letters >= 0.85 * len(text) and text.isascii()
    return text if prose else ""


def _of_package(package: str) -> Iterator[Passage]:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SourceUnavailable(
            f"there is no package {package!r} to read the documentation of: install it, or name others"
        )
    root = Path(next(iter(spec.submodule_search_locations)))
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if not any(part in _SKIPPED or part.startswith("test_") for part in parts):
            module = ".".join([package, *(part for part in parts if part != "__init__")])
            for section, text in _of_file(path):
                yield Passage(package, module, section, text)


def _of_file(path: Path) -> Iterator[tuple[str, str]]:
    """The passages of the docstrings of a module, its classes and functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in ast.walk(tree):
        docstring = ast.get_docstring(node) if isinstance(node, kinds) else None
        if docstring:
            yield from passages(docstring)


def _sections(docstring: str) -> Iterator[tuple[str, str]]:
    """(heading, what stands below it); the heading of what stands above the first one is ""."""
    lines = docstring.split("\n")
    starts = [i for i in range(len(lines) - 1) if lines[i].strip() and _UNDERLINE.fullmatch(lines[i + 1])]
    for start, end in zip([-2, *starts], [*starts, len(lines)], strict=True):
        yield (lines[start].strip() if start >= 0 else ""), "\n".join(lines[start + 2 : end])


def _descriptions(body: str) -> list[str]:
    """The first indented paragraph below each name of a list."""
    found: list[list[str]] = []
    is_open = False
    for line in body.split("\n"):
        if line and not line.startswith(" "):
            found.append([])
            is_open = True
        elif not line.strip():
            is_open = is_open and bool(found) and not found[-1]
        elif is_open:
            found[-1].append(line)
    return ["\n".join(lines) for lines in found]
