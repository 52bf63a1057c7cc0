"""Published sets for the four uses of an encoder, from the hub: sentences, pairs, tagged words, questions.

They are read at the colab and full scales, or from a copy that COURSE_HUB_ROOT names; see `hub_table`.

=========  =========================  ==================  ==============================================
name       function                   label               what
=========  =========================  ==================  ==============================================
cola       sentences                  0, 1 acceptable     GLUE's grammar judgments
sst2       sentences                  0, 1 positive       GLUE's phrases of film reviews
mrpc       pairs                      0, 1 paraphrase     GLUE's sentences from news
rte        pairs                      0 entails, 1 not    GLUE's textual entailment
stsb       pairs                      0.0 to 5.0          GLUE's similarity of sentences
conll2003  tagged_sentences           PER ORG LOC MISC    entities in news, IOB2
xquad      questions                                      1,190 of SQuAD's questions, one answer each
squad      questions                                      SQuAD 1.1
=========  =========================  ==================  ==============================================
"""

from pathlib import Path
from typing import NamedTuple

from course_utils.data.errors import DataError
from course_utils.data.hub_table import hub_rows

GLUE = "nyu-mll/glue"
SENTENCES = ("cola", "sst2")
PAIRS = ("mrpc", "rte", "stsb")
CONLL = "lhoestq/conll2003"
CONLL_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC")
QUESTIONS = {"xquad": ("google/xquad", "xquad.en"), "squad": ("rajpurkar/squad", "plain_text")}


class Labeled(NamedTuple):
    """A sentence and its class."""

    text: str
    label: int


class Pair(NamedTuple):
    """Two sentences, and their class or, for stsb, their similarity."""

    first: str
    second: str
    label: int | float


class Tagged(NamedTuple):
    """The words of a sentence, and a tag for each."""

    words: list[str]
    tags: list[str]


class Question(NamedTuple):
    """A question about a passage, and the answers that people gave, each with its first character's place."""

    id: str
    question: str
    passage: str
    answers: tuple[str, ...]
    starts: tuple[int, ...]


def sentences(name: str, split: str, hub_root: Path | None = None) -> list[Labeled]:
    """All sentences of "train" or "validation". Raises SourceUnavailable, DataError, KeyError."""
    _known(name, SENTENCES)
    rows = hub_rows(GLUE, name, split, ("sentence", "label"), hub_root)
    return [Labeled(row["sentence"], row["label"]) for row in rows]


def pairs(name: str, split: str, hub_root: Path | None = None) -> list[Pair]:
    """All pairs of "train" or "validation"; raises as `sentences`."""
    _known(name, PAIRS)
    rows = hub_rows(GLUE, name, split, ("sentence1", "sentence2", "label"), hub_root)
    return [Pair(row["sentence1"], row["sentence2"], row["label"]) for row in rows]


def tagged_sentences(name: str, split: str, hub_root: Path | None = None) -> list[Tagged]:
    """All sentences of "train", "validation" or "test"; raises as `sentences`."""
    _known(name, ("conll2003",))
    rows = hub_rows(CONLL, "default", split, ("tokens", "ner_tags"), hub_root)
    return [Tagged(row["tokens"], [CONLL_TAGS[number] for number in row["ner_tags"]]) for row in rows]


def questions(name: str, split: str = "validation", hub_root: Path | None = None) -> list[Question]:
    """All questions of a split, in the order of their passages; raises as `sentences`.

    DataError, too, for an answer that is not where it is said to be.
    """
    _known(name, tuple(QUESTIONS))
    rows = hub_rows(*QUESTIONS[name], split, ("id", "question", "context", "answers"), hub_root)
    made = [
        Question(
            row["id"],
            row["question"],
            row["context"],
            tuple(row["answers"]["text"]),
            tuple(row["answers"]["answer_start"]),
        )
        for row in rows
    ]
    for question in made:
        check_question(question)
    return made


def check_question(question: Question) -> None:
    """Raise DataError unless there is an answer, and each is the passage's text where it is said to be."""
    if not question.answers:
        raise DataError(f"question {question.id} has no answer: leave it out, or give it one")
    for text, start in zip(question.answers, question.starts, strict=True):
        found = question.passage[start : start + len(text)]
        if not text or found != text:
            raise DataError(
                f"question {question.id}: the answer is {text!r}, but the passage has {found!r} at {start}; "
                "count in characters, not in bytes"
            )


def _known(name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise KeyError(f"there is no such set as {name!r} here: take one of {', '.join(names)}")
