"""Texts with one label each: encode, batch, fine-tune an encoder with a head, predict."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from tokenizers import Tokenizer
from torch import Generator, Tensor

from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead, SequenceHead
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

PAD = 0  # of bert-base-uncased's vocabulary
LossOfExamples = Callable[[Tensor, Tensor], Tensor]


class Example(NamedTuple):
    """A text as token ids, with [CLS] and [SEP], and its class."""

    ids: list[int]
    label: int


def load_tokenizer(file: Path, max_length: int) -> Tokenizer:
    """The tokenizer of a checkpoint, without padding, cutting texts at `max_length` tokens."""
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str], labels: Sequence[int]) -> list[Example]:
    """Examples in the order of the texts. Raises ValueError if there are more or fewer labels than texts."""
    if len(texts) != len(labels):
        raise ValueError(f"{len(texts)} texts need as many labels, got {len(labels)}")
    encoded = tokenizer.encode_batch(list(texts))
    return [Example(e.ids, int(label)) for e, label in zip(encoded, labels, strict=True)]


def collate(examples: Sequence[Example], generator: Generator | None = None) -> dict[str, Tensor]:
    """One batch, padded on the right to its longest text: input_ids (batch, length), labels (batch,)."""
    ids = torch.full((len(examples), max(len(e.ids) for e in examples)), PAD)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
    return {"input_ids": ids, "labels": torch.tensor([e.label for e in examples])}


def new_classifier(
    encoder: Encoder,
    num_labels: int,
    seed: int,
    *,
    pooling: Literal["cls", "mean"] = "mean",
    dropout: float = 0.1,
) -> EncoderWithHead:
    """The encoder with a fresh head drawn from the seed; the encoder itself is not copied."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EncoderWithHead(encoder, SequenceHead(encoder.config, num_labels, pooling, dropout))


def freeze_embeddings(model: EncoderWithHead) -> None:
    """Take the token, position and segment tables out of training: half of a small encoder's parameters,
    nearly none of its computation forward, much of the optimizer's."""
    model.encoder.embeddings.requires_grad_(False)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of each example, (batch,)."""
    return F.cross_entropy(logits, labels, reduction="none")


def fine_tune(
    model: EncoderWithHead,
    examples: Sequence[Example],
    config: TrainingConfig,
    *,
    loss: LossOfExamples = cross_entropy,
    **options: Any,
) -> list[dict[str, float]]:
    """Train the model in place on batches of texts of similar length; returns the lines of metrics.

    loss: from logits (batch, classes) and labels (batch,) to the loss of each example (batch,). options go
    to `train`: folder (checkpoints; a run found there goes on), evaluate, progress.
    """

    def terms(network: torch.nn.Module, batch: Any) -> LossTerms:
        logits = network(batch["input_ids"], attention_mask=batch["input_ids"] != PAD)
        return LossTerms(loss(logits, batch["labels"]).sum(), len(logits))

    data = TrainingData(examples, collate, [len(e.ids) for e in examples])
    return train(model, terms, data, config, **options)


@torch.no_grad()
def predict(model: EncoderWithHead, examples: Sequence[Example], batch_size: int = 32) -> Tensor:
    """Logits of all examples, (examples, classes), on the CPU; the model's mode is left as it was."""
    if not examples:
        raise ValueError("there are no examples to predict")
    was_training = model.training
    device = next(model.parameters()).device
    model.eval()
    # By length, so that little is padded; back in order at the end.
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    parts = []
    for start in range(0, len(order), batch_size):
        ids = collate([examples[i] for i in order[start : start + batch_size]])["input_ids"].to(device)
        parts.append(model(ids, attention_mask=ids != PAD).cpu())
    model.train(was_training)
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return torch.cat(parts)[back]


def epochs(examples: int, batch_size: int, count: float) -> int:
    """How many optimizer steps `count` passes over the examples take; at least 1.

    >>> epochs(1600, 16, 7)
    700
    """
    return max(1, round(-(-examples // batch_size) * count))
