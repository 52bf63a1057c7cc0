"""Are the clusters in a picture of embeddings in the embeddings? For the claim `study-embeddings`.

The source shows t-SNE pictures of the embeddings of three review sets, each colored by a Gaussian mixture of
nine components. Here: mean-pooled last-layer vectors of all-MiniLM-L6-v2 for two sets of 300 sentences that
stand in for them: `films` (one domain, as each of the source's pictures; known label: polarity, by the
raters) and `mixed` (75 each of films, products, tweets and editorials; known label: domain). Beside each
cloud its `twin`: 300 draws from *one* normal distribution with the cloud's mean and covariance. It is
synthetic because its truth is the point: it has no groups.

Pictures: t-SNE from random starts, perplexity 5, 30 and 100, three seeds; nine full-covariance components
fitted on the two coordinates of each picture. "Before": nine components fitted on the first ten principal
components of the vectors, three seeds. The number of components that BIC prefers, from 1 to 15, both ways
(picture of seed 0). Also the encoder fine-tuned on other film sentences (chapter 7), at perplexity 30.
Agreement is the adjusted Rand index (1 the same groups, 0 chance).

Intervals: jackknife over sentences, of agreements between groupings that are held fixed (a bootstrap draws a
sentence twice, and it agrees with itself); they do not cover what other sentences in the t-SNE would change.

Verdict, fixed before the first run. Judged on the frozen encoder, for both sets, at perplexity 30:
  `stability`: mean agreement of the nine groups between pictures that differ in the seed alone;
  `faithful`: mean agreement of the nine groups in the pictures with the nine groups before the projection;
  `islands`: silhouette (Euclidean, in the picture) of the nine groups, mean over seeds, cloud minus twin.
"does not hold" if for both sets `faithful` has an interval below 0.5, or if for both sets the twin's
    silhouette is at least 0.9 of the cloud's (a cloud without groups gives a picture as grouped);
"holds here only" if for both sets `stability` and `faithful` have intervals above 0.5 and the twin's
    silhouette is below 0.9 of the cloud's, and BIC prefers more than one component before the projection;
else "cannot tell".

Run: python -m experiments.spaces_clusters   (about 2 CPU minutes)
"""

import time
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, silhouette_score

from course_utils import results
from course_utils.analysis.embeddings import layer_vectors
from course_utils.analysis.mixtures import bics, cluster, mean_agreement
from course_utils.analysis.projections import (
    continuity,
    gaussian_twin,
    principal_components,
    trustworthiness,
    tsne,
)
from course_utils.stats import Interval, jackknife_estimate
from experiments.spaces_common import DOMAINS, encoder, examples, fields, sentences

NAME = "spaces_clusters"
SETS = ("films", "mixed")
SENTENCES, COMPONENTS, MOST, DIMENSIONS = 300, 9, 15, 10
PERPLEXITIES, SEEDS, MAIN = (5, 30, 100), (0, 1, 2), 30
HALF, ALIKE = 0.5, 0.9
Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def chosen(name: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The sentences of a set, and the number of each one's known label."""
    if name == "films":
        texts, labels = sentences("movies", SENTENCES)
        return texts, np.array(labels)
    count = SENTENCES // len(DOMAINS)
    texts = tuple(text for domain in DOMAINS for text in sentences(domain, count)[0])
    return texts, np.repeat(np.arange(len(DOMAINS)), count)


def agreement_interval(pairs: Sequence[tuple[Labels, Labels]]) -> Interval:
    """The mean adjusted Rand index of pairs of groupings, with an interval over sentences."""
    table = np.stack([np.stack(pair, axis=1) for pair in pairs], axis=1)  # (sentences, pairs, 2)
    flat = table.reshape(len(table), -1).astype(float)

    def mean(rows: Array) -> float:
        drawn = rows.reshape(len(rows), -1, 2)
        return float(np.mean([adjusted_rand_score(*drawn[:, i].T) for i in range(drawn.shape[1])]))

    return jackknife_estimate(flat, mean).interval()


def before(vectors: Array) -> tuple[list[Labels], dict[int, float]]:
    """Nine groups for each seed, and BIC by number, in the first principal components."""
    reduced = principal_components(vectors, DIMENSIONS)
    return [cluster(reduced, COMPONENTS, seed) for seed in SEEDS], bics(reduced, range(1, MOST + 1))


def pictures(vectors: Array, perplexity: float) -> tuple[list[Array], list[Labels]]:
    """Points and nine groups in them, for each seed."""
    points = [tsne(vectors, perplexity=perplexity, seed=seed) for seed in SEEDS]
    return points, [cluster(one, COMPONENTS, seed) for one, seed in zip(points, SEEDS, strict=True)]


def grouped(points: Sequence[Array], groups: Sequence[Labels]) -> float:
    """Mean silhouette of the groups in their pictures."""
    return float(np.mean([silhouette_score(p, g) for p, g in zip(points, groups, strict=True)]))


def picture_row(
    vectors: Array, points: Sequence[Array], groups: Sequence[Labels], first: Sequence[Labels], known: Labels
) -> dict[str, Any]:
    """All measures of the pictures of one cloud at one perplexity."""
    counts = bics(points[0], range(1, MOST + 1))
    row: dict[str, Any] = {
        "silhouette": grouped(points, groups),
        "trustworthiness": float(np.mean([trustworthiness(vectors, one) for one in points])),
        "continuity": float(np.mean([continuity(vectors, one) for one in points])),
        "components": min(counts, key=lambda k: counts[k]),
        "bic": list(counts.values()),
    }
    row |= fields("stability", agreement_interval(list(combinations(groups, 2))))
    crossed = [(a, b) for a in groups for b in first]
    row |= fields("faithful", agreement_interval(crossed))
    return row | fields("known", agreement_interval([(one, known) for one in groups]))


def cloud_rows(
    head: dict[str, Any], vectors: Array, known: Labels, perplexities: Sequence[int]
) -> list[dict]:
    """Rows of one cloud: one before the projection, one for each perplexity, one across perplexities."""
    first, counts = before(vectors)
    row = {**head, "part": "before", "components": min(counts, key=lambda k: counts[k])}
    row |= {"bic": list(counts.values())}
    row |= fields("stability", agreement_interval(list(combinations(first, 2))))
    rows = [row | fields("known", agreement_interval([(one, known) for one in first]))]
    by_perplexity = []
    for perplexity in perplexities:
        points, groups = pictures(vectors, perplexity)
        by_perplexity.append(groups[0])
        made = picture_row(vectors, points, groups, first, known)
        rows.append({**head, "part": "picture", "perplexity": perplexity, **made})
    if len(by_perplexity) > 1:
        rows.append({**head, "part": "perplexities", "stability": mean_agreement(by_perplexity)})
    return rows


def verdict(judged: Sequence[dict[str, Any]]) -> str:
    """The rule of the module's docstring. judged: for each set faithful and stability (low, high), ratio of
    the silhouettes (twin by cloud), components before.

    >>> verdict([{"faithful": (0.1, 0.2), "stability": (0.6, 0.7), "ratio": 0.8, "components": 3}] * 2)
    'does not hold'
    """
    if all(one["faithful"][1] < HALF for one in judged) or all(one["ratio"] >= ALIKE for one in judged):
        return "does not hold"
    good = all(
        one["faithful"][0] > HALF
        and one["stability"][0] > HALF
        and one["ratio"] < ALIKE
        and one["components"] > 1
        for one in judged
    )
    return "holds here only" if good else "cannot tell"


def claim(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The entry of `study-embeddings`."""

    def find(**match: Any) -> dict[str, Any]:
        return next(r for r in rows if all(r.get(key) == value for key, value in match.items()))

    judged, told = [], []
    for name in SETS:
        same = {"set": name, "model": "frozen"}
        cloud, twin = (
            find(**same, cloud=kind, part="picture", perplexity=MAIN) for kind in ("sentences", "twin")
        )
        first = find(**same, cloud="sentences", part="before")
        judged.append(
            {
                "faithful": (cloud["faithful_low"], cloud["faithful_high"]),
                "stability": (cloud["stability_low"], cloud["stability_high"]),
                "ratio": twin["silhouette"] / cloud["silhouette"],
                "components": first["components"],
            }
        )
        told.append(
            f"{name}: another seed gives the same nine groups to {cloud['stability']:.2f}, a mixture fitted "
            f"before the projection to {cloud['faithful']:.2f} [{cloud['faithful_low']:.2f}, "
            f"{cloud['faithful_high']:.2f}]; their silhouette in the picture is {cloud['silhouette']:.2f}, "
            f"that of nine groups in the picture of one structureless Gaussian {twin['silhouette']:.2f}; BIC "
            f"prefers {first['components']} before and {cloud['components']} in the picture"
        )
    films = find(set="films", model="frozen", cloud="sentences", part="picture", perplexity=MAIN)
    return {
        "verdict": verdict(judged),
        "estimate": films["faithful"],
        "interval": [films["faithful_low"], films["faithful_high"]],
        "unit": "adjusted Rand index of nine groups in the picture of films and nine before the projection",
        "seeds": len(SEEDS),
        "sentence": "Of 300 sentences each, at perplexity 30, by adjusted Rand index (1 the same, 0 chance). "
        + ". ".join(one[0].upper() + one[1:] for one in told)
        + ".",
    }


def main() -> None:
    started, rows = time.perf_counter(), []
    for name in SETS:
        texts, known = chosen(name)
        for model in ("frozen", "fine-tuned"):
            vectors = layer_vectors(encoder(model), examples(texts))[-1].astype(np.float64)
            clouds = {"sentences": vectors}
            if model == "frozen":
                clouds["twin"] = gaussian_twin(vectors, np.random.default_rng(0))
            for cloud, array in clouds.items():
                head = {"set": name, "model": model, "cloud": cloud}
                rows += cloud_rows(head, array, known, PERPLEXITIES if model == "frozen" else (MAIN,))
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.2, "absolute": 0.1, "ignore": ["bic", "components"]},
        claims={"study-embeddings": claim(rows)},
    )


if __name__ == "__main__":
    main()
