"""Does a multilingual model's space keep its languages apart? For the claim `mbert-language`.

The course's small multilingual BERT (chapter 5: 4 layers of 128, eight languages; three seeds), and the same
untrained, layers 0, 2 and 4, on the two sets of parallel messages of `experiments.family_languages`:
`home-assistant` (held out; 400 messages) and `django` (other software; 304), eight languages each. Mean
states without [CLS] and [SEP]. The first half of the messages gives centroids and teaches probes, the
second is measured; a message and its translations are always in one half.
  language, message, rest   two-way split of the variance of the second half
  centroid       language of the nearest centroid: share right, over all eight languages
  latin          the same among the six that share the Latin alphabet (en, de, fr, es, tr, fi): script alone
                 does not give them away
  probe          logistic regression on the six, and `after` the centroids are taken off
  control        the same probe for labels that were dealt out at random, one to each sentence: what a probe
                 can read that is not there; guessing is 1/6
  found          translations that are the nearest neighbor, raw, and `found_after` centering
Baseline without a model, for `probe`: character n-grams (logistic regression, TF-IDF of 1 to 3 characters).

What was known when this was written: chapter 5's results (eight languages: nearest centroid and probe right
for about 0.9 of the messages in the trained model, 0.6 to 0.7 in the untrained one). The Latin part, the
variance split, the control and what is left after centering were not.

Intervals: bootstrap over messages of the mean over seeds.

Verdict, fixed before the first run, on the last layer, both sets of messages:
"does not hold" if on either set `latin` has an interval below 0.5, or if trained minus untrained has one
    below 0 (the centroids separate no better than those of a network that has learned nothing);
"holds here only" if on both sets `latin` has an interval above 0.5 and trained minus untrained has one above
    0 (one small model, not multilingual BERT: it cannot hold more widely than here);
else "cannot tell".

Run: python -m experiments.spaces_languages   (about half a CPU minute, with the three runs of
`python -m experiments.family_languages` in the cache; 9 more minutes without)
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from course_utils import results
from course_utils.analysis.languages import (
    centroids,
    nearest_centroid,
    translations_found,
    variance_shares,
    without_language,
)
from course_utils.data.translations import LANGUAGES, Message
from experiments.family_languages import SEEDS, new_model, trained
from experiments.family_languages_measure import SOURCES, chosen, estimate, states_of

NAME = "spaces_languages"
LATIN = ("en", "de", "fr", "es", "tr", "fi")
PLACES = [LANGUAGES.index(code) for code in LATIN]
LAYERS, LAST, LEAST = (0, 2, 4), 4, 0.5
Array = NDArray[np.float64]
Row = dict[str, Any]


def probe_hits(first: Array, second: Array, rng: np.random.Generator | None = None) -> Array:
    """Share of languages that a logistic regression names right, for each message of the second half.

    first, second: (languages, messages, hidden). With an rng, labels are dealt out at random instead.
    """
    count, size = len(first), first.shape[2]
    labels = np.repeat(np.arange(count), first.shape[1])
    gold = np.repeat(np.arange(count), second.shape[1])
    if rng is not None:
        labels, gold = rng.permutation(labels), rng.permutation(gold)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
    guess = probe.fit(first.reshape(-1, size), labels).predict(second.reshape(-1, size))
    return (guess == gold).reshape(count, -1).mean(axis=0)


def centroid_hits(states: Array, centers: Array) -> Array:
    """Share of languages whose nearest centroid is their own, for each message."""
    return (nearest_centroid(states, centers) == np.arange(len(states))[:, None]).mean(axis=0)


def measured(states: Array, seed: int) -> dict[str, Array]:
    """Everything about one layer of one model: name -> (messages,), or (3,) for the shares.

    states: (languages, messages, hidden).
    """
    half = states.shape[1] // 2
    first, second = states[:, :half], states[:, half:]
    centers = centroids(first)
    after = without_language(second, centers)
    latin, latin_after = first[PLACES], without_language(first, centers)[PLACES]
    return {
        "shares": np.array(variance_shares(second)),
        "centroid": centroid_hits(second, centers),
        "latin": centroid_hits(second[PLACES], centers[PLACES]),
        "probe": probe_hits(latin, second[PLACES]),
        "after": probe_hits(latin_after, after[PLACES]),
        "control": probe_hits(latin, second[PLACES], np.random.default_rng(seed)),
        "found": translations_found(second).mean(axis=0),
        "found_after": translations_found(after).mean(axis=0),
    }


def row_of(head: Row, by_seed: Sequence[dict[str, Array]]) -> Row:
    """One row: each measure's mean over seeds and messages, with its interval."""
    row = dict(head)
    split = np.mean([one["shares"] for one in by_seed], axis=0)
    row |= dict(zip(("language", "message", "rest"), map(float, split), strict=True))
    for name in ("centroid", "latin", "probe", "after", "control", "found", "found_after"):
        made = estimate(name, np.stack([one[name] for one in by_seed]))
        row |= {key: made[key] for key in (name, f"{name}_low", f"{name}_high")}
    return row


def ngrams_row(source: str, messages: Sequence[Message]) -> Row:
    """What character n-grams know of the six languages."""
    half = len(messages) // 2
    model = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), LogisticRegression(C=10)
    )
    model.fit([m.texts[code] for code in LATIN for m in messages[:half]], np.repeat(LATIN, half))
    hits = [model.predict([m.texts[code] for m in messages[half:]]) == code for code in LATIN]
    made = estimate("probe", np.mean(hits, axis=0)[None])
    head = {"source": source, "model": "character n-grams", "layer": None}
    return head | {key: made[key] for key in ("probe", "probe_low", "probe_high")}


def verdict(latin: Sequence[tuple[float, float]], lead: Sequence[tuple[float, float]]) -> str:
    """The rule of the module's docstring, from the intervals on the two sets.

    >>> verdict([(0.8, 0.9), (0.7, 0.8)], [(0.1, 0.2), (0.2, 0.3)])
    'holds here only'
    """
    if any(high < LEAST for _, high in latin) or any(high < 0 for _, high in lead):
        return "does not hold"
    both = all(low > LEAST for low, _ in latin) and all(low > 0 for low, _ in lead)
    return "holds here only" if both else "cannot tell"


def claim(rows: Sequence[Row]) -> dict[str, Any]:
    """The entry of `mbert-language`."""
    last = {(r["source"], r["model"]): r for r in rows if r["layer"] in (LAST, None)}
    leads = {r["source"]: r for r in rows if r["model"] == "trained minus untrained"}
    own = [last[source, "trained"] for source in SOURCES]
    told = [
        f"{source}: {row['latin']:.2f} [{row['latin_low']:.2f}, {row['latin_high']:.2f}] of messages in six "
        f"languages of one alphabet are nearest to their language's centroid (untrained "
        f"{last[source, 'untrained']['latin']:.2f}, guessing 0.17); a probe reads {row['probe']:.2f} "
        f"(character n-grams {last[source, 'character n-grams']['probe']:.2f}), {row['after']:.2f} after the "
        f"centroids are taken off; language makes {row['language']:.2f} of the variance, what is said "
        f"{row['message']:.2f}"
        for source, row in zip(SOURCES, own, strict=True)
    ]
    return {
        "verdict": verdict(
            [(row["latin_low"], row["latin_high"]) for row in own],
            [(leads[source]["lead_low"], leads[source]["lead_high"]) for source in SOURCES],
        ),
        "estimate": own[1]["latin"],
        "interval": [own[1]["latin_low"], own[1]["latin_high"]],
        "unit": "of messages of other software nearest to their language's centroid, six languages",
        "seeds": len(SEEDS),
        "sentence": "In the last layer of the course's small multilingual BERT. " + "; ".join(told) + ".",
    }


def source_rows(source: str) -> list[Row]:
    """All rows of one set of messages."""
    messages = chosen(source)
    rows, latin = [ngrams_row(source, messages)], {}
    for name, make in (("trained", trained), ("untrained", new_model)):
        states = [states_of(make(seed).encoder, messages) for seed in SEEDS]
        for layer in LAYERS:
            found = [measured(one[layer], seed) for one, seed in zip(states, SEEDS, strict=True)]
            rows.append(row_of({"source": source, "model": name, "layer": layer}, found))
            latin[name] = np.stack([one["latin"] for one in found])
    lead = estimate("lead", latin["trained"] - latin["untrained"])
    head = {"source": source, "model": "trained minus untrained", "layer": LAST}
    return [*rows, head | {key: lead[key] for key in ("lead", "lead_low", "lead_high")}]


def main() -> None:
    torch.set_num_threads(1)
    started = time.perf_counter()
    rows = [row for source in SOURCES for row in source_rows(source)]
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.1, "absolute": 0.05, "ignore": []},
        claims={"mbert-language": claim(rows)},
    )


if __name__ == "__main__":
    main()
