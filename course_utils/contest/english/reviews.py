"""Sentiment of rated review sentences: by fine-tuning, by a linear probe, and by a bag of words."""

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn

from course_utils.contest.english.corpus import Corpus
from course_utils.contest.entrants import Batch, frame
from course_utils.contest.grammar import PAD
from course_utils.contest.measures import fit_linear
from course_utils.data import load
from course_utils.data.errors import DataError
from course_utils.models import masks
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead, SequenceHead, mean_pool
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train


@dataclass(frozen=True)
class ReviewTask:
    """Which sentences, and how long one may learn from them."""

    name: str  # of a data set of the course
    margin: float  # at least so far from the middle of its scale
    train: int
    test: int
    steps: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Labeled:
    """Sentences as ids, padded on the right, and labels 0 or 1: (n, length) and (n,)."""

    ids: Tensor
    labels: Tensor


def read_reviews(corpus: Corpus, task: ReviewTask, longest: int) -> tuple[Labeled, Labeled]:
    """Balanced sentences to learn from and to be tested on, cut at `longest` tokens.

    Drawn from the splits of the data set, so that no review is on both sides. Raises DataError if it has too
    few of a label.
    """
    return (
        _balanced(corpus, task, "train", task.train, longest),
        _balanced(corpus, task, "test", task.test, longest),
    )


def tuned_accuracy(encoder: Encoder, sets: tuple[Labeled, Labeled], task: ReviewTask, seed: int) -> float:
    """Accuracy after fine-tuning a copy of the encoder with a head on mean states; it looks both ways."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = SequenceHead(encoder.config, 2, pooling="mean", dropout=0.0)
        model = EncoderWithHead(copy.deepcopy(encoder), head)
    learning, test = sets
    config = TrainingConfig(
        steps=task.steps,
        batch_size=task.batch_size,
        learning_rate=task.learning_rate,
        log_every=task.steps,
        seed=seed,
    )
    examples = list(zip(learning.ids, learning.labels, strict=True))
    train(model, _loss, TrainingData(examples, _collate), config)
    with torch.no_grad():
        model.eval()
        answers = model(test.ids, attention_mask=test.ids != PAD).argmax(-1)
    return float((answers == test.labels).double().mean())


def probe_accuracy(encoder: Encoder, sets: tuple[Labeled, Labeled], *, causal: bool) -> float:
    """Accuracy of a logistic regression on the mean of the frozen encoder's last states."""
    learning, test = (_pooled(encoder, of.ids, causal) for of in sets)
    mean, spread = learning.mean(0), learning.std(0) + 1e-6
    probe = fit_linear((learning - mean) / spread, sets[0].labels, 2)
    return _share_right(probe, (test - mean) / spread, sets[1].labels)


def bag_of_words_accuracy(sets: tuple[Labeled, Labeled], vocab_size: int) -> float:
    """Accuracy of a logistic regression on which pieces a sentence holds."""
    learning, test = (_bags(of.ids, vocab_size) for of in sets)
    return _share_right(fit_linear(learning, sets[0].labels, 2), test, sets[1].labels)


def _balanced(corpus: Corpus, task: ReviewTask, split: str, count: int, longest: int) -> Labeled:
    rows = load(task.name, split=split, margin=task.margin)
    ids: list[Tensor] = []
    labels: list[int] = []
    for label in (0, 1):
        texts = [text for text, found in zip(rows["text"], rows["label"], strict=True) if found == label]
        if len(texts) < count // 2:
            raise DataError(
                f"{task.name}, {split}: {len(texts)} sentences of label {label}, not {count // 2}"
            )
        chosen = torch.randperm(len(texts), generator=Generator().manual_seed(label))[: count // 2]
        ids += [frame(torch.tensor(corpus.encode(texts[i])[:longest], dtype=torch.long)) for i in chosen]
        labels += [label] * (count // 2)
    return Labeled(nn.utils.rnn.pad_sequence(ids, True, PAD), torch.tensor(labels))


def _collate(examples: list[tuple[Tensor, Tensor]], generator: Generator) -> Batch:
    ids, labels = zip(*examples, strict=True)
    padded = torch.stack(ids)
    return {"input_ids": padded[:, : int((padded != PAD).sum(1).max())], "labels": torch.stack(labels)}


def _loss(model: nn.Module, batch: Batch) -> LossTerms:
    logits = model(batch["input_ids"], attention_mask=batch["input_ids"] != PAD)
    return LossTerms(F.cross_entropy(logits, batch["labels"], reduction="sum"), len(logits))


@torch.no_grad()
def _pooled(encoder: Encoder, ids: Tensor, causal: bool) -> Tensor:
    mask = masks.causal(ids.shape[1]) if causal else None
    return mean_pool(encoder.eval()(ids, attention_mask=ids != PAD, mask=mask))


def _bags(ids: Tensor, vocab_size: int) -> Tensor:
    bags = torch.zeros(len(ids), vocab_size)
    bags.scatter_(1, ids, 1.0)
    bags[:, PAD] = 0
    return bags


@torch.no_grad()
def _share_right(probe: nn.Linear, features: Tensor, labels: Tensor) -> float:
    return float((probe(features).argmax(-1) == labels).double().mean())
