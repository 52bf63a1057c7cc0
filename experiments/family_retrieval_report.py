"""From the runs of `family_retrieval` to its rows and its verdict. The rule is in that module's docstring."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats as scipy_stats

from course_utils import results
from course_utils.stats import holm

SMALLEST = 0.05  # accuracy: five points
JUDGED = ("joint", "closed book x 4")
SIMPLE = ("most frequent", "most frequent of the relation", "random")
DIRECTIONS = ("all", "forward", "inverse")
MAIN_TEST = "new countries"

Runs = Mapping[str, Sequence[Mapping[str, Any]]]
Row = dict[str, Any]


def verdict(low: float, high: float) -> str:
    """The rule, from the interval of the difference in accuracy.

    >>> verdict(0.1, 0.2), verdict(-0.1, 0.04), verdict(0.0, 0.1)
    ('holds here only', 'does not hold', 'cannot tell')
    """
    if low > SMALLEST:
        return "holds here only"
    return "does not hold" if high < SMALLEST else "cannot tell"


def with_interval(name: str, values: ArrayLike) -> Row:
    """Mean and 95% t interval over seeds, as fields of a row.

    >>> with_interval("gain", [0.5, 0.5])
    {'gain': 0.5, 'gain_low': 0.5, 'gain_high': 0.5, 'by_seed': [0.5, 0.5]}
    """
    array = np.asarray(values, dtype=float)
    half = float(scipy_stats.t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / len(array) ** 0.5)
    mean = float(array.mean())
    return {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half, "by_seed": array.tolist()}


def accuracies(
    runs: Runs, system: str, test: str, direction: str = "all", k: int | None = None
) -> list[float]:
    """Accuracy by seed, at the k of training unless another is asked for."""
    if system in SIMPLE:
        return [one["simple"][test][system][direction] for one in runs["simple"]]
    found = [one["tests"][test] for one in runs[system]]
    return [one["accuracy"][str(one["k"] if k is None else k)][direction] for one in found]


def recalls(runs: Runs, system: str, test: str, when: str, k: int, direction: str = "all") -> list[float]:
    """Recall at k by seed, when "before" or "after" training."""
    return [one["tests"][test][when][f"recall at {k}"][direction] for one in runs[system]]


def open_books(runs: Runs) -> list[str]:
    """The systems that retrieve."""
    return [name for name, made in runs.items() if name != "simple" and "before" in _first(made)]


def _first(made: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = made[0]["tests"][MAIN_TEST]
    return found


def accuracy_rows(runs: Runs) -> list[Row]:
    """One row for each system, test and direction."""
    systems = [name for name in runs if name != "simple"]
    return [
        {"part": "accuracy", "system": system, "test": test, "direction": direction}
        | with_interval("accuracy", accuracies(runs, system, test, direction))
        for system in (*systems, *SIMPLE)
        for test in (MAIN_TEST, "seen facts")
        for direction in DIRECTIONS
    ]


def recall_rows(runs: Runs) -> list[Row]:
    """One row for each open book, test, direction, k, before and after; the oracle needs none."""
    return [
        {"part": "recall", "system": system, "test": test, "direction": direction, "when": when, "k": k}
        | with_interval("recall", recalls(runs, system, test, when, k, direction))
        for system in open_books(runs)
        if system != "oracle"
        for test in (MAIN_TEST, "seen facts")
        for direction in DIRECTIONS
        for when in ("before", "after")
        for k in (1, 5)
    ]


def sweep_rows(runs: Runs) -> list[Row]:
    """Accuracy on new countries by the number of documents that are read in the test."""
    return [
        {"part": "documents read", "system": system, "k": int(k)}
        | with_interval("accuracy", accuracies(runs, system, MAIN_TEST, k=int(k)))
        for system in open_books(runs)
        if len(_first(runs[system])["accuracy"]) > 1
        for k in _first(runs[system])["accuracy"]
    ]


def size_rows(runs: Runs) -> list[Row]:
    """Trained parameters; and how well a closed book knows the documents that it has read."""
    rows = []
    for system, made in runs.items():
        if system != "simple":
            row = {"part": "size", "system": system, "trained_parameters": made[0]["trained"]}
            if "cloze" in made[0]:
                row |= with_interval("cloze_accuracy", [one["cloze"] for one in made])
            rows.append(row)
    return rows


def difference_rows(runs: Runs) -> list[Row]:
    """The judged difference, and the three beside it with Holm's correction."""
    joint = np.array(accuracies(runs, "joint", MAIN_TEST))
    told = {
        "joint minus frozen retriever": joint - accuracies(runs, "frozen retriever", MAIN_TEST),
        "recall at 1, after minus before": np.subtract(
            recalls(runs, "joint", MAIN_TEST, "after", 1), recalls(runs, "joint", MAIN_TEST, "before", 1)
        ),
        "joint minus bm25": joint - accuracies(runs, "bm25", MAIN_TEST),
    }
    tests = [float(scipy_stats.ttest_1samp(values, 0).pvalue) for values in told.values()]
    judged = joint - accuracies(runs, JUDGED[1], MAIN_TEST)
    rows: list[Row] = [
        {"part": "judged", "what": " minus ".join(JUDGED)} | with_interval("difference", judged)
    ]
    for (what, values), p in zip(told.items(), holm(tests), strict=True):
        rows.append({"part": "difference", "what": what, "p_holm": p} | with_interval("difference", values))
    return rows


def example_rows(runs: Runs) -> list[Row]:
    """p(z|x) before and after, of a few questions of the first seed; documents by their number."""
    return [{"part": "example", **one} for one in runs["joint"][0]["examples"]]


def claim(runs: Runs) -> dict[str, Any]:
    """The entry of `realm-openqa`."""
    judged = difference_rows(runs)[0]
    low, high = judged["difference_low"], judged["difference_high"]
    percent = lambda system: f"{100 * np.mean(accuracies(runs, system, MAIN_TEST)):.0f}%"
    return {
        "verdict": verdict(low, high),
        "estimate": judged["difference"],
        "interval": [low, high],
        "unit": "accuracy on new countries, joint retriever and reader minus a closed book 4 times as large",
        "seeds": len(runs["joint"]),
        "sentence": (
            f"On facts of countries that training never asked about, a retriever and reader trained end to "
            f"end answer {percent('joint')}, a closed book of the same size that has read all documents "
            f"{percent('closed book')}, one with four times the trained parameters {percent(JUDGED[1])}; "
            f"BM25 with a reader {percent('bm25')}, a reader with the right document {percent('oracle')}. "
            f"One small corpus of facts in fixed forms, a frozen encoder, and no retrieval "
            f"while pretraining, which the claim is about."
        ),
    }


def write_report(name: str, command: str, runs: Runs, seeds: Sequence[int]) -> Path:
    """Write the results file."""
    rows = [*difference_rows(runs), *accuracy_rows(runs), *recall_rows(runs), *sweep_rows(runs)]
    rows += [*size_rows(runs), *example_rows(runs)]
    return results.write(
        name,
        command=command,
        rows=rows,
        seeds=seeds,
        seconds=sum(one["cpu_seconds"] for made in runs.values() for one in made),
        tolerance={"relative": 0.05, "absolute": 0.03, "ignore": ["p_holm"]},
        claims={"realm-openqa": claim(runs)},
    )
