"""More text out of little, for the teacher to label (Tang et al. 2019, section 3.3).

For each word, with X uniform in [0, 1]: X < mask puts [MASK] in its place; else X < mask + replace puts
another word there; else it stays. Then, with probability `ngram`, only a piece of the sentence is kept: n of
its words in a row, n uniform in 1 to 5. The paper's rates are 0.1, 0.1 and 0.25.

The paper draws the other word from the unigram distribution of words with the same part-of-speech tag. There
is no tagger here: it is drawn from the unigram distribution of words of the same *class*, which is told by
the spelling: numbers; punctuation; the 150 most frequent words; words in -ing, -ed, -ly, -s, -er or -est; all
others. That keeps function words apart from content words and most inflections together, but not nouns from
adjectives: "a dull film" may become "a film film", which a tagger would forbid.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from course_utils.finetuning.classifier import Example

CLS, SEP, MASK = 101, 102, 103  # of bert-base-uncased's vocabulary
FREQUENT = 150
ENDINGS = ("ing", "ed", "ly", "est", "er", "s")
LONGEST_NGRAM = 5
Word = tuple[int, ...]  # the pieces of one word


@dataclass(frozen=True)
class Rates:
    """How much is changed. Raises ValueError for what is no probability, or mask + replace above 1."""

    mask: float = 0.1
    replace: float = 0.1
    ngram: float = 0.25

    def __post_init__(self) -> None:
        if min(self.mask, self.replace, self.ngram) < 0 or max(self.mask + self.replace, self.ngram) > 1:
            raise ValueError(f"rates are probabilities, and mask + replace is at most 1; got {self}")


@dataclass(frozen=True)
class WordClasses:
    """The words of some examples by class, with their frequencies."""

    class_of: Mapping[Word, str]
    words: Mapping[str, Sequence[Word]]
    shares: Mapping[str, np.ndarray]  # of each word in its class, summing to 1
    continues: frozenset[int]  # ids of pieces that go on a word: ##...

    def draw(self, word: Word, rng: Generator) -> Word:
        """A word of the same class, by frequency; it may be the same. A word that was not seen stays."""
        if word not in self.class_of:
            return word
        name = self.class_of[word]
        return self.words[name][rng.choice(len(self.words[name]), p=self.shares[name])]


def word_classes(examples: Sequence[Example], pieces: Mapping[str, int]) -> WordClasses:
    """Count the words of examples. pieces: the tokenizer's vocabulary, `tokenizer.get_vocab()`."""
    text_of = {number: piece for piece, number in pieces.items()}
    continues = frozenset(number for piece, number in pieces.items() if piece.startswith("##"))
    counts = Counter(word for example in examples for word in words_of(example, continues))
    frequent = {word for word, _ in counts.most_common(FREQUENT)}
    class_of, by_class = {}, dict[str, list[Word]]()
    for word in counts:
        text = "".join(text_of[piece].removeprefix("##") for piece in word)
        class_of[word] = _class(text, word in frequent)
        by_class.setdefault(class_of[word], []).append(word)
    shares = {name: np.array([counts[word] for word in words], float) for name, words in by_class.items()}
    return WordClasses(class_of, by_class, {name: n / n.sum() for name, n in shares.items()}, continues)


def _class(text: str, is_frequent: bool) -> str:
    """The class of a word by its spelling.

    >>> [_class(text, False) for text in ("1984", "!", "boring", "quickly", "film")]
    ['number', 'punctuation', '-ing', '-ly', 'other']
    """
    if text[0].isdigit():
        return "number"
    if not text[0].isalpha():
        return "punctuation"
    if is_frequent:
        return "frequent"
    ending = next((end for end in ENDINGS if text.endswith(end) and len(text) > len(end) + 2), None)
    return f"-{ending}" if ending else "other"


def words_of(example: Example, continues: frozenset[int]) -> list[Word]:
    """The words of one text, without [CLS] and [SEP]. Raises ValueError for a pair.

    >>> words_of(Example([101, 7, 8, 9, 102], 0), frozenset({8}))
    [(7, 8), (9,)]
    """
    if example.segments is not None:
        raise ValueError("augmentation is for single texts; an n-gram of a pair would be half a pair")
    words: list[list[int]] = []
    for piece in example.ids:
        if piece in (CLS, SEP):
            continue
        if piece in continues and words:
            words[-1].append(piece)
        else:
            words.append([piece])
    return [tuple(word) for word in words]


def change(example: Example, classes: WordClasses, rates: Rates, rng: Generator) -> Example:
    """One changed copy; its label is that of the original, which a teacher's logits should replace.

    At least one word is left of every text that has one.
    """
    words = words_of(example, classes.continues)
    changed: list[Word] = []
    for word, draw in zip(words, rng.random(len(words)), strict=True):
        if draw < rates.mask:
            changed.append((MASK,))
        elif draw < rates.mask + rates.replace:
            changed.append(classes.draw(word, rng))
        else:
            changed.append(word)
    if changed and rng.random() < rates.ngram:
        size = min(int(rng.integers(1, LONGEST_NGRAM + 1)), len(changed))
        start = int(rng.integers(0, len(changed) - size + 1))
        changed = changed[start : start + size]
    return Example([CLS, *(piece for word in changed for piece in word), SEP], example.label)


def augment(
    examples: Sequence[Example],
    classes: WordClasses,
    copies: int,
    seed: int,
    *,
    rates: Rates | None = None,
    longest: int = 64,
) -> list[Example]:
    """`copies` changed copies of every example, without duplicates and without the originals.

    longest: tokens with [CLS] and [SEP]; a replacement can have more pieces than what it replaces, and what
    is longer then is left out. The paper makes 20 copies and discards duplicates as well. The order is that
    of the copies: all examples once, then again. Raises ValueError for copies below 1.
    """
    if copies < 1:
        raise ValueError(f"copies must be at least 1, got {copies}")
    rng = np.random.default_rng([seed, 33])
    seen = {tuple(example.ids) for example in examples}
    found = []
    for _ in range(copies):
        for example in examples:
            made = change(example, classes, rates or Rates(), rng)
            if tuple(made.ids) not in seen and len(made.ids) <= longest:
                seen.add(tuple(made.ids))
                found.append(made)
    return found
