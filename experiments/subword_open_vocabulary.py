"""Can a fixed vocabulary cover the words it never saw? Measured for the claim `bpe-open-vocabulary`.

Four kinds of vocabulary are trained on film reviews, from 300 to 16,000 entries:
  words           the most frequent words; every other word is [UNK]
  character BPE   the alphabet of the training text and merges; an unseen character is [UNK]
  byte-level BPE  256 bytes and merges; nothing is [UNK], by construction
  WordPiece       pieces by frequency merges, longest match; a word that cannot be spelled is [UNK]
All four see the same words (BERT's normalizer and pre-tokenizer, uncased). Tested on held-out film reviews,
on three domains that they never saw, and on six parallel sentences in twelve languages (lower case, no
accent taken off); these also with the vocabulary of bert-base-uncased.

Unknown: share of words (with a letter or a digit) that hold an [UNK]. Marks: the same for what has neither.
Fertility: tokens a word. Cost against English: tokens for the same six sentences, by the English number;
its interval resamples the sentences, which are few.
The tweets are counted without the placeholders that their authors put in for names and links.
Seeds: random splits of the film reviews, 80% to train. Intervals repeat both the split and the draw of the
test sentences. For shares: the widest limits of the five splits' exact binomial intervals, allowing for words
that come in sentences. For fertility: the interval over splits, corrected for their overlap, and the error of
drawing sentences, added as variances. The languages are measured with the first split.

Verdict, fixed before this run, after a pilot, at 8,000 entries:
  domains:   in each unseen domain and for each of the three subword vocabularies, the upper limit of the
             unknown share is at most a tenth of the lower limit for words.
  languages: in each of the twelve languages and for each of the three, at most 1% of the words are unknown.
"holds" if both; "holds here only" if only the domains; "does not hold" if the domains fail for all three;
else "cannot tell". (The pilot counted punctuation marks as words, and said "cannot tell": the film reviews
hold not one hyphen. The claim is about words, so marks are now counted apart, and reported. Intervals took
their present form, and the placeholders went, after a review of that run; the verdict stayed.)

Run: python -m experiments.subword_open_vocabulary
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.stats import norm

from course_utils import results
from course_utils.data import small_model_dir
from course_utils.subword import BPE, Splitter, train_bpe
from course_utils.subword.byte_level import to_byte_characters
from course_utils.subword.wordpiece_training import train_wordpiece
from experiments.subword_common import (
    DOMAINS,
    UNKNOWN,
    Cut,
    corrected_interval,
    random_split,
    ratio_error,
    review_sentences,
    share_interval,
    split_words,
    word_counts,
)
from experiments.subword_languages import language_row, plain_words
from experiments.subword_rules import cut
from experiments.subword_sentences import LANGUAGES

NAME = "subword_open_vocabulary"
SEEDS = list(range(5))
SIZES = (300, 500, 1_000, 2_000, 4_000, 8_000, 16_000)
JUDGED = 8_000
LANGUAGE_LIMIT = 0.01
TRAINED_ON, UNSEEN = DOMAINS[0], DOMAINS[1:]
SUBWORDS = ("character BPE", "byte-level BPE", "WordPiece")
BERT = "bert-base-uncased"


def top_words(words: Mapping[str, int], size: int) -> set[str]:
    """The most frequent words, the first in the alphabet among equals."""
    return set(sorted(words, key=lambda word: (-words[word], word))[:size])


def train_all(words: Mapping[str, int]) -> dict[str, Callable[[int], Cut]]:
    """Name -> a function from a vocabulary size to the way in which that vocabulary cuts a word.

    Each trainer runs once, to the largest size: a smaller vocabulary is the beginning of a larger one.
    """
    trained = train_wordpiece(
        words, vocab_size=max(SIZES) + 1, criterion="frequency", special_tokens=[UNKNOWN]
    )
    pieces = sorted(trained.vocab, key=trained.vocab.__getitem__)
    return {
        "words": lambda size: _whole_words(top_words(words, size)),
        "character BPE": _bpe(words, byte_level=False),
        "byte-level BPE": _bpe(words, byte_level=True),
        "WordPiece": lambda size: _longest_match(set(pieces[1 : 1 + size])),
    }


def _whole_words(known: set[str]) -> Cut:
    return lambda word: [word if word in known else UNKNOWN]


def _longest_match(vocab: set[str]) -> Cut:
    return cache(lambda word: cut(word, vocab))


def _bpe(words: Mapping[str, int], byte_level: bool) -> Callable[[int], Cut]:
    spell = to_byte_characters if byte_level else str
    spelled = {spell(word): count for word, count in words.items()}
    special, unknown = ((), None) if byte_level else ((UNKNOWN,), UNKNOWN)
    splitter = Splitter.BYTE_LEVEL if byte_level else Splitter.NONE
    learned = train_bpe(
        spelled, vocab_size=max(SIZES), splitter=splitter, special_tokens=special, unk_token=unknown
    )

    def at_size(size: int) -> Cut:
        vocab = {token: number for token, number in learned.vocab.items() if number < size}
        merges = [pair for pair in learned.merges if "".join(pair) in vocab]
        encoder = BPE(vocab, merges, splitter=Splitter.NONE, unk_token=unknown)
        return lambda word: encoder.tokenize(spell(word))

    return at_size


@dataclass(frozen=True)
class Texts:
    """Sentences as counts of words. counts: (sentences, words); is_word: (words,), False for marks."""

    words: list[str]
    is_word: np.ndarray
    counts: Mapping[str, csr_array]


def count_texts(texts: Mapping[str, Sequence[str]]) -> Texts:
    """Domain -> sentences, counted over one common list of words."""
    split = {domain: [split_words(text) for text in found] for domain, found in texts.items()}
    place: dict[str, int] = {}
    for sentence in (sentence for found in split.values() for sentence in found):
        for word in sentence:
            place.setdefault(word, len(place))
    counts = {domain: _matrix(found, place) for domain, found in split.items()}
    is_word = np.array([any(sign.isalnum() for sign in word) for word in place])
    return Texts(list(place), is_word, counts)


def _matrix(sentences: Sequence[Sequence[str]], place: Mapping[str, int]) -> csr_array:
    columns = [place[word] for sentence in sentences for word in sentence]
    starts = np.cumsum([0, *map(len, sentences)])
    return csr_array((np.ones(len(columns)), columns, starts), shape=(len(sentences), len(place)))


def domain_rows(
    cutters: Mapping[str, Callable[[int], Cut]], texts: Texts, test_rows: np.ndarray
) -> list[dict[str, Any]]:
    """What each vocabulary, at each size, makes of each domain. test_rows: the film reviews held out."""
    tests = {domain: counts for domain, counts in texts.counts.items() if domain in UNSEEN}
    tests = {TRAINED_ON: texts.counts[TRAINED_ON][test_rows], **tests}
    rows = []
    for name, at_size in cutters.items():
        for size in SIZES:
            cuts = list(map(at_size(size), texts.words))
            pieces = np.array([len(cut_word) for cut_word in cuts], float)
            unknown = np.array([UNKNOWN in cut_word for cut_word in cuts], float)
            for domain, counts in tests.items():
                row = {"vocabulary": name, "size": size, "domain": domain}
                rows.append(row | _scores(counts, texts.is_word, pieces, unknown))
    return rows


def _scores(
    counts: csr_array, is_word: np.ndarray, pieces: np.ndarray, unknown: np.ndarray
) -> dict[str, Any]:
    """Counts, shares with their intervals, and the fertility with its error, on one domain."""
    sizes, marks = counts @ is_word, counts @ ~is_word
    missed, missed_marks = counts @ (unknown * is_word), counts @ (unknown * ~is_word)
    tokens = counts @ (pieces * is_word)
    return {
        "words": sizes.sum(),
        "unknown_words": missed.sum(),
        "unknown": missed.sum() / sizes.sum(),
        "unknown_limits": share_interval(missed, sizes),
        "unknown_marks": missed_marks.sum() / marks.sum(),
        "unknown_marks_limits": share_interval(missed_marks, marks),
        "fertility": tokens.sum() / sizes.sum(),
        "fertility_error": ratio_error(tokens, sizes),
    }


def language_rows(
    cutters: Mapping[str, Callable[[int], Cut]], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Every language under the three subword vocabularies of 8,000 entries and under BERT's."""
    vocab = set((small_model_dir() / "vocab.txt").read_text(encoding="utf-8").splitlines())
    ways: dict[str, tuple[Cut, Cut]] = {name: (plain_words, cutters[name](JUDGED)) for name in SUBWORDS}
    ways[BERT] = (split_words, _longest_match(vocab))
    return [
        {"part": "language", "vocabulary": name, **language_row(language, *way, rng)}
        for name, way in ways.items()
        for language in LANGUAGES
    ]


def summarize(per_seed: Sequence[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Means over splits, and intervals that repeat both the split and the draw of the test sentences."""
    rows = []
    for same in zip(*per_seed, strict=True):
        row = {"part": "domain", **{key: same[0][key] for key in ("vocabulary", "size", "domain")}}
        row |= {key: float(np.mean([one[key] for one in same])) for key in ("words", "unknown_words")}
        for key in ("unknown", "unknown_marks"):
            lows, highs = zip(*(one[f"{key}_limits"] for one in same), strict=True)
            mean = float(np.mean([one[key] for one in same]))
            row |= {key: mean, f"{key}_low": min(lows), f"{key}_high": max(highs)}
        rows.append(row | _fertility(same))
    return rows


def _fertility(same: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean over splits; its reach is that over splits and that over sentences, added as variances."""
    values = [one["fertility"] for one in same]
    mean, high = float(np.mean(values)), corrected_interval(values)[1]
    drawn = norm.ppf(0.975) * float(np.mean([one["fertility_error"] for one in same]))
    reach = float(np.hypot(high - mean, drawn))
    return {"fertility": mean, "fertility_low": mean - reach, "fertility_high": mean + reach}


def verdict(domains: Mapping[str, bool], languages: bool) -> str:
    """The rule of the module's docstring. domains: vocabulary -> whether it covers all unseen domains.

    >>> verdict({"byte-level BPE": True, "WordPiece": True}, languages=False)
    'holds here only'
    """
    if all(domains.values()):
        return "holds" if languages else "holds here only"
    return "cannot tell" if any(domains.values()) else "does not hold"


def at_judged_size(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows that the verdict rests on, by vocabulary and domain."""
    chosen = [row for row in rows if row["part"] == "domain" and row["size"] == JUDGED]
    return {(row["vocabulary"], row["domain"]): row for row in chosen}


def covers_unseen(rows: Sequence[dict[str, Any]], vocabulary: str) -> bool:
    """Whether the unknown share is at most a tenth of that for words in each unseen domain."""
    judged = at_judged_size(rows)
    return all(
        judged[vocabulary, domain]["unknown_high"] <= judged["words", domain]["unknown_low"] / 10
        for domain in UNSEEN
    )


def claim(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The entry for `bpe-open-vocabulary`."""
    judged = [row for (_, domain), row in at_judged_size(rows).items() if domain in UNSEEN]
    worst = max((row for row in judged if row["vocabulary"] in SUBWORDS), key=lambda row: row["unknown"])
    words = max(row["unknown"] for row in judged if row["vocabulary"] == "words")
    spoken = [row for row in rows if row["part"] == "language" and row["vocabulary"] in SUBWORDS]
    failed = {row["language"] for row in spoken if row["unknown"] > LANGUAGE_LIMIT}
    dearest = max((row for row in spoken if row["vocabulary"] == SUBWORDS[1]), key=lambda row: row["cost"])
    million = [1e6 * worst[key] for key in ("unknown", "unknown_low", "unknown_high")]
    missed = worst["unknown_words"]
    told = f"{missed:.0f} word{'s' * (round(missed) != 1)} of {worst['words']:,.0f}"
    return {
        "verdict": verdict({name: covers_unseen(rows, name) for name in SUBWORDS}, languages=not failed),
        "estimate": million[0],
        "interval": million[1:],
        "unit": f"unknown words in a million, {worst['vocabulary']} on {worst['domain']}, the worst case",
        "seeds": len(SEEDS),
        "sentence": (
            f"With {JUDGED:,} entries learned from film reviews, the worst of the subword vocabularies "
            f"leaves {told} of an unseen English domain unknown ({worst['domain']}); a list of words, up to "
            f"{words:.1%} of a domain. A first version of the rule counted punctuation as words and came to "
            f"'cannot tell'; the claim is about words, so marks are now counted apart. Across languages only "
            f"bytes keep the promise: in {len(failed)} of {len(LANGUAGES)} languages the others fail on more "
            f"than {LANGUAGE_LIMIT:.0%} of the words, and bytes cost up to {dearest['cost']:.1f} times the "
            f"English number of tokens ({dearest['language']})."
        ),
    }


def main() -> None:
    started = time.perf_counter()
    sentences = {domain: review_sentences(domain) for domain in DOMAINS}
    texts = count_texts(sentences)
    every_row = range(len(sentences[TRAINED_ON]))
    per_seed, first = [], None
    for seed in SEEDS:
        train_rows, test_rows = random_split(every_row, np.random.default_rng(seed))
        cutters = train_all(word_counts(sentences[TRAINED_ON][row] for row in train_rows))
        first = first or cutters
        per_seed.append(domain_rows(cutters, texts, np.array(test_rows)))
    rows = summarize(per_seed) + language_rows(first, np.random.default_rng(0))
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.01, "absolute": 0.002, "ignore": []},
        claims={"bpe-open-vocabulary": claim(rows)},
    )


if __name__ == "__main__":
    main()
