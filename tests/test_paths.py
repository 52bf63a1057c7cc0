"""The checkout and the cache folder are found wherever the process was started."""

from pathlib import Path

import pytest

from course_utils import paths


def test_the_checkout_is_the_folder_that_holds_these_tests(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert paths.project_root() == Path(__file__).resolve().parents[1]


def test_an_installed_package_has_no_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "site-packages" / "course_utils" / "paths.py"))
    assert paths.project_root() is None


def test_the_cache_is_made_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "a" / "b"))
    assert paths.cache_dir() == tmp_path / "a" / "b"
    assert paths.cache_dir().is_dir()


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_setting_means_the_users_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str
) -> None:
    monkeypatch.setenv("COURSE_CACHE", value)
    monkeypatch.setattr(paths.platformdirs, "user_cache_dir", lambda name, appauthor: str(tmp_path / name))
    assert paths.cache_dir() == tmp_path / "bert-course"


def test_a_cache_that_cannot_be_made_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match="set COURSE_CACHE to a folder that you may write to"):
        paths.cache_dir()
