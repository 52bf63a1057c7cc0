"""The repository's address is decided in pyproject.toml; whatever else names it must agree."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Repository"]
SLUG = ADDRESS.removeprefix("https://github.com/")  # owner/name
# github.com/owner/name, github.com:owner/name and Colab's .../github/owner/name
NAMED = re.compile(r"(?:github\.com[/:]|colab\.research\.google\.com/github/)([\w-]+/[\w-]+(?:\.[\w-]+)*)")
# Repositories of others that the course may point at. Whatever is not here must be our own.
OTHERS = {
    "cjhutto/vaderSentiment",
    "huggingface/tokenizers",
    "huggingface/transformers",
    "instructure/canvas-lms",
}
MUST_NAME = ["README.md", "_config.yml", "CITATION.cff", "CONTRIBUTING.md"]
SKIPPED_FOLDERS = {".git", ".venv", "_build", "__pycache__", "build", "dist"}


def text_files() -> Iterator[tuple[str, str]]:
    """(path, text) of each tracked file; in a copy without git, of each file that is not built."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        )
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [p for p in ROOT.rglob("*") if not SKIPPED_FOLDERS.intersection(p.relative_to(ROOT).parts)]
    for path in filter(Path.is_file, paths):
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a binary file names no address


def foreign(text: str) -> set[str]:
    """The repositories named in a text that are neither ours nor known others."""
    named = {name.removesuffix(".git") for name in NAMED.findall(text)}
    return named - {SLUG} - OTHERS


def test_address_is_a_github_address() -> None:
    assert re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", ADDRESS), ADDRESS


def test_every_use_of_the_address_agrees() -> None:
    wrong = {path: found for path, text in text_files() if (found := foreign(text))}
    wrong.pop("tests/test_repository.py", None)  # its own examples of stale addresses
    assert wrong == {}, (
        f"these files name a repository that is neither {SLUG} (pyproject.toml) nor one of OTHERS in this "
        "test: correct them (CONTRIBUTING.md has the command), or add the repository to OTHERS"
    )


@pytest.mark.parametrize("name", MUST_NAME)
def test_files_that_need_the_address_have_it(name: str) -> None:
    assert SLUG in (ROOT / name).read_text(encoding="utf-8")


def test_each_chapter_installs_from_the_address() -> None:
    for path in sorted((ROOT / "chapters").glob("[0-9][0-9]_*.ipynb")):
        assert SLUG in path.read_text(encoding="utf-8"), (
            f"{path.name} does not install the course from {SLUG}"
        )


def test_every_notebook_of_the_book_begins_with_the_same_set_up_cell() -> None:
    cells = {
        path.name: json.loads(path.read_text(encoding="utf-8"))["cells"][0]
        for path in sorted((ROOT / "chapters").glob("*.ipynb"))
    }
    assert cells, "there are no notebooks in chapters/"
    assert len({"".join(cell["source"]) for cell in cells.values()}) == 1, (
        f"set-up cells differ in {list(cells)}"
    )
    assert all(cell["metadata"].get("tags") == ["remove-cell"] for cell in cells.values())


def test_a_stale_address_is_noticed() -> None:
    assert foreign(f"pip install git+{ADDRESS}.git and git@github.com:{SLUG}.git") == set()
    assert foreign("see https://github.com/old-owner/old-name/tree/main") == {"old-owner/old-name"}
    assert foreign("colab.research.google.com/github/old-owner/old-name/blob/main/a.ipynb") == {
        "old-owner/old-name"
    }
