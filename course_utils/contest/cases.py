"""Hard cases with one right answer: a verb behind a misleading noun, a bracket that closes far away."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from course_utils.contest.grammar import CLOSES, MASK, Configuration, FormalLanguage

CERTAIN = 0.95  # the exact reader must be this sure of the right answer, else the case tests luck
_ROUNDS = 40  # pools of as many texts as there shall be cases


class Cases(NamedTuple):
    """Texts with one masked place each, and the words that are right and wrong there."""

    texts: Tensor  # (cases, length), masked at the asked place
    asked: Tensor  # bool, (cases, length), one place a row
    right: Tensor  # (cases, vocab), 1 for the words that answer right
    wrong: Tensor  # (cases, vocab)


# From the configurations of one text, (place, right words, wrong words) of each question in it.
Finder = Callable[[FormalLanguage, list[Configuration]], list[tuple[int, Tensor, Tensor]]]


def agreement_cases(language: FormalLanguage, length: int, cases: int, generator: Generator) -> Cases:
    """Verbs whose nearest noun to the left is not their subject and has the other number.

    Right are the verb forms of the subject's number, wrong those of the other; forms that serve both count
    for neither. Only cases where the rest of the text decides (`CERTAIN`).
    """
    return _collect(language, _misled_verbs, length, cases, generator)


def closing_cases(language: FormalLanguage, length: int, cases: int, generator: Generator) -> Cases:
    """Closing brackets: right is the partner of the bracket that is open, wrong the other closing bracket."""
    return _collect(language, _closings, length, cases, generator)


def _misled_verbs(
    language: FormalLanguage, configurations: list[Configuration]
) -> list[tuple[int, Tensor, Tensor]]:
    found, last_noun = [], ""
    for place, at in enumerate(configurations):
        if at.kind == "verb" and last_noun != at.mark:
            only = {mark: _only(language, f"verb {mark}", f"verb {other}") for mark, other in ("sp", "ps")}
            found.append((place, only[at.mark], only[last_noun]))
        if at.kind in ("noun", "attractor"):
            last_noun = at.mark
    return found


def _closings(
    language: FormalLanguage, configurations: list[Configuration]
) -> list[tuple[int, Tensor, Tensor]]:
    every = language.emitted(tuple(CLOSES.values()))
    right = {close: language.emitted((close,)) for close in CLOSES.values()}
    return [
        (place, right[at.mark], every - right[at.mark])
        for place, at in enumerate(configurations)
        if at.kind == "close"
    ]


def _only(language: FormalLanguage, of_class: str, but: str) -> Tensor:
    """1 for the words of one class that are not in another, (vocab,)."""
    both = set(language.lexicon[but])
    return language.emitted(tuple(word for word in language.lexicon[of_class] if word not in both))


def _collect(language: FormalLanguage, find: Finder, length: int, cases: int, generator: Generator) -> Cases:
    """Draw texts until there are enough cases, at most one a text; ValueError when they are too rare."""
    kept: list[Cases] = []
    for _ in range(_ROUNDS):
        kept.append(_certain(language, _questions(language, find, cases, length, generator)))
        if sum(len(part.texts) for part in kept) >= cases:
            return Cases(*(torch.cat(parts)[:cases] for parts in zip(*kept, strict=True)))
    raise ValueError(f"fewer than {cases} cases in {_ROUNDS * cases} texts of {length} tokens; ask for fewer")


def _questions(language: FormalLanguage, find: Finder, pool: int, length: int, generator: Generator) -> Cases:
    """One question, drawn at random, from each text of a pool that holds any."""
    sample = language.process.sample(pool, length, generator)
    texts, asked, right, wrong = [], [], [], []
    for ids, states in zip(sample.ids, sample.states.tolist(), strict=True):
        questions = find(language, [language.configurations[state] for state in states])
        if questions:
            place, good, bad = questions[int(torch.randint(len(questions), (1,), generator=generator))]
            at = torch.arange(length) == place
            texts.append(ids.masked_fill(at, MASK))
            asked.append(at)
            right.append(good)
            wrong.append(bad)
    if not texts:
        raise ValueError(f"no text of {pool} holds such a case; ask for more cases, or longer texts")
    return Cases(*(torch.stack(parts) for parts in (texts, asked, right, wrong)))


def _certain(language: FormalLanguage, cases: Cases) -> Cases:
    """Those where the exact reader gives the right words at least `CERTAIN` of what right and wrong get."""
    truth = language.process.conditionals(language.process.observed(cases.texts, cases.asked))[cases.asked]
    right, wrong = (truth * cases.right).sum(-1), (truth * cases.wrong).sum(-1)
    sure = right >= CERTAIN * (right + wrong)
    return Cases(*(part[sure] for part in cases))
