"""The cache holds whole, checked folders, whatever is killed and however many fetch at once."""

import subprocess
import sys
import time
from pathlib import Path

import fake_index
import pytest

from course_utils.data import SourceUnavailable
from course_utils.data.store import Bundle, PinnedFile, Source, ensure

CONTENT = b"the pinned content"
BUNDLE = Bundle("demo-1", "the demo", (PinnedFile("a.txt", len(CONTENT), fake_index.sha256(CONTENT)),))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def source(content: bytes = CONTENT, name: str = "a.txt") -> Source:
    return Source("a good source", lambda folder: (folder / name).write_bytes(content) and None)


def broken(folder: Path) -> None:
    (folder / "a.txt").write_bytes(CONTENT[:5])
    raise SourceUnavailable("the line went dead")


def test_a_bundle_is_fetched_once(cache: Path) -> None:
    assert ensure(BUNDLE, [source()]) == cache / "demo-1"
    assert (cache / "demo-1" / "a.txt").read_bytes() == CONTENT
    assert ensure(BUNDLE, []) == cache / "demo-1"


def test_the_next_source_is_asked_and_nothing_half_is_kept(cache: Path) -> None:
    ensure(BUNDLE, [Source("a bad one", broken), source()])
    assert (cache / "demo-1" / "a.txt").read_bytes() == CONTENT
    assert sorted(path.name for path in cache.iterdir()) == ["demo-1", "demo-1.lock"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Source("one", broken), "one: the line went dead"),
        (source(b"something else"), "its a.txt is not the file that this course pins"),
        (source(name="b.txt"), "it holds no a.txt"),
    ],
)
def test_no_source_is_one_sentence_with_every_reason(cache: Path, bad: Source, reason: str) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        ensure(BUNDLE, [bad, Source("two", broken)])
    message = str(caught.value)
    assert message.startswith("the demo could not be fetched (")
    assert reason in message
    assert "two: the line went dead" in message
    assert "\n" not in message
    assert not (cache / "demo-1").exists()


@pytest.mark.parametrize("damage", ["shorter", "gone"])
def test_a_damaged_bundle_is_fetched_again(cache: Path, damage: str) -> None:
    path = ensure(BUNDLE, [source()]) / "a.txt"
    path.write_bytes(b"x") if damage == "shorter" else path.unlink()
    ensure(BUNDLE, [source()])
    assert path.read_bytes() == CONTENT


SLOW = """
import sys, time
from pathlib import Path
from course_utils.data.store import ensure, Source
sys.path.insert(0, sys.argv[1])
from test_store import BUNDLE, CONTENT
log = Path(sys.argv[2])
def fetch(folder):
    (folder / "a.txt").write_bytes(CONTENT[:4])
    log.open("a").write("started\\n")
    time.sleep(float(sys.argv[3]))
    (folder / "a.txt").write_bytes(CONTENT)
ensure(BUNDLE, [Source("slow", fetch)])
"""


def start(log: Path, seconds: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", SLOW, str(Path(__file__).parent), str(log), str(seconds)])


def wait_for(log: Path) -> None:
    deadline = time.monotonic() + 30
    while not log.exists():
        assert time.monotonic() < deadline, "the process never started to fetch"
        time.sleep(0.02)


def test_two_processes_at_once_fetch_once(cache: Path, tmp_path: Path) -> None:
    processes = [start(tmp_path / "log", 0.5) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    assert (tmp_path / "log").read_text().splitlines() == ["started"]
    assert (cache / "demo-1" / "a.txt").read_bytes() == CONTENT


def test_a_process_killed_in_the_middle_leaves_no_lock_and_no_half_file(cache: Path, tmp_path: Path) -> None:
    process = start(tmp_path / "log", 60)
    wait_for(tmp_path / "log")
    process.kill()
    process.wait(timeout=10)
    assert not (cache / "demo-1").exists()
    ensure(BUNDLE, [source()])
    assert (cache / "demo-1" / "a.txt").read_bytes() == CONTENT
    assert sorted(path.name for path in cache.iterdir()) == ["demo-1", "demo-1.lock"]
