"""From the runs of `finetuning_stability` to results/finetuning_stability.json.

Each part is reported from the seeds that have all of its runs; a claim is judged from at least 8 of them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from course_utils import results
from course_utils.stats import Interval
from experiments import finetuning_common as common
from experiments import finetuning_stability as design
from experiments.finetuning_common import Record, gain_verdict, points
from experiments.finetuning_stability import (
    HEADS,
    NAME,
    ORDERS,
    RATE,
    RATES,
    SEEDS,
    TEST,
    Run,
)
from experiments.finetuning_stability_clipping import clipping_part, deep_part
from experiments.finetuning_stability_rows import (
    FEWEST,
    Claims,
    Rows,
    difference,
    of,
    of_arm,
    spread,
    whole_seeds,
)

NEAR_CHANCE = 0.05  # accuracy above the share of the larger class


def report() -> str:
    """Write the results file and return where; parts without two whole seeds are left out."""
    rows: Rows = []
    claims: Claims = {}
    for part in (rate_part, crossed_part, clipping_part, deep_part, centering_part, stripping_part):
        new_rows, new_claims = part()
        rows, claims = rows + new_rows, claims | new_claims
    path = results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=list(SEEDS),
        seconds=spent(),
        tolerance={"relative": 0.2, "absolute": 0.05, "ignore": ["values", "probe_values", *claims]},
        claims=claims,
    )
    return str(path)


def spent() -> float:
    """CPU seconds of all runs that tell them."""
    files = common.folder(NAME).glob("*.json")
    return sum(common.read(NAME, file.stem).get("cpu_seconds", 0.0) for file in files)


def rate_part() -> tuple[Rows, Claims]:
    """Accuracy and failures by rate, beside the probe, the bag of words and the larger class."""
    names = ["baselines", *(f"plain-{rate:g}" for rate in RATES)]
    seeds = whole_seeds(names)
    if len(seeds) < 2:
        return [], {}
    baselines = [common.read(NAME, f"baselines-{seed}") for seed in seeds]
    larger = larger_share()
    rows = [
        {"part": "baseline", "method": method, **spread([one[method] for one in baselines])}
        for method in ("probe", "words", "words stripped")
    ]
    rows.append({"part": "baseline", "method": "larger class", **spread([larger] * len(seeds))})
    probes = [one["probe"] for one in baselines]
    for rate in RATES:
        values = [one["accuracy"] for one in of_arm("plain", rate, seeds)]
        rows.append({"part": "rate", "rate": rate, **spread(values), **failures(values, probes, larger)})
    return rows, {}


def larger_share() -> float:
    """The share of the test sentences in the larger class."""
    positive = float(np.mean([one.label for one in common.drawn("test", TEST, 2026)]))
    return max(positive, 1 - positive)


def failures(values: Sequence[float], probes: Sequence[float], larger: float) -> Record:
    """How many runs fail, by the two definitions of the design.

    >>> failures([0.8, 0.7, 0.53], [0.75, 0.75, 0.75], larger=0.51)
    {'below_probe': 2, 'near_chance': 1, 'probe_values': [0.75, 0.75, 0.75]}
    """
    return {
        "below_probe": sum(value < probe for value, probe in zip(values, probes, strict=True)),
        "near_chance": sum(value < larger + NEAR_CHANCE for value in values),
        "probe_values": list(probes),
    }


def crossed_part() -> tuple[Rows, Claims]:
    """The variance of accuracy, split into head, order and what is left."""
    names = [[Run("crossed", RATE, 0, head, order).name for order in ORDERS] for head in HEADS]
    if not all((common.folder(NAME) / f"{name}.json").is_file() for row in names for name in row):
        return [], {}
    table = np.array([[common.read(NAME, name)["accuracy"] for name in row] for row in names])
    found = components(table)
    seeds = whole_seeds([f"plain-{RATE:g}"])
    of_seeds = float(np.var([one["accuracy"] for one in of_arm("plain", RATE, seeds)], ddof=1))
    sampling = float(np.mean(table * (1 - table)) / TEST)
    row = {"part": "variance", "table": table.round(4).tolist(), "mean": float(table.mean()), **found}
    return [row | {"all_seeds": of_seeds, "test_sampling": sampling, "seeds": len(seeds)}], {}


def components(table: ArrayLike) -> dict[str, float]:
    """Variance components of a two-way table without replication (heads, orders), by the method of moments.

    What is left over holds the interaction. A component below 0 is reported as it comes: the true one is
    then near 0.

    >>> components([[1.0, 1.0], [3.0, 3.0]])
    {'head': 2.0, 'order': 0.0, 'rest': 0.0}
    """
    values = np.asarray(table, dtype=float)
    heads, orders = values.shape
    by_head, by_order = values.mean(axis=1), values.mean(axis=0)
    left = values - by_head[:, None] - by_order[None] + values.mean()
    rest = float((left**2).sum() / ((heads - 1) * (orders - 1)))
    head = (float(by_head.var(ddof=1)) * orders - rest) / orders
    order = (float(by_order.var(ddof=1)) * heads - rest) / heads
    return {"head": head, "order": order, "rest": rest}


def centering_part() -> tuple[Rows, Claims]:
    """[CLS] with and without its mean; judges `cls-centering`."""
    rows = difference("centering", "centered", "cls", RATE)
    if not rows:
        return [], {}
    seeds = whole_seeds([f"centered-{RATE:g}", f"cls-{RATE:g}"])
    share = common.read(NAME, "cls-states")
    rows.append({"part": "common mean", "cls": share["cls"], "mean": share["mean"]})
    for arm in ("cls", "centered"):
        found = of_arm(arm, RATE, seeds)
        norms = np.concatenate([one["norms"] for one in found])
        curve = np.mean([one["losses"] for one in found], axis=0)
        row = {"part": "pooling", "arm": arm, **spread([one["accuracy"] for one in found])}
        row["near_chance"] = sum(one["accuracy"] < larger_share() + NEAR_CHANCE for one in found)
        row |= {"norm_median": float(np.median(norms)), "norm_largest": float(norms.max())}
        rows.append(row | {"losses": curve.round(4).tolist()})
    if len(seeds) < FEWEST:
        return rows, {}
    gain, cls, centered = of(rows[0]), rows[2], rows[3]
    sentence = (
        f"With the common mean subtracted, {share['cls']:.1%} of the [CLS] states' mean square before "
        f"training, accuracy changed by {points(gain)}, {len(seeds)} seeds, three layers of a small BERT; "
        f"{centered['near_chance']} runs stay near chance with it and {cls['near_chance']} without, the "
        f"standard deviation is {100 * centered['sd']:.1f} points against {100 * cls['sd']:.1f}."
    )
    return rows, {"cls-centering": claim(gain, len(seeds), "accuracy, centered minus not", sentence)}


def stripping_part() -> tuple[Rows, Claims]:
    """With and without digits and punctuation; judges `strip-punctuation`."""
    rows = difference("stripping", "stripped", "plain", RATE)
    if not rows:
        return [], {}
    seeds = whole_seeds([f"stripped-{RATE:g}", f"plain-{RATE:g}"])
    plain, stripped = (of_arm(arm, RATE, seeds) for arm in ("plain", "stripped"))
    for trained, found in (("plain", plain), ("stripped", stripped)):
        for same, key in ((True, "accuracy"), (False, "accuracy_other")):
            tested = trained if same else {"plain": "stripped", "stripped": "plain"}[trained]
            values = [one[key] for one in found]
            rows.append(
                {"part": "trained and tested", "trained": trained, "tested": tested, **spread(values)}
            )
    rows += piece_rows()
    if len(seeds) < FEWEST:
        return rows, {}
    gain = of(rows[0])
    only_test = rows[2]["mean"] - rows[1]["mean"]
    sentence = (
        f"Removing digits and punctuation from training and test texts changed accuracy by {points(gain)}, "
        f"{len(seeds)} seeds, {design.TRAIN} training and {TEST} test sentences; removing them from the test "
        f"texts alone by {100 * only_test:+.1f} points."
    )
    return rows, {"strip-punctuation": claim(gain, len(seeds), "accuracy, stripped minus plain", sentence)}


def piece_rows() -> Rows:
    """What WordPiece makes of words with marks and of all sentences, before and after the removal."""
    tokenizer = common.tokenizer()
    cut = lambda text: tokenizer.encode(text, add_special_tokens=False).tokens
    rows: Rows = [
        {"part": "pieces", "text": text, "plain": cut(text), "stripped": cut(design.strip_marks(text))}
        for text in ("isn't", "don't", "can't", "won't", "8/10", "so-so", "film: bad!", "...")
    ]
    chosen = common.drawn("test", TEST, 2026)
    for name, change in (("plain", str), ("stripped", design.strip_marks)):
        texts = [change(one.text) for one in chosen]
        pieces = [cut(text) for text in texts]
        words = sum(len(text.split()) for text in texts)
        count = sum(map(len, pieces))
        negated = sum(row.count("'") > 0 and "t" in row for row in pieces)
        row = {"part": "tokens", "texts": name, "tokens": count / len(texts), "per_word": count / words}
        row |= {"changed": float(np.mean([a != b.text for a, b in zip(texts, chosen, strict=True)]))}
        rows.append(row | {"with_apostrophe_t": negated / len(texts)})
    return rows


def claim(gain: Interval, seeds: int, unit: str, sentence: str) -> dict[str, Any]:
    """An entry judged by the rule that these studies share."""
    return {
        "verdict": gain_verdict(gain),
        "estimate": gain.estimate,
        "interval": [gain.low, gain.high],
        "unit": unit,
        "seeds": seeds,
        "sentence": sentence,
    }
