"""When tools/book.py takes the book, or a notebook's outputs, for stale."""

from pathlib import Path

import book
import pytest


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout with a finished book in it."""
    monkeypatch.setattr(book, "ROOT", tmp_path)
    for name in ("BUILD", "HTML", "FIRST_PAGE", "EXECUTED_WITH", "BUILT_FROM"):
        monkeypatch.setattr(
            book, name, tmp_path / getattr(book, name).relative_to(Path(book.__file__).parents[1])
        )
    for name in (
        "course_utils/a.py",
        "results/r.json",
        "requirements.txt",
        "_config.yml",
        "chapters/1.ipynb",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("old")
    book.FIRST_PAGE.parent.mkdir(parents=True)
    book.FIRST_PAGE.write_text("page")
    book.BUILT_FROM.write_text(book.fingerprint(book.BEHIND_PAGES))
    book.EXECUTED_WITH.write_text(book.fingerprint(book.BEHIND_EXECUTION))
    (book.BUILD / ".jupyter_cache").mkdir()
    return tmp_path


def cache_survives() -> bool:
    book.drop_stale_outputs()
    return (book.BUILD / ".jupyter_cache").exists()


def test_nothing_changed(checkout: Path) -> None:
    assert book.is_fresh()
    assert cache_survives()


@pytest.mark.parametrize(
    "name", ["course_utils/a.py", "results/r.json", "requirements.txt", "results/new.json"]
)
def test_what_is_behind_the_outputs(checkout: Path, name: str) -> None:
    (checkout / name).write_text("new")
    assert not book.is_fresh()
    assert not cache_survives()


@pytest.mark.parametrize("name", ["_config.yml", "chapters/1.ipynb", "chapters/new.md"])
def test_what_is_behind_the_pages_alone(checkout: Path, name: str) -> None:
    (checkout / name).write_text("new")
    assert not book.is_fresh()
    assert cache_survives()


def test_another_scale(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_SCALE", "colab")
    assert not book.is_fresh()
    assert not cache_survives()


def test_bytecode_and_missing_pages(checkout: Path) -> None:
    (checkout / "course_utils" / "__pycache__").mkdir()
    (checkout / "course_utils" / "__pycache__" / "a.pyc").write_text("new")
    assert book.is_fresh()
    book.FIRST_PAGE.unlink()
    assert not book.is_fresh()
