"""What the studies of fine-tuning share: short film sentences, encoders to start from, runs kept as files.

Sentences: of the film reviews, scored at least 0.2 from neutral by the raters, at most 20 tokens with [CLS]
and [SEP]. Short ones and a small encoder (the first three of the real one's six layers, unless said
otherwise), so that many seeds fit in minutes of one core. Embedding tables are frozen.
"""

import copy
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tokenizers import Tokenizer

from course_utils import data, paths
from course_utils.contest.report import mean_interval
from course_utils.finetuning.classifier import Example, encode, load_tokenizer
from course_utils.finetuning.designs import SMALLEST
from course_utils.finetuning.starts import first_layers
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder
from course_utils.stats import Interval

LONGEST = 20  # tokens, with [CLS] and [SEP]

Record = dict[str, Any]


class Sentence(NamedTuple):
    """A sentence and its class: 0 negative, 1 positive."""

    text: str
    label: int


@cache
def tokenizer() -> Tokenizer:
    """The real encoder's WordPiece; texts are cut one token above the longest that is used."""
    return load_tokenizer(data.small_model_dir() / "tokenizer.json", LONGEST + 1)


@cache
def sentences(split: str) -> tuple[Sentence, ...]:
    """All short sentences of a split, in the set's order."""
    rows = data.load("movies", split=split, margin=0.2)
    pool = [Sentence(*row) for row in zip(rows["text"], rows["label"], strict=True)]
    lengths = [len(encoded.ids) for encoded in tokenizer().encode_batch([one.text for one in pool])]
    return tuple(one for one, length in zip(pool, lengths, strict=True) if length <= LONGEST)


def drawn(split: str, count: int, *seed: int) -> list[Sentence]:
    """`count` sentences, drawn without replacement; the first ones of a larger draw at the same seed."""
    pool = sentences(split)
    return [pool[i] for i in np.random.default_rng(list(seed)).permutation(len(pool))[:count]]


def encoded(chosen: Sequence[Sentence], change: Callable[[str], str] = str) -> list[Example]:
    """Examples of the sentences, after a change of their texts."""
    return encode(tokenizer(), [change(one.text) for one in chosen], [one.label for one in chosen])


def encoder(layers: int) -> Encoder:
    """A fresh copy of the real encoder's first layers."""
    return copy.deepcopy(_encoder(layers))


@cache
def _encoder(layers: int) -> Encoder:
    return first_layers(load_encoder(data.small_model_dir()), layers)


def folder(name: str) -> Path:
    """Where an experiment's runs lie."""
    return paths.cache_dir() / "experiments" / name


def run_missing(name: str, runs: Mapping[str, Callable[[], Record]]) -> Iterator[str]:
    """Make every run that has no file yet, write it whole or not at all, and say which it was."""
    where = folder(name)
    where.mkdir(parents=True, exist_ok=True)
    for run, make in runs.items():
        file = where / f"{run}.json"
        if file.exists():
            continue
        part = where / f"{run}.{os.getpid()}.part"
        part.write_text(json.dumps(make()), encoding="utf-8")
        part.replace(file)
        yield run


def read(name: str, run: str) -> Record:
    """The record of a run. Raises FileNotFoundError when it was not made yet."""
    file = folder(name) / f"{run}.json"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; make it with: python -m experiments.{name}")
    return json.loads(file.read_text(encoding="utf-8"))


def interval(values: Sequence[float]) -> Interval:
    """Mean over seeds and its 95% interval by Student's t.

    >>> str(interval([1.0, 2.0, 3.0]))
    '2.000 [-0.484, 4.484]'
    """
    mean, low, high = mean_interval(values)
    return Interval(mean, low, high, 0.95)


def gain_verdict(gain: Interval, least: float = SMALLEST) -> str:
    """The rule of these studies: "holds here only" if the whole interval of a gain is above the smallest that
    matters (one small encoder, one kind of text), "does not hold" if it is all below, else "cannot tell".

    >>> gain_verdict(Interval(0.03, 0.02, 0.04, 0.95)), gain_verdict(Interval(0.0, -0.02, 0.02, 0.95))
    ('holds here only', 'cannot tell')
    """
    if gain.low > least:
        return "holds here only"
    return "does not hold" if gain.high < least else "cannot tell"


def points(gain: Interval) -> str:
    """A difference of accuracies in points.

    >>> points(Interval(-0.011, -0.02, 0.004, 0.95))
    '-1.1 points (95% interval -2.0 to +0.4)'
    """
    return f"{100 * gain.estimate:+.1f} points (95% interval {100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
