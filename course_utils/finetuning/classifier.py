"""Texts, or pairs of texts, with one label each: encode, batch, fine-tune an encoder with a head, predict."""

from collections.abc import Callable, Mapping, Sequence
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
    """A text, or a pair, as token ids with [CLS] and [SEP], and its class, or its number to predict."""

    ids: list[int]
    label: int | float
    segments: list[int] | None = None  # of a pair: 0 up to the first [SEP], then 1; None for one text


def load_tokenizer(file: Path, max_length: int | None) -> Tokenizer:
    """The tokenizer of a checkpoint, without padding, cutting inputs at `max_length` tokens (None: nowhere).

    Of a pair that is too long, the longer text is cut, token by token.
    """
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_padding()
    if max_length is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_length)
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str], labels: Sequence[int]) -> list[Example]:
    """Examples in the order of the texts. Raises ValueError if there are more or fewer labels than texts."""
    if len(texts) != len(labels):
        raise ValueError(f"{len(texts)} texts need as many labels, got {len(labels)}")
    encoded = tokenizer.encode_batch(list(texts))
    return [Example(e.ids, int(label)) for e, label in zip(encoded, labels, strict=True)]


def encode_pairs(
    tokenizer: Tokenizer, first: Sequence[str], second: Sequence[str], labels: Sequence[int | float]
) -> list[Example]:
    """[CLS] first [SEP] second [SEP], segments 0 and 1. Raises ValueError unless all three are equally long.

    A whole-number label is a class, any other a number to be predicted.
    """
    if not len(first) == len(second) == len(labels):
        raise ValueError(
            f"pairs need as many first texts as second ones and labels, got {len(first)}, {len(second)} and "
            f"{len(labels)}"
        )
    encoded = tokenizer.encode_batch(list(zip(first, second, strict=True)))
    return [Example(e.ids, label, e.type_ids) for e, label in zip(encoded, labels, strict=True)]


def collate(examples: Sequence[Example], generator: Generator | None = None) -> dict[str, Tensor]:
    """One batch, padded on the right to its longest input.

    input_ids (batch, length), labels (batch,), and for pairs token_type_ids (batch, length).
    """
    batch = {
        "input_ids": pad([e.ids for e in examples], PAD),
        "labels": torch.tensor([e.label for e in examples]),
    }
    segments = [e.segments for e in examples if e.segments is not None]
    if segments and len(segments) != len(examples):
        raise ValueError("a batch holds pairs or single texts, not both")
    return batch | ({"token_type_ids": pad(segments, 0)} if segments else {})


def pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """(rows, longest row), filled up on the right.

    >>> pad([[1, 2], [3]], 0)
    tensor([[1, 2],
            [3, 0]])
    """
    table = torch.full((len(rows), max(len(row) for row in rows)), value)
    for number, row in enumerate(rows):
        table[number, : len(row)] = torch.tensor(row)
    return table


def run_model(model: torch.nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    """The model's output for a batch: padding masked, segments given where the batch has some."""
    ids = batch["input_ids"]
    return model(ids, attention_mask=ids != PAD, token_type_ids=batch.get("token_type_ids"))


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


def squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """The loss of a regression with one output, (batch,): logits (batch, 1) against numbers (batch,).

    The shapes are asked for, since (batch, 1) minus (batch,) would broadcast to (batch, batch) in silence.
    """
    if logits.shape != (len(labels), 1):
        raise ValueError(f"a regression has logits ({len(labels)}, 1), got {tuple(logits.shape)}")
    return (logits[:, 0] - labels) ** 2


def fine_tune(
    model: EncoderWithHead,
    examples: Sequence[Example],
    config: TrainingConfig,
    *,
    loss: LossOfExamples = cross_entropy,
    **options: Any,
) -> list[dict[str, float]]:
    """Train the model in place on batches of inputs of similar length; returns the lines of metrics.

    loss: from logits (batch, classes) and labels (batch,) to the loss of each example (batch,). options go
    to `train`: folder (checkpoints; a run found there goes on), evaluate, progress.
    """

    def terms(network: torch.nn.Module, batch: Any) -> LossTerms:
        logits = run_model(network, batch)
        return LossTerms(loss(logits, batch["labels"]).sum(), len(logits))

    data = TrainingData(examples, collate, [len(e.ids) for e in examples])
    return train(model, terms, data, config, **options)


def predict(model: torch.nn.Module, examples: Sequence[Example], batch_size: int = 32) -> Tensor:
    """Logits of all examples, (examples, classes), on the CPU; the model's mode is left as it was."""
    return torch.stack(outputs(model, examples, collate, batch_size))


@torch.no_grad()
def outputs(
    model: torch.nn.Module,
    examples: Sequence[Any],
    collate: Callable[[Sequence[Any]], Mapping[str, Tensor]],
    batch_size: int = 32,
) -> list[Tensor]:
    """The model's output for each example, on the CPU, in order; padded as its batch was.

    examples: anything with `ids` that `collate` takes. Raises ValueError if there are none.
    """
    if not examples:
        raise ValueError("there are no examples to predict")
    was_training = model.training
    # A model that another engine runs has no parameters.
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    model.eval()
    # By length, so that little is padded; back in order at the end.
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    found: list[Tensor] = [torch.empty(0)] * len(examples)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        batch = {name: tensor.to(device) for name, tensor in collate([examples[i] for i in rows]).items()}
        for row, output in zip(rows, run_model(model, batch).cpu(), strict=True):
            found[row] = output
    model.train(was_training)
    return found


def epochs(examples: int, batch_size: int, count: float) -> int:
    """How many optimizer steps `count` passes over the examples take; at least 1.

    >>> epochs(1600, 16, 7)
    700
    """
    return max(1, round(-(-examples // batch_size) * count))
