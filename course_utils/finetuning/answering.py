"""Answers as spans of a passage: fine-tune an encoder that points to start and end, and predict texts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from tokenizers import Tokenizer
from torch import Generator, Tensor

from course_utils.data.task_sets import Question, check_question
from course_utils.finetuning.classifier import PAD, outputs, pad, run_model
from course_utils.finetuning.windows import OUTSIDE, Answer, answer_span, best_answer, windows
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead, SpanAnswerHead
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train


class SpanExample(NamedTuple):
    """One window of one question; start and end are positions in ids, or OUTSIDE."""

    ids: list[int]
    segments: list[int]
    start: int
    end: int


def encode_question(
    tokenizer: Tokenizer, question: Question, *, max_length: int = 384, stride: int = 128
) -> list[SpanExample]:
    """The windows of one question, with its first answer, to learn from.

    A window without the whole answer teaches that it is not there: it points to [CLS]. Raises DataError for
    an answer that is not in the passage where it is said to be.
    """
    check_question(question)
    start, end = question.starts[0], question.starts[0] + len(question.answers[0])
    made = windows(tokenizer, question.question, question.passage, max_length=max_length, stride=stride)
    return [SpanExample(w.ids, w.segments, *(answer_span(w, start, end) or OUTSIDE)) for w in made]


def collate_spans(examples: Sequence[SpanExample], generator: Generator | None = None) -> dict[str, Tensor]:
    """One batch: input_ids and token_type_ids (batch, length), starts and ends (batch,)."""
    return {
        "input_ids": pad([e.ids for e in examples], PAD),
        "token_type_ids": pad([e.segments for e in examples], 0),
        "starts": torch.tensor([e.start for e in examples]),
        "ends": torch.tensor([e.end for e in examples]),
    }


def new_answerer(encoder: Encoder, seed: int) -> EncoderWithHead:
    """The encoder with a fresh head that points to start and end, drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return EncoderWithHead(encoder, SpanAnswerHead(encoder.config))


def fine_tune_answerer(
    model: EncoderWithHead, examples: Sequence[SpanExample], config: TrainingConfig, **options: Any
) -> list[dict[str, float]]:
    """Train the model in place; the loss is the mean of start's and end's cross-entropy.

    options go to `train`: folder, evaluate, progress. Returns the lines of metrics.
    """

    def terms(network: torch.nn.Module, batch: Any) -> LossTerms:
        logits = run_model(network, batch)
        places = torch.stack([batch["starts"], batch["ends"]], dim=1)
        total = F.cross_entropy(logits.flatten(0, 1), places.flatten(), reduction="sum") / 2
        return LossTerms(total, len(logits))

    data = TrainingData(examples, collate_spans, [len(e.ids) for e in examples])
    return train(model, terms, data, config, **options)


def predict_answers(
    model: EncoderWithHead,
    tokenizer: Tokenizer,
    questions: Sequence[Question],
    *,
    max_length: int = 384,
    stride: int = 128,
    max_tokens: int = 30,
    by_context: bool = False,
    batch_size: int = 16,
) -> list[Answer]:
    """The best span of each question over all windows of its passage; see `windows.best_answer`."""
    made = [
        windows(tokenizer, q.question, q.passage, max_length=max_length, stride=stride) for q in questions
    ]
    flat = [SpanExample(w.ids, w.segments, *OUTSIDE) for one in made for w in one]
    logits = iter(outputs(model, flat, collate_spans, batch_size))
    return [
        best_answer(
            question.passage,
            one,
            [next(logits)[:, : len(window.ids)].numpy() for window in one],
            max_tokens=max_tokens,
            by_context=by_context,
        )
        for question, one in zip(questions, made, strict=True)
    ]
