"""The two worked examples that talks on BPE show, recomputed exactly, ties included.

bpe-compression-example: aaabdaaabac becomes ZabdZabac (Z = aa), then ZYdZYac (Y = ab).
bpe-dictionary-example: of low 5, lower 2, newest 6, widest 3, the first merges are es, est, lo.

Both come from the course's textbook trainer, `trace_bpe`, whose steps name every pair that was as frequent
as the merged one. Verdict, fixed before the run: "holds" if each step is the claimed one. A step that a tie
decided is named in the sentence.

Run: python -m experiments.subword_examples
"""

import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from course_utils import results
from course_utils.subword.bpe_training import MergeStep, trace_bpe

NAME = "subword_examples"
TEXT = "aaabdaaabac"
DICTIONARY = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
CLAIMED_TEXTS = ["ZabdZabac", "ZYdZYac"]
CLAIMED_MERGES = ["es", "est", "lo"]


def with_spare_letters(step: MergeStep, spare: Mapping[str, str]) -> str:
    """The one word of a step, each merged symbol as the letter that Gage's method would write for it."""
    (symbols,) = step.words.values()
    return "".join(spare.get(symbol, symbol) for symbol in symbols)


def step_row(
    example: str, number: int, step: MergeStep, shows: str, spare: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """One row of results: the merge, its count, and what it was tied with, in spare letters if there are."""
    spare = spare or {}

    def written(pair: Sequence[str]) -> str:
        return " ".join(spare.get(symbol, symbol) for symbol in pair)

    others = [pair for pair in step.tied if pair != step.pair]
    row = {"example": example, "step": number, "pair": written(step.pair), "count": step.count}
    meant = [f"{spare[one]} being {one}" for pair in others for one in pair if one in spare]
    return {**row, "tied_with": ", ".join([*map(written, others), *meant]), "shows": shows}


def compression_rows() -> list[dict[str, Any]]:
    """The two steps on eleven letters."""
    steps = list(islice(trace_bpe({TEXT: 1}), len(CLAIMED_TEXTS)))
    spare = dict(zip((step.token for step in steps), "ZY", strict=True))
    return [
        step_row("compression", number, step, with_spare_letters(step, spare), spare)
        for number, step in enumerate(steps, start=1)
    ]


def dictionary_rows() -> list[dict[str, Any]]:
    """The three merges on four words."""
    steps = islice(trace_bpe(DICTIONARY), len(CLAIMED_MERGES))
    return [step_row("dictionary", number, step, step.token) for number, step in enumerate(steps, start=1)]


def claim(rows: Sequence[Mapping[str, Any]], claimed: Sequence[str]) -> dict[str, Any]:
    """The entry of one example: how many of its steps come out as claimed."""
    right = sum(row["shows"] == shown for row, shown in zip(rows, claimed, strict=True))
    ties = [
        f"step {row['step']} ({row['pair']} against {row['tied_with']})" for row in rows if row["tied_with"]
    ]
    decided = f"A tie decided {' and '.join(ties)}." if ties else "No step was decided by a tie."
    shown = ", ".join(row["shows"] for row in rows)
    return {
        "verdict": "holds" if right == len(claimed) else "does not hold",
        "estimate": right,
        "interval": None,
        "unit": f"steps of {len(claimed)} that come out as claimed (exact)",
        "seeds": 0,
        "sentence": f"{right} of {len(claimed)} steps come out as claimed: {shown}. {decided}",
    }


def main() -> None:
    started = time.perf_counter()
    compression, dictionary = compression_rows(), dictionary_rows()
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=compression + dictionary,
        seeds=[],
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.0, "absolute": 0.0, "ignore": []},
        claims={
            "bpe-compression-example": claim(compression, CLAIMED_TEXTS),
            "bpe-dictionary-example": claim(dictionary, CLAIMED_MERGES),
        },
    )


if __name__ == "__main__":
    main()
