"""Do vectors depend on the context more from layer to layer? For the claim `later-layers-more-contextual`.

Follows Ethayarajh (2019): the self-similarity of a word is the mean cosine between its vectors in different
sentences; a vector that ignores its context has 1. In a space where everything is alike it is high for no
reason, so the mean cosine between *different* words at the same layer is taken off ("adjusted"). 300 random
words (whole entries of the vocabulary, at least two letters) with ten sentences each, one sentence a review,
out of the four rated sets. Beside it, for the sentences, the intra-sentence similarity: the mean cosine of
the pieces of a sentence with their mean, adjusted in the same way.
Model: all-MiniLM-L6-v2, which is a BERT, but was trained further so that the mean over its *last* layer says
what a
sentence means: in the last layers the words of a sentence may be drawn together by that. Embarrassing
baseline: the same architecture with random weights (three draws), which mixes each word with its context
without knowing why.

Intervals: BCa bootstrap over words (for the similarity within sentences, over sentences).

Verdict, fixed before the first run. Judged are the six steps of adjusted self-similarity from one layer to
the next, each with a Bonferroni interval (1 - 0.05/6):
  "does not hold" if a step lies above +0.02 (a later layer depends on the context less, by more than can be
      neglected), or if the fall from layer 0 to the last has an interval below 0.1 (there is hardly any);
  "holds here only" if all six steps lie below 0 (one small model);
  else "cannot tell".

Run: python -m experiments.contextual_layers
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from course_utils import results
from course_utils.analysis.reader import Reader
from course_utils.analysis.similarity import (
    intra_sentence_similarity,
    random_similarity,
    self_similarity,
    unit,
)
from course_utils.data.senses import SenseSentence
from course_utils.stats import Interval
from experiments.contextual_common import (
    fields,
    over_words,
    review_sentences,
    said,
    whole_words,
    word_contexts,
)
from experiments.subword_common import DOMAINS

NAME = "contextual_layers"
WORDS, CONTEXTS = 200, 10
SENTENCES = 300  # for the similarity within sentences
SEEDS = list(range(3))  # of the random weights
LEAST_RISE, LEAST_FALL = 0.02, 0.1


def sample_words(reader: Reader, rng: np.random.Generator) -> dict[str, list[SenseSentence]]:
    """Random words of the reviews, with their sentences."""
    sentences = [one for domain in DOMAINS for one in review_sentences(domain)]
    contexts = word_contexts(sentences, whole_words(reader.tokenizer.get_vocab(), 2), CONTEXTS, rng)
    chosen = rng.choice(np.asarray(list(contexts)), WORDS, replace=False)
    return {word: contexts[word] for word in sorted(chosen.tolist())}


def word_similarities(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each word and layer its self-similarity, and its mean cosine with the other words.

    vectors: (words, contexts, layers, hidden). Returns two arrays (words, layers).
    """
    words, _, layers, _ = vectors.shape
    own, other = np.empty((words, layers)), np.empty((words, layers))
    for layer in range(layers):
        at = unit(vectors[:, :, layer])
        for word in range(words):
            own[word, layer] = self_similarity(at[word])
            rest = np.delete(at, word, axis=0).reshape(-1, at.shape[-1])
            other[word, layer] = random_similarity(at[word], rest)
    return own, other


def sentence_similarities(reader: Reader, texts: Sequence[str]) -> np.ndarray:
    """The intra-sentence similarity of each text at each layer: (texts, layers)."""
    return np.array([[intra_sentence_similarity(at) for at in one.states] for one in reader.read(texts)])


def measure(
    reader: Reader, words: dict[str, list[SenseSentence]], texts: Sequence[str]
) -> dict[str, np.ndarray]:
    """Everything about one encoder: arrays (words or texts, layers)."""
    rows = [row for sentences in words.values() for row in sentences]
    vectors = reader.word_vectors([row.text for row in rows], [row.span for row in rows])
    own, other = word_similarities(vectors.reshape(len(words), CONTEXTS, *vectors.shape[1:]))
    within = sentence_similarities(reader, texts) - other.mean(axis=0)
    return {"self_similarity": own, "baseline": other, "adjusted": own - other, "within_sentences": within}


def layer_rows(system: str, measured: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """One row for each layer: means and intervals of every measure."""
    rows = []
    for layer in range(measured["adjusted"].shape[1]):
        row: dict[str, Any] = {"part": "layer", "system": system, "layer": layer}
        for name, values in measured.items():
            row |= fields(name, over_words(values[:, layer]))
        rows.append(row)
    return rows


def steps(adjusted: np.ndarray) -> list[Interval]:
    """The change from each layer to the next, intervals that hold together. adjusted: (words, layers)."""
    changes = np.diff(adjusted, axis=1)
    level = 1 - 0.05 / changes.shape[1]
    return [over_words(change, level) for change in changes.T]


def verdict(changes: Sequence[tuple[float, float]], fall: tuple[float, float]) -> str:
    """The rule of the module's docstring, from the intervals of the steps and of the whole fall.

    >>> verdict([(-0.2, -0.1), (-0.1, -0.05)], fall=(0.2, 0.25))
    'holds here only'
    """
    if any(low > LEAST_RISE for low, _ in changes) or fall[1] < LEAST_FALL:
        return "does not hold"
    return "holds here only" if all(high < 0 for _, high in changes) else "cannot tell"


def claim(measured: dict[str, np.ndarray], untrained: dict[str, np.ndarray]) -> dict[str, Any]:
    """The entry of `later-layers-more-contextual`."""
    adjusted = measured["adjusted"]
    changes, fall = steps(adjusted), over_words(adjusted[:, 0] - adjusted[:, -1])
    first, last = (over_words(adjusted[:, layer]) for layer in (0, -1))
    random_first, random_last = (untrained["adjusted"][:, layer].mean() for layer in (0, -1))
    told = ", ".join(f"{change.estimate:+.2f} [{change.low:+.2f}, {change.high:+.2f}]" for change in changes)
    return {
        "verdict": verdict([(change.low, change.high) for change in changes], (fall.low, fall.high)),
        "estimate": fall.estimate,
        "interval": [fall.low, fall.high],
        "unit": "fall of the adjusted self-similarity from the embedding layer to the last",
        "seeds": len(SEEDS),
        "sentence": (
            f"Over {len(adjusted)} words the similarity of a word to itself in ten sentences, less that of "
            f"different words, goes from {said(first)} at the embeddings to {said(last)} at the last layer "
            f"of a small BERT (all-MiniLM-L6-v2). Its steps, with intervals that hold together: {told}. "
            f"With random weights it goes from {random_first:.2f} to {random_last:.2f}. (Seeds are draws "
            f"of the random weights.)"
        ),
    }


def main() -> None:
    started = time.perf_counter()
    reader, rng = Reader.pretrained(), np.random.default_rng(0)
    words = sample_words(reader, rng)
    every = [row.text for sentences in words.values() for row in sentences]
    texts = [every[row] for row in rng.choice(len(every), SENTENCES, replace=False)]
    measured = measure(reader, words, texts)
    draws = [measure(reader.untrained(seed), words, texts) for seed in SEEDS]
    untrained = {name: np.mean([draw[name] for draw in draws], axis=0) for name in draws[0]}
    rows = layer_rows("encoder", measured) + layer_rows("random weights", untrained)
    for layer, change in enumerate(steps(measured["adjusted"])):
        rows.append({"part": "step", "from": layer, "to": layer + 1, **fields("change", change)})
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.02, "absolute": 0.005, "ignore": []},
        claims={"later-layers-more-contextual": claim(measured, untrained)},
    )


if __name__ == "__main__":
    main()
