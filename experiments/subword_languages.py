"""What a vocabulary makes of the same six sentences in twelve languages."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from unicodedata import normalize

import numpy as np
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from course_utils.stats import bootstrap_interval
from experiments.subword_common import Cut, measure, with_letters
from experiments.subword_sentences import LANGUAGES, Language


def plain_words(sentence: str) -> list[str]:
    """Words and marks in lower case with their accents, so that no letter is lost.

    >>> plain_words("Isoäitini leipoo leipää.")
    ['isoäitini', 'leipoo', 'leipää', '.']
    """
    normal = BertNormalizer(lowercase=True, strip_accents=False, handle_chinese_chars=False).normalize_str(
        sentence
    )
    return [word for word, _ in BertPreTokenizer().pre_tokenize_str(normal)]


def altered_share(language: Language) -> float:
    """Share of words, marks left out, that BERT's uncased normalizer changes beyond lower case."""
    words = [word for sentence in language.sentences for word in plain_words(sentence)]
    words = [word for word in words if any(sign.isalnum() for sign in word)]
    normal = BertNormalizer(lowercase=True).normalize_str
    changed = [normalize("NFC", normal(word).replace(" ", "")) != normalize("NFC", word) for word in words]
    return float(np.mean(changed))


def language_row(language: Language, split: Cut, cut_word: Cut, rng: np.random.Generator) -> dict[str, Any]:
    """What one vocabulary makes of one language. split: a sentence to words; cut_word: a word to tokens."""
    words = [split(sentence) for sentence in language.sentences]
    tokens = _token_counts(words, cut_word)
    english = _token_counts([split(sentence) for sentence in LANGUAGES[0].sentences], cut_word)
    cost = bootstrap_interval(np.column_stack([tokens, english]), _ratio, rng=rng)
    blanks = sum(len(sentence.split()) for sentence in language.sentences)
    letters = sum(len(word) for sentence in language.sentences for word in sentence.split())
    return {
        "language": language.name,
        "script": language.script,
        "unknown": measure(with_letters(Counter(word for row in words for word in row)), cut_word)["unknown"],
        "tokens_a_character": tokens.sum() / letters,
        "tokens_a_word": tokens.sum() / blanks if language.spaced else None,
        "cost": cost.estimate,
        "cost_low": cost.low,
        "cost_high": cost.high,
        "altered": altered_share(language),
    }


def _token_counts(sentences: Sequence[Sequence[str]], cut_word: Cut) -> np.ndarray:
    return np.array([sum(len(cut_word(word)) for word in words) for words in sentences], float)


def _ratio(pairs: np.ndarray) -> float:
    return float(pairs[:, 0].sum() / pairs[:, 1].sum())
