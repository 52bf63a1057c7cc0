"""What `experiments.family_languages` measures of a multilingual model, and its results file.

Rows of results/family_languages.json; source is "home-assistant" or "django", model "trained" or "untrained",
layer 0 (embeddings) to 4; values are by seed:
  kind "loss"       source, language; nats, first (trained model), values; frequency_nats, frequency_first;
                    masked (tokens), pieces_a_character, training_messages
  kind "identity"   source, model (or "character n-grams", layer null), layer, reader ("probe", "centroid");
                    accuracy, accuracy_low, accuracy_high, seed_low, seed_high, values; between
  kind "alignment"  source, model (or "shared pieces", layer null), layer, states ("raw", "centered"),
                    language ("all" or the one beside English), messages; top1, top1_low, top1_high,
                    seed_low, seed_high, values
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats as scipy_stats
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from course_utils import results
from course_utils.data.translations import LANGUAGES, Message
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM
from course_utils.objectives import IGNORE
from course_utils.stats import bootstrap_interval
from course_utils.subword.wordpiece import SPECIAL_TOKENS
from experiments.family_languages import (
    NAME,
    SEEDS,
    TRAINED_ON,
    collate,
    pad,
    rows_of,
    test_messages,
    training_texts,
    vocabulary,
)

SOURCES = (TRAINED_ON, "django")
MESSAGES = 400  # of each source, at most: half of them teach a probe and give the centroids
Array = NDArray[np.float64]
Row = dict[str, Any]
Models = Mapping[int, MaskedLM]


def chosen(source: str) -> list[Message]:
    """The messages that are measured; the same for all models."""
    pool = test_messages(source)
    return [pool[i] for i in np.random.default_rng(2026).permutation(len(pool))[:MESSAGES]]


@torch.no_grad()
def mean_states(encoder: Encoder, texts: Sequence[str]) -> Array:
    """Each text's mean state without [CLS] and [SEP], (layers + 1, texts, hidden)."""
    parts = []
    for start in range(0, len(texts), 50):
        rows = rows_of(texts[start : start + 50], vocabulary())
        ids = pad(rows)
        words = torch.zeros(ids.shape)
        for number, row in enumerate(rows):
            words[number, 1 : len(row) - 1] = 1.0
        layers = torch.stack(encoder(ids, ids != 0).hidden_states)
        parts.append(_weighted(layers, words))
    return torch.cat(parts, dim=1).double().numpy()


def _weighted(layers: Tensor, weights: Tensor) -> Tensor:
    """(layers, texts, length, hidden) and (texts, length) -> (layers, texts, hidden)."""
    return torch.einsum("nbth,bt->nbh", layers, weights) / weights.sum(1).clamp(min=1)[None, :, None]


def states_of(encoder: Encoder, messages: Sequence[Message]) -> Array:
    """(layers + 1, languages, messages, hidden)."""
    return np.stack([mean_states(encoder, [m.texts[code] for m in messages]) for code in LANGUAGES], axis=1)


def retrieved(english: Array, other: Array) -> Array:
    """Whether the nearest neighbor is the translation, both ways: (messages,), 0, 0.5 or 1.

    english, other: (messages, hidden), a message and its translation in the same row.

    >>> retrieved(np.eye(3), np.eye(3)[[0, 2, 1]])
    array([1., 0., 0.])
    """
    unit = [x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12) for x in (english, other)]
    near = unit[0] @ unit[1].T
    own = np.arange(len(near))
    return ((near.argmax(1) == own).astype(float) + (near.argmax(0) == own)) / 2


def aligned(states: Array) -> dict[str, Array]:
    """How often the second half of the messages finds its translation: kind of states -> hits.

    states: (languages, messages, hidden), English first. The centroids that are subtracted are those of the
    first half. Returns hits of shape (languages - 1, messages).
    """
    half = states.shape[1] // 2
    centered = states[:, half:] - states[:, :half].mean(1, keepdims=True)
    return {
        kind: np.array([retrieved(x[0], one) for one in x[1:]])
        for kind, x in (("raw", states[:, half:]), ("centered", centered))
    }


def identified(states: Array) -> tuple[Array, Array, float]:
    """The language of the messages of the second half, learnt from the first.

    states: (languages, messages, hidden). Returns hits of a logistic regression and of the nearest centroid,
    each (messages,), means over languages; and the share of the variance that lies between the centroids.
    """
    half, (count, _, size) = states.shape[1] // 2, states.shape
    first, second = states[:, :half].reshape(-1, size), states[:, half:].reshape(-1, size)
    labels, gold = np.repeat(np.arange(count), half), np.repeat(np.arange(count), states.shape[1] - half)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300)).fit(first, labels)
    centroids = states[:, :half].mean(1)
    nearest = ((second[:, None] - centroids) ** 2).sum(-1).argmin(1)
    total = ((first - first.mean(0)) ** 2).sum(1).mean()
    between = ((centroids - centroids.mean(0)) ** 2).sum(1).mean()
    hits = [(guess == gold).reshape(count, -1).mean(0) for guess in (probe.predict(second), nearest)]
    return hits[0], hits[1], float(between / total)


def estimate(name: str, values: Array) -> Row:
    """Mean over seeds and messages, with both intervals. values: (seeds, messages).

    With one seed there is no interval over seeds. A share of 0 or 1 gets the exact interval.
    """
    mean = values.mean(0)
    if mean.min() == mean.max():
        share = scipy_stats.binomtest(round(mean.sum()), len(mean)).proportion_ci()
        low, high = float(share.low), float(share.high)
    else:
        found = bootstrap_interval(mean, rng=np.random.default_rng(0), resamples=1000)
        low, high = found.low, found.high
    by_seed = values.mean(1)
    row: Row = {name: float(mean.mean()), f"{name}_low": low, f"{name}_high": high}
    row |= {"seed_low": None, "seed_high": None}
    if len(by_seed) > 1:
        reach = scipy_stats.t.ppf(0.975, len(by_seed) - 1) * by_seed.std(ddof=1) / np.sqrt(len(by_seed))
        row |= {"seed_low": float(by_seed.mean() - reach), "seed_high": float(by_seed.mean() + reach)}
    return row | {"values": [float(value) for value in by_seed]}


def alignment_rows(source: str, model: str, layer: int | None, hits: Mapping[str, list[Array]]) -> list[Row]:
    """One row a language and one for all. hits: kind of states -> for each seed (languages - 1, messages)."""
    rows = []
    for kind, by_seed in hits.items():
        stacked = np.stack(by_seed)  # (seeds, languages - 1, messages)
        parts = [("all", stacked.mean(1)), *zip(LANGUAGES[1:], stacked.swapaxes(0, 1), strict=True)]
        for language, values in parts:
            head = {"kind": "alignment", "source": source, "model": model, "layer": layer, "states": kind}
            rows.append({**head, "language": language, "messages": stacked.shape[2]})
            rows[-1] |= estimate("top1", values)
    return rows


def states_rows(source: str, model: str, states: Sequence[Array]) -> list[Row]:
    """Identity and alignment of one model, by layer. states: for each seed, as `states_of` gives them."""
    rows: list[Row] = []
    for layer in range(len(states[0])):
        found = [identified(one[layer]) for one in states]
        for reader, place in (("probe", 0), ("centroid", 1)):
            head = {"kind": "identity", "source": source, "model": model, "layer": layer, "reader": reader}
            values = np.stack([np.asarray(one[place]) for one in found])
            rows.append({**head, "between": float(np.mean([one[2] for one in found]))})
            rows[-1] |= estimate("accuracy", values)
        both = [aligned(one[layer]) for one in states]
        rows += alignment_rows(source, model, layer, {k: [one[k] for one in both] for k in both[0]})
    return rows


def count_rows(source: str, messages: Sequence[Message]) -> list[Row]:
    """What needs no model: character n-grams for the language, shared word pieces for the translation."""
    half = len(messages) // 2
    texts = {code: [m.texts[code] for m in messages] for code in LANGUAGES}
    grams = make_pipeline(
        TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True), LogisticRegression(C=10)
    )
    grams.fit([t for code in LANGUAGES for t in texts[code][:half]], np.repeat(LANGUAGES, half))
    hits = np.mean([grams.predict(texts[code][half:]) == code for code in LANGUAGES], axis=0)
    head = {"kind": "identity", "source": source, "model": "character n-grams", "layer": None}
    rows = [{**head, "reader": "probe", "between": None, **estimate("accuracy", hits[None])}]
    pieces = TfidfVectorizer(analyzer=vocabulary().tokenize)
    pieces.fit([t for code in LANGUAGES for t in texts[code]])
    vectors = [pieces.transform(texts[code][half:]).toarray() for code in LANGUAGES]
    found = np.array([retrieved(vectors[0], one) for one in vectors[1:]])
    return rows + alignment_rows(source, "shared pieces", None, {"raw": [found]})


def frequencies(code: str) -> Tensor:
    """The share of each token in the training text of one language, (vocab,); 0.1 is added to each count."""
    rows = rows_of(training_texts()[code], vocabulary())
    counts = torch.bincount(torch.cat(rows), minlength=len(vocabulary().vocab)).double()
    counts[[vocabulary().vocab[token] for token in SPECIAL_TOKENS if token != "[UNK]"]] = 0
    return (counts + 0.1) / (counts + 0.1).sum()


@torch.no_grad()
def loss_rows(source: str, messages: Sequence[Message], models: Models) -> list[Row]:
    """Nats a masked token and first guesses by language, beside the frequencies of that language's tokens.

    The masks are the same for all models.
    """
    rows: list[Row] = []
    for code in LANGUAGES:
        texts = [m.texts[code] for m in messages]
        batch = collate(rows_of(texts, vocabulary()), torch.Generator().manual_seed(0))
        masked, shares = batch["labels"] != IGNORE, frequencies(code)
        gold, found = batch["labels"][masked], []
        for model in models.values():
            logp = model(batch["input_ids"], batch["attention_mask"], positions=masked).log_softmax(-1)
            nats = -float(logp.gather(1, gold[:, None]).mean())
            found.append((nats, float((logp.argmax(-1) == gold).float().mean())))
        row: Row = {"kind": "loss", "source": source, "language": code}
        row |= {"nats": float(np.mean([one[0] for one in found])), "values": [one[0] for one in found]}
        row |= {"first": float(np.mean([one[1] for one in found]))}
        row |= {"frequency_nats": -float(shares[gold].log().mean())}
        row |= {"frequency_first": float((gold == int(shares.argmax())).float().mean())}
        pieces, letters = sum(map(len, map(vocabulary().tokenize, texts))), sum(map(len, texts))
        row |= {"masked": len(gold), "pieces_a_character": pieces / letters}
        rows.append({**row, "training_messages": len(training_texts()[code])})
    return rows


def report(trained: Models, untrained: Models, began: float) -> Path:
    """Measure all and write results/family_languages.json; returns its path."""
    rows: list[Row] = []
    for source in SOURCES:
        messages = chosen(source)
        rows += loss_rows(source, messages, trained) + count_rows(source, messages)
        for name, models in (("trained", trained), ("untrained", untrained)):
            states = [states_of(model.encoder, messages) for model in models.values()]
            rows += states_rows(source, name, states)
    return results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - began,
        tolerance={"relative": 0.1, "absolute": 0.05, "ignore": ["values", "seed_low", "seed_high"]},
    )
