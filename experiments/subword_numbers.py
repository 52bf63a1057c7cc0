"""Do word pieces hide the value of a number from BERT? Measured for the claim `wordpiece-numbers`.

1. *Fragmentation.* For the bert-base-uncased vocabulary: how many pieces a number becomes, by its number of digits.
2. *Probes.* Ridge regressions from a number's vector to its value. The vector is the mean over the number's
   pieces in "it costs N dollars .", at the word embeddings and at each layer of a small real BERT (all-MiniLM-L6-v2).
   The same model also reads each number digit by digit. Baselines that would embarrass it: the digits
   themselves (one-hot), their bag, the two lengths, and a random-weight encoder of the same shape.
   On five digits each probe also gets shuffled values (a control task): it must score nothing there.
3. *Pieces.* Three-digit numbers: the probe's error on numbers that the vocabulary cuts, minus its error on
   numbers that it keeps whole, within the same hundred. Digit-by-digit reading shows whether the same numbers are
   hard even when all of them are cut alike.

Verdict, fixed before the run. The claim has two halves:
  struggles: on five-digit numbers the model's best layer explains less variance of the value than the digits do;
             the interval of the difference lies below 0.
  pieces:    cut numbers have the larger error (point 3); the interval of the difference lies above 0, and so does
             the interval of its excess over the same difference when read digit by digit.
"holds here only" if both (one small model was tested); "cannot tell" if only the first; "does not hold" if not the first.

Run: python -m experiments.subword_numbers
"""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course_utils import results, scale

scale.go_offline()

import torch  # noqa: E402  (after the switch that keeps transformers off the network)
import transformers  # noqa: E402
from scipy.stats import spearmanr  # noqa: E402
from sklearn.linear_model import RidgeCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from course_utils.data import small_model_dir  # noqa: E402
from experiments.subword_common import corrected_interval
from experiments.subword_likelihood import cut as longest_match  # noqa: E402

NAME = "subword_numbers"
SEEDS = list(range(5))
TEST_SHARE = 0.2
PER_LENGTH = 1000
BEFORE, AFTER = ["it", "costs"], ["dollars", "."]
CONTROLLED = "value, 5 digits"
ALPHAS = np.logspace(-1, 5, 13)

Features = dict[str, np.ndarray]
Cut = Callable[[int], list[str]]


def decimal_digits(number: int) -> list[str]:
    """The pieces of a number that is read digit by digit.

    >>> decimal_digits(847)
    ['8', '##4', '##7']
    """
    first, *rest = str(number)
    return [first, *(f"##{digit}" for digit in rest)]


def sample_numbers(rng: np.random.Generator, per_length: int = PER_LENGTH) -> np.ndarray:
    """All whole numbers of up to three digits (without 0), and `per_length` each of four and of five digits."""
    longer = [rng.choice(np.arange(10**k, 10 ** (k + 1)), per_length, replace=False) for k in (3, 4)]
    return np.concatenate([np.arange(1, 1000), *map(np.sort, longer)])


def digit_features(numbers: np.ndarray, width: int = 5) -> np.ndarray:
    """One-hot digits, aligned at the units, with 'no digit' as an eleventh value: (numbers, width * 11).

    >>> digit_features(np.array([42]), width=3).nonzero()[1].tolist()
    [2, 15, 32]
    """
    out = np.zeros((len(numbers), width, 11))
    for row, number in enumerate(numbers):
        for place in range(width):
            digit = number // 10**place % 10 if number >= 10**place else 10
            out[row, place, digit] = 1
    return out.reshape(len(numbers), -1)


def bag_features(numbers: np.ndarray) -> np.ndarray:
    """How often each digit occurs, wherever it stands: (numbers, 10)."""
    return np.array([[str(number).count(digit) for digit in "0123456789"] for number in numbers], float)


def length_features(numbers: np.ndarray, cut: Cut) -> np.ndarray:
    """Number of digits and number of pieces: (numbers, 2)."""
    return np.array([[len(str(number)), len(cut(int(number)))] for number in numbers], float)


def read_numbers(model: Any, ids_of: dict[str, int], numbers: np.ndarray, cut: Cut) -> list[np.ndarray]:
    """The mean vector of each number's pieces: word embeddings first, then each layer's output.

    Returns layers + 1 arrays of (numbers, width). Numbers with equally many pieces share a batch, so that
    nothing is padded.
    """
    pieces = [cut(int(number)) for number in numbers]
    layers = model.config.num_hidden_layers + 1
    out = np.zeros((layers, len(numbers), model.config.hidden_size), np.float32)
    for count in sorted({len(cuts) for cuts in pieces}):
        rows = [row for row, cuts in enumerate(pieces) if len(cuts) == count]
        for start in range(0, len(rows), 256):
            batch = rows[start : start + 256]
            out[:, batch] = _read_batch(model, ids_of, [pieces[row] for row in batch])
    return list(out)


@torch.inference_mode()
def _read_batch(model: Any, ids_of: dict[str, int], pieces: Sequence[list[str]]) -> np.ndarray:
    tokens = [["[CLS]", *BEFORE, *cuts, *AFTER, "[SEP]"] for cuts in pieces]
    input_ids = torch.tensor([[ids_of[token] for token in row] for row in tokens])  # (batch, token)
    where = slice(1 + len(BEFORE), 1 + len(BEFORE) + len(pieces[0]))
    hidden_states = model(
        input_ids, output_hidden_states=True
    ).hidden_states  # layers + 1 of (batch, token, width)
    words = model.get_input_embeddings()(input_ids)
    return np.stack([states[:, where].mean(1).numpy() for states in (words, *hidden_states[1:])])


def fit(features: np.ndarray, values: np.ndarray) -> Any:
    """Standardized ridge regression; its strength is chosen by leave-one-out error on the same rows."""
    return make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(features, values)


def r_squared(values: np.ndarray, predicted: np.ndarray) -> float:
    """Share of the variance of `values` that `predicted` explains; 0 for the mean, below 0 for worse."""
    return float(1 - ((values - predicted) ** 2).sum() / ((values - values.mean()) ** 2).sum())


def stratified_difference(errors: np.ndarray, is_cut: np.ndarray, stratum: np.ndarray) -> float:
    """Mean error of cut numbers minus that of whole ones, within strata, weighted by the smaller group.

    >>> stratified_difference(np.array([3.0, 1, 9, 9]), np.array([True, False, True, False]), np.array([1, 1, 2, 2]))
    1.0
    """
    differences, weights = [], []
    for value in np.unique(stratum):
        cut, whole = errors[(stratum == value) & is_cut], errors[(stratum == value) & ~is_cut]
        if len(cut) and len(whole):
            differences.append(cut.mean() - whole.mean())
            weights.append(min(len(cut), len(whole)))
    return float(np.average(differences, weights=weights))


def split(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of a random training part and test part."""
    order = rng.permutation(count)
    tests = round(count * TEST_SHARE)
    return order[tests:], order[:tests]


def fragmentation_rows(cut: Cut, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Pieces by number of digits: every number up to five digits, 20,000 of six, and the years 1900 to 2019."""
    ranges: dict[str, Iterable[int]] = {
        str(k): range(10 ** (k - 1) if k > 1 else 0, 10**k) for k in range(1, 6)
    }
    ranges["6"] = rng.choice(np.arange(10**5, 10**6), 20_000, replace=False).tolist()
    ranges["years 1900 to 2019"] = range(1900, 2020)
    return [
        _fragmentation(digits, [len(cut(number)) for number in numbers]) for digits, numbers in ranges.items()
    ]


def _fragmentation(digits: str, counts: list[int]) -> dict[str, Any]:
    return {
        "part": "fragmentation",
        "digits": digits,
        "numbers": len(counts),
        "share_whole": counts.count(1) / len(counts),
        "pieces": float(np.mean(counts)),
        "most_pieces": max(counts),
    }


def tasks(numbers: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Name -> (rows, values to predict)."""
    chosen = {"log10, 1 to 5 digits": (np.arange(len(numbers)), np.log10(numbers))}
    for digits in (3, 4, 5):
        rows = np.flatnonzero((numbers >= 10 ** (digits - 1)) & (numbers < 10**digits))
        chosen[f"value, {digits} digits"] = (rows, numbers[rows].astype(float))
    return chosen


def probe_scores(features: Features, numbers: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """One row for each task and feature set: R squared on held-out numbers; for one task also on shuffled values."""
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
    """Train on four digits at most, test on five: rank correlation and typical factor between guess and truth."""
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
    """How much larger the probe's error is on cut three-digit numbers than on whole ones of the same hundred."""
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
                row[score] = float(np.mean(values))
                row[f"{score}_low"], row[f"{score}_high"] = corrected_interval(values, TEST_SHARE)
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


def load_model(folder: Path) -> tuple[Any, dict[str, int]]:
    """The real encoder and its vocabulary (token -> id)."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model = transformers.AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return model, {token: number for number, token in enumerate(lines)}


def random_encoder(config: Any, seed: int) -> Any:
    """An encoder of the same shape that has learned nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.AutoModel.from_config(config, add_pooling_layer=False).eval()


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
    low, high = corrected_interval(values, TEST_SHARE)
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
    """The entry for `wordpiece-numbers`: verdict, estimate (the variance explained that is missing) and sentence."""
    what = {row["what"]: row for row in rows if row["part"] == "difference"}
    limits = {name: (row["low"], row["high"]) for name, row in what.items()}
    whole = {row["digits"]: row["share_whole"] for row in rows if row["part"] == "fragmentation"}
    r2 = {row["features"]: row["r2"] for row in rows if row.get("task") == CONTROLLED}
    return {
        "verdict": verdict(limits["struggles"], limits["pieces"], limits["excess"]),
        "estimate": what["struggles"]["estimate"],
        "interval": list(limits["struggles"]),
        "unit": "share of the variance of five-digit values that the model's best layer explains, minus that of the plain digits",
        "seeds": len(SEEDS),
        "sentence": (
            f"The vocabulary keeps {whole['3']:.0%} of three-digit and {whole['5']:.0%} of five-digit numbers whole. "
            f"A linear probe reads {r2['word pieces, best layer']:.0%} of the variance of five-digit values from the best "
            f"layer of a small BERT, {r2['random weights, last layer']:.0%} from random weights, "
            f"{r2['digits, one-hot']:.0%} from the digits themselves. Among three-digit numbers of the same hundred, "
            f"those that are cut are read with an error {what['pieces']['estimate']:+.1f} "
            f"[{what['pieces']['low']:.1f}, {what['pieces']['high']:.1f}] against those kept whole; read digit by digit, "
            f"{what['pieces, read digit by digit']['estimate']:+.1f}."
        ),
    }


def main() -> None:
    started = time.perf_counter()
    torch.set_num_threads(1)
    numbers = sample_numbers(np.random.default_rng(0))
    model, ids_of = load_model(small_model_dir())
    vocab = set(ids_of)

    def cut(number: int) -> list[str]:
        return longest_match(str(number), vocab)

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
