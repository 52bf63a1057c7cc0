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
import gc
import json
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

# Before the library is imported: it reads these once.
os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import BertTokenizerFast
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

from benchmarks.fuzzed_text import code_point_blocks, fuzzed_texts
from course_utils import data, results
from course_utils.subword import (
    BPE,
    Splitter,
    WordPiece,
    count_words,
    trace_bpe,
    train_bpe,
)

COMMAND = "python -m benchmarks.subword"
DOMAINS = ("movies", "products", "editorials", "tweets")
MERGES, TEXTBOOK_MERGES = 20_000, 1_000
MOST_TIMES_RUST, LEAST_TIMES_TEXTBOOK = 3.0, 300.0
SEED = 20_000
DOCUMENTATION = {".md", ".rst", ".txt", ".py"}
PRE_TOKENIZERS = {
    Splitter.BYTE_LEVEL: pre_tokenizers.ByteLevel(add_prefix_space=False),
    Splitter.PUNCTUATION: pre_tokenizers.BertPreTokenizer(),
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is done; documentation in bytes."""

    repetitions: int = 5
    fuzzed: int = 120_000
    documentation: int = 21_000_000
    textbook_merges: int = TEXTBOOK_MERGES
    every_nth_code_point: int = 1


QUICK = Size(1, 1_200, 2_000_000, 20, 997)


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


def cpu_seconds(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """CPU seconds of this process (all its threads) for one call, and what the call returned."""
    gc.collect()
    started = time.process_time()
    returned = work(*arguments)
    return time.process_time() - started, returned


def spread(name: str, seconds: Sequence[float]) -> Row:
    """Median, lowest and highest."""
    return {
        f"{name}_seconds": round(median(seconds), 4),
        f"{name}_low": round(min(seconds), 4),
        f"{name}_high": round(max(seconds), 4),
    }


def train_ours(texts: Sequence[str], splitter: Splitter, merges: int) -> BPE:
    """From raw texts to merges, with this package."""
    return train_bpe(count_words(texts, splitter), num_merges=merges, splitter=splitter)


def train_library(texts: Iterable[str], splitter: Splitter, vocab_size: int) -> Tokenizer:
    """From raw texts to merges, with the library."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[splitter]
    alphabet = pre_tokenizers.ByteLevel.alphabet() if splitter is Splitter.BYTE_LEVEL else []
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def merges_of(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    """The library's merges in order."""
    return [(left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"]]


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


@dataclass(frozen=True)
class Peer:
    """One of our encoders and the library's equal of it. `fresh` makes ours with an empty cache."""

    name: str
    fresh: Callable[[], BPE | WordPiece]
    library: Tokenizer


def peers(reviews: Sequence[str]) -> list[Peer]:
    """BPE by characters and by bytes, 20,000 merges each; WordPiece with bert-base-uncased's vocabulary."""
    vocabulary = data.small_model_dir() / "vocab.txt"
    library = BertTokenizerFast(vocab=str(vocabulary)).backend_tokenizer
    return [
        bpe_peer("BPE", reviews, Splitter.PUNCTUATION),
        bpe_peer("byte-level BPE", reviews, Splitter.BYTE_LEVEL),
        Peer("WordPiece", lambda: WordPiece.load(vocabulary), library),
    ]


def bpe_peer(name: str, reviews: Sequence[str], splitter: Splitter) -> Peer:
    """Both trained on the reviews, each by its own trainer."""
    trained = train_ours(reviews, splitter, MERGES)
    library = train_library(reviews, splitter, len(trained.vocab))
    if merges_of(library) != trained.merges:
        raise RuntimeError(f"{name}: the merges differ from the library's")
    return Peer(name, lambda: BPE(trained.vocab, trained.merges, splitter=splitter), library)


def encoding(reviews: Sequence[str], size: Size) -> list[Row]:
    """Equality on the reviews, on fuzzed texts and on each code point; then the speed on the reviews."""
    fuzzed = list(fuzzed_texts(size.fuzzed, SEED))
    step = size.every_nth_code_point
    blocks = ["".join(f"a{one}b {one}" for one in block) for block in code_point_blocks(step)]
    parts = {"reviews": reviews, "fuzzed": fuzzed, "code_point_blocks": blocks}
    rows = []
    for peer in peers(reviews):
        ours = peer.fresh()
        unequal = {
            f"unequal_{part}": sum(not same(ours, peer.library, text) for text in texts)
            for part, texts in parts.items()
        }
        rows.append(
            {
                "part": f"encoding with {peer.name}",
                **{part: len(texts) for part, texts in parts.items()},
                "equal": not any(unequal.values()),
                **unequal,
                **encoding_speed(peer, reviews, size),
            }
        )
    return rows


def same(ours: BPE | WordPiece, library: Tokenizer, text: str) -> bool:
    """Ids and tokens are equal; for WordPiece also offsets, segments, and what the ids decode to."""
    theirs = library.encode(text)
    if isinstance(ours, BPE):
        return ours.encode(text) == theirs.ids and ours.tokenize(text) == theirs.tokens
    mine = ours.encode(text)
    return (mine.input_ids, mine.tokens, mine.offsets, mine.token_type_ids, ours.decode(mine.input_ids)) == (
        theirs.ids,
        theirs.tokens,
        theirs.offsets,
        theirs.type_ids,
        library.decode(theirs.ids, skip_special_tokens=False),
    )


def encoding_speed(peer: Peer, reviews: Sequence[str], size: Size) -> Row:
    """Sentences a second, one by one, from an empty cache: ours, the library's, and transformers' Python."""
    state = peer.library.to_str()
    encoders: dict[str, Callable[[], Any]] = {
        "ours": peer.fresh,
        "library": lambda: Tokenizer.from_str(state),
    }
    if peer.name == "WordPiece":
        encoders["python"] = lambda: PurePython(str(data.small_model_dir() / "vocab.txt"))
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    for _ in range(size.repetitions):
        for name, fresh in encoders.items():
            seconds[name].append(cpu_seconds(encode_all, fresh(), reviews)[0])
    row: Row = {"repetitions": size.repetitions}
    for name, values in seconds.items():
        row |= spread(name, values) | {f"{name}_per_second": round(len(reviews) / median(values))}
    return row


class PurePython(BertTokenizerLegacy):
    """transformers' BertTokenizer in Python: text to ids, without special tokens."""

    def encode(self, text: str) -> list[int]:
        return self.convert_tokens_to_ids(self.tokenize(text))


def encode_all(encoder: Any, texts: Sequence[str]) -> list[Any]:
    """Every text encoded, one by one."""
    return [encoder.encode(text) for text in texts]


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
