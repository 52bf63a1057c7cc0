"""The head of a chapter, and numbers that the text takes from the code."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from course_utils import page, results

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "chapters").glob("[0-9][0-9]_*.ipynb"))
GOALS = [("train <it>", "training-by-hand", "1"), ("encode", "order", "2"), ("explain", "numbers", "3")]


@pytest.fixture
def times(monkeypatch):
    """Results that hold only the running times given; name -> wall seconds of chapter 1."""
    given = {}

    def load(name):
        rows = [{"chapter": 1, "wall_seconds": given[name]}]
        return results.Results(name, rows, machine="2 CPU cores")

    monkeypatch.setattr(results, "names", lambda: sorted(given))
    monkeypatch.setattr(results, "load", load)
    return given


def head(number=1, goals=GOALS):
    return page.header(number, promise="Build & know.", prerequisites="Python.", goals=goals)


def bundle(box):
    return box._repr_mimebundle_()


def test_a_time_that_was_not_measured_is_not_made_up(times):
    assert bundle(head())["text/plain"].count("not measured yet") == 2


def test_measured_times_say_where(times):
    times["running_times"] = 87.0
    text = bundle(head())["text/plain"]
    assert "On a laptop: 1 minute (2 CPU cores)" in text
    assert "On Colab: not measured yet" in text
    times["running_times_colab"] = 40.4
    assert "On Colab: 40 seconds (2 CPU cores)" in bundle(head())["text/plain"]


def test_a_chapter_that_is_not_in_the_file_was_not_measured(times):
    times["running_times"] = 87.0
    assert bundle(head(number=2))["text/plain"].count("not measured yet") == 2


def test_goals_link_to_section_and_exercise(times):
    html = bundle(head())["text/html"]
    assert "Build &amp; know." in html
    assert '<a href="#training-by-hand">train &lt;it&gt;</a>' in html
    assert "(exercise 1, task 1)" in html


@pytest.mark.parametrize("count", [2, 6])
def test_a_chapter_has_three_to_five_goals(times, count):
    with pytest.raises(ValueError, match=f"3 to 5 learning goals, got {count}"):
        head(goals=GOALS[:1] * count)


def test_glue_hands_formatted_text_to_the_book(monkeypatch):
    myst_nb = pytest.importorskip("myst_nb")
    glued = []
    monkeypatch.setattr(myst_nb, "glue", lambda *given, **more: glued.append((*given, more)))
    assert page.glue("films", 10605, ",") is None
    assert page.glue("language", "German") is None
    assert glued == [("films", "10,605", {"display": False}), ("language", "German", {"display": False})]


def test_glue_does_nothing_without_the_books_tools(monkeypatch, capsys):
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    page.glue("films", 10605)
    assert capsys.readouterr().out == ""


def test_glue_refuses_a_format_that_does_not_fit():
    with pytest.raises(ValueError, match="format"):
        page.glue("films", "many", ".2f")


def header_call(notebook):
    """The arguments of page.header in a chapter: its number and its goals."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code" and "page.header(" in cell.source:
            calls = (node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Call))
            call = next(call for call in calls if ast.unparse(call.func) == "page.header")
            named = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
            return ast.literal_eval(call.args[0]), named["goals"]
    raise AssertionError(f"{notebook.name} has no cell that calls page.header")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_goal_of_a_chapter_has_its_section_and_its_task(notebook):
    number, goals = header_call(notebook)
    assert number == int(notebook.name[:2])
    cells = nbformat.read(notebook, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    anchors = set(re.findall(r"^\((.+)\)=$", text, re.M))
    exercise = nbformat.read(ROOT / "exercises" / "instructor" / notebook.name, as_version=4)
    tasks = set(re.findall(r"^## Task (\d+)", "\n".join(cell.source for cell in exercise.cells), re.M))
    for can, anchor, task in goals:
        assert anchor in anchors, f"'{can}' links to ({anchor})=, which {notebook.name} does not have"
        assert task in tasks, f"'{can}' names task {task}, which the exercise does not have"
