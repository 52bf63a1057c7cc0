"""What a compressed model costs and what it lost, beside the model that it was made from."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from course_utils.compression.saved import Compressed
from course_utils.stats import bootstrap_interval

BATCHES = (1, 32)
LENGTH = 32  # tokens of a timed input
ROUNDS = 30
AFTER_CLS = 5  # ids below are special in a trimmed vocabulary


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one batch: the median over rounds, and the quartiles as spread."""

    batch: int
    median: float
    lower: float
    upper: float


def latencies(
    models: Sequence[nn.Module], batch: int, *, length: int = LENGTH, rounds: int = ROUNDS
) -> list[Latency]:
    """Of each model, timed in turn round by round, so that what else the machine does falls on all alike.

    The input is (batch, length) without padding. One call of each comes first and is not counted.
    """
    ids = torch.full((batch, length), AFTER_CLS)
    mask = torch.ones_like(ids)
    taken = np.zeros((rounds + 1, len(models)))
    with torch.inference_mode():
        for row in taken:
            for number, model in enumerate(models):
                start = time.perf_counter()
                model(ids, attention_mask=mask)
                row[number] = 1000 * (time.perf_counter() - start)
    lower, median, upper = np.quantile(taken[1:], [0.25, 0.5, 0.75], axis=0)
    return [Latency(batch, *map(float, x)) for x in zip(median, lower, upper, strict=True)]


def agreement(before: NDArray[np.float64], after: NDArray[np.float64]) -> dict[str, float]:
    """How alike two models' probabilities (texts, classes) are.

    same_class: the share of texts that both give the same class; mean_change and largest_change: of the
    probability of the class that the first model gives.
    """
    chosen = before.argmax(1)
    rows = np.arange(len(before))
    change = np.abs(before[rows, chosen] - after[rows, chosen])
    return {
        "texts": len(before),
        "same_class": float((chosen == after.argmax(1)).mean()),
        "mean_change": float(change.mean()),
        "largest_change": float(change.max()),
    }


def accuracies(
    before: NDArray[np.float64], after: NDArray[np.float64], labels: Sequence[int], seed: int = 0
) -> dict[str, Any]:
    """Accuracy of both, and their difference with its paired 95% bootstrap interval over texts."""
    truth = np.array(labels)
    right = [(p.argmax(1) == truth).astype(float) for p in (before, after)]
    rng = np.random.default_rng(seed)
    return {
        "texts": len(truth),
        "before": asdict(bootstrap_interval(right[0], rng=rng)),
        "after": asdict(bootstrap_interval(right[1], rng=rng)),
        "change": asdict(bootstrap_interval(right[1] - right[0], rng=rng)),
    }


def compare(
    before: Compressed,
    after: Compressed,
    sizes: tuple[int, int],
    *,
    texts: Sequence[str] = (),
    labels: Sequence[int] | None = None,
    rounds: int = ROUNDS,
) -> dict[str, Any]:
    """Everything that the report tells, as JSON values. sizes: bytes on disk. texts: not seen in training."""
    length = min(LENGTH, after.max_length)
    pair = [before.model, after.model]
    timed = [latencies(pair, batch, length=length, rounds=rounds) for batch in BATCHES]
    found: dict[str, Any] = {
        "recipe": after.recipe,
        "notes": list(after.notes),
        "bytes": {"before": sizes[0], "after": sizes[1]},
        "parameters": {"before": before.parameters, "after": after.parameters},
        "threads": torch.get_num_threads(),
        "length": length,
        "latency": [{"before": asdict(a), "after": asdict(b)} for a, b in timed],
    }
    if texts:
        p, q = before.probabilities(texts), after.probabilities(texts)
        found["agreement"] = agreement(p, q)
        if labels is not None:
            found["accuracy"] = accuracies(p, q, labels)
    return found
