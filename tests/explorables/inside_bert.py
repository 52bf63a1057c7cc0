"""The figures on the inside of BERT with small numbers, for the tests."""

import numpy as np

from course_utils.explorables import Explorable, attention_steps, input_builder, parameter_counter
from course_utils.explorables.input_builder import LONGEST_TEXT
from course_utils.subword.wordpiece import WordPiece

TOKENS = ["[CLS]", "the", "bank", "rose", "[SEP]", "water", "[SEP]"]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "bank", "rose", "flood", "##ed", "water", ",", "x", "e"]


def attention() -> Explorable:
    rng = np.random.default_rng(0)
    shape = (2, 3, len(TOKENS), 8)
    vectors = [1.5 * rng.normal(size=shape) for _ in range(3)]
    return attention_steps(TOKENS, *vectors, layers=(1, 6), ask=2)


def builder() -> Explorable:
    rng = np.random.default_rng(1)
    tables = [rng.normal(size=(rows, 6)) for rows in (len(WORDS), 2 * LONGEST_TEXT + 3, 2)]
    return input_builder(WordPiece(WORDS), *tables, "The bank rose", "water,")


def counter() -> Explorable:
    return parameter_counter()
