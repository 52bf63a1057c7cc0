"""The models of `family_retrieval`: an open book that learns from answers alone, and a closed book.

All read frozen states of the small real encoder; what is trained are towers, reader and output layers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.models.retrieval import (
    DenseRetriever,
    Index,
    SpanReader,
    Tower,
    answer_log_probs,
    document_log_probs,
    marginal_log_likelihood,
)
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train
from experiments.family_retrieval_setup import LONGEST, Asked, Cloze, Corpus, Texts

HIDDEN, READER = 384, 64
K = 4  # documents that are read, in training and in the main test
STEPS, BATCH, RATE = 500, 16, 1e-3
CLOSED_STEPS, CLOSED_BATCH = 700, 64  # half of its examples are documents, which it must learn by heart
REFRESH = 20  # steps between two refreshes of the index
CHUNK = 64  # questions at a time in a test


class OpenBook(nn.Module):
    """p(y|x) = sum_z p(z|x) p(y|x, z). Scores come from a retriever that learns, or from a fixed table.

    layer: which states the retriever reads. fixed: None, or "bm25", "oracle" or "dense" (the retriever as it
    starts): of fixed scores only a temperature is learned.
    """

    def __init__(self, *, layer: str = "last", fixed: str | None = None) -> None:
        super().__init__()
        self.layer, self.fixed = layer, fixed
        self.retriever = DenseRetriever(HIDDEN).requires_grad_(fixed is None)
        self.reader = SpanReader(HIDDEN, READER, LONGEST)
        self.log_temperature = nn.Parameter(torch.zeros(()), requires_grad=fixed is not None)

    def document_vectors(self, texts: Texts, rows: Tensor | slice = slice(None)) -> Tensor:
        """(documents, size), or (..., size) for rows (...)."""
        return self.retriever.documents(*one_token(texts.layers[self.layer][rows]))

    def query_vectors(self, texts: Texts, rows: Tensor | slice = slice(None)) -> Tensor:
        """(questions, size)."""
        return self.retriever.queries(*one_token(texts.layers[self.layer][rows]))

    def answer_spans(self, corpus: Corpus, asked: Asked, rows: Tensor, documents: Tensor) -> Tensor:
        """log p(span|x, z), (questions, k, length, LONGEST); rows (questions,), documents (questions, k)."""
        questions = asked.texts.layers["last"][rows]
        return self.reader(questions, corpus.texts.states[documents], corpus.readable[documents])


def one_token(means: Tensor) -> tuple[Tensor, Tensor]:
    """States and mask for a tower, of texts whose tokens were averaged already: (..., 1, hidden), (..., 1).

    The average of frozen states is all that the towers get, which makes a step ten times cheaper.
    """
    return means[..., None, :], torch.ones(*means.shape[:-1], 1, dtype=torch.bool)


@torch.no_grad()
def all_scores(model: OpenBook, corpus: Corpus, asked: Asked) -> Tensor:
    """The score of each document for each question, (questions, documents)."""
    if model.fixed == "oracle":
        return F.one_hot(asked.gold, len(corpus.documents)).float()
    scores = (
        asked.lexical
        if model.fixed == "bm25"
        else model.query_vectors(asked.texts) @ model.document_vectors(corpus.texts).T
    )
    return scores * model.log_temperature.exp()


def new_open_book(seed: int, *, layer: str = "last", fixed: str | None = None) -> OpenBook:
    """Towers start as the mean of the states, the same in each seed; the reader is drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return OpenBook(layer=layer, fixed=fixed)


def open_book_loss(
    model: OpenBook, corpus: Corpus, asked: Asked, rows: Tensor, scores: Tensor, documents: Tensor
) -> LossTerms:
    """Minus the marginal log likelihood, of the questions whose answer is in at least one document."""
    spans = model.answer_spans(corpus, asked, rows, documents)
    is_answer = corpus.spans[documents] == asked.answers[rows][:, None, None, None]
    likelihood = marginal_log_likelihood(scores, answer_log_probs(spans, is_answer))
    found = likelihood > -torch.inf
    return LossTerms(-likelihood[found].sum(), int(found.sum()))


def fit_open_book(
    model: OpenBook, corpus: Corpus, asked: Asked, seed: int, refresh: int = REFRESH
) -> list[dict[str, float]]:
    """Train in place. refresh: steps between two refreshes of the index; 0 for never."""
    if model.fixed is not None:
        table = exact_fixed(model, corpus, asked)

        def loss(network: Any, rows: Tensor) -> LossTerms:
            scores = table[0][rows] * network.log_temperature.exp()
            return open_book_loss(network, corpus, asked, rows, scores, table[1][rows])

        return _train(model, loss, len(asked.gold), seed, STEPS)
    index = Index(model.document_vectors(corpus.texts))

    def joint_loss(network: Any, rows: Tensor) -> LossTerms:
        if refresh and index.age >= refresh:
            with torch.no_grad():
                index.refresh(network.document_vectors(corpus.texts))
        queries = network.query_vectors(asked.texts, rows)
        documents = index.search(queries, K)[1]
        # The index only finds; scores are fresh, or no gradient would reach the document tower.
        scores = (queries[:, None] * network.document_vectors(corpus.texts, documents)).sum(dim=-1)
        return open_book_loss(network, corpus, asked, rows, scores, documents)

    return _train(model, joint_loss, len(asked.gold), seed, STEPS)


def exact_fixed(model: OpenBook, corpus: Corpus, asked: Asked) -> tuple[Tensor, Tensor]:
    """Scores and rows of the best documents by the fixed scores, (questions, k); the oracle reads one."""
    found = all_scores(model, corpus, asked).topk(1 if model.fixed == "oracle" else K, dim=-1)
    return found.values, found.indices


def _train(
    model: nn.Module, loss: Any, examples: int, seed: int, steps: int, batch: int = BATCH
) -> list[dict[str, float]]:
    config = TrainingConfig(
        steps=steps, batch_size=batch, learning_rate=RATE, weight_decay=0.0, seed=seed, log_every=100
    )
    data = TrainingData(range(examples), lambda rows, _: {"rows": torch.tensor(list(rows))})
    return train(model, lambda network, batch: loss(network, batch["rows"]), data, config)


@torch.no_grad()
def answers(model: OpenBook, corpus: Corpus, asked: Asked, k: int) -> Tensor:
    """The most probable string given the k best documents, (questions,): the exact argmax of p(y|x).

    The probability of a string is summed over all its places in all k documents.
    """
    model.eval()
    scores, documents = all_scores(model, corpus, asked).topk(k, dim=-1)
    best = []
    for rows in torch.arange(len(scores)).split(CHUNK):
        spans = model.answer_spans(corpus, asked, rows, documents[rows])
        joint = (document_log_probs(scores[rows])[..., None, None] + spans).exp().flatten(1)
        strings = corpus.spans[documents[rows]].flatten(1)
        total = torch.zeros(len(rows), len(corpus.strings)).scatter_add_(1, strings.clamp(min=0), joint)
        best.append(total.argmax(dim=-1))
    return torch.cat(best)


def ranks(scores: Tensor, gold: Tensor) -> np.ndarray:
    """How many documents score above the gold one, (questions,); 0 is found first."""
    return (scores > scores.gather(1, gold[:, None])).sum(dim=-1).numpy()


class ClosedBook(nn.Module):
    """No documents: a tower, a hidden layer, and a softmax over all answers, which must store the facts."""

    strings: Tensor

    def __init__(self, width: int, strings: Tensor) -> None:
        """strings: the numbers of the strings that can be answers, (answers,)."""
        super().__init__()
        self.register_buffer("strings", strings)
        self.tower = Tower(HIDDEN)
        self.hidden, self.output = nn.Linear(HIDDEN, width), nn.Linear(width, len(strings))

    def forward(self, means: Tensor) -> Tensor:
        """(batch, hidden) -> logits (batch, answers)."""
        # A unit vector has entries around 0.05: scaled to about 1, which layers are initialized for.
        return self.output(F.gelu(self.hidden(HIDDEN**0.5 * self.tower(*one_token(means)))))


def trainable(model: nn.Module) -> int:
    """How many parameters are trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def new_closed_book(seed: int, size: int, strings: Tensor) -> ClosedBook:
    """As wide as `size` trainable parameters allow."""
    fixed = HIDDEN * (HIDDEN + 1) + len(strings)
    width = round((size - fixed) / (HIDDEN + 1 + len(strings)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ClosedBook(width, strings)


@dataclass(frozen=True)
class Lesson:
    """What a closed book learns from: questions and clozes alternate in a batch."""

    asked: Asked
    cloze: Cloze


def fit_closed_book(model: ClosedBook, lesson: Lesson, seed: int) -> list[dict[str, float]]:
    """Train in place, on both kinds of examples in equal parts."""
    place = {string: i for i, string in enumerate(model.strings.tolist())}
    pools = [(lesson.asked.texts, lesson.asked.answers), (lesson.cloze.texts, lesson.cloze.answers)]
    targets = [torch.tensor([place[int(s)] for s in strings]) for _, strings in pools]
    sizes = [len(t) for t in targets]

    def loss(network: Any, rows: Tensor) -> LossTerms:
        total = torch.zeros(())
        for kind, (texts, _) in enumerate(pools):
            # An epoch passes over as many of each kind; the shorter list comes round more often.
            own = rows[rows % 2 == kind].div(2, rounding_mode="floor") % sizes[kind]
            if len(own):
                logits = network(texts.layers["last"][own])
                total = total + F.cross_entropy(logits, targets[kind][own], reduction="sum")
        return LossTerms(total, len(rows))

    return _train(model, loss, 2 * max(sizes), seed, CLOSED_STEPS, CLOSED_BATCH)


@torch.no_grad()
def closed_answers(model: ClosedBook, texts: Texts) -> Tensor:
    """The most probable string for each question, (questions,)."""
    model.eval()
    return model.strings[model(texts.layers["last"]).argmax(dim=-1)]
