"""A killed grader's control groups and folders are cleared away by the next one; a living one's are not."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from attack_runs import needs_bubblewrap, score
from attack_table import RIGHT, spliced

from course_utils.grading.sandbox import Grader, SandboxMissing, cgroups, leftovers

DIES = """
import os, signal, sys, tempfile
from pathlib import Path
tempfile.tempdir = sys.argv[1]
from course_utils.grading.sandbox import Limits, cgroups, leftovers
for control in cgroups.create(leftovers.prefix() + "9", Limits()).controls:
    print(control.folder, flush=True)
tempfile.mkdtemp(prefix=leftovers.prefix())  # as the reference kernel does
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that is this test's alone."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


def dead_number() -> int:
    """A number that no process has."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


def test_what_a_killed_grader_left_is_removed(temporary: Path) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(temporary)], capture_output=True, text=True, check=False
    )
    assert died.returncode == -9, died.stderr
    assert len(list(temporary.iterdir())) == 1
    groups = [Path(line) for line in died.stdout.split()]
    assert all(group.is_dir() for group in groups)
    leftovers.reap()
    assert list(temporary.iterdir()) == []
    assert not any(group.exists() for group in groups)


def test_only_what_carries_a_dead_graders_number_is_removed(temporary: Path, tmp_path: Path) -> None:
    mine, other = leftovers.prefix() + "x", "course-notes"
    dead, parent = f"course-{dead_number()}-x", f"course-{os.getppid()}-x"
    for name in (mine, dead, parent, other, f"course-{10**30}-x"):
        (temporary / name / "inner").mkdir(parents=True)
    (tmp_path / "kept").mkdir()
    (temporary / f"course-{dead_number()}-link").symlink_to(tmp_path / "kept")
    leftovers.reap()
    names = {path.name for path in temporary.iterdir() if not path.is_symlink()}
    assert names == {mine, parent, other, f"course-{10**30}-x"}
    assert (tmp_path / "kept").is_dir()


def test_what_others_remove_meanwhile_is_no_matter(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Graders side by side make and remove groups all the time."""
    monkeypatch.setattr(cgroups, "places", lambda: [tmp_path / "all" / "mine"])
    (tmp_path / "all" / "mine").mkdir(parents=True)
    others = [tmp_path / "all" / str(number) for number in range(20)]
    ended = threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            for act in (Path.mkdir, Path.rmdir):
                for other in others:
                    act(other)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(300):
            leftovers.reap()
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("version", [1, 2])
def test_groups_are_found_beside_our_own_and_one_that_is_in_use_stays(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """Folders stand for groups here: one that is not empty can as little be removed as one with processes."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(cgroups, "SELF", tmp_path / "self")
    (tmp_path / "self").write_text("4:memory:/all/mine\n" if version == 1 else "0::/all/mine\n")
    (tmp_path / "cgroup.controllers").touch()
    top = tmp_path / ("memory/all" if version == 1 else "all")
    gone = [top / place / f"course-{dead_number()}-1" for place in ("mine", "other session")]
    nested = top / "mine" / f"course-{dead_number()}-0"
    used, alive = top / "mine" / f"course-{dead_number()}-3", top / "mine" / f"course-{os.getpid()}-4"
    for group in (*gone, nested / "course-1-0", used, alive):
        group.mkdir(parents=True)
    (used / "process").touch()
    leftovers.reap()
    assert not any(group.exists() for group in (*gone, nested))
    assert used.exists()
    assert alive.exists()


@needs_bubblewrap
@pytest.mark.parametrize("kernel", ["forked", "ipykernel"])
def test_a_grader_reaps_at_its_start_and_leaves_nothing_itself(kernel: str, temporary: Path) -> None:
    (temporary / f"course-{dead_number()}-x").mkdir()
    with Grader(kernel) as grader:  # type: ignore[arg-type]
        assert list(temporary.iterdir()) == []
        assert score(grader.run(spliced(RIGHT))) == 3
    assert list(temporary.iterdir()) == []


def test_a_reference_kernel_that_does_not_start_leaves_nothing(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SandboxMissing):
        Grader("ipykernel")._pass(spliced(RIGHT)["cells"])
    assert list(temporary.iterdir()) == []
