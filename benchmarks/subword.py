"""How fast, and how equal: subword tokenization here against the `tokenizers` library, in one run.

    python -m benchmarks.subword [--quick] [--out FOLDER]

Training: byte-level BPE from raw texts to merges, cutting and counting words included, against the library's
train_from_iterator on one thread, and against the textbook's trainer, which recounts everything before each
merge. Encoding: tokens, ids, offsets and decoded texts compared one by one, then timed. All times are CPU
seconds of this process. The benchmark fails if anything is unequal, or a bar is missed.

--quick takes one repetition, a hundredth of the fuzzed texts, 2 MB of documentation, and only the first 20
merges of the textbook's trainer, extrapolated; it writes no results file.
"""

import argparse
import sys
import sysconfig
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median

# First of all: it sets the library to one thread.
from benchmarks.subword_common import (
    MERGES,
    QUICK,
    SEED,
    TEXTBOOK_MERGES,
    Row,
    Size,
    cpu_seconds,
    merges_of,
    spread,
    train_library,
    train_ours,
)
from benchmarks.subword_encoding import encoding
from course_utils import data, results
from course_utils.subword import Splitter, count_words, trace_bpe

COMMAND = "python -m benchmarks.subword"
DOMAINS = ("movies", "products", "editorials", "tweets")
DOCUMENTATION = {".md", ".rst", ".txt", ".py"}
MOST_TIMES_RUST, LEAST_TIMES_TEXTBOOK = 3.0, 300.0


def main() -> None:
    """Run all parts, print a line for each, and write results/benchmark_subword.json."""
    parser = argparse.ArgumentParser(description="Subword tokenization against the library.")
    parser.add_argument("--quick", action="store_true", help="a rough run in under a minute; writes no file")
    parser.add_argument("--out", type=Path, help="folder for the results file; default is results/")
    chosen = parser.parse_args()
    size = QUICK if chosen.quick else Size()
    started = time.perf_counter()
    reviews = [text for domain in DOMAINS for text in data.load(domain)["text"]]
    rows = [
        training("reviews", reviews, size),
        training("documentation", documentation(size.documentation), size),
        textbook(reviews, size),
        *encoding(reviews, size),
    ]
    for row in rows:
        print("; ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if not chosen.quick:
        write(rows, time.perf_counter() - started, chosen.out)
    problems = missed(rows)
    print("\n".join(problems) or "All equal; all bars met.")
    sys.exit(1 if problems else 0)


def write(rows: Sequence[Row], seconds: float, out: Path | None) -> None:
    """Write the results file; times may differ next time, and so may the documentation that is installed."""
    endings = ("seconds", "low", "high", "per_second")
    changing = {key for row in rows for key in row if key.endswith(endings)}
    ignore = sorted(changing | {"times_library", "times_textbook", "bytes", "texts", "words"})
    tolerance = {"relative": 0, "absolute": 0, "ignore": ignore}
    results.write(
        "benchmark_subword",
        command=COMMAND,
        rows=rows,
        seeds=[SEED],
        seconds=seconds,
        tolerance=tolerance,
        out=out,
    )


def documentation(size: int) -> list[str]:
    """Lines of the text and source files of Python and its packages, by path, `size` bytes or more."""
    folders = {Path(sysconfig.get_path(kind)) for kind in ("stdlib", "purelib", "platlib")}
    files = {path for folder in folders for path in folder.rglob("*") if path.suffix in DOCUMENTATION}
    lines: list[str] = []
    taken = 0
    for path in sorted(files):
        if taken < size and path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            taken += len(text.encode())
            lines += text.splitlines(keepends=True)
    if taken < size:
        raise RuntimeError(f"found only {taken} bytes of text in {sorted(folders)}; {size} are needed")
    return lines


def training(name: str, texts: Sequence[str], size: Size) -> Row:
    """Both trainers on the same texts, in turn."""
    ours_seconds, library_seconds = [], []
    for _ in range(size.repetitions):
        seconds, ours = cpu_seconds(train_ours, texts, Splitter.BYTE_LEVEL, MERGES)
        ours_seconds.append(seconds)
        seconds, library = cpu_seconds(train_library, texts, Splitter.BYTE_LEVEL, len(ours.vocab))
        library_seconds.append(seconds)
        merges = merges_of(library)
    return {
        "part": f"training on {name}",
        "bytes": sum(len(text.encode()) for text in texts),
        "texts": len(texts),
        "words": len(count_words(texts, Splitter.BYTE_LEVEL)),
        "merges_compared": len(merges),
        "equal": ours.merges == merges and ours.vocab == library.get_vocab(),
        "repetitions": size.repetitions,
        **spread("ours", ours_seconds),
        **spread("library", library_seconds),
        "times_library": round(median(ours_seconds) / median(library_seconds), 3),
    }


def textbook(texts: Sequence[str], size: Size) -> Row:
    """The trainer that recounts everything, against the incremental one, both from raw texts."""
    seconds, merges = cpu_seconds(train_by_recounting, texts, size.textbook_merges)
    runs = [
        cpu_seconds(train_ours, texts, Splitter.BYTE_LEVEL, TEXTBOOK_MERGES) for _ in range(size.repetitions)
    ]
    complete = size.textbook_merges == TEXTBOOK_MERGES
    scaled = seconds if complete else seconds * TEXTBOOK_MERGES / size.textbook_merges
    return {
        "part": "textbook trainer on reviews",
        "merges_compared": len(merges),
        "extrapolated": not complete,
        "equal": runs[0][1].merges[: len(merges)] == merges,
        "repetitions": size.repetitions,
        **spread("ours", [one for one, _ in runs]),
        "textbook_seconds": round(scaled, 2),
        "times_textbook": round(scaled / median([one for one, _ in runs]), 1),
    }


def train_by_recounting(texts: Sequence[str], merges: int) -> list[tuple[str, str]]:
    """From raw texts to merges, as a textbook does it."""
    steps = trace_bpe(count_words(texts, Splitter.BYTE_LEVEL), splitter=Splitter.BYTE_LEVEL)
    return [step.pair for step in islice(steps, merges)]


def missed(rows: Sequence[Row]) -> list[str]:
    """What is unequal, and which bars are missed; nothing if all is well."""
    problems = [f"{row['part']}: not equal to its peer" for row in rows if not row["equal"]]
    for row in rows:
        if row.get("times_library", 0) > MOST_TIMES_RUST:
            problems.append(
                f"{row['part']}: {row['times_library']} times the library, at most {MOST_TIMES_RUST}"
            )
        if row.get("times_textbook", LEAST_TIMES_TEXTBOOK) < LEAST_TIMES_TEXTBOOK:
            problems.append(
                f"{row['part']}: {row['times_textbook']} times faster, at least {LEAST_TIMES_TEXTBOOK}"
            )
    return problems


if __name__ == "__main__":
    main()
