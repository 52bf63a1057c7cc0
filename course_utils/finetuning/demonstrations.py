"""Small sets for pairs, tags and answers that any machine has: real review sentences, and facts of countries.

Pairs are real sentences; whether they come from one review is known. Tags and questions are made from the
facts of countries (`course_utils.data.country_facts`): few sentence patterns, real names. They show how a
task is done. How well a model does in the world they do not show: their test countries are new, but their
patterns are not.
"""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np

from course_utils import data
from course_utils.data.country_facts import Document, Fact, country_facts, documents, questions
from course_utils.data.task_sets import Pair, Question, Tagged
from course_utils.subword.splitting import WORD_OR_MARK

Split = Literal["train", "test"]
# What the value of a fact is an entity of; other values (numbers, codes) have no tag.
KINDS = {"capital": "CITY", "part of the world": "REGION", "demonym": "PEOPLE"}
FEWEST_WORDS = 5


def review_pairs(split: Split, count: int, rng: np.random.Generator) -> list[Pair]:
    """`count` pairs of sentences of product reviews, in halves: label 1 of one review, 0 of two.

    No sentence is in two pairs, so that none can be learned by heart. Raises ValueError if the set is too
    small for as many, or the count is odd.
    """
    rows = data.load("products", split=split)
    reviews: dict[str, list[str]] = defaultdict(list)
    for text, group in zip(rows["text"], rows["group"], strict=True):
        if len(text.split()) >= FEWEST_WORDS:
            reviews[group].append(text)
    drawn = [list(rng.permutation(sentences)) for sentences in reviews.values()]
    return pairs_of(drawn, count, rng)


def pairs_of(groups: Sequence[Sequence[str]], count: int, rng: np.random.Generator) -> list[Pair]:
    """Half of the pairs from within a group, half from two groups; each text once, in random order."""
    within = [
        (g, pair) for g, texts in enumerate(groups) for pair in zip(texts[::2], texts[1::2], strict=False)
    ]
    order = [within[i] for i in rng.permutation(len(within))]
    half = count // 2
    pairs = [Pair(str(a), str(b), 1) for _, (a, b) in order[:half]]
    # Two couples change partners, unless they happen to be of one group.
    rest = order[half:]
    for (g, (a, b)), (h, (c, d)) in zip(rest[::2], rest[1::2], strict=False):
        if g != h:
            pairs += [Pair(str(a), str(d), 0), Pair(str(c), str(b), 0)]
    if count % 2 or len(pairs) < count:
        raise ValueError(f"an even count of pairs below about {len(within)} can be drawn, not {count}")
    return [pairs[i] for i in rng.permutation(count)]


def fact_pairs(split: Split, count: int, rng: np.random.Generator) -> list[Pair]:
    """`count` pairs of a question and a sentence: label 1 if the sentence answers it; 0 and 1 in turn.

    Half of them do. A quarter is another fact of the same country, a quarter the same fact of another
    country, so that neither the name nor the topic alone tells. Hard: a small model that learned from 320 of
    these pairs, or of `review_pairs`, still guesses. Raises ValueError unless 4 divides count.
    """
    if count % 4:
        raise ValueError(f"the quarters need a count that 4 divides, got {count}")
    own = facts(split)
    stated = documents(own)
    asked = [one for one in questions(own) if one.direction == "forward"]
    pairs = []
    for number, i in enumerate(rng.permutation(len(asked))[:count]):
        fact = own[asked[i].document]
        if number % 2:
            text = stated[asked[i].document].text
        else:
            same_country = number % 4 == 0
            text = str(
                rng.choice(
                    [
                        other.text
                        for other in stated
                        if (other.fact.country == fact.country) == same_country
                        and (other.fact.relation != fact.relation) == same_country
                        and other.fact.value != fact.value
                    ]
                )
            )
        pairs.append(Pair(asked[i].text, text, number % 2))
    return pairs


def tagged_facts(split: Split) -> list[Tagged]:
    """Sentences on countries with COUNTRY, CITY, REGION and PEOPLE in IOB2; test has countries of its own."""
    made = (tag_document(document) for document in documents(facts(split)))
    return [one for one in made if one is not None]


def tag_document(document: Document) -> Tagged | None:
    """The words and tags of one sentence; None if a name cannot be told from the words around it.

    >>> fact = Fact("Peru", "Peruvian", "capital", "Lima")
    >>> tag_document(Document("Lima is the capital of Peru.", fact)).tags
    ['B-CITY', 'O', 'O', 'O', 'O', 'B-COUNTRY', 'O']
    """
    words = WORD_OR_MARK.findall(document.text)
    tags = ["O"] * len(words)
    names = {"COUNTRY": document.fact.country}
    if document.fact.relation in KINDS:
        names[KINDS[document.fact.relation]] = document.fact.value
    for kind, name in names.items():
        parts = WORD_OR_MARK.findall(name)
        starts = [i for i in range(len(words)) if words[i : i + len(parts)] == parts]
        if len(starts) != 1 or set(tags[starts[0] : starts[0] + len(parts)]) != {"O"}:
            return None
        tags[starts[0] : starts[0] + len(parts)] = [f"B-{kind}", *[f"I-{kind}"] * (len(parts) - 1)]
    return Tagged(words, tags)


def fact_questions(split: Split, wordings: Sequence[int] = (0,)) -> list[Question]:
    """A question for each fact and wording, about a passage of four sentences.

    The passage has the fact, two more of the same country, and the same fact of another country. wordings: 0
    to 5, see `country_facts.questions`; those of training and test can differ.
    """
    own = facts(split)
    stated = documents(own)
    places = {(fact.country, fact.relation): i for i, fact in enumerate(own)}
    countries = list(dict.fromkeys(fact.country for fact in own))
    made = []
    for asked in questions(own):
        if asked.direction != "forward" or asked.wording not in wordings:
            continue
        country, relation = own[asked.document].country, own[asked.document].relation
        others = sorted(
            (i for (name, _), i in places.items() if name == country and i != asked.document),
            key=lambda i: _mixed(f"{relation}{i}"),
        )
        neighbor = countries[(countries.index(country) + 1) % len(countries)]
        chosen = [asked.document, *others[:2], places[neighbor, relation]]
        chosen.sort(key=lambda i: _mixed(f"{asked.text}{i}"))
        name = f"{country}-{relation}-{asked.wording}"
        made.append(_question(name, asked.text, asked.answer, [stated[i] for i in chosen], country, relation))
    return made


def _question(
    name: str, text: str, answer: str, stated: Sequence[Document], country: str, relation: str
) -> Question:
    passage, start = "", -1
    for document in stated:
        if (document.fact.country, document.fact.relation) == (country, relation):
            start = len(passage) + place_of(answer, document)
        passage += document.text + " "
    return Question(name, text, passage.rstrip(), (answer,), (start,))


def place_of(value: str, document: Document) -> int:
    """Where the value stands in its sentence, rather than in the name of the country.

    >>> fact = Fact("Central African Republic", "Central African", "demonym", "Central African")
    >>> place_of("Central African", Document("Those of Central African Republic are Central African.", fact))
    38
    """
    hidden = document.text
    if value in document.fact.country:
        hidden = hidden.replace(document.fact.country, " " * len(document.fact.country))
    place = hidden.find(value)
    return document.text.index(value) if place < 0 else place


def facts(split: Split) -> list[Fact]:
    """The facts of three countries in four for training, of the others for testing."""
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    return [fact for fact in country_facts() if (_mixed(fact.country) % 4 == 0) == (split == "test")]


def _mixed(text: str) -> int:
    """An order that looks random and is the same everywhere."""
    return zlib.crc32(text.encode())
