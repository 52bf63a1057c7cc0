"""What `family_retrieval` reads: encoded documents, questions, and who asks what in which seed."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import bm25s
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from course_utils import data, paths
from course_utils.data import country_facts
from course_utils.data.country_facts import Document, Question
from course_utils.finetuning.classifier import PAD, load_tokenizer
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder

LONGEST = 6  # tokens of an answer; longer ones are never predicted
HELD_OUT_COUNTRIES, HELD_OUT_WORDINGS = 0.4, 2  # a share; of six
TRAIN, TEST = 1200, 400
MASK = "[MASK]"
WORDS = r"(?u)[^\W_]+"  # of one letter, too: ".fr" and "+1" are what is asked for


@dataclass(frozen=True)
class Texts:
    """What the frozen encoder says of texts: the mean over each text's tokens, (texts, hidden), by layer.

    The layers are "embeddings" and "last". ids: (texts, length); states: (texts, length, hidden) of the last
    layer, kept for documents only (else empty).
    """

    layers: dict[str, Tensor]
    ids: Tensor
    states: Tensor


@dataclass(frozen=True)
class Corpus:
    """All documents.

    spans: the number of the string of each span, (documents, length, LONGEST), -1 for none.
    """

    documents: list[Document]
    texts: Texts
    spans: Tensor
    strings: dict[tuple[int, ...], int]

    @property
    def readable(self) -> Tensor:
        """Where an answer may stand: real tokens without [CLS] and [SEP]. (documents, length), boolean."""
        return self.spans[..., 0] >= 0


@dataclass(frozen=True)
class Asked:
    """Questions with their tensors: gold document and answer string, (questions,)."""

    questions: list[Question]
    texts: Texts
    gold: Tensor
    answers: Tensor
    lexical: Tensor  # (questions, documents): scores of BM25

    @property
    def forward(self) -> np.ndarray:
        """(questions,), boolean: asks for a value, not for a country."""
        return np.array([one.direction == "forward" for one in self.questions])


@cache
def small_model() -> tuple[Encoder, Tokenizer]:
    """The encoder, whose weights stay as they are, and its tokenizer."""
    folder = data.small_model_dir()
    return load_encoder(folder), load_tokenizer(folder / "tokenizer.json", 64)


def folder() -> Path:
    """Where encoded texts and runs lie."""
    return paths.cache_dir() / "experiments" / "family_retrieval"


def encoded(texts: Sequence[str], *, keep_states: bool = False) -> Texts:
    """`encode`, from a file in the cache where these texts were encoded before."""
    name = hashlib.sha256("\n".join([str(keep_states), *texts]).encode()).hexdigest()[:16]
    file = folder() / f"encoded-{name}.pt"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(f".{os.getpid()}.part")
        torch.save(vars(encode(texts, keep_states=keep_states)), part)
        part.replace(file)
    return Texts(**torch.load(file, weights_only=True))


@torch.no_grad()
def encode(texts: Sequence[str], *, keep_states: bool = False, batch: int = 64) -> Texts:
    """Encode texts, in their order."""
    encoder, tokenizer = small_model()
    rows = [one.ids for one in tokenizer.encode_batch(list(texts))]
    ids = torch.full((len(rows), max(map(len, rows))), PAD)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    size = encoder.config.hidden_size
    layers = {name: torch.zeros(len(rows), size) for name in ("embeddings", "last")}
    kept = torch.zeros(*ids.shape, size) if keep_states else torch.zeros(0)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        part = ids[chosen, : max(len(rows[i]) for i in chosen)]
        real = (part != PAD)[..., None].float()
        states = encoder(part, attention_mask=part != PAD).hidden_states
        for name, layer in (("embeddings", states[0]), ("last", states[-1])):
            layers[name][chosen] = (layer * real).sum(dim=1) / real.sum(dim=1)
        if keep_states:
            kept[chosen, : part.shape[1]] = states[-1]
    return Texts(layers, ids, kept)


def numbered_spans(ids: Tensor, strings: dict[tuple[int, ...], int]) -> Tensor:
    """A number for each span of up to LONGEST tokens, equal for equal tokens; `strings` grows.

    ids: (documents, length), with [CLS] first and [SEP] last. Returns (documents, length, LONGEST), -1 where
    no span starts or none is so long.
    """
    spans = torch.full((*ids.shape, LONGEST), -1)
    for row, tokens in enumerate(ids.tolist()):
        end = tokens.index(PAD) - 1 if PAD in tokens else len(tokens) - 1
        for start in range(1, end):
            for stop in range(start + 1, min(start + LONGEST, end) + 1):
                key = tuple(tokens[start:stop])
                spans[row, start, stop - start - 1] = strings.setdefault(key, len(strings))
    return spans


@cache
def corpus() -> Corpus:
    """All documents, encoded."""
    documents = country_facts.documents(country_facts.country_facts())
    texts = encoded([one.text for one in documents], keep_states=True)
    strings: dict[tuple[int, ...], int] = {}
    return Corpus(documents, texts, numbered_spans(texts.ids, strings), strings)


@cache
def all_questions() -> list[Question]:
    """Those whose answer is not too long to be a span."""
    known = corpus().strings
    return [
        one for one in country_facts.questions(country_facts.country_facts()) if _tokens(one.answer) in known
    ]


@cache
def _tokens(text: str) -> tuple[int, ...]:
    return tuple(small_model()[1].encode(text, add_special_tokens=False).ids)


def ask(questions: list[Question]) -> Asked:
    """Encode questions."""
    texts = encoded([one.text for one in questions])
    return Asked(
        questions,
        texts,
        torch.tensor([one.document for one in questions]),
        torch.tensor([corpus().strings[_tokens(one.answer)] for one in questions]),
        torch.from_numpy(bm25_scores([one.text for one in questions])),
    )


@cache
def _bm25() -> bm25s.BM25:
    index = bm25s.BM25()  # k1 = 1.5, b = 0.75, the library's
    index.index(_words([one.text for one in corpus().documents]), show_progress=False)
    return index


def _words(texts: list[str]) -> list[list[str]]:
    return bm25s.tokenize(texts, token_pattern=WORDS, stopwords="en", return_ids=False, show_progress=False)


def bm25_scores(texts: list[str]) -> np.ndarray:
    """(texts, documents), float32. Documents of a country often tie: a tie is broken by a tiny random number,
    for in the order of the corpus the capital would win each one."""
    vocabulary = _bm25().vocab_dict
    noise = np.random.default_rng(0).uniform(0, 1e-4, (len(texts), len(corpus().documents)))
    found = np.zeros(noise.shape)
    for row, words in enumerate(_words(texts)):
        if known := [word for word in words if word in vocabulary]:
            found[row] = _bm25().get_scores(known)
    return (found + noise).astype(np.float32)


@dataclass(frozen=True)
class Draw:
    """The questions of a seed: to learn from; of new countries; of facts that were asked for in training.

    Both tests use wordings that training never used, and training asks nothing about the new countries.
    """

    train: Asked
    new: Asked
    seen: Asked


def draw(seed: int) -> Draw:
    """The questions of a seed."""
    rng = np.random.default_rng([seed, 5])
    split = split_questions(all_questions(), [one.fact.country for one in corpus().documents], rng)
    train, new, seen = (ask(part) for part in split)
    return Draw(train, new, seen)


def split_questions(
    questions: Sequence[Question], country_of: Sequence[str], rng: np.random.Generator
) -> tuple[list[Question], list[Question], list[Question]]:
    """TRAIN, TEST and TEST questions: to learn from, on new countries, on facts asked for in training.

    country_of: the country of each document.
    """
    names = sorted(set(country_of))
    held_out = set(rng.permutation(names)[: round(HELD_OUT_COUNTRIES * len(names))].tolist())
    wordings = set(rng.permutation(country_facts.WAYS)[:HELD_OUT_WORDINGS].tolist())
    old = lambda one: country_of[one.document] not in held_out
    pick = lambda pool, size: [pool[i] for i in rng.permutation(len(pool))[:size]]
    train = pick([one for one in questions if old(one) and one.wording not in wordings], TRAIN)
    asked = {(one.document, one.direction) for one in train}
    tests = [one for one in questions if one.wording in wordings]
    new = pick([one for one in tests if not old(one)], TEST)
    return train, new, pick([one for one in tests if (one.document, one.direction) in asked], TEST)


@dataclass(frozen=True)
class Cloze:
    """Documents with a piece masked, for the model without documents; answers (texts,), strings' numbers."""

    texts: Texts
    answers: Tensor


@cache
def cloze() -> Cloze:
    """Every document with its value masked and, where questions go that way too, with its country masked.

    So the closed book has read what the others look up: also the facts that it is never asked for.
    """
    inverse = {one.document for one in all_questions() if one.direction == "inverse"}
    texts, answers = [], []
    for row, one in enumerate(corpus().documents):
        for piece in (one.fact.value, one.fact.country) if row in inverse else (one.fact.value,):
            if _tokens(piece) in corpus().strings and one.text.count(piece) == 1:
                texts.append(one.text.replace(piece, MASK))
                answers.append(corpus().strings[_tokens(piece)])
    return Cloze(encoded(texts), torch.tensor(answers))
