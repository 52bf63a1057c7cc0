"""Running times: measured on real runs of a notebook, never on one that failed."""

import sys

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from course_utils import results
from experiments import running_times

BUSY = "import time\nstart = time.process_time()\nwhile time.process_time() - start < 0.4: pass"


@pytest.fixture
def chapters(tmp_path):
    def write(name, *sources):
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / name)
        return tmp_path

    return write


def test_wall_and_cpu_seconds_are_those_of_the_kernel(chapters):
    folder = chapters("01_busy.ipynb", BUSY, "time.sleep(0.5)")
    wall, cpu = running_times.run_once(folder / "01_busy.ipynb")
    assert wall >= 0.9
    assert 0.4 <= cpu <= wall


def test_every_chapter_of_the_book_is_measured(chapters, tmp_path, monkeypatch):
    for name in ("02_second", "claims", "01_first", "03_waits"):
        (tmp_path / "chapters").mkdir(exist_ok=True)
        chapters(f"chapters/{name}.ipynb", "1")
    listed = ("01_first", "02_second", "claims")
    contents = "".join(f"      - file: chapters/{name}\n" for name in listed)
    (tmp_path / "_toc.yml").write_text(contents)
    monkeypatch.setattr(sys, "argv", ["running_times", "--repeats", "1"])
    running_times.main(tmp_path / "chapters", out=tmp_path)
    made = results.parse((tmp_path / "running_times.json").read_text(encoding="utf-8"), "running_times")
    assert [row["notebook"] for row in made.rows()] == ["01_first", "02_second"]
    slower = [row | {"wall_seconds": 99.0, "cpu_seconds": 99.0} for row in made.rows()]
    assert results.compare(made, results.Results("running_times", slower, scale=made.scale)) == []


def test_only_chapters_without_a_time_are_measured(chapters, tmp_path, monkeypatch):
    (tmp_path / "chapters").mkdir()
    chapters("chapters/01_first.ipynb", "1 / 0")  # would fail if it ran
    chapters("chapters/02_second.ipynb", "1")
    (tmp_path / "_toc.yml").write_text("file: chapters/01_first\nfile: chapters/02_second\n")
    row = {"chapter": 1, "notebook": "01_first", "wall_seconds": 7.0, "cpu_seconds": 6.0, "repeats": 3}
    there = results.Results("running_times", [row], scale="laptop")
    monkeypatch.setattr(results, "load", lambda name: there)
    monkeypatch.setattr(sys, "argv", ["running_times", "--repeats", "1", "--missing"])
    running_times.main(tmp_path / "chapters", out=tmp_path)
    made = results.parse((tmp_path / "running_times.json").read_text(encoding="utf-8"), "running_times")
    assert made.rows()[0] == row
    assert made.rows()[1]["notebook"] == "02_second"


def test_a_chapter_that_fails_has_no_time(chapters):
    with pytest.raises(CellExecutionError):
        running_times.run_once(chapters("01_bad.ipynb", "1 / 0") / "01_bad.ipynb")


def test_the_notebook_runs_in_its_own_folder_and_is_not_changed(chapters):
    notebook = chapters("01_here.ipynb", "open('here', 'w').close()") / "01_here.ipynb"
    before = notebook.read_bytes()
    running_times.run_once(notebook)
    assert notebook.with_name("here").exists()
    assert notebook.read_bytes() == before
