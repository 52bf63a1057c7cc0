"""Do word pieces hide the value of a number from BERT? Measured for the claim `wordpiece-numbers`.

1. *Fragmentation.* How many pieces of the bert-base-uncased vocabulary a number becomes, by its digits.
2. *Probes.* Ridge regressions from a number's vector to its value. The vector is the mean over the number's
   pieces in "it costs N dollars .", at the word embeddings and at each layer of a small real BERT
   (all-MiniLM-L6-v2). The same model also reads each number digit by digit. Baselines that would embarrass
   it: the digits themselves (one-hot), their bag, the two lengths, a random-weight encoder of the same
   shape. On five digits each probe also gets shuffled values (a control task): it must score nothing there.
3. *Pieces.* Three-digit numbers: the probe's error on numbers that the vocabulary cuts, minus its error on
   numbers that it keeps whole, within the same hundred. Digit-by-digit reading shows whether the same
   numbers are hard even when all of them are cut alike.

Verdict, fixed before the run. The claim has two halves:
  struggles: on five-digit numbers the model's best layer explains less variance of the value than the
             digits do; the interval of the difference lies below 0.
  pieces:    cut numbers have the larger error (point 3); the interval of the difference lies above 0, and
             so does that of its excess over the same difference when read digit by digit.
"holds here only" if both (one small model was tested); "cannot tell" if only the first; "does not hold" if
not the first.

Run: python -m experiments.subword_numbers
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from course_utils import results
from course_utils.data import small_model_dir
from course_utils.subword import WordPiece
from experiments.subword_common import TEST_SHARE, corrected_interval, mean_and_interval
from experiments.subword_number_vectors import (
    Cut,
    bag_features,
    decimal_digits,
    digit_features,
    fragmentation_rows,
    length_features,
    load_model,
    random_encoder,
    read_numbers,
    sample_numbers,
)
from experiments.subword_probe import fit, r_squared, split, stratified_difference

NAME = "subword_numbers"
SEEDS = list(range(5))
PER_LENGTH = 1000
CONTROLLED = "value, 5 digits"

Features = dict[str, np.ndarray]


def tasks(numbers: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name -> (rows, values to predict)."""
    chosen = {"log10, 1 to 5 digits": (np.arange(len(numbers)), np.log10(numbers))}
    for digits in (3, 4, 5):
        rows = np.flatnonzero((numbers >= 10 ** (digits - 1)) & (numbers < 10**digits))
        chosen[f"value, {digits} digits"] = (rows, numbers[rows].astype(float))
    return chosen


def probe_scores(features: Features, numbers: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """R squared on held-out numbers for each task and feature set; for one task also on shuffled values."""
    scored = []
    for task, (rows, values) in tasks(numbers).items():
        rng = np.random.default_rng(seed)
        train, test = split(len(rows), rng)
        shuffled = rng.permutation(values)
        for name, vectors in features.items():
            x, y = vectors[rows], values
            model = fit(x[train], y[train])
            row = {"task": task, "features": name, "loo": float(model[-1].best_score_)}
            row["r2"] = r_squared(y[test], model.predict(x[test]))
            if task == CONTROLLED:
                row["control"] = r_squared(shuffled[test], fit(x[train], shuffled[train]).predict(x[test]))
            scored.append(row)
    return scored


def extrapolation_scores(features: Features, numbers: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Train on four digits at most, test on five: rank correlation, and typical factor of the error."""
    train = np.flatnonzero(numbers < 10**4)
    test = np.flatnonzero(numbers >= 10**4)
    train = np.random.default_rng(seed).choice(train, round(len(train) * (1 - TEST_SHARE)), replace=False)
    scored = []
    for name, vectors in features.items():
        guess = fit(vectors[train], np.log10(numbers[train])).predict(vectors[test])
        factor = 10 ** np.median(np.abs(guess - np.log10(numbers[test])))
        order = spearmanr(guess, numbers[test]).statistic if guess.std() > 0 else 0.0
        scored.append(
            {
                "task": "five digits from shorter",
                "features": name,
                "order": float(order),
                "factor": float(factor),
            }
        )
    return scored


def piece_effect(vectors: np.ndarray, numbers: np.ndarray, is_cut: np.ndarray, seed: int) -> float:
    """The probe's error on cut three-digit numbers minus that on whole ones of the same hundred."""
    rows = np.flatnonzero((numbers >= 100) & (numbers < 1000))
    train, test = split(len(rows), np.random.default_rng(seed))
    values = numbers[rows].astype(float)
    guess = fit(vectors[rows[train]], values[train]).predict(vectors[rows[test]])
    errors = np.abs(guess - values[test])
    return stratified_difference(errors, is_cut[rows[test]], numbers[rows[test]] // 100)


def with_best_layer(scored: list[dict[str, Any]], way: str) -> list[dict[str, Any]]:
    """Add a row per task for the layer whose leave-one-out error on the training rows is smallest."""
    best = []
    for task in {row["task"]: None for row in scored if "loo" in row}:
        layers = [
            row for row in scored if row["task"] == task and row["features"].startswith(f"{way}, layer")
        ]
        best.append({**max(layers, key=lambda row: row["loo"]), "features": f"{way}, best layer"})
    return scored + best


def summarize(per_seed: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row for each task and feature set: mean over seeds and interval of each score."""
    rows = []
    for same in zip(*per_seed, strict=True):
        row: dict[str, Any] = {"part": "probe", "task": same[0]["task"], "features": same[0]["features"]}
        for score in ("r2", "control", "order", "factor"):
            if score in same[0]:
                values = [one[score] for one in same]
                row |= mean_and_interval(score, values)
        rows.append(row)
    return rows


def verdict(struggle: tuple[float, float], pieces: tuple[float, float], excess: tuple[float, float]) -> str:
    """The rule of the module's docstring, from the three intervals.

    >>> verdict(struggle=(-0.3, -0.2), pieces=(5.0, 9.0), excess=(1.0, 4.0))
    'holds here only'
    """
    if not struggle[1] < 0:
        return "does not hold"
    return "holds here only" if pieces[0] > 0 and excess[0] > 0 else "cannot tell"


def by_layer(way: str, layers: list[np.ndarray]) -> Features:
    """Name the word embeddings and each layer of one way of reading."""
    return {
        f"{way}, {'word embeddings' if k == 0 else f'layer {k}'}": vectors for k, vectors in enumerate(layers)
    }


def score_one_seed(
    natural: Features,
    fixed: Features,
    config: Any,
    ids_of: dict[str, int],
    numbers: np.ndarray,
    cut: Cut,
    seed: int,
) -> list[dict[str, Any]]:
    """All probe scores of one split; the random-weight encoder is drawn anew for each."""
    encoder = random_encoder(config, seed)
    untrained: Features = {}
    for way, reading in (("random weights", cut), ("random weights, digit by digit", decimal_digits)):
        drawn = read_numbers(encoder, ids_of, numbers, reading)
        untrained |= {f"{way}, word embeddings": drawn[0], f"{way}, last layer": drawn[-1]}
    features = {**fixed, **untrained, **natural}
    scored = probe_scores(features, numbers, seed)
    for way in ("word pieces", "digit by digit"):
        scored = with_best_layer(scored, way)
    return scored + extrapolation_scores(features, numbers, seed)


def best_layer_of(scored: list[dict[str, Any]], way: str, task: str) -> dict[str, Any]:
    """The row that `with_best_layer` made for one task."""
    return next(row for row in scored if row["features"] == f"{way}, best layer" and row["task"] == task)


def interval_row(name: str, values: Sequence[float]) -> dict[str, Any]:
    """One row of differences between the two halves of the claim, with the interval over the splits."""
    low, high = corrected_interval(values)
    return {"part": "difference", "what": name, "estimate": float(np.mean(values)), "low": low, "high": high}


def differences(
    per_seed: list[list[dict[str, Any]]], features: Features, numbers: np.ndarray, is_cut: np.ndarray
) -> list[dict[str, Any]]:
    """The three differences that decide the verdict, and the two that the third is made of."""
    struggle = []
    for scored in per_seed:
        digits = next(r for r in scored if r["features"] == "digits, one-hot" and r["task"] == CONTROLLED)
        struggle.append(best_layer_of(scored, "word pieces", CONTROLLED)["r2"] - digits["r2"])
    effects = {
        way: _piece_effects(way, per_seed, features, numbers, is_cut)
        for way in ("word pieces", "digit by digit")
    }
    excess = np.subtract(effects["word pieces"], effects["digit by digit"])
    return [
        interval_row("struggles", struggle),
        interval_row("pieces", effects["word pieces"]),
        interval_row("pieces, read digit by digit", effects["digit by digit"]),
        interval_row("excess", excess.tolist()),
    ]


def _piece_effects(
    way: str,
    per_seed: list[list[dict[str, Any]]],
    features: Features,
    numbers: np.ndarray,
    is_cut: np.ndarray,
) -> list[float]:
    """`piece_effect` of each seed, at the layer that its leave-one-out error prefers for three digits."""
    effects = []
    for seed, scored in zip(SEEDS, per_seed, strict=True):
        layers = [
            r for r in scored if r["task"] == "value, 3 digits" and r["features"].startswith(f"{way}, layer")
        ]
        best = max(layers, key=lambda row: row["loo"])["features"]
        effects.append(piece_effect(features[best], numbers, is_cut, seed))
    return effects


def claim(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry for `wordpiece-numbers`; the estimate is the share of variance that is missing."""
    what = {row["what"]: row for row in rows if row["part"] == "difference"}
    limits = {name: (row["low"], row["high"]) for name, row in what.items()}
    whole = {row["digits"]: row["share_whole"] for row in rows if row["part"] == "fragmentation"}
    r2 = {row["features"]: row["r2"] for row in rows if row.get("task") == CONTROLLED}
    return {
        "verdict": verdict(limits["struggles"], limits["pieces"], limits["excess"]),
        "estimate": what["struggles"]["estimate"],
        "interval": list(limits["struggles"]),
        "unit": "share of the variance of five-digit values explained, best layer minus plain digits",
        "seeds": len(SEEDS),
        "sentence": (
            f"The vocabulary keeps {whole['3']:.0%} of three-digit numbers whole and {whole['5']:.0%} of "
            f"five-digit ones. A linear probe reads {r2['word pieces, best layer']:.0%} of the variance of "
            f"five-digit values from a small BERT's best layer, {r2['random weights, last layer']:.0%} from "
            f"random weights, {r2['digits, one-hot']:.0%} from the plain digits. Of three-digit numbers "
            f"within one hundred, the mean error on those that are cut minus that on whole ones is "
            f"{what['pieces']['estimate']:+.0f} "
            f"[{what['pieces']['low']:+.0f}, {what['pieces']['high']:+.0f}]."
        ),
    }


def main() -> None:
    started = time.perf_counter()
    numbers = sample_numbers(np.random.default_rng(0), PER_LENGTH)
    model, ids_of = load_model(small_model_dir())
    tokenizer = WordPiece(ids_of)

    def cut(number: int) -> list[str]:
        return tokenizer.tokenize(str(number))

    natural = by_layer("word pieces", read_numbers(model, ids_of, numbers, cut))
    natural |= by_layer("digit by digit", read_numbers(model, ids_of, numbers, decimal_digits))
    fixed = {
        "digits, one-hot": digit_features(numbers),
        "digits, as a bag": bag_features(numbers),
        "lengths alone": length_features(numbers, cut),
    }
    per_seed = [score_one_seed(natural, fixed, model.config, ids_of, numbers, cut, seed) for seed in SEEDS]
    is_cut = np.array([len(cut(int(number))) > 1 for number in numbers])
    rows = fragmentation_rows(cut, np.random.default_rng(0)) + summarize(per_seed)
    rows += differences(per_seed, natural, numbers, is_cut)
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.02, "absolute": 0.02, "ignore": []},
        claims={"wordpiece-numbers": claim(rows)},
    )


if __name__ == "__main__":
    main()
