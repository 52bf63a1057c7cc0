"""Build the book into _build/html, with every warning an error.

    .venv/bin/python tools/book.py

Jupyter Book's execution cache knows a notebook by its own text alone. This script drops that
cache when something else that decides what a notebook prints has changed (the package, the
results, the pinned packages, the scale, Python), and does nothing at all when nothing changed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
HTML = BUILD / "html"
FIRST_PAGE = HTML / "index.html"
EXECUTED_WITH = BUILD / "execution.stamp"  # what the cached outputs were made with
BUILT_FROM = BUILD / "book.stamp"  # what the finished book was made from; absent after a failure

BEHIND_EXECUTION = ["course_utils", "results", "weights", "requirements.txt"]
BEHIND_PAGES = [*BEHIND_EXECUTION, "_config.yml", "_toc.yml", "README.md", "chapters", "tools"]
NOT_INPUTS = {"__pycache__", ".ipynb_checkpoints", ".ruff_cache"}


def say(text: str) -> None:
    print(f"[book] {text}", flush=True)


def files(names: list[str]) -> Iterator[Path]:
    """The files under these names, in a fixed order."""
    for name in names:
        path = ROOT / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (p for p in found if p.is_file() and not NOT_INPUTS.intersection(p.parts))


def fingerprint(names: list[str]) -> str:
    """A hash of the content of these files and folders, of the scale and of Python's version."""
    digest = hashlib.sha256(repr((os.environ.get("COURSE_SCALE"), sys.version)).encode())
    for path in files(names):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def holds(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def is_fresh() -> bool:
    """True when the book in _build/html was made from exactly what the checkout holds now."""
    return FIRST_PAGE.is_file() and holds(BUILT_FROM, fingerprint(BEHIND_PAGES))


def drop_stale_outputs() -> None:
    """Forget cached notebook outputs when what they depend on has changed."""
    current = fingerprint(BEHIND_EXECUTION)
    if not holds(EXECUTED_WITH, current):
        say("the package, the results or the packages changed: every notebook will be executed again")
        shutil.rmtree(BUILD / ".jupyter_cache", ignore_errors=True)
        EXECUTED_WITH.write_text(current)


def warm_up() -> None:
    """Let matplotlib find the fonts now: in a notebook it would say so on stderr, which fails the build."""
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], check=True, capture_output=True)


def build() -> bool:
    """Run Jupyter Book; True when it succeeded. Pages of an older build do not survive."""
    shutil.rmtree(HTML, ignore_errors=True)
    scripts = Path(sys.executable).parent
    command = [str(scripts / "jupyter-book"), "build", str(ROOT), "--all", "-W", "-n", "--keep-going"]
    # A page may run `!course ...`, as its reader does.
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def main() -> int:
    """Build the book if it is stale. Returns the exit status."""
    started = time.perf_counter()
    if is_fresh():
        say("up to date")
    else:
        BUILD.mkdir(exist_ok=True)
        BUILT_FROM.unlink(missing_ok=True)
        current = fingerprint(BEHIND_PAGES)
        drop_stale_outputs()
        warm_up()
        say("executing notebooks and writing pages")
        if not build():
            say("the book was not built: warnings are errors, so mend the WARNING or ERROR lines above")
            return 1
        BUILT_FROM.write_text(current)
        say(f"built in {time.perf_counter() - started:.0f} s")
    say(f"open it in a browser; it needs no network and no server: {FIRST_PAGE.as_uri()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
