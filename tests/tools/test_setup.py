"""What tools/setup.py says when it cannot go on, and that it does nothing twice."""

import ast
from pathlib import Path

import pytest

import setup


def test_reads_under_python_3_6() -> None:
    ast.parse(Path(setup.__file__).read_text(), feature_version=(3, 6))


@pytest.mark.parametrize("version", [(3, 6, 0), (3, 10, 14)])
def test_old_python_is_named_with_the_remedy(version: tuple[int, ...]) -> None:
    with pytest.raises(
        setup.SetupError, match=r"Python 3\.\d+ is too old.* 3\.11 or newer: run `make book PYTHON="
    ):
        setup.check_python(version)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 1), (4, 0, 0)])
def test_new_python_is_welcome(version: tuple[int, ...]) -> None:
    setup.check_python(version)


def test_full_disk_is_named_with_the_remedy() -> None:
    setup.check_disk(5 * setup.GIGABYTE)
    with pytest.raises(setup.SetupError, match=r"1\.0 GB free.*free some space"):
        setup.check_disk(setup.GIGABYTE)


@pytest.mark.parametrize(
    ("stderr", "said"),
    [
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...)'",
            "registry is out of reach",
        ),
        ("socket.gaierror: Temporary failure in name resolution", "registry is out of reach"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left", "disk is full"),
        ("ERROR: Could not find a version that satisfies the requirement nonsense", "pip failed"),
    ],
)
def test_pip_failures_are_told_apart(stderr: str, said: str) -> None:
    assert said in setup.explain_pip(stderr)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, ...]]:
    """A checkout whose .venv works, and the list of what pip is asked to do there."""
    calls: list[tuple[str, ...]] = []
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "STAMP", tmp_path / ".venv" / "setup.stamp")
    monkeypatch.setattr(setup, "venv_version", lambda: (3, 11))
    monkeypatch.setattr(setup, "check_disk", lambda free: None)
    monkeypatch.setattr(setup, "pip", lambda *arguments: calls.append(arguments))
    return calls


def test_packages_are_installed_once_and_again_when_the_pins_change(asked: list[tuple[str, ...]]) -> None:
    setup.install()
    assert [call[0] for call in asked] == ["install", "install"]
    setup.install()
    assert len(asked) == 2
    (setup.ROOT / "requirements.txt").write_text("y")
    setup.install()
    assert len(asked) == 4


def test_an_installation_cut_off_is_done_again(
    asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*arguments: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(setup, "pip", cut_off)
        with pytest.raises(KeyboardInterrupt):
            setup.install()
    assert asked == []
    setup.install()
    assert len(asked) == 2
