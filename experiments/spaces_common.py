"""What the experiments of chapter 11 share: the sentences, the models, and how intervals are written."""

from functools import cache

import numpy as np

from course_utils import data
from course_utils.distillation import task
from course_utils.finetuning.classifier import Example, encode, load_tokenizer
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder
from course_utils.stats import Interval

DOMAINS = ("movies", "products", "tweets", "editorials")
LEAST_WORDS, LONGEST = 5, 64  # words of a sentence; tokens, where it is cut
MARGIN = 0.2  # film sentences nearer to neutral have no polarity here
SENTENCES_SEED = 2026


@cache
def sentences(domain: str, count: int) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """`count` sentences of a domain that are longer than a few words, and their polarity (0 or 1).

    Films are from the part that the fine-tuned model of chapter 7 was neither trained nor validated on.
    """
    if domain == "movies":
        test = task.load().test
        rows = list(zip(test.texts, test.labels, strict=True))
    else:
        found = data.load(domain, margin=MARGIN)
        rows = list(zip(found["text"], found["label"], strict=True))
    rows = [row for row in dict.fromkeys(rows) if len(row[0].split()) >= LEAST_WORDS]
    chosen = np.random.default_rng(SENTENCES_SEED).permutation(len(rows))[:count]
    return tuple(rows[i][0] for i in chosen), tuple(rows[i][1] for i in chosen)


def examples(texts: tuple[str, ...]) -> list[Example]:
    """The sentences as the small model reads them."""
    return encode(load_tokenizer(task.tokenizer_file(), LONGEST), texts, [0] * len(texts))


@cache
def encoder(name: str) -> Encoder:
    """ "frozen": all-MiniLM-L6-v2; "fine-tuned": that on film sentences (chapter 7's teacher, seed 0)."""
    if name == "frozen":
        return load_encoder(data.small_model_dir()).eval()
    return task.teacher(0).encoder


def fields(name: str, interval: Interval) -> dict[str, float]:
    """An estimate and its interval as fields of a row."""
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
