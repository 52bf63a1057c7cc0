"""COURSE_SCALE picks the scale, and the laptop scale stays off the hub."""

import os

import pytest

from course_utils.scale import Scale, current, go_offline

OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COURSE_SCALE", *OFFLINE):
        monkeypatch.setenv(name, "")  # recorded first, so that what go_offline sets is undone afterwards
        monkeypatch.delenv(name)


def test_the_default_is_the_laptop() -> None:
    assert current() is Scale.LAPTOP


@pytest.mark.parametrize(
    ("value", "scale"), [("", "laptop"), ("colab", "colab"), ("FULL", "full"), (" laptop ", "laptop")]
)
def test_the_environment_picks_the_scale(monkeypatch: pytest.MonkeyPatch, value: str, scale: str) -> None:
    monkeypatch.setenv("COURSE_SCALE", value)
    assert current() == scale


def test_a_wrong_scale_names_itself_and_the_right_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_SCALE", "phone")
    with pytest.raises(ValueError, match="'phone': set COURSE_SCALE to one of laptop, colab, full"):
        current()


def test_the_laptop_goes_offline_and_the_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_SCALE", "colab")
    go_offline()
    assert not any(name in os.environ for name in OFFLINE)
    monkeypatch.setenv("COURSE_SCALE", "laptop")
    go_offline()
    assert [os.environ[name] for name in OFFLINE] == ["1", "1"]


def test_what_the_user_has_set_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    go_offline()
    assert os.environ["HF_HUB_OFFLINE"] == "0"
