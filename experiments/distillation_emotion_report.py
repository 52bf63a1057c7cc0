"""The rows and the verdict of `distillation_emotion`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from course_utils import metrics, results
from course_utils.data import rated_reviews
from course_utils.results import Row
from course_utils.stats import Interval
from experiments.distillation_emotion import EMOTIONS, NAME, SEEDS, TEST, drawn
from experiments.finetuning_common import Record, interval

Records = Mapping[str, Record]
Array = NDArray[np.float64]

SMALLEST = 0.05  # Spearman's correlation: the smallest difference that would matter
HALVINGS = 50
POSITIVE, NEGATIVE = {"joy": 1, "love": 2}, {"sadness": 0, "anger": 3, "fear": 4}
MODELS = ("teacher", "student")


# ---------------------------------------------------------------------- strength


def correlation(ratings: Array, said: Sequence[float], sign: int) -> float:
    """Spearman's with the raters' mean among the sentences of one sign.

    >>> round(correlation(np.array([1.0, 2.0, -1.0, 3.0]), [0.1, 0.2, 9.0, 0.3], sign=1), 6)
    1.0
    """
    chosen = np.sign(ratings) == sign
    return float(metrics.spearman(ratings[chosen], np.asarray(said)[chosen]))


def ceiling(scores: Array, rng: np.random.Generator) -> dict[str, float]:
    """What the raters of some sentences allow. scores: (sentences, raters), NaN where there are fewer.

    halves: correlation of the means of two random halves of the raters; all: of all of them with as many
    others (Spearman-Brown); perfect: of all of them with the true mean.
    """
    found = []
    for _ in range(HALVINGS):
        shuffled = rng.permuted(scores, axis=1)
        half = shuffled.shape[1] // 2
        found.append(metrics.spearman(np.nanmean(shuffled[:, :half], 1), np.nanmean(shuffled[:, half:], 1)))
    halves = float(np.mean(found))
    every = 2 * halves / (1 + halves)
    return {"halves": halves, "all": every, "perfect": every**0.5}


def strength_rows(records: Records) -> list[Row]:
    """Correlations of every model by sign, the gain of graded models, and what the raters allow."""
    chosen = drawn("test", TEST["strength"], 2026)
    ratings = np.array([rating for _, rating, _ in chosen])
    scores = rated_reviews.raters("movies").scores[[number for _, _, number in chosen]]
    rows: list[Row] = []
    for sign, name in ((1, "positive"), (-1, "negative")):
        same = np.sign(ratings) == sign
        allowed = ceiling(scores[same], np.random.default_rng(0))
        rows.append({"part": "ceiling", "sign": name, "sentences": int(same.sum()), **allowed})
        for model in MODELS:
            by_kind = {
                kind: [
                    correlation(ratings, records[f"strength-{kind}-{seed}"]["said"][model], sign)
                    for seed in SEEDS
                ]
                for kind in ("sentiment", "graded")
            }
            what = {"sign": name, "model": model}
            rows += [_row("strength", values, **what, kind=kind) for kind, values in by_kind.items()]
            gain = np.subtract(by_kind["graded"], by_kind["sentiment"])
            rows.append(_row("strength gain", gain.tolist(), **what))
    return rows


# ---------------------------------------------------------------------- kinds


def polarity_says(true: Sequence[int]) -> list[int]:
    """What perfect polarity alone says of each text: joy, sadness, or (given for free) surprise.

    >>> polarity_says([0, 1, 2, 3, 4, 5])
    [0, 1, 1, 0, 0, 5]
    """
    return [1 if label in POSITIVE.values() else 0 if label in NEGATIVE.values() else label for label in true]


def kinds_rows(records: Records) -> list[Row]:
    """Accuracy, F1 by class and confusions of teacher, student and perfect polarity."""
    true = records["kinds-0"]["true"]
    baseline = polarity_says(true)
    right = metrics.accuracy(true, baseline)
    rows: list[Row] = [
        {"part": "polarity", "accuracy": right, "macro_f1": metrics.macro_f1(true, baseline)},
    ]
    for model in MODELS:
        said = [records[f"kinds-{seed}"]["said"][model] for seed in SEEDS]
        accuracy = [metrics.accuracy(true, one) for one in said]
        rows.append(_row("kinds accuracy", accuracy, model=model))
        rows.append(_row("kinds gain", [value - right for value in accuracy], model=model))
        rows.append(_row("kinds macro f1", [metrics.macro_f1(true, one) for one in said], model=model))
        for label, emotion in enumerate(EMOTIONS):
            scores = [metrics.f1(true, one, positive=label) for one in said]
            rows.append(_row("kinds f1", scores, model=model, emotion=emotion))
        rows.append({"part": "confusion", "model": model, "share": confusion(true, said)})
    return rows


def confusion(true: Sequence[int], said: Sequence[Sequence[int]]) -> list[list[float]]:
    """Share of the texts of an emotion (row) that were called each (column), mean over seeds."""
    counts = np.zeros((len(EMOTIONS), len(EMOTIONS)))
    for one in said:
        np.add.at(counts, (list(true), list(one)), 1)
    return (counts / counts.sum(axis=1, keepdims=True)).round(4).tolist()


# ---------------------------------------------------------------------- verdict


def half_verdict(gain: Interval, least: float) -> str:
    """holds, fails or cannot be told.

    >>> half_verdict(Interval(0.2, 0.1, 0.3, 0.95), 0.05), half_verdict(Interval(0.0, -0.1, 0.04, 0.95), 0.05)
    ('holds', 'fails')
    """
    if gain.low > least:
        return "holds"
    return "fails" if gain.high < least else "cannot be told"


def claim(rows: Sequence[Row]) -> Row:
    """The entry of sentiment-vs-emotion."""
    strength = _find(rows, part="strength gain", sign="positive", model="student")
    kind = _find(rows, part="kinds gain", model="student")
    polarity = _find(rows, part="polarity")
    sureness, score = (
        _find(rows, part="strength", sign="positive", model="student", kind=k)["mean"]
        for k in ("sentiment", "graded")
    )
    allowed = _find(rows, part="ceiling", sign="positive")
    halves = (half_verdict(_interval(strength), SMALLEST), half_verdict(_interval(kind), 0.0))
    verdict = "does not hold" if "fails" in halves else "cannot tell"
    return {
        "verdict": "holds here only" if halves == ("holds", "holds") else verdict,
        "estimate": strength["mean"],
        "interval": [strength["low"], strength["high"]],
        "unit": "Spearman's correlation with the raters among positive sentences, graded student minus "
        "sentiment student",
        "seeds": len(SEEDS),
        "sentence": (
            f"Strength {halves[0]}: among {allowed['sentences']} positive film sentences the sentiment "
            f"student's sureness follows the raters' mean with {sureness:.2f}, a graded student's score with "
            f"{score:.2f}; the raters allow {allowed['perfect']:.2f}. Kinds {halves[1]}: on six emotions the "
            f"student is right in {100 * (polarity['accuracy'] + kind['mean']):.0f}% of the tweets, a model "
            f"that knows their polarity perfectly and nothing else in {100 * polarity['accuracy']:.0f}% "
            f"(difference {100 * kind['mean']:+.1f} points, interval {100 * kind['low']:+.1f} to "
            f"{100 * kind['high']:+.1f})."
        ),
    }


def report(records: Records, out: Path | None = None) -> Path:
    """Write results/distillation_emotion.json."""
    rows = [*strength_rows(records), *kinds_rows(records)]
    return results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=sum(record["cpu_seconds"] for record in records.values()),
        tolerance={"relative": 0.05, "absolute": 0.02, "ignore": []},
        claims={"sentiment-vs-emotion": claim(rows)},
        out=out,
    )


def _row(part: str, values: Sequence[float], **what: str) -> Row:
    made = interval(values)
    return {
        "part": part,
        **what,
        "values": [float(value) for value in values],
        "mean": made.estimate,
        "low": made.low,
        "high": made.high,
        "seeds": len(values),
    }


def _interval(row: Row) -> Interval:
    return Interval(row["mean"], row["low"], row["high"], 0.95)


def _find(rows: Sequence[Row], **match: str) -> Row:
    (found,) = (row for row in rows if match.items() <= row.items())
    return found
