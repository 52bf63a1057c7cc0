"""`course data`: the list, the exit codes, and one sentence instead of a stack trace."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.data import SourceUnavailable, registry

run = CliRunner().invoke


def test_the_list_names_everything() -> None:
    result = run(app, ["data", "list"])
    assert result.exit_code == 0
    for entry in registry.ENTRIES.values():
        assert f"{entry.name}  (from scale {entry.scale} on)" in result.stdout
        assert entry.terms in result.stdout
    assert "small-model" in result.stdout


def test_fetch_says_what_is_there() -> None:
    result = run(app, ["data", "fetch", "products"])
    assert (result.exit_code, result.stdout) == (0, "products: 3,708 rows\n")


def test_fetch_takes_all_that_the_laptop_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_SCALE", "laptop")
    monkeypatch.setattr("course_utils.cli.data._fetch", lambda name: "here")
    result = run(app, ["data", "fetch"])
    names = [line.split(":")[0] for line in result.stdout.splitlines()]
    assert names == ["products", "movies", "editorials", "tweets", "small-model"]


def test_an_unknown_name_is_one_sentence() -> None:
    result = run(app, ["data", "fetch", "films"])
    assert result.exit_code == 1
    assert (
        result.stderr
        == f"course data fetch: there is no data set 'films': take one of {', '.join(registry.ENTRIES)}\n"
    )


def test_no_source_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> str:
        raise SourceUnavailable("nobody has it: try again")

    monkeypatch.setattr("course_utils.cli.data._fetch", fail)
    result = run(app, ["data", "fetch", "products"])
    assert (result.exit_code, result.stderr) == (1, "course data fetch: nobody has it: try again\n")


def test_importing_the_data_room_loads_nothing_heavy() -> None:
    code = "import sys, course_utils.data; print([m for m in ('torch', 'datasets', 'pandas') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
