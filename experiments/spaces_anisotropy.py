"""How narrow is the space of each layer, and who makes it so? (No claim of the ledger is judged here.)

300 sentences of chapter 11's mixed set (75 of each domain), and one token out of each, drawn evenly. For
all-MiniLM-L6-v2 ("frozen"), the same fine-tuned on film sentences, and the same architecture with random
weights, at every layer, for the tokens ("token") and for the sentences' mean vectors ("sentence"):
  raw           mean cosine of two different vectors
  centered      after the mean vector is taken off
  without       after the three dimensions that add most to it are left out
  standardized  after every dimension is brought to mean 0 and deviation 1
  top           the share of `raw` that the three dimensions add
Mean, dimensions and deviations come from the first half of the sentences (every other one), all numbers
from the second half.
`near_*`: does it matter? The share of second-half sentences whose nearest neighbor (cosine) among them is of
the same domain, for sentence vectors.

Intervals: BCa bootstrap over sentences for `near_*`; for mean cosines over pairs, the jackknife over
sentences (each is in many pairs, so that pairs are not independent).

Run: python -m experiments.spaces_anisotropy   (about half a CPU minute)
"""

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course_utils import results
from course_utils.analysis.anisotropy import (
    centered,
    contributions,
    rogue_dimensions,
    standardized,
    without_dimensions,
)
from course_utils.analysis.embeddings import layer_vectors, token_vectors
from course_utils.analysis.similarity import cosines, self_similarity, unit
from course_utils.models.encoder import Encoder
from course_utils.stats import Interval, bootstrap_interval, jackknife_estimate
from experiments.spaces_clusters import chosen
from experiments.spaces_common import encoder, examples, fields

NAME = "spaces_anisotropy"
ROGUE, SEED = 3, 0
Array = NDArray[np.float64]


def models() -> dict[str, Encoder]:
    """Name -> encoder in evaluation mode."""
    frozen = encoder("frozen")
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        untrained = Encoder(frozen.config).eval()
    return {"frozen": frozen, "fine-tuned": encoder("fine-tuned"), "random weights": untrained}


def versions(first: Array, second: Array) -> dict[str, Array]:
    """The second half raw and in three corrections that were measured on the first half."""
    return {
        "raw": second,
        "centered": centered(second, first.mean(axis=0)),
        "without": without_dimensions(second, rogue_dimensions(first, ROGUE)),
        "standardized": standardized(second, first),
    }


def mean_cosine(vectors: Array) -> Interval:
    """The mean cosine over pairs of different rows, with a jackknife interval over rows."""
    return jackknife_estimate(unit(vectors), _mean_product).interval()


def _mean_product(rows: Array) -> float:
    """`self_similarity` of rows that have length 1 already: it is taken once for each row left out."""
    total, count = rows.sum(axis=0), len(rows)
    return float(total @ total - count) / (count * (count - 1))


def near(vectors: Array, domains: NDArray[np.int64]) -> Interval:
    """The share of rows whose nearest neighbor is of the same domain."""
    similar = cosines(vectors, vectors)
    np.fill_diagonal(similar, -np.inf)
    right = (domains[similar.argmax(axis=1)] == domains).astype(float)
    return bootstrap_interval(right, rng=np.random.default_rng(0), resamples=500)


def rows_of(name: str, kind: str, layers: Array, domains: NDArray[np.int64]) -> list[dict[str, Any]]:
    """One row for each layer. layers: (layers + 1, sentences, hidden)."""
    rows = []
    for layer, vectors in enumerate(layers):
        first, second = vectors[::2], vectors[1::2]
        row: dict[str, Any] = {"model": name, "vectors": kind, "layer": layer}
        rogue = rogue_dimensions(first, ROGUE)
        row |= {"dimensions": rogue}
        row |= {"top": float(contributions(second)[rogue].sum() / self_similarity(second))}
        for version, array in versions(first, second).items():
            row |= fields(version, mean_cosine(array))
            if kind == "sentence":
                row |= fields(f"near_{version}", near(array, domains[1::2]))
        rows.append(row)
    return rows


def main() -> None:
    started, rows = time.perf_counter(), []
    texts, domains = chosen("mixed")
    read = examples(texts)
    for name, model in models().items():
        tokens = token_vectors(model, read, np.random.default_rng(SEED)).astype(np.float64)
        rows += rows_of(name, "token", tokens, domains)
        rows += rows_of(name, "sentence", layer_vectors(model, read).astype(np.float64), domains)
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=[SEED],
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.05, "absolute": 0.02, "ignore": ["dimensions"]},
    )


if __name__ == "__main__":
    main()
