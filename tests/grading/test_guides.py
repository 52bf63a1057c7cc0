"""Every command on the pages about grading exists, with every option that the page gives it."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_utils.cli import app

CHAPTERS = Path(__file__).parents[2] / "chapters"
PAGES = ["instructors.md", "students.md", "threat_model.md"]
COMMAND = re.compile(r"(?:^|`)(course (?:grade|exercises) (?:\\\n|[^`\n])*)", re.MULTILINE)
WIDE = {"COLUMNS": "250", "NO_COLOR": "1", "TERM": "dumb"}


def commands(page: str) -> list[list[str]]:
    """The words of each `course` command on a page, without comments."""
    text = (CHAPTERS / page).read_text(encoding="utf-8")
    return [shlex.split(found.replace("\\\n", " "), comments=True)[1:] for found in COMMAND.findall(text)]


def problem(words: list[str]) -> str:
    """What is wrong with a command by its own help, "" if nothing is. Nothing is run."""
    done = CliRunner().invoke(app, [*words, "--help"], env=WIDE)
    unknown = [word for word in words if word.startswith("--") and f"{word} " not in done.output]
    return done.output if done.exit_code else ", ".join(unknown)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_the_page_exists(page: str) -> None:
    assert {" ".join(words): found for words in commands(page) if (found := problem(words))} == {}


def test_the_instructors_page_shows_every_grading_command() -> None:
    shown = {words[1] for words in commands("instructors.md") if words[0] == "grade"}
    assert {"01", "drop", "policy", "manual", "regrade", "publish", "fill", "summary", "package"} == shown


@pytest.mark.parametrize(
    "line", ["grade publish 01 --quickly", "exercises to-moodle 01", "grade 01 x --fast"]
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    assert problem(shlex.split(line))
