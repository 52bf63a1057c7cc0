"""The part of the report on `finetuning_stability` that tells what clipping does; judges `clip-gradients`."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from course_utils.stats import Interval
from experiments import finetuning_common as common
from experiments.finetuning_common import Record, interval, points
from experiments.finetuning_stability import DEPTH, KINDS, NAME, OPTIMIZERS, RATES
from experiments.finetuning_stability_rows import FEWEST, Claims, Rows, difference, of_arm, whole_seeds

LEAST_DEEP = 0.02  # accuracy: the smallest gain of clipping that would matter on the small problem
LEARNS = 0.7  # accuracy on the small problem that shows that it can be learned
QUANTILES = (0.1, 0.5, 0.9, 1.0)


def clipping_part() -> tuple[Rows, Claims]:
    """Norms of all steps at each rate, and accuracy without clipping beside it."""
    rows: Rows = []
    for arm, rate in [*product(["plain"], RATES), ("unclipped", 1e-3)]:
        seeds = whole_seeds([f"{arm}-{rate:g}"])
        if len(seeds) < 2:
            continue
        norms = np.concatenate([one["norms"] for one in of_arm(arm, rate, seeds)])
        finite = norms[np.isfinite(norms)]
        row = {"part": "norms", "arm": arm, "rate": rate, "steps": len(norms), "seeds": len(seeds)}
        row |= {f"quantile_{q:g}": float(np.quantile(finite, q)) for q in QUANTILES}
        counts, _ = np.histogram(np.log10(np.clip(finite, 1e-3, 1e3)), bins=24, range=(-3, 3))
        rows.append(row | {"above_1": float((finite > 1).mean()), "log10_counts": counts.tolist()})
    rows += difference("clipping", "plain", "unclipped", 1e-3)
    return rows, {}


def deep_part() -> tuple[Rows, Claims]:
    """The deep networks with clipping and without; judges `clip-gradients`."""
    names = [deep_name(*of) for of in product(KINDS, OPTIMIZERS, (False, True))]
    seeds = whole_seeds(names)
    if len(seeds) < 2:
        return [], {}
    rows: Rows = []
    for kind, optimizer in product(KINDS, OPTIMIZERS):
        free, clipped = (
            [common.read(NAME, f"{deep_name(kind, optimizer, c)}-{seed}") for seed in seeds]
            for c in (False, True)
        )
        rows.append({"part": "deep", "kind": kind, "optimizer": optimizer, **deep_row(free, clipped)})
    return rows, {"clip-gradients": clip_claim(rows, len(seeds))} if len(seeds) >= FEWEST else {}


def deep_name(kind: str, optimizer: str, clipped: bool) -> str:
    """The file's name up to the seed."""
    return f"deep-{kind}-{optimizer.replace(' ', '_')}-{'clipped' if clipped else 'free'}"


def deep_row(free: list[Record], clipped: list[Record]) -> Record:
    """Accuracy both ways and its gain; median norms of the first step, before and after clipping."""
    gain = interval([b["accuracy"] - a["accuracy"] for a, b in zip(free, clipped, strict=True)])
    median = lambda key: float(np.median([one[key] for one in clipped]))
    by_layer = lambda key: [float(np.median([one[key][i] for one in clipped])) for i in range(DEPTH)]
    return {
        "accuracy_free": float(np.mean([one["accuracy"] for one in free])),
        "accuracy_clipped": float(np.mean([one["accuracy"] for one in clipped])),
        "not_finite": sum(not one["finite"] for one in free),
        "gain": gain.estimate,
        "gain_low": gain.low,
        "gain_high": gain.high,
        **{
            f"{layer}_{when}": median(f"{layer}_{when}")
            for layer in ("first", "last", "total")
            for when in ("before", "after")
        },
        "layers_before": by_layer("layers_before"),
        "layers_after": by_layer("layers_after"),
        "seeds": len(free),
    }


def clip_verdict(gains: Sequence[Interval], learnable: float) -> str:
    """The rule of the design: gains where gradients vanish, accuracy of the residual network.

    >>> none = Interval(0.0, 0.0, 0.0, 0.95)
    >>> clip_verdict([none, none], learnable=0.82), clip_verdict([none, none], learnable=0.5)
    ('does not hold', 'cannot tell')
    """
    if learnable <= LEARNS:
        return "cannot tell"
    if any(gain.low > LEAST_DEEP for gain in gains):
        return "holds here only"
    return "does not hold" if all(gain.high < LEAST_DEEP for gain in gains) else "cannot tell"


def clip_claim(rows: Rows, seeds: int) -> dict[str, Any]:
    """The entry of `clip-gradients`."""
    by = {(row["kind"], row["optimizer"]): row for row in rows}
    vanish = [by["saturated", optimizer] for optimizer in OPTIMIZERS]
    gains = [Interval(row["gain"], row["gain_low"], row["gain_high"], 0.95) for row in vanish]
    most = max(gains, key=lambda gain: gain.high)
    plain, explode = vanish[0], by["exploding", "gradient descent"]
    residual = by["residual", "gradient descent"]["accuracy_free"]
    return {
        "verdict": clip_verdict(gains, residual),
        "estimate": most.estimate,
        "interval": [most.low, most.high],
        "unit": "accuracy, clipped minus not",
        "seeds": seeds,
        "sentence": (
            f"In {DEPTH} saturated layers the first layer's gradient has a norm of "
            f"{plain['first_before']:.0e} before clipping and {plain['first_after']:.0e} after; accuracy "
            f"changes by {points(most)} at most, {plain['accuracy_clipped']:.2f} against {residual:.2f} "
            f"with a residual path. Where gradients explode it rises from "
            f"{explode['accuracy_free']:.2f} to {explode['accuracy_clipped']:.2f}."
        ),
    }
