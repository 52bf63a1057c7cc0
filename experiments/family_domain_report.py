"""Results of `experiments.family_domain`: models, baselines, differences, and the verdict on `scibert`.

Rows of results/family_domain.json; an estimate X comes with X_low, X_high and X_values (one a seed):
  kind "model"       model (as_is, continued, small_general, small_domain, small_mixed, untrained), seeds;
                     domain_nats, general_nats (nats a word), domain_first, general_first (share of words),
                     frozen, tuned (accuracy); domain_pieces, general_pieces (a word), training_seconds
  kind "baseline"    model "neighbors" and "most frequent word" (domain_first, general_first),
                     "TF-IDF" (frozen), "chance" (frozen, a number alone)
  kind "difference"  model, minus, measure (one of the six above), seeds, level, difference
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from course_utils import results
from experiments.family_domain_measure import KINDS, Neighbors, bag_of_words, blanks, count_hits
from experiments.family_domain_models import split_text, texts

NAME = "family_domain"
SMALLEST = 0.01  # accuracy: one point
LEVEL = 0.975  # of each of the two intervals that judge, so that both hold together at 0.95
MEASURES = ("domain_nats", "domain_first", "general_nats", "general_first", "frozen", "tuned")
PAIRS = (
    ("small_domain", "small_general"),
    ("small_mixed", "small_general"),
    ("small_domain", "small_mixed"),
    ("small_domain", "untrained"),
    ("continued", "as_is"),
    ("as_is", "small_domain"),
)
Row = dict[str, Any]
Runs = Mapping[tuple[str, int], Row]  # (arm, seed) -> measure -> value


def load_runs(where: Path) -> dict[tuple[str, int], Row]:
    """The runs that are there."""
    found = {}
    for file in sorted(where.glob("*.json")):
        run = json.loads(file.read_text(encoding="utf-8"))
        flat = {f"{kind}_{key}": value for kind in ("domain", "general") for key, value in run[kind].items()}
        found[run["arm"], run["seed"]] = {**run, **flat}
    return found


def interval(values: Sequence[float], level: float) -> tuple[float, float]:
    """t interval for a mean over seeds; at least two.

    >>> [round(end, 2) for end in interval([1.0, 2.0, 3.0], 0.95)]
    [-0.48, 4.48]
    """
    reach = student.ppf((1 + level) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values) - reach), float(np.mean(values) + reach)


def summary(name: str, values: Sequence[float], level: float = 0.95) -> Row:
    """Four fields of a row: mean, both ends of its interval, and the values by seed."""
    low, high = interval(values, level)
    mean = float(np.mean(values))
    return {name: mean, f"{name}_low": low, f"{name}_high": high, f"{name}_values": list(values)}


def seeds_of(runs: Runs, *arms: str) -> list[int]:
    """The seeds that all these arms have."""
    return sorted(seed for arm, seed in runs if arm == arms[0] and all((one, seed) in runs for one in arms))


def model_row(runs: Runs, arm: str) -> Row:
    """One model: means over its seeds."""
    seeds = seeds_of(runs, arm)
    row: Row = {"kind": "model", "model": arm, "seeds": len(seeds)}
    for measure in MEASURES:
        row |= summary(measure, [runs[arm, seed][measure] for seed in seeds])
    for measure in ("domain_pieces", "general_pieces", "training_seconds"):
        row[measure] = float(np.mean([runs[arm, seed][measure] for seed in seeds]))
    return row


def difference_rows(runs: Runs, more: str, less: str) -> list[Row]:
    """One model minus another, paired by seed, in every measure."""
    seeds = seeds_of(runs, more, less)
    rows = []
    for measure in MEASURES:
        values = [runs[more, seed][measure] - runs[less, seed][measure] for seed in seeds]
        head = {"kind": "difference", "model": more, "minus": less, "measure": measure, "seeds": len(seeds)}
        rows.append({**head, "level": LEVEL, **summary("difference", values, LEVEL)})
    return rows


def baseline_rows(seeds: Sequence[int]) -> list[Row]:
    """Counts of neighbors, the most frequent word, TF-IDF, and guessing."""
    counts = Neighbors(split_text(text) for text in texts("domain", "train"))
    hits = {
        kind: [count_hits(counts, blanks(kind, seed)) for seed in seeds] for kind in ("domain", "general")
    }
    rows: list[Row] = []
    for name, field in (("neighbors", "first"), ("most frequent word", "most_frequent")):
        row: Row = {"kind": "baseline", "model": name, "seeds": len(seeds)}
        for kind, found in hits.items():
            row |= summary(f"{kind}_first", [one[field] for one in found])
        rows.append(row)
    bags = summary("frozen", [bag_of_words(seed)["frozen"] for seed in seeds])
    rows.append({"kind": "baseline", "model": "TF-IDF", "seeds": len(seeds), **bags})
    rows.append({"kind": "baseline", "model": "chance", "seeds": 0, "frozen": 1 / len(KINDS)})
    return rows


def verdict(frozen: tuple[float, float], tuned: tuple[float, float]) -> str:
    """The rule that was written before the runs, from the two intervals.

    >>> verdict((0.02, 0.05), (0.03, 0.04)), verdict((-0.02, 0.005), (0.03, 0.04)), verdict((0, 1), (0, 1))
    ('holds', 'does not hold', 'cannot tell')
    """
    if min(frozen[0], tuned[0]) > SMALLEST:
        return "holds"
    return "does not hold" if min(frozen[1], tuned[1]) < SMALLEST else "cannot tell"


def _points(row: Row) -> str:
    """A difference in accuracy with its interval, in points."""
    low, high = (100 * row[f"difference_{end}"] for end in ("low", "high"))
    return f"{100 * row['difference']:+.1f} points ({low:+.1f} to {high:+.1f})"


def claim(rows: Sequence[Row]) -> Row:
    """What became of `scibert`."""
    pair = {
        row["measure"]: row
        for row in rows
        if row["kind"] == "difference" and (row["model"], row["minus"]) == PAIRS[0]
    }
    frozen, tuned = pair["frozen"], pair["tuned"]
    solved = next(row for row in rows if row["kind"] == "model" and row["model"] == PAIRS[0][0])
    bag = next(row for row in rows if row["model"] == "TF-IDF")
    ends = [(row["difference_low"], row["difference_high"]) for row in (frozen, tuned)]
    return {
        "verdict": verdict(*ends),
        "estimate": 100 * tuned["difference"],
        "interval": [100 * end for end in ends[1]],
        "unit": "points of accuracy, fine-tuned",
        "seeds": tuned["seeds"],
        "sentence": "Two encoders of 4 layers, trained from nothing with equal steps: one on documentation, "
        "with a vocabulary of its own, minus one on general text. On a task from the documentation with 400 "
        f"labels: frozen {_points(frozen)}, fine-tuned {_points(tuned)}. The former is right on "
        f"{100 * solved['tuned']:.1f}% when fine-tuned, TF-IDF on {100 * bag['frozen']:.1f}%.",
    }


def report(where: Path, seconds: float) -> Path:
    """Write results/family_domain.json from the runs that lie in a folder; returns its path."""
    runs = load_runs(where)
    arms = [arm for arm in dict.fromkeys(arm for arm, _ in runs) if len(seeds_of(runs, arm)) > 1]
    seeds = sorted({seed for _, seed in runs})
    rows = [model_row(runs, arm) for arm in arms] + baseline_rows(seeds)
    pairs = [pair for pair in PAIRS if len(seeds_of(runs, *pair)) > 1]
    rows += [row for pair in pairs for row in difference_rows(runs, *pair)]
    return results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=seeds,
        seconds=seconds,
        tolerance={
            "relative": 0.15,
            "absolute": 0.06,
            "ignore": ["training_seconds", *(f"{m}_values" for m in (*MEASURES, "difference"))],
        },
        claims={"scibert": claim(rows)},
    )
