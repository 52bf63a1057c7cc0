"""What the experiments on subwords share: the reviews, their words, and intervals over overlapping splits."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from scipy.stats import beta
from scipy.stats import t as student
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from course_utils import data

DOMAINS = ("movies", "products", "editorials", "tweets")
TEST_SHARE = 0.2
UNKNOWN = "[UNK]"
# What the authors of the tweets put in place of names and links: no words of anybody's.
PLACEHOLDER = re.compile(r"@anonymous|http://url_removed", re.IGNORECASE)

# A word to its tokens; what cannot be spelled is UNKNOWN.
Cut = Callable[[str], Sequence[str]]
Row = TypeVar("Row")


def review_sentences(domain: str) -> list[str]:
    """The sentences of one of the four rated sets, in file order, without the placeholders of the tweets."""
    return [without_placeholders(text) for text in data.load(domain)["text"]]


def without_placeholders(text: str) -> str:
    """The text without what stands for names and links in the tweets: one in twelve of their "words".

    >>> without_placeholders("thanks @anonymous, see http://url_removed").split()
    ['thanks', ',', 'see']
    """
    return PLACEHOLDER.sub(" ", text)


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


def random_split(texts: Sequence[Row], rng: np.random.Generator) -> tuple[list[Row], list[Row]]:
    """A random 80% to train on and the remaining 20% to test on."""
    order = rng.permutation(len(texts))
    tests = round(len(texts) * TEST_SHARE)
    return [texts[row] for row in order[tests:]], [texts[row] for row in order[:tests]]


def corrected_interval(
    values: Sequence[float], test_share: float = TEST_SHARE, level: float = 0.95
) -> tuple[float, float]:
    """Interval for the mean over random splits whose training parts overlap (Nadeau and Bengio 2003).

    What is repeated is the split: training part and test part are drawn anew.
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


def mean_and_interval(name: str, values: Sequence[float], share: bool = False) -> dict[str, float]:
    """Three fields of a results row: the mean over splits and its interval, for a share within 0 and 1.

    >>> sorted(mean_and_interval("used", [1.0, 1.0], share=True).items())
    [('used', 1.0), ('used_high', 1.0), ('used_low', 1.0)]
    """
    low, high = corrected_interval(values)
    if share:
        low, high = max(low, 0.0), min(high, 1.0)
    return {name: float(np.mean(values)), f"{name}_low": low, f"{name}_high": high}


def mean_factor(name: str, values: Sequence[float]) -> dict[str, float]:
    """The same for a factor, whose mean and interval are taken of its logarithm.

    >>> {key: round(value, 6) for key, value in mean_factor("factor", [2.0, 2.0]).items()}
    {'factor': 2.0, 'factor_low': 2.0, 'factor_high': 2.0}
    """
    logs = mean_and_interval(name, np.log(values).tolist())
    return {key: float(np.exp(value)) for key, value in logs.items()}


def share_interval(hits: np.ndarray, sizes: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Interval for the share sum(hits) / sum(sizes), if the sentences were drawn anew; within 0 and 1.

    hits, sizes: (sentences,), how many of each sentence's words count, and how many words it has.
    Exact binomial limits (Clopper and Pearson 1934), with fewer words where the words of one sentence are
    alike: the count is divided by the design effect (Korn and Graubard 1998).

    >>> low, high = share_interval(np.array([1, 0]), np.array([29_926, 29_926]))
    >>> round(1e6 * low, 1), round(1e6 * high, 1)
    (0.4, 93.1)
    """
    words, found = float(sizes.sum()), float(hits.sum())
    mean, tail = found / words, (1 - level) / 2
    if 0 < mean < 1:
        spread = len(hits) / (len(hits) - 1) * float(((hits - mean * sizes) ** 2).sum()) / words**2
        effect = max(1.0, spread * words / (mean * (1 - mean)))
        words, found = words / effect, found / effect
    low = float(beta.ppf(tail, found, words - found + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, words - found)) if found < words else 1.0
    return low, high


def ratio_error(amounts: np.ndarray, sizes: np.ndarray) -> float:
    """Standard error of sum(amounts) / sum(sizes), if the sentences were drawn anew. Both are (sentences,).

    >>> ratio_error(np.array([2.0, 2.0]), np.array([1.0, 1.0]))
    0.0
    """
    ratio, count = amounts.sum() / sizes.sum(), len(sizes)
    squares = float(((amounts - ratio * sizes) ** 2).sum())
    return float(np.sqrt(count / (count - 1) * squares) / sizes.sum())


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
