"""40% smaller, 60% faster, 97% kept: the three parts of one claim, from three results files.

Size: DistilBERT's parameters counted (results distillation_sizes). Speed: a forward pass of its shape against
BERT base's, one text at a time (distillation_latency, only from a quiet machine). Quality: the generally
distilled half-depth student of the laptop task against its teacher (distillation_controls). So size and speed
are those of DistilBERT's shape; the quality is that of our students, on our task.

Written before any of the last two files was there (95% intervals):
  size     holds if the share that is gone rounds to 40% (35 to 45%: as exact as its zeros allow), else fails
  speed    holds if in every setting the whole interval lies at 1.6 times or above; fails if in every setting
           it lies below; else, or from a machine that was not quiet, it cannot be told
  quality  as the controls judge the student: kept (interval above 0.97), not kept (below), cannot tell
  "holds here only" if all three hold, "does not hold" if one fails, "cannot tell" otherwise.

Run: python -m experiments.distillation_headline (after the three)
"""

import time
from collections.abc import Sequence

from course_utils import results
from course_utils.results import Row

NAME = "distillation_headline"
SIZE, SPEED = (35.0, 45.0), 1.6
QUALITY = {"kept": "holds", "not kept": "fails", "cannot tell": "cannot be told"}


def size_part(gone: float) -> str:
    """gone: percent of BERT base's parameters.

    >>> size_part(39.4), size_part(30.0)
    ('holds', 'fails')
    """
    return "holds" if SIZE[0] <= gone < SIZE[1] else "fails"


def speed_part(intervals: Sequence[tuple[float, float]], quiet: bool) -> str:
    """intervals: how many times faster, of every setting.

    >>> speed_part([(1.7, 1.9), (1.65, 1.8)], True), speed_part([(1.7, 1.9)], False)
    ('holds', 'cannot be told')
    """
    if quiet and all(low >= SPEED for low, _ in intervals):
        return "holds"
    if quiet and all(high < SPEED for _, high in intervals):
        return "fails"
    return "cannot be told"


def overall(parts: Sequence[str]) -> str:
    """The verdict on all three.

    >>> overall(["holds", "holds", "cannot be told"]), overall(["holds", "fails", "cannot be told"])
    ('cannot tell', 'does not hold')
    """
    if "fails" in parts:
        return "does not hold"
    return "holds here only" if set(parts) == {"holds"} else "cannot tell"


def claim(size: Row, times: Sequence[Row], quiet: bool, kept: Row) -> Row:
    """The entry of distilbert-40-60-97."""
    parts = [
        size_part(size["smaller_than_base"]),
        speed_part([(row["low"], row["high"]) for row in times], quiet),
        QUALITY[kept["judged"]],
    ]
    slowest, fastest = (choose(times, key=lambda row: row["faster"])["faster"] for choose in (min, max))
    noise = "" if quiet else ", on a machine that had other work"
    return {
        "verdict": overall(parts),
        "estimate": 100 * kept["retention"],
        "interval": [100 * kept["low"], 100 * kept["high"]],
        "unit": "% of the teacher's accuracy kept by the distilled half-depth student of the laptop task",
        "seeds": kept["arm_seeds"],
        "sentence": (
            f"Size {parts[0]}: {size['total']:,} parameters, {size['smaller_than_base']:.1f}% fewer than "
            f"BERT base. Speed {parts[1]}: {slowest:.2f} to {fastest:.2f} times as fast, one text at a time, "
            f"in {len(times)} settings of length and threads{noise}. Quality {parts[2]}: our half-depth "
            f"student keeps {100 * kept['retention']:.1f}% of its teacher's accuracy on two classes of film "
            f"sentences (95% interval {100 * kept['low']:.1f} to {100 * kept['high']:.1f})."
        ),
    }


def rows_of(size: Row, times: Sequence[Row], kept: Row) -> list[Row]:
    """What was read, in one table."""
    return [
        {"part": "size", "gone": size["smaller_than_base"]},
        *({"part": "speed", **{k: row[k] for k in ("length", "threads", "faster", "low", "high")}}
          for row in times),
        {"part": "quality", **{k: kept[k] for k in ("retention", "low", "high", "judged")}},
    ]  # fmt: skip


def main() -> None:
    started = time.perf_counter()
    size = results.load("distillation_sizes").row(part="parameters", model="DistilBERT")
    latency = results.load("distillation_latency")
    times = latency.rows(part="time", model="DistilBERT", batch=1)
    kept = results.load("distillation_controls").row(part="retention", arm="distilled")
    quiet = latency.value("quiet", part="machine")
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows_of(size, times, kept),
        seeds=[],
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.0, "absolute": 0.0, "ignore": []},
        claims={"distilbert-40-60-97": claim(size, times, quiet, kept)},
    )


if __name__ == "__main__":
    main()
