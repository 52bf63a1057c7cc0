"""Files that no notebook server ever wrote, through the reading process: each must come back with an outcome.

    python -m benchmarks.grading_fuzz [--files 10000] [--seed 0]

Random bytes, random JSON, notebooks with bytes changed, cut or repeated, notebooks with values of the wrong
type anywhere, and archives damaged in the same way. Fails if a file has no outcome, if a good file after a
bad one is not read, or if the reading process died of a file.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

from course_utils.grading import exercise as exercises
from course_utils.grading.exercise import read_notebook
from course_utils.grading.intake import DIED, Reader
from course_utils.grading.release import released_path

EXERCISE = "01"
ODD: tuple[Any, ...] = (None, True, 5, -1e308, "", "\ud800", [], {}, [[]], {"": []}, ["a", 1], "x" * 9999)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The content with some bytes changed, cut out, repeated or put in."""
    made = bytearray(content)
    for _ in range(rng.choice((0, 1, 1, 2, 8))):
        start = rng.randrange(len(made) + 1)
        stop = start + rng.choice((1, 1, 4, 64, 4096))
        kind = rng.randrange(4)
        if kind == 0:
            made[start:stop] = rng.randbytes(len(made[start:stop]))
        elif kind == 1:
            del made[start:stop]
        elif kind == 2:
            made[start:start] = made[start:stop]
        else:
            made[start:start] = rng.choice((b"[", b"{", b'"', b"\\", b"\0", b"\xff", b"NaN", b"9" * 5000))
    return bytes(made)


def mistyped(value: Any, rng: random.Random, chance: float = 0.02) -> Any:
    """The same JSON with some values, anywhere, replaced by odd ones."""
    if rng.random() < chance:
        return rng.choice(ODD)
    if isinstance(value, dict):
        return {key: mistyped(inner, rng, chance) for key, inner in value.items()}
    if isinstance(value, list):
        return [mistyped(inner, rng, chance) for inner in value]
    return value


def fuzzed(notebook: Any, rng: random.Random) -> tuple[str, bytes]:
    """One file: its kind, and its bytes."""
    good = json.dumps(notebook).encode()
    kind = rng.choice(("bytes", "json", "damaged", "mistyped", "archive"))
    if kind == "bytes":
        return kind, rng.randbytes(rng.randrange(2000))
    if kind == "json":
        return kind, json.dumps(mistyped([rng.choice(ODD) for _ in range(9)], rng, 0.2)).encode()
    if kind == "damaged":
        return kind, damaged(good, rng)
    if kind == "mistyped":
        return kind, json.dumps(mistyped(notebook, rng)).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        archive.writestr("ann.ipynb", good)
    return kind, damaged(packed.getvalue(), rng)


def run(files: int, seed: int) -> Counter[str]:
    """Read so many files. Returns how often each kind met each outcome, or raises AssertionError."""
    rng, found = random.Random(seed), Counter[str]()
    exercise = exercises.load(EXERCISE)
    notebook = read_notebook(released_path(exercise.name))
    tasks = list(exercise.tasks())
    with tempfile.TemporaryDirectory() as folder, Reader() as reader:
        good = Path(folder) / "good.ipynb"
        good.write_text(json.dumps(notebook))
        for number in range(files):
            kind, content = fuzzed(notebook, rng)
            path = Path(folder) / f"{number}.ipynb"
            path.write_bytes(content)
            place = 0 if kind == "archive" else None
            reply = reader.ask(op="list", path=str(path)) if kind == "archive" else {"members": [1]}
            if reply.get("members"):
                reply = reader.ask(op="read", path=str(path), member=place, tasks=tasks)
            path.unlink()
            assert "reason" in reply or "members" in reply or {"answers", "problems"} <= set(reply), reply
            assert reply.get("reason") != DIED, f"file {number} (seed {seed}) ended the reading process"
            found[f"{kind}: {'refused' if reply.get('reason') else 'read'}"] += 1
            if number % 100 == 0:
                assert reader.ask(op="read", path=str(good), member=None, tasks=tasks)["answers"]
    return found


def main() -> None:
    """Run it, and tell what came out."""
    parser = argparse.ArgumentParser(description="Fuzz the intake of submissions.")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    started = time.perf_counter()
    for outcome, count in sorted(run(chosen.files, chosen.seed).items()):
        print(f"{outcome}: {count}")
    print(f"{chosen.files} files, each with an outcome, in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
