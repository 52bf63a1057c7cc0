"""What the experiments on subwords share: the reviews, their words, and intervals over overlapping splits."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from scipy.stats import t as student
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from course_utils import data

DOMAINS = ("movies", "products", "editorials", "tweets")
TEST_SHARE = 0.2
UNKNOWN = "[UNK]"

# A word to its tokens; what cannot be spelled is UNKNOWN.
Cut = Callable[[str], Sequence[str]]


def review_sentences(domain: str) -> list[str]:
    """The sentences of one of the four rated sets, in file order."""
    return list(data.load(domain)["text"])


def split_words(text: str) -> list[str]:
    """Words and punctuation marks as BERT (uncased) sees them before any subword is looked up.

    >>> split_words("Où est l'été?")
    ['ou', 'est', 'l', "'", 'ete', '?']
    """
    normal = BertNormalizer(lowercase=True).normalize_str(text)
    return [word for word, _ in BertPreTokenizer().pre_tokenize_str(normal)]


def word_counts(texts: Iterable[str]) -> Counter[str]:
    """How often each word stands in the texts."""
    return Counter(word for text in texts for word in split_words(text))


def random_split(texts: Sequence[str], rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """A random 80% to train on and the remaining 20% to test on."""
    order = rng.permutation(len(texts))
    tests = round(len(texts) * TEST_SHARE)
    return [texts[row] for row in order[tests:]], [texts[row] for row in order[:tests]]


def corrected_interval(
    values: Sequence[float], test_share: float = TEST_SHARE, level: float = 0.95
) -> tuple[float, float]:
    """Interval for the mean over random splits whose training parts overlap (Nadeau and Bengio 2003).

    values: one score a split, at least two. test_share: the part of the rows that each split tests on.
    The usual t interval takes the splits for independent and comes out too short; theirs widens the
    variance of the mean from 1/n to 1/n + test/train.

    >>> low, high = corrected_interval([1.0, 2.0, 3.0])
    >>> round(low, 2), round(high, 2)
    (-1.29, 5.29)
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs the scores of at least two splits, got {len(values)}")
    scores = np.asarray(values, float)
    spread = scores.std(ddof=1) * np.sqrt(1 / len(scores) + test_share / (1 - test_share))
    reach = float(student.ppf((1 + level) / 2, len(scores) - 1) * spread)
    return float(scores.mean()) - reach, float(scores.mean()) + reach


def mean_and_interval(name: str, values: Sequence[float]) -> dict[str, float]:
    """Three fields of a results row: the mean over splits and its interval.

    >>> sorted(mean_and_interval("fertility", [1.0, 1.0]).items())
    [('fertility', 1.0), ('fertility_high', 1.0), ('fertility_low', 1.0)]
    """
    low, high = corrected_interval(values)
    return {name: float(np.mean(values)), f"{name}_low": low, f"{name}_high": high}


def with_letters(words: Mapping[str, int], wanted: bool = True) -> dict[str, int]:
    """The entries that hold a letter or a digit, or those that do not.

    >>> with_letters({"don": 1, "-": 2, "3d": 3})
    {'don': 1, '3d': 3}
    """
    return {word: count for word, count in words.items() if any(sign.isalnum() for sign in word) == wanted}


def measure(words: Mapping[str, int], cut: Cut) -> dict[str, float]:
    """Share of words with an unknown part, and tokens a word.

    >>> measure({"ab": 3, "c": 1}, lambda word: list(word) if word == "ab" else [UNKNOWN])
    {'unknown': 0.25, 'fertility': 1.75}
    """
    tokens = unknown = 0
    for word, count in words.items():
        pieces = cut(word)
        tokens += count * len(pieces)
        unknown += count * (UNKNOWN in pieces)
    total = sum(words.values())
    return {"unknown": unknown / total, "fertility": tokens / total}
