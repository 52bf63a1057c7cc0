"""The contest's language: agreement across distractors, nested dependencies, ambiguous words.

A text is a stream of sentences and brackets, always begun afresh:

    text     -> item*                     item  -> sentence "."  |  open item+ close, of one type
    sentence -> subject verb [noun]       subject -> noun [preposition noun]* [relative]
    relative -> ["that"] subject verb     every verb agrees in number with the head of its own subject

What makes it hard, and for whom:
- *attractors*: the noun of a prepositional phrase stands between head and verb, with a number of its own;
- *center embedding*: "dogs that cat waits run", so that numbers are matched last in, first out;
- *brackets*: "(" or "[" must be closed by its own partner many sentences later;
- *ambiguity*: "walks" is a plural noun or a singular verb, "walk" the reverse, "sheep" and "ran" have
  either number, and without "that" ("dog walks walk falls") only the rest of the sentence tells which.

Depths are limited, so the set of configurations is finite: `compile_grammar` lists it and gives the
`Language` (a hidden Markov process) whose conditional distributions are exact.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from course_utils.contest.language import Language
from course_utils.objectives import SpecialTokens

CLOSES = {"(": ")", "[": "]"}

# A word of two categories stands in two lists; earlier words of a list are more frequent.
LEXICON: dict[str, tuple[str, ...]] = {
    "noun s": ("dog", "walk", "cat", "sheep", "child", "king"),
    "noun p": ("dogs", "walks", "cats", "sheep", "children", "kings"),
    "verb s": ("sleeps", "walks", "sings", "ran", "falls", "waits"),
    "verb p": ("sleep", "walk", "sing", "ran", "fall", "wait"),
    "prep": ("near", "with", "behind"),
    "that": ("that",),
    "stop": (".",),
    **{bracket: (bracket,) for bracket in "([)]"},
}

SPECIAL = ("[PAD]", "[MASK]", "[CLS]", "<X>", "<Y>", "<Z>")
PAD, MASK, CLS = 0, 1, 2
SENTINELS = (3, 4, 5)


class Configuration(NamedTuple):
    """Where the grammar is while it emits one token."""

    kind: str  # noun, attractor, object, verb, prep, that, stop, open, close
    brackets: str = ""  # brackets that are open, the innermost last
    subjects: str = ""  # numbers (s or p) of the subjects that still wait for their verbs, innermost last
    mark: str = ""  # the number of the emitted word, or the emitted bracket


@dataclass(frozen=True)
class Grammar:
    """The probabilities and depths of the language; the defaults are the contest's."""

    lexicon: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: LEXICON)
    max_subjects: int = 2  # 1 has no relative clauses
    max_brackets: int = 2
    open_bracket: float = 0.3  # before a sentence, where depth permits
    close_bracket: float = 0.5  # after a sentence, where one is open
    preposition: float = 0.25  # after a noun of the subject: "near ..."
    relative: float = 0.25  # after a noun of the subject, where depth permits
    that: float = 0.6  # of the relative clauses: those that begin with "that"
    object: float = 0.3  # after the main verb

    def successors(self, at: Configuration) -> list[tuple[float, Configuration]]:
        """What can be emitted next, with its probability; the probabilities sum to 1."""
        if at.kind in ("noun", "attractor"):
            return self._after_noun(at)
        if at.kind == "prep":
            return [(0.5, at._replace(kind="attractor", mark=number)) for number in "sp"]
        if at.kind == "that":
            return self._subject(at.brackets, at.subjects)
        if at.kind == "verb":
            return self._after_verb(at)
        if at.kind == "object":
            return [(1.0, Configuration("stop", at.brackets))]
        return self._item(at.brackets, may_close=at.kind != "open")

    def start(self) -> list[tuple[float, Configuration]]:
        """What a text begins with."""
        return self._item("", may_close=False)

    def word_class(self, at: Configuration) -> str:
        """The entry of the lexicon that a configuration draws its word from."""
        if at.kind in ("noun", "attractor", "object", "verb"):
            return f"{'verb' if at.kind == 'verb' else 'noun'} {at.mark}"
        return at.mark if at.kind in ("open", "close") else at.kind

    def _item(self, brackets: str, *, may_close: bool) -> list[tuple[float, Configuration]]:
        opening = self.open_bracket if len(brackets) < self.max_brackets else 0.0
        closing = self.close_bracket if brackets and may_close else 0.0
        found = [(opening / 2, Configuration("open", brackets + b, mark=b)) for b in CLOSES]
        if closing:
            found.append((closing, Configuration("close", brackets[:-1], mark=CLOSES[brackets[-1]])))
        rest = 1 - opening - closing
        return _possible(found + [(rest * p, c) for p, c in self._subject(brackets, "")])

    def _subject(self, brackets: str, subjects: str) -> list[tuple[float, Configuration]]:
        return [(0.5, Configuration("noun", brackets, subjects + n, n)) for n in "sp"]

    def _after_noun(self, at: Configuration) -> list[tuple[float, Configuration]]:
        relative = self.relative if len(at.subjects) < self.max_subjects else 0.0
        bare = relative * (1 - self.that)
        found = [
            (self.preposition, at._replace(kind="prep", mark="")),
            (relative * self.that, at._replace(kind="that", mark="")),
            (1 - self.preposition - relative, self._verb(at.brackets, at.subjects)),
        ]
        return _possible(found + [(bare * p, c) for p, c in self._subject(at.brackets, at.subjects)])

    def _after_verb(self, at: Configuration) -> list[tuple[float, Configuration]]:
        if at.subjects:
            return [(1.0, self._verb(at.brackets, at.subjects))]
        objects = [(self.object / 2, Configuration("object", at.brackets, mark=n)) for n in "sp"]
        return _possible([*objects, (1 - self.object, Configuration("stop", at.brackets))])

    def _verb(self, brackets: str, subjects: str) -> Configuration:
        """The verb of the innermost waiting subject, which then waits no more."""
        return Configuration("verb", brackets, subjects[:-1], subjects[-1])


@dataclass(frozen=True)
class FormalLanguage:
    """A compiled grammar: the process, what its states mean, and its words."""

    process: Language
    lexicon: Mapping[str, tuple[str, ...]]  # the words of each class
    configurations: tuple[Configuration, ...]  # of the states, in order
    words: tuple[str, ...]  # of the ids, special tokens first
    tokens: SpecialTokens  # what the objectives must know

    def encode(self, text: str) -> torch.Tensor:
        """Ids of words separated by spaces, (length,); KeyError names an unknown word."""
        number = {word: i for i, word in enumerate(self.words)}
        unknown = sorted(set(text.split()) - set(number))
        if unknown:
            raise KeyError(f"{unknown} are not words of the language; it has {self.words}")
        return torch.tensor([number[word] for word in text.split()])

    def emitted(self, words: tuple[str, ...]) -> torch.Tensor:
        """1.0 at the ids of these words, (vocab,), float64."""
        return torch.tensor([float(word in words) for word in self.words], dtype=torch.float64)

    def decode(self, ids: torch.Tensor) -> str:
        """The words of one sequence of ids, with spaces between them."""
        return " ".join(self.words[i] for i in ids.tolist())


def compile_grammar(grammar: Grammar | None = None) -> FormalLanguage:
    """List every configuration that can occur, and write the grammar as a hidden Markov process.

    >>> language = compile_grammar()
    >>> len(language.configurations), language.process.vocab_size
    (257, 35)
    """
    grammar = grammar or Grammar()
    states = _reachable(grammar)
    words = (*SPECIAL, *dict.fromkeys(w for of_class in grammar.lexicon.values() for w in of_class))
    initial = torch.zeros(len(states), dtype=torch.float64)
    transition = torch.zeros(len(states), len(states), dtype=torch.float64)
    emission = torch.zeros(len(states), len(words), dtype=torch.float64)
    for probability, configuration in grammar.start():
        initial[states[configuration]] += probability
    for configuration, i in states.items():
        for probability, following in grammar.successors(configuration):
            transition[i, states[following]] += probability
        for word, probability in word_probabilities(grammar.lexicon[grammar.word_class(configuration)]):
            emission[i, words.index(word)] += probability
    tokens = SpecialTokens(MASK, (PAD, CLS), SENTINELS, len(words))
    process = Language(initial, transition, emission)
    return FormalLanguage(process, grammar.lexicon, tuple(states), words, tokens)


def word_probabilities(words: tuple[str, ...]) -> list[tuple[str, float]]:
    """Zipf's law shifted by two: the r-th word of a class, r from 0, weighs 1 / (r + 3).

    >>> [(word, round(p, 2)) for word, p in word_probabilities(("dog", "cat"))]
    [('dog', 0.57), ('cat', 0.43)]
    """
    weights = [1 / (rank + 3) for rank in range(len(words))]
    return [(word, weight / sum(weights)) for word, weight in zip(words, weights, strict=True)]


def _possible(choices: list[tuple[float, Configuration]]) -> list[tuple[float, Configuration]]:
    return [(probability, configuration) for probability, configuration in choices if probability > 0]


def _reachable(grammar: Grammar) -> dict[Configuration, int]:
    """Every configuration that a text can reach, numbered in the order of discovery."""
    found: dict[Configuration, int] = {}
    queue = deque(configuration for _, configuration in grammar.start())
    while queue:
        configuration = queue.popleft()
        if configuration not in found:
            found[configuration] = len(found)
            queue.extend(following for _, following in grammar.successors(configuration))
    return found
