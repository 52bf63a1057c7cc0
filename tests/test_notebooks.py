"""What the book's build would reject in a notebook, found in a second and without a build."""

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from pygments.lexers import get_lexer_by_name
from pygments.token import Error

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
TARGET = re.compile(r"^\(([\w-]+)\)=\s*$|^:label:\s*([\w-]+)\s*$", re.MULTILINE)


def cells(notebook: Path) -> list[nbformat.NotebookNode]:
    return nbformat.read(notebook, as_version=4).cells


def labels(notebook: Path) -> Iterator[str]:
    """Every name that the notebook gives to a figure, a section, an equation or an exercise."""
    for cell in cells(notebook):
        if cell.cell_type == "markdown":
            yield from (one or other for one, other in TARGET.findall(cell.source))
        elif name := cell.metadata.get("mystnb", {}).get("figure", {}).get("name"):
            yield name


def repeated(pages: dict[str, list[str]]) -> dict[str, list[str]]:
    """Label -> the pages that use it, for each that is given more than once.

    >>> repeated({"one": ["fig-a", "fig-b"], "two": ["fig-a"]})
    {'fig-a': ['one', 'two']}
    """
    places: dict[str, list[str]] = {}
    for page, given in pages.items():
        for label in given:
            places.setdefault(label, []).append(page)
    return {label: found for label, found in places.items() if len(found) > 1}


def unreadable(source: str) -> list[str]:
    """The characters of a code cell that the lexer of the book's pages (`ipython3`) cannot place."""
    return [text for kind, text in get_lexer_by_name("ipython3").get_tokens(source) if kind is Error]


def test_labels_are_unique_over_all_notebooks():
    """Sphinx warns of a duplicate label, and its references would lead to one of the two."""
    assert repeated({notebook.name: list(labels(notebook)) for notebook in NOTEBOOKS}) == {}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_code_cell_can_be_highlighted(notebook):
    """Sphinx warns of code that it cannot lex. A shell command of two lines wants %%bash in place of `!`."""
    wrong = {
        cell.id: unreadable(cell.source)
        for cell in cells(notebook)
        if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", [])
    }
    assert {name: found for name, found in wrong.items() if found} == {}


def test_a_command_of_two_lines_is_seen():
    """What once broke the build, and its cure."""
    two_lines = "course finetune a.csv \\\n    --rows 300"
    assert unreadable(f"!{two_lines}")
    assert not unreadable(f"%%bash\n{two_lines}")
