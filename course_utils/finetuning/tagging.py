"""A tag for every word: fine-tune an encoder with a head for each token, and predict tags of words."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from tokenizers import Tokenizer
from torch import Generator, Tensor

from course_utils.finetuning.alignment import (
    IGNORED,
    PieceScheme,
    align_tags,
    label_ids,
    missing_words,
    split_words,
    tags_of_words,
)
from course_utils.finetuning.classifier import PAD, outputs, pad, run_model
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead, TokenHead
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train


class TaggedExample(NamedTuple):
    """A sentence as token ids, a label for each token (IGNORED: none), and the word of each token."""

    ids: list[int]
    labels: list[int]
    word_ids: list[int | None]
    words: int  # how many the sentence has, also those that were cut off


def encode_tagged(
    tokenizer: Tokenizer,
    sentences: Sequence[Sequence[str]],
    tags: Sequence[Sequence[str]],
    numbers: Mapping[str, int],
    scheme: PieceScheme = "first",
) -> list[TaggedExample]:
    """Examples in the order of the sentences. numbers: a number for each tag, from `alignment.tag_set`.

    Raises ValueError unless every word has a tag and every tag a number.
    """
    if [len(words) for words in sentences] != [len(row) for row in tags]:
        raise ValueError("every word needs one tag: the sentences and the tags are not equally long")
    examples = []
    for words, row in zip(sentences, tags, strict=True):
        ids, word_ids = split_words(tokenizer, words)
        labels = label_ids(align_tags(word_ids, row, scheme), numbers)
        examples.append(TaggedExample(ids, labels, word_ids, len(words)))
    return examples


def cut_off(examples: Sequence[TaggedExample]) -> int:
    """How many words have no token: the model will never see them."""
    return sum(len(missing_words(e.word_ids, e.words)) for e in examples)


def collate_tagged(
    examples: Sequence[TaggedExample], generator: Generator | None = None
) -> dict[str, Tensor]:
    """One batch: input_ids and labels, (batch, length); padding has the label IGNORED."""
    return {
        "input_ids": pad([e.ids for e in examples], PAD),
        "labels": pad([e.labels for e in examples], IGNORED),
    }


def new_tagger(encoder: Encoder, num_labels: int, seed: int, dropout: float = 0.1) -> EncoderWithHead:
    """The encoder with a fresh head for each token, drawn from the seed; the encoder is not copied."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EncoderWithHead(encoder, TokenHead(encoder.config, num_labels, dropout))


def fine_tune_tagger(
    model: EncoderWithHead, examples: Sequence[TaggedExample], config: TrainingConfig, **options: Any
) -> list[dict[str, float]]:
    """Train the model in place; the loss is the mean cross-entropy over tokens that have a label.

    options go to `train`: folder, evaluate, progress. Returns the lines of metrics.
    """

    def terms(network: torch.nn.Module, batch: Any) -> LossTerms:
        logits, labels = run_model(network, batch), batch["labels"]
        total = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum")
        return LossTerms(total, (labels != IGNORED).sum())

    data = TrainingData(examples, collate_tagged, [len(e.ids) for e in examples])
    return train(model, terms, data, config, **options)


def predict_tags(
    model: EncoderWithHead,
    examples: Sequence[TaggedExample],
    numbers: Mapping[str, int],
    *,
    missing: str = "O",
    batch_size: int = 32,
) -> list[list[str]]:
    """The tags of every sentence's words: the largest logit at the first piece, or `missing`."""
    names = {number: tag for tag, number in numbers.items()}
    predicted = []
    for example, logits in zip(examples, outputs(model, examples, collate_tagged, batch_size), strict=True):
        guesses = [names[int(label)] for label in logits[: len(example.ids)].argmax(-1)]
        predicted.append(tags_of_words(example.word_ids, guesses, example.words, missing))
    return predicted
