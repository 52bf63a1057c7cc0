"""Does one vector per word fail, and do vectors in context cluster by sense? For the claims
`static-no-polysemy` and `senses-form-clusters`.

Three sets of ambiguous words:
  course: 12 nouns of two senses, ten sentences each, written for this course (course_utils/data/senses.yml).
  random, near: pseudowords (Schuetze 1992). Two words of the film reviews are replaced by one made-up form,
      so that the true "sense" of each token is known at scale. This is synthetic: real senses are related,
      and a made-up form carries nothing of its own. `random` pairs two words at random, `near` pairs a word
      with the one whose static vector is nearest (hard). 16 sentences for each word, one domain, one sentence
      a review.

Vectors: every layer of a small real BERT (all-MiniLM-L6-v2; layer 0 is its embedding layer). Baselines that
would embarrass it: the word's row in the embedding table ("static"); the mean of the rows of the *other*
words of the sentence ("bag of context"); the same architecture with random weights (five draws), layer by
layer.
Scores for each word: accuracy of the nearest centroid and of the nearest neighbor (leave-one-out), silhouette
of the senses (cosine), purity of k-means with k = 2, and what purity shuffled labels give ("chance").
Also the number of clusters from 2 to 5 that k-means' silhouette prefers, when nobody tells it that there are
two.

Intervals: BCa bootstrap over words. With 12 words such an interval is somewhat too short.
The judged layer is chosen on the other set, by mean nearest-centroid accuracy: that for the course's words on
the random pseudowords, and the other way round.

Verdicts, fixed before the first run:
static-no-polysemy. `gain`: accuracy of the nearest centroid at the judged layer minus that of the static
vector.
  "holds" if the interval of `gain` lies above 0.25 (half of the way from guessing to certainty) in both sets
  (course, random); "does not hold" if it lies below 0.25 in one; else "cannot tell". (That the static vector
  guesses is true by construction. "Can" needs one model that does, so that one small model is enough.)
senses-form-clusters, on the course's words, with 97.5% intervals, as two scores are looked at:
  "does not hold" if the interval of purity lies below 0.85, or that of the silhouette below 0.25
  (Kaufman and Rousseeuw 1990 read a value up to 0.25 as: no substantial structure);
  "holds here only" if both lie above, and purity minus that of the bag of context lies above 0;
  else "cannot tell".

Run: python -m experiments.contextual_senses
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from course_utils import results
from course_utils.analysis import clusters
from course_utils.analysis.reader import Reader
from course_utils.stats import Interval
from experiments.contextual_common import (
    Contexts,
    course_words,
    fields,
    near_pairs,
    over_words,
    pseudowords,
    random_pairs,
    review_sentences,
    said,
    whole_words,
    word_contexts,
)

NAME = "contextual_senses"
DOMAIN = "movies"
CONTEXTS = 16  # sentences for each of the two words of a pseudoword
PAIRS = 30
SEEDS = list(range(5))  # of the random weights
LEAST_GAIN, LEAST_PURITY, LEAST_SILHOUETTE = 0.25, 0.85, 0.25
JOINT = 0.975
MEASURES = ("centroid", "neighbor", "silhouette", "purity", "chance_purity")

Scores = dict[str, float]
# (system, layer or -1) -> word -> scores
Table = dict[tuple[str, int], dict[str, Scores]]


def score_word(vectors: np.ndarray, senses: list[str], seed: int = 0) -> Scores:
    """All scores of one word's vectors (contexts, hidden)."""
    found = clusters.cluster(vectors, 2, seed)
    return {
        "centroid": clusters.centroid_accuracy(vectors, senses),
        "neighbor": clusters.neighbor_accuracy(vectors, senses),
        "silhouette": clusters.silhouette(vectors, senses),
        "purity": clusters.purity(found, senses),
        "chance_purity": clusters.chance_purity(found, senses, np.random.default_rng(seed)),
    }


def by_word(
    words: Contexts, vectors_of: Callable[[list[str], list[tuple[int, int]]], np.ndarray]
) -> dict[str, np.ndarray]:
    """Read all sentences of all words at once; word -> its vectors."""
    rows = [row for sentences in words.values() for row in sentences]
    vectors = vectors_of([row.text for row in rows], [row.span for row in rows])
    ends = np.cumsum([len(sentences) for sentences in words.values()])
    return dict(zip(words, np.split(vectors, ends[:-1]), strict=True))


def score_set(words: Contexts, reader: Reader) -> Table:
    """Every system on every word of one set; the scores of random weights are means over their draws."""
    table: Table = {}
    senses = {word: [row.sense for row in rows] for word, rows in words.items()}
    for system, vectors_of in (("static", reader.static_vectors), ("bag of context", reader.context_bags)):
        vectors = by_word(words, vectors_of)
        table[system, -1] = {word: score_word(vectors[word], senses[word]) for word in words}
    table |= _layers("encoder", words, senses, reader)
    draws = [_layers("random weights", words, senses, reader.untrained(seed)) for seed in SEEDS]
    for key in draws[0]:
        table[key] = {word: _mean_scores([draw[key][word] for draw in draws]) for word in words}
    return table


def _layers(system: str, words: Contexts, senses: Mapping[str, list[str]], reader: Reader) -> Table:
    vectors = by_word(words, reader.word_vectors)
    layers = range(reader.encoder.config.num_layers + 1)
    return {
        (system, layer): {word: score_word(vectors[word][:, layer], senses[word]) for word in words}
        for layer in layers
    }


def _mean_scores(scores: list[Scores]) -> Scores:
    return {measure: float(np.mean([one[measure] for one in scores])) for measure in MEASURES}


def preferred_clusters(vectors: np.ndarray, seed: int = 0) -> int:
    """The number of clusters, from 2 to 5, at which k-means' own silhouette is highest."""
    found = {k: clusters.cluster(vectors, k, seed) for k in range(2, 6)}
    fit = {k: clusters.silhouette(vectors, made) for k, made in found.items() if np.bincount(made).min() > 1}
    return max(fit, key=lambda k: fit[k]) if fit else 1


def score_rows(set_name: str, table: Table) -> list[dict[str, Any]]:
    """One row for each system and layer: means over words and their intervals."""
    rows = []
    for (system, layer), by in table.items():
        row: dict[str, Any] = {
            "part": "score",
            "set": set_name,
            "system": system,
            "layer": layer,
            "words": len(by),
        }
        for measure in MEASURES:
            row |= fields(measure, over_words([scores[measure] for scores in by.values()]))
        rows.append(row)
    return rows


def word_rows(set_name: str, table: Table, layer: int) -> list[dict[str, Any]]:
    """One row for each word at the judged layer."""
    return [
        {"part": "word", "set": set_name, "word": word, "layer": layer, **scores}
        for word, scores in table["encoder", layer].items()
    ]


def best_layer(table: Table) -> int:
    """The layer of the encoder with the highest mean accuracy of the nearest centroid."""
    means = {
        layer: np.mean([scores["centroid"] for scores in by.values()])
        for (system, layer), by in table.items()
        if system == "encoder"
    }
    return max(means, key=lambda layer: means[layer])


def difference(
    table: Table, layer: int, other: tuple[str, int], measure: str, level: float = 0.95
) -> Interval:
    """The encoder at one layer minus another system, word by word."""
    ours, theirs = table["encoder", layer], table[other]
    return over_words([ours[word][measure] - theirs[word][measure] for word in ours], level)


def polysemy_verdict(gains: list[tuple[float, float]]) -> str:
    """The rule for `static-no-polysemy`, from the intervals of the gain in both sets.

    >>> polysemy_verdict([(0.3, 0.4), (0.26, 0.5)])
    'holds'
    """
    if all(low > LEAST_GAIN for low, _ in gains):
        return "holds"
    return "does not hold" if any(high < LEAST_GAIN for _, high in gains) else "cannot tell"


def clusters_verdict(
    purity: tuple[float, float], silhouette: tuple[float, float], beats_bag: tuple[float, float]
) -> str:
    """The rule for `senses-form-clusters`, from three intervals.

    >>> clusters_verdict(purity=(0.9, 1.0), silhouette=(0.1, 0.2), beats_bag=(0.1, 0.2))
    'does not hold'
    """
    if purity[1] < LEAST_PURITY or silhouette[1] < LEAST_SILHOUETTE:
        return "does not hold"
    clear = purity[0] > LEAST_PURITY and silhouette[0] > LEAST_SILHOUETTE and beats_bag[0] > 0
    return "holds here only" if clear else "cannot tell"


def limits(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def ambiguous_words(reader: Reader, rng: np.random.Generator) -> dict[str, dict[str, list]]:
    """Name of the set -> its words with their sentences."""
    vocab = reader.tokenizer.get_vocab()
    contexts = word_contexts(review_sentences(DOMAIN), whole_words(vocab), CONTEXTS, rng)
    words = list(contexts)
    vectors = reader.table()[[vocab[word] for word in words]]
    return {
        "course": course_words(),
        "random": pseudowords(contexts, random_pairs(words, PAIRS, rng)),
        "near": pseudowords(contexts, near_pairs(words, vectors, PAIRS, rng)),
    }


def judge(tables: dict[str, Table]) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The rows of differences at the judged layers, and the two claims."""
    judged = {"course": best_layer(tables["random"]), "random": best_layer(tables["course"])}
    judged["near"] = judged["random"]
    rows = []
    for name, layer in judged.items():
        rows += word_rows(name, tables[name], layer)
        for other in (("static", -1), ("bag of context", -1), ("random weights", layer)):
            row = {"part": "difference", "set": name, "layer": layer, "minus": other[0]}
            for measure in ("centroid", "purity", "silhouette"):
                row |= fields(measure, difference(tables[name], layer, other, measure))
            rows.append(row)
    return rows, {
        "static-no-polysemy": polysemy_claim(tables, judged),
        "senses-form-clusters": clusters_claim(tables["course"], judged["course"]),
    }


def polysemy_claim(tables: dict[str, Table], judged: Mapping[str, int]) -> dict[str, Any]:
    """The entry of `static-no-polysemy`."""
    gains = {
        name: difference(tables[name], judged[name], ("static", -1), "centroid")
        for name in ("course", "random")
    }
    course, layer = tables["course"], judged["course"]
    of = lambda key: over_words([scores["centroid"] for scores in course[key].values()])
    bag = difference(course, layer, ("bag of context", -1), "centroid")
    return {
        "verdict": polysemy_verdict([limits(gain) for gain in gains.values()]),
        "estimate": gains["course"].estimate,
        "interval": list(limits(gains["course"])),
        "unit": "accuracy of the nearest centroid on the course's words, judged layer minus static vector",
        "seeds": len(SEEDS),
        "sentence": (
            f"One vector per word can only guess which of two senses is meant. The nearest centroid is "
            f"right for {said(of(('encoder', layer)))} of the tokens at layer {layer} of a small BERT "
            f"(all-MiniLM-L6-v2), on {len(course['encoder', layer])} words in sentences of our own; on "
            f"{PAIRS} pseudowords made from reviews the gain over a static vector is "
            f"{said(gains['random'])}. But the mean static vector of the other words of the sentence is "
            f"right for {said(of(('bag of context', -1)))}, so the encoder's lead over it is {said(bag)}; "
            f"random weights reach {said(of(('random weights', layer)))}. (The rule asks for a gain above "
            f"{LEAST_GAIN} in both sets; seeds are draws of the random weights.)"
        ),
    }


def clusters_claim(course: Table, layer: int) -> dict[str, Any]:
    """The entry of `senses-form-clusters`."""
    at = course["encoder", layer]
    purity, silhouette = (
        over_words([one[m] for one in at.values()], JOINT) for m in ("purity", "silhouette")
    )
    lead = difference(course, layer, ("bag of context", -1), "purity")
    chance = over_words([one["chance_purity"] for one in at.values()])
    clear = sum(one["purity"] >= LEAST_PURITY for one in at.values())
    return {
        "verdict": clusters_verdict(limits(purity), limits(silhouette), limits(lead)),
        "estimate": silhouette.estimate,
        "interval": list(limits(silhouette)),
        "unit": "mean silhouette of the senses at the judged layer (97.5% interval over words)",
        "seeds": len(SEEDS),
        "sentence": (
            f"Two clusters found by k-means without seeing the senses have a purity of {said(purity)} at "
            f"layer {layer} of a small BERT (all-MiniLM-L6-v2), where shuffled labels give "
            f"{chance.estimate:.2f} and a bag of the context words {lead.estimate:.2f} less "
            f"([{lead.low:.2f}, {lead.high:.2f}]); it is at least {LEAST_PURITY} for {clear} of {len(at)} "
            f"words. The silhouette of the senses is {said(silhouette)}; {LEAST_SILHOUETTE} is where "
            f"clusters are usually said to begin."
        ),
    }


def main() -> None:
    started = time.perf_counter()
    reader = Reader.pretrained()
    sets = ambiguous_words(reader, np.random.default_rng(0))
    tables = {name: score_set(words, reader) for name, words in sets.items()}
    rows = [row for name, table in tables.items() for row in score_rows(name, table)]
    judged_rows, claims = judge(tables)
    layer = best_layer(tables["random"])
    for word, vectors in by_word(sets["course"], reader.word_vectors).items():
        rows.append(
            {
                "part": "clusters",
                "word": word,
                "layer": layer,
                "preferred": preferred_clusters(vectors[:, layer]),
            }
        )
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows + judged_rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.02, "absolute": 0.01, "ignore": []},
        claims=claims,
    )


if __name__ == "__main__":
    main()
