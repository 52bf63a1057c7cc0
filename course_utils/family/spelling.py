"""The formal language with its nouns and verbs written in pieces, so that words and tokens are not the same.

"sleeps" becomes "sl ##eep ##s": where one piece of a word is masked the others nearly give it away, which is
what whole-word masking is for. The spelled language is a hidden Markov process too (a state for each piece of
each word that a configuration can emit), so that its conditional distributions are exact as well.
"""

import torch
from torch import Tensor

from course_utils.contest.grammar import CLS, LEXICON, MASK, PAD, SENTINELS, SPECIAL, FormalLanguage
from course_utils.contest.language import Language
from course_utils.objectives import SpecialTokens

SPELLING: dict[str, tuple[str, ...]] = {
    "dog": ("do", "##g"),
    "walk": ("wa", "##lk"),
    "cat": ("ca", "##t"),
    "sheep": ("sh", "##eep"),
    "child": ("ch", "##ild"),
    "children": ("ch", "##ild", "##ren"),
    "king": ("ki", "##ng"),
    "sleep": ("sl", "##eep"),
    "sing": ("si", "##ng"),
    "ran": ("ra", "##n"),
    "fall": ("fa", "##ll"),
    "wait": ("wa", "##it"),
}
"""The stems; a word that ends in "s" is its stem and "##s", and every other word is one piece."""


def pieces_of(word: str) -> tuple[str, ...]:
    """How a word is written.

    >>> pieces_of("sleeps"), pieces_of("near")
    (('sl', '##eep', '##s'), ('near',))
    """
    if word in SPELLING:
        return SPELLING[word]
    stem = word.removesuffix("s")
    return (*SPELLING[stem], "##s") if stem in SPELLING else (word,)


# One vocabulary for every size of the lexicon, so that ids mean the same in all.
WORDS = tuple(dict.fromkeys(word for of_class in LEXICON.values() for word in of_class))
PIECES = (*SPECIAL, *dict.fromkeys(piece for word in WORDS for piece in pieces_of(word)))
_CONTINUES = torch.tensor([piece.startswith("##") for piece in PIECES])


def word_starts(ids: Tensor) -> Tensor:
    """Which pieces begin a word, or stand alone; bool, shape of the ids."""
    return ~_CONTINUES[ids]


def spell(language: FormalLanguage) -> FormalLanguage:
    """The same language in pieces; the configuration of a piece is that of its word."""
    process = language.process
    chains = [
        (state, word, float(process.emission[state, language.words.index(word)]))
        for state in range(len(language.configurations))
        for word in language.words
        if process.emission[state, language.words.index(word)] > 0
    ]
    lengths = [len(pieces_of(word)) for _, word, _ in chains]
    first = torch.tensor([0, *lengths]).cumsum(0)[:-1].tolist()
    size = sum(lengths)
    enter = torch.zeros(len(process.initial), size, dtype=torch.float64)  # a word begins, given its state
    emission = torch.zeros(size, len(PIECES), dtype=torch.float64)
    transition = torch.zeros(size, size, dtype=torch.float64)
    for (state, word, probability), start in zip(chains, first, strict=True):
        enter[state, start] = probability
        for k, piece in enumerate(pieces_of(word)):
            emission[start + k, PIECES.index(piece)] = 1.0
    for (state, _, _), start, length in zip(chains, first, lengths, strict=True):
        for k in range(length - 1):
            transition[start + k, start + k + 1] = 1.0
        transition[start + length - 1] = process.transition[state] @ enter
    configurations = [
        language.configurations[state]
        for (state, _, _), length in zip(chains, lengths, strict=True)
        for _ in range(length)
    ]
    tokens = SpecialTokens(MASK, (PAD, CLS), SENTINELS, len(PIECES))
    spelled = Language(process.initial @ enter, transition, emission)
    return FormalLanguage(spelled, language.lexicon, tuple(configurations), PIECES, tokens)
