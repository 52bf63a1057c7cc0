"""The texts, the vocabularies and the models of `experiments.family_domain`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from course_utils import data
from course_utils.data.documentation import Passage, documentation
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM
from course_utils.objectives import IGNORE, SpecialTokens
from course_utils.objectives.masked import mask_tokens
from course_utils.released import load_released
from course_utils.subword import BertNormalizer, WordPiece, count_words, split_words, train_wordpiece
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

RATED = ("products", "movies", "editorials", "tweets")
LONGEST = 32  # tokens of a training row
VOCABULARY = 4000  # pieces
MASKED = 0.2  # BERT has 0.15; in a short training more predictions a text pay
SMALL = EncoderConfig(
    vocab_size=VOCABULARY,
    hidden_size=128,
    num_layers=4,
    num_heads=4,
    intermediate_size=512,
    max_positions=128,
    dropout=0.0,
    attention_dropout=0.0,
    pooler=False,
)
FROM_NOTHING = TrainingConfig(steps=1000, batch_size=32, learning_rate=1.5e-3, log_every=50)
CONTINUE = TrainingConfig(steps=80, batch_size=16, learning_rate=2e-4, log_every=20)

Rows = list[Tensor]


@dataclass
class Pretrained:
    """A masked LM and its vocabulary."""

    model: MaskedLM
    vocabulary: WordPiece


@cache
def passages(split: str) -> list[Passage]:
    """The documentation of one split, in an order that does not depend on where packages lie."""
    return [passage for passage in documentation() if passage.split == split]


@cache
def texts(kind: str, split: str) -> list[str]:
    """All texts of the domain, or the general ones."""
    if kind == "domain":
        return [passage.text for passage in passages(split)]
    return [text for name in RATED for text in data.load(name, split=split)["text"]]


@cache
def vocabulary(kind: str) -> WordPiece:
    """A vocabulary of the training texts, merged by frequency as libraries do."""
    normal = map(BertNormalizer().normalize, texts(kind, "train"))
    counts = {word: count for word, count in count_words(normal, "punctuation").items() if count > 1}
    return train_wordpiece(counts, vocab_size=VOCABULARY, criterion="frequency")


def special_tokens(words: WordPiece) -> SpecialTokens:
    """What the objective must know of a vocabulary."""
    special = tuple(words.vocab[token] for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]"))
    return SpecialTokens(words.vocab["[MASK]"], special, vocab_size=len(words.vocab))


def split_text(text: str) -> list[str]:
    """The words that all vocabularies cut: BERT's, without case and accents."""
    return split_words(BertNormalizer().normalize(text), "punctuation")


def rows_of(documents: Sequence[str], words: WordPiece) -> Rows:
    """Token ids with [CLS] and [SEP], cut at LONGEST tokens."""
    start, end = words.vocab["[CLS]"], words.vocab["[SEP]"]
    cut = ([words.vocab[token] for token in words.tokenize(text)][: LONGEST - 2] for text in documents)
    return [torch.tensor([start, *ids, end]) for ids in cut]


def pretrain(made: Pretrained, rows: Rows, config: TrainingConfig) -> float:
    """Train in place by masked language modeling; returns the last mean loss, in nats a token."""
    tokens = special_tokens(made.vocabulary)

    def batch(examples: Rows, generator: torch.Generator) -> dict[str, Tensor]:
        ids = torch.nn.utils.rnn.pad_sequence(examples, batch_first=True, padding_value=0)
        inputs, labels = mask_tokens(ids, tokens, generator, share=MASKED)
        return {"input_ids": inputs, "attention_mask": (ids != 0).long(), "labels": labels}

    def loss(model: torch.nn.Module, batch: Any) -> LossTerms:
        chosen = batch["labels"] != IGNORE
        logits = model(batch["input_ids"], batch["attention_mask"], positions=chosen)
        return LossTerms(F.cross_entropy(logits, batch["labels"][chosen], reduction="sum"), chosen.sum())

    history = train(made.model, loss, TrainingData(rows, batch, [len(row) for row in rows]), config)
    return history[-1]["loss"]


def training_texts(kind: str, seed: int) -> list[str]:
    """As many texts of the domain as there are general ones, drawn by the seed."""
    pool, count = texts(kind, "train"), min(len(texts(name, "train")) for name in ("domain", "general"))
    order = np.random.default_rng([seed, 3]).permutation(len(pool))
    return [pool[i] for i in order[:count]]


def small(kind: str, seed: int, *, text: str | None) -> Pretrained:
    """A small encoder from nothing, with a vocabulary of `kind`; trained on `text`, or not at all."""
    words = vocabulary(kind)
    torch.manual_seed(seed)
    made = Pretrained(MaskedLM(Encoder(SMALL)), words)
    if text:
        rows = rows_of(training_texts(text, seed), words)
        made.model.head.bias.data.copy_(log_frequencies(rows, words))
        pretrain(made, rows, replace(FROM_NOTHING, seed=seed))
    return made


def log_frequencies(rows: Rows, words: WordPiece) -> Tensor:
    """Where the head's bias starts: short training should not go into learning what is frequent."""
    counts = torch.bincount(torch.cat(rows), minlength=len(words.vocab)).float()
    counts[list(special_tokens(words).special)] = 0
    return ((counts + 0.1) / (counts + 0.1).sum()).log()


def real(seed: int, *, further: bool) -> Pretrained:
    """The small real encoder; `further`: after more training on the domain, token table frozen."""
    released = load_released("masked_lm")
    made = Pretrained(released.model, WordPiece(released.tokenizer.get_vocab()))
    if further:
        made.model.requires_grad_(True)
        made.model.encoder.embeddings.requires_grad_(False)
        pretrain(made, rows_of(texts("domain", "train"), made.vocabulary), replace(CONTINUE, seed=seed))
    return made


MAKERS: dict[str, Callable[[int], Pretrained]] = {
    "as_is": lambda seed: real(seed, further=False),
    "continued": lambda seed: real(seed, further=True),
    "small_general": lambda seed: small("general", seed, text="general"),
    "small_mixed": lambda seed: small("general", seed, text="domain"),
    "small_domain": lambda seed: small("domain", seed, text="domain"),
    "untrained": lambda seed: small("domain", seed, text=None),
}
