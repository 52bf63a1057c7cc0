"""Entities in tag sequences, and their F1: what the library seqeval calculates, and conlleval before it.

Tags are "O" or a letter, a hyphen and a kind, such as "B-PER". B begins an entity, I continues it; IOBES adds
E for the last word and S for an entity of one word. A span counts only if its kind, its first and its last
word are right.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Literal, NamedTuple

Scheme = Literal["IOB2", "IOBES"]
LETTERS = {"IOB2": "BIO", "IOBES": "BIOES"}
OUTSIDE = "O"


class Entity(NamedTuple):
    """words[start:end] name something of this kind; counted from 0, without `end`."""

    kind: str
    start: int
    end: int


class Scores(NamedTuple):
    """From 0 to 1; 0 where nothing was predicted or nothing is there. support: how many true entities."""

    precision: float
    recall: float
    f1: float
    support: int


def split_tag(tag: str) -> tuple[str, str]:
    """The letter and the kind; ValueError for anything else than "O" or LETTER-KIND of B, I, E, S.

    >>> split_tag("B-PER"), split_tag("O")
    (('B', 'PER'), ('O', ''))
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    letter, hyphen, kind = tag.partition("-")
    if letter not in ("B", "I", "E", "S") or not hyphen or not kind:
        raise ValueError(f"a tag is 'O' or B-, I-, E- or S- and a kind, such as 'B-PER', got {tag!r}")
    return letter, kind


def entities(tags: Sequence[str], strict: Scheme | None = None) -> list[Entity]:
    """The entities of one sentence, in order.

    Without `strict` the reading is lenient, as conlleval's: an I that follows nothing of its kind begins an
    entity all the same, so no tag but O is lost. strict: only B (and S) begins an
    entity, in IOBES only E (and S) ends one, and what breaks the rules of the scheme is no entity.
    Raises ValueError for a tag that is none, or not of the scheme.

    >>> entities(["I-PER", "I-PER", "O", "B-LOC"])
    [Entity(kind='PER', start=0, end=2), Entity(kind='LOC', start=3, end=4)]
    >>> entities(["I-PER", "I-PER", "O", "B-LOC"], strict="IOB2")
    [Entity(kind='LOC', start=3, end=4)]
    """
    split = [split_tag(tag) for tag in tags]
    if strict is None:
        return _lenient(split)
    if strict not in LETTERS:
        raise ValueError(f"strict must be one of {list(LETTERS)} or None, got {strict!r}")
    wrong = sorted({letter for letter, _ in split} - set(LETTERS[strict]))
    if wrong:
        raise ValueError(f"{strict} has the letters {', '.join(LETTERS[strict])}, got {', '.join(wrong)}")
    return _strict(split, closed=strict == "IOBES")


def _lenient(tags: Sequence[tuple[str, str]]) -> list[Entity]:
    """A new entity at B, at S, behind E or S, and wherever the kind changes."""
    found: list[Entity] = []
    start: int | None = None
    before = (OUTSIDE, "")
    for i, tag in enumerate([*tags, (OUTSIDE, "")]):
        continues = tag[0] in "IE" and before[0] in "BI" and tag[1] == before[1]
        if start is not None and not continues:
            found.append(Entity(before[1], start, i))
            start = None
        if tag[0] != OUTSIDE and not continues:
            start = i
        before = tag
    return found


def _strict(tags: Sequence[tuple[str, str]], *, closed: bool) -> list[Entity]:
    """Entities from B over I of the same kind; closed: up to E, or S alone."""
    found = []
    for start, (letter, kind) in enumerate(tags):
        end = start + 1
        if letter == "B":
            while end < len(tags) and tags[end] == ("I", kind):
                end += 1
            ends_well = not closed or (end < len(tags) and tags[end] == ("E", kind))
            if ends_well:
                found.append(Entity(kind, start, end + closed))
        elif letter == "S":
            found.append(Entity(kind, start, end))
    return found


def entity_scores(
    true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], strict: Scheme | None = None
) -> Scores:
    """Precision, recall and F1 over the entities of all sentences together (micro average).

    true, predicted: the tags of each sentence, equally many. Raises ValueError where they are not.

    >>> entity_scores([["B-PER", "I-PER", "O"]], [["B-PER", "O", "O"]])
    Scores(precision=0.0, recall=0.0, f1=0.0, support=1)
    """
    return _scores(*_all(true, predicted, strict))


def entity_scores_by_kind(
    true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], strict: Scheme | None = None
) -> dict[str, Scores]:
    """The same for each kind, sorted; a kind that is only predicted has support 0."""
    expected, found = _all(true, predicted, strict)
    kinds = sorted({entity.kind for _, entity in expected | found})
    return {kind: _scores(_of_kind(expected, kind), _of_kind(found, kind)) for kind in kinds}


_Found = set[tuple[int, Entity]]


def _all(
    true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], strict: Scheme | None
) -> tuple[_Found, _Found]:
    """(sentence, entity) of all sentences: those that are there, those that were predicted."""
    if len(true) != len(predicted):
        raise ValueError(f"{len(true)} sentences need as many predictions, got {len(predicted)}")
    for number, (tags, guesses) in enumerate(zip(true, predicted, strict=True)):
        if len(tags) != len(guesses):
            raise ValueError(f"sentence {number} has {len(tags)} words but {len(guesses)} predicted tags")
    return _numbered(true, strict), _numbered(predicted, strict)


def _of_kind(found: _Found, kind: str) -> _Found:
    return {pair for pair in found if pair[1].kind == kind}


def _numbered(sentences: Iterable[Sequence[str]], strict: Scheme | None) -> _Found:
    found = ([(i, entity) for entity in entities(tags, strict)] for i, tags in enumerate(sentences))
    return set(chain.from_iterable(found))


def _scores(expected: _Found, found: _Found) -> Scores:
    right = len(expected & found)
    precision = right / len(found) if found else 0.0
    recall = right / len(expected) if expected else 0.0
    f1 = 2 * right / (len(found) + len(expected)) if right else 0.0
    return Scores(precision, recall, f1, len(expected))
