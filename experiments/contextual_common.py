"""What the experiments on contextual vectors share: sentences with a word in them, pseudowords, intervals."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from course_utils import data
from course_utils.analysis.similarity import cosines
from course_utils.data.senses import SenseSentence, sense_sentences
from course_utils.stats import Interval, bootstrap_interval
from experiments.subword_common import without_placeholders

# Invented words of experiments with children: no reader, and no model, knows them.
NONCE = ("blicket", "dax", "toma", "wug")
LONGEST = 240  # characters; longer texts are several sentences
RESAMPLES = 2000

# Word -> its sentences (with both senses, where there are two).
Contexts = Mapping[str, Sequence[SenseSentence]]


class Sentence(NamedTuple):
    """A sentence of the reviews and the review that it comes from."""

    text: str
    group: str


def review_sentences(domain: str) -> list[Sentence]:
    """The sentences of a rated set that are not too long, without the placeholders of the tweets."""
    rows = data.load(domain)
    texts = [without_placeholders(text) for text in rows["text"]]
    found = [Sentence(text, group) for text, group in zip(texts, rows["group"], strict=True)]
    return [one for one in found if 0 < len(one.text) <= LONGEST]


def word_contexts(
    sentences: Sequence[Sentence], words: set[str], contexts: int, rng: np.random.Generator
) -> dict[str, list[SenseSentence]]:
    """For each word that has them, `contexts` random sentences in which it stands exactly once.

    words: in lower case. At most one sentence of a review is taken for a word. The sense is the word itself.
    """
    places: dict[str, dict[str, SenseSentence]] = defaultdict(dict)
    for row in rng.permutation(len(sentences)):
        text, group = sentences[row]
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for match in re.finditer(r"[^\W\d_]+", text):
            found[match.group().lower()].append(match.span())
        for word in found.keys() & words:
            if len(found[word]) == 1:
                places[word].setdefault(group, SenseSentence(word, word, text, found[word][0]))
    return {
        word: list(by_group.values())[:contexts]
        for word, by_group in sorted(places.items())
        if len(by_group) >= contexts
    }


def whole_words(vocab: Mapping[str, int], letters: int = 4) -> set[str]:
    """The entries of a vocabulary that are words of at least so many English letters."""
    return {token for token in vocab if re.fullmatch(rf"[a-z]{{{letters},}}", token)}


def pseudowords(contexts: Contexts, pairs: Sequence[tuple[str, str]]) -> dict[str, list[SenseSentence]]:
    """Pairs of words as one made-up word with two senses (Schuetze 1992): its sentences, changed.

    The name of the pseudoword is "one/other"; in the sentences stands one of NONCE, which says nothing of
    either. The sense is the word that stood there.
    """
    made = {}
    for number, (one, other) in enumerate(pairs):
        form = NONCE[number % len(NONCE)]
        both = [*contexts[one], *contexts[other]]
        made[f"{one}/{other}"] = [_replaced(sentence, form) for sentence in both]
    return made


def _replaced(sentence: SenseSentence, form: str) -> SenseSentence:
    start, end = sentence.span
    text = sentence.text[:start] + form + sentence.text[end:]
    return sentence._replace(text=text, span=(start, start + len(form)))


def random_pairs(words: Sequence[str], pairs: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Random pairs of different words, none used twice. Raises ValueError if there are too few words."""
    if len(words) < 2 * pairs:
        raise ValueError(f"{pairs} pairs need {2 * pairs} words, got {len(words)}")
    drawn = rng.choice(np.asarray(words), 2 * pairs, replace=False).tolist()
    return list(zip(drawn[::2], drawn[1::2], strict=True))


def near_pairs(
    words: Sequence[str], vectors: np.ndarray, pairs: int, rng: np.random.Generator
) -> list[tuple[str, str]]:
    """Random words, each with the free word whose static vector is nearest: hard pairs.

    vectors: (words, hidden). Words that begin with the same four letters are not paired: they are often
    forms of one word. Raises ValueError if there are too few words.
    """
    if len(words) < 2 * pairs:
        raise ValueError(f"{pairs} pairs need {2 * pairs} words, got {len(words)}")
    similar = cosines(vectors, vectors)
    free, made = set(range(len(words))), []
    for row in rng.permutation(len(words)).tolist():
        others = [i for i in free - {row} if words[i][:4] != words[row][:4]]
        if row not in free or not others or len(made) == pairs:
            continue
        nearest = max(others, key=lambda i: similar[row, i])
        free -= {row, nearest}
        made.append((words[row], words[nearest]))
    return made


def course_words() -> dict[str, list[SenseSentence]]:
    """The sentences that the course wrote, by word."""
    found = defaultdict(list)
    for sentence in sense_sentences():
        found[sentence.word].append(sentence)
    return dict(found)


def over_words(values: Sequence[Any], level: float = 0.95, statistic: Any = np.mean) -> Interval:
    """Bootstrap interval of a mean over words (not tokens: those of one word are alike), with a fixed seed.

    Where all words score the same nothing is left to draw: the interval has no width.
    """
    rng = np.random.default_rng(0)
    return bootstrap_interval(values, statistic, rng=rng, level=level, resamples=RESAMPLES)


def fields(name: str, interval: Interval) -> dict[str, float]:
    """Three fields of a results row.

    >>> fields("purity", Interval(0.9, 0.8, 1.0, 0.95))
    {'purity': 0.9, 'purity_low': 0.8, 'purity_high': 1.0}
    """
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def said(interval: Interval, spec: str = ".2f") -> str:
    """An estimate and its interval for a sentence.

    >>> said(Interval(0.912, 0.8, 1.0, 0.95))
    '0.91 [0.80, 1.00]'
    """
    return f"{interval.estimate:{spec}} [{interval.low:{spec}}, {interval.high:{spec}}]"
