"""What `experiments.family_domain` measures: words filled in, a task solved, and the counts beside them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from course_utils.finetuning.classifier import Example, collate, fine_tune, new_classifier, predict
from course_utils.models.encoder import Encoder
from course_utils.models.heads import mean_pool
from course_utils.training import TrainingConfig
from experiments.family_domain_models import SMALL, Pretrained, passages, split_text, texts

KINDS = ("summary", "parameters", "returns", "notes")
WORDS, TEXTS = 20, 150  # words of a text that is measured; texts that are filled in
LABELS, TESTS = 100, 150  # for each kind
TASK = TrainingConfig(steps=100, batch_size=16, learning_rate=1e-3, log_every=25)
TASK_RATE_REAL = 2e-4  # for the real encoder

BLANKS = 0.15  # of the plain words of a text

Blanks = list[tuple[list[str], list[int]]]


def drawn(pool: Sequence[Any], count: int, seed: int, use: int) -> list[Any]:
    """Some of a pool without repeats, by seed and use."""
    order = np.random.default_rng([seed, use]).permutation(len(pool))
    return [pool[i] for i in order[:count]]


def blanks(kind: str, seed: int) -> Blanks:
    """Held-out texts as words, and which of them are masked: plain words of two letters or more."""
    rng, found = np.random.default_rng([seed, 7]), []
    for text in drawn(texts(kind, "test"), TEXTS, seed, 1):
        words = split_text(text)[:WORDS]
        plain = [i for i, word in enumerate(words) if word.isalpha() and word.isascii() and len(word) > 1]
        if plain:
            count = max(1, round(BLANKS * len(plain)))
            found.append((words, sorted(rng.choice(plain, count, replace=False).tolist())))
    return found


@torch.no_grad()
def fill(made: Pretrained, texts_and_blanks: Sequence[tuple[list[str], list[int]]]) -> dict[str, float]:
    """Nats a word, share of words that are the first guess, and pieces a word."""
    vocab, model = made.vocabulary.vocab, made.model.eval()
    nats = hits = pieces = words_masked = 0.0
    for words, masked in texts_and_blanks:
        ids, owner = [vocab["[CLS]"]], [-1]
        for number, word in enumerate(words):
            cut = [vocab[token] for token in made.vocabulary.tokenize(word)]
            ids, owner = ids + cut, owner + [number] * len(cut)
        gold, of = torch.tensor([*ids, vocab["[SEP]"]]), torch.tensor([*owner, -1])
        chosen = torch.isin(of, torch.tensor(masked))
        inputs = gold.masked_fill(chosen, vocab["[MASK]"])
        logp = model(inputs[None], positions=chosen[None]).log_softmax(-1)
        right = logp.argmax(-1) == gold[chosen]
        nats -= float(logp.gather(1, gold[chosen][:, None]).sum())
        hits += sum(bool(right[of[chosen] == number].all()) for number in masked)
        pieces, words_masked = pieces + len(right), words_masked + len(masked)
    return {"nats": nats / words_masked, "first": hits / words_masked, "pieces": pieces / words_masked}


def labeled(split: str, per_kind: int, seed: int) -> tuple[list[str], list[int]]:
    """Texts of each kind of section and their labels, at most WORDS words each."""
    found, labels = [], []
    for label, kind in enumerate(KINDS):
        pool = [passage.text for passage in passages(split) if passage.section == kind]
        found += [" ".join(text.split()[:WORDS]) for text in drawn(pool, per_kind, seed, 10 + label)]
        labels += [label] * per_kind
    return found, labels


def examples(made: Pretrained, documents: Sequence[str], labels: Sequence[int]) -> list[Example]:
    """For the classifier: ids with [CLS] and [SEP], cut where the small models' positions end."""
    vocab, room = made.vocabulary.vocab, SMALL.max_positions - 2
    cut = ([vocab[token] for token in made.vocabulary.tokenize(text)][:room] for text in documents)
    return [
        Example([vocab["[CLS]"], *ids, vocab["[SEP]"]], label) for ids, label in zip(cut, labels, strict=True)
    ]


@torch.no_grad()
def states(encoder: Encoder, rows: Sequence[Example]) -> np.ndarray:
    """The mean of each text's last states, (texts, hidden)."""
    encoder.eval()
    parts = []
    for start in range(0, len(rows), 32):
        ids = collate(rows[start : start + 32])["input_ids"]
        parts.append(mean_pool(encoder(ids, ids != 0)))
    return torch.cat(parts).numpy()


def solve(made: Pretrained, seed: int, rate: float) -> dict[str, float]:
    """Accuracy on the task: frozen, then fine-tuned (which changes the encoder)."""
    (train_texts, train_labels), (test_texts, test_labels) = (
        labeled("train", LABELS, seed),
        labeled("test", TESTS, seed),
    )
    training, testing = examples(made, train_texts, train_labels), examples(made, test_texts, test_labels)
    encoder, gold = made.model.encoder, np.array(test_labels)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    probe.fit(states(encoder, training), train_labels)
    frozen = float((probe.predict(states(encoder, testing)) == gold).mean())
    encoder.requires_grad_(True)
    encoder.embeddings.requires_grad_(False)
    model = new_classifier(encoder, len(KINDS), seed)
    fine_tune(model, training, replace(TASK, learning_rate=rate, seed=seed))
    tuned = float((predict(model, testing).argmax(-1).numpy() == gold).mean())
    return {"frozen": frozen, "tuned": tuned}


def bag_of_words(seed: int) -> dict[str, float]:
    """Accuracy of TF-IDF with a logistic regression on the same texts."""
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10))
    model.fit(*labeled("train", LABELS, seed))
    found, labels = labeled("test", TESTS, seed)
    return {"frozen": float((model.predict(found) == np.array(labels)).mean())}


class Neighbors:
    """Fills a blank with the word seen most often between the same neighbors; else after the left one; else
    with the most frequent word.
    """

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        both: dict[tuple[str, str], Counter[str]] = {}
        left: dict[str, Counter[str]] = {}
        alone: Counter[str] = Counter()
        for words in sentences:
            for i, word in enumerate(words):
                if word.isalpha() and len(word) > 1:
                    around = _around(words, i)
                    both.setdefault(around, Counter())[word] += 1
                    left.setdefault(around[0], Counter())[word] += 1
                    alone[word] += 1
        self._both = {key: counts.most_common(1)[0][0] for key, counts in both.items()}
        self._left = {key: counts.most_common(1)[0][0] for key, counts in left.items()}
        self.frequent = alone.most_common(1)[0][0]

    def guess(self, words: Sequence[str], i: int) -> str:
        """The guess for words[i]."""
        around = _around(words, i)
        return self._both.get(around) or self._left.get(around[0]) or self.frequent


def _around(words: Sequence[str], i: int) -> tuple[str, str]:
    return (words[i - 1] if i else ""), (words[i + 1] if i + 1 < len(words) else "")


def count_hits(model: Neighbors, texts_and_blanks: Blanks) -> dict[str, float]:
    """Share of words that the counts guess, and that are the most frequent word. Other blanks are seen."""
    pairs = [(model.guess(words, i), words[i]) for words, masked in texts_and_blanks for i in masked]
    return {
        "first": float(np.mean([guess == word for guess, word in pairs])),
        "most_frequent": float(np.mean([model.frequent == word for _, word in pairs])),
    }
