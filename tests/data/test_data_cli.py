"""`course data`: the list, the exit codes, and one sentence instead of a stack trace."""

import os
import subprocess
import sys
from pathlib import Path

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


def test_the_laptop_does_not_wait_for_a_hub_that_it_stays_off(tmp_path: Path) -> None:
    """Nothing answers at the address, and the hub's library would try it five times."""
    settings = {"COURSE_SCALE": "laptop", "HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "COURSE_HUB"))}
    command = [sys.executable, "-c", "from course_utils.cli import app; app()", "data", "fetch", "imdb"]
    result = subprocess.run(command, capture_output=True, text=True, env=kept | settings, check=False)
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    assert "the laptop scale stays off the hub" in result.stderr


def test_importing_the_data_room_loads_nothing_heavy() -> None:
    heavy = "('torch', 'datasets', 'pandas')"
    code = f"import sys, course_utils.data; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"
