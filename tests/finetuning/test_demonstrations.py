"""The small sets that any machine has, on made-up facts and sentences."""

import numpy as np
import pytest

from course_utils.data.country_facts import Document, Fact, country_facts
from course_utils.finetuning import demonstrations
from course_utils.finetuning.demonstrations import fact_questions, pairs_of, tag_document, tagged_facts
from course_utils.metrics import entities

COUNTRIES = ("Peru", "Chile", "Ghana", "Kenya", "Nepal", "Qatar", "Spain", "Yemen")
VALUES = {"capital": "{} City", "demonym": "{}ian", "part of the world": "Far {}", "population": "{} million"}


@pytest.fixture
def made_facts(monkeypatch):
    made = [
        Fact(country, f"{country}ian", relation, value.format(country))
        for country in COUNTRIES
        for relation, value in VALUES.items()
    ]
    monkeypatch.setattr(demonstrations, "country_facts", lambda: made)


def test_half_of_the_pairs_are_of_one_group_and_no_text_is_used_twice():
    groups = [[f"{g}-{i}" for i in range(9)] for g in range(20)]
    pairs = pairs_of(groups, 60, np.random.default_rng(0))
    same = [pair.first.split("-")[0] == pair.second.split("-")[0] for pair in pairs]
    assert same == [bool(pair.label) for pair in pairs]
    assert sum(same) == 30
    texts = [text for pair in pairs for text in pair[:2]]
    assert len(set(texts)) == len(texts)
    assert len({pair.label for pair in pairs[:10]}) == 2
    with pytest.raises(ValueError, match="below about 80 can be drawn, not 90"):
        pairs_of(groups, 90, np.random.default_rng(0))


@pytest.mark.usefixtures("made_facts")
def test_questions_are_paired_with_their_fact_or_with_a_near_miss():
    pairs = demonstrations.fact_pairs("train", 40, np.random.default_rng(0))
    assert [pair.label for pair in pairs] == [0, 1] * 20
    assert len({pair.first for pair in pairs}) == 40
    mine, other = (
        sum(pair.first.split()[-1].strip("?") in pair.second for pair in part)
        for part in (pairs[::4], pairs[2::4])
    )
    assert mine > other
    with pytest.raises(ValueError, match="4 divides"):
        demonstrations.fact_pairs("train", 6, np.random.default_rng(0))


@pytest.mark.usefixtures("made_facts")
def test_tags_name_the_country_and_what_the_fact_is_about():
    for split in ("train", "test"):
        for words, tags in tagged_facts(split):
            kinds = [entity.kind for entity in entities(tags, strict="IOB2")]
            assert kinds.count("COUNTRY") == 1
            assert len(words) == len(tags)


@pytest.mark.usefixtures("made_facts")
def test_no_country_is_in_both_parts():
    countries = [{fact.country for fact in demonstrations.facts(split)} for split in ("train", "test")]
    assert not countries[0] & countries[1]
    assert countries[0] | countries[1] == set(COUNTRIES)
    with pytest.raises(ValueError, match="'train' or 'test'"):
        demonstrations.facts("validation")


@pytest.mark.usefixtures("made_facts")
def test_every_answer_stands_where_it_is_said_to_in_its_own_sentence():
    questions = fact_questions("train", wordings=(0, 3))
    assert len(questions) == 2 * len(demonstrations.facts("train"))
    for question in questions:
        start, answer = question.starts[0], question.answers[0]
        assert question.passage[start : start + len(answer)] == answer
        sentences = question.passage.split(". ")
        ends = np.cumsum([len(sentence) + 2 for sentence in sentences])
        own = sentences[int(np.searchsorted(ends, start, side="right"))]
        assert question.id.split("-")[0] in own
        assert answer in own


def test_a_name_within_the_countrys_name_is_not_tagged():
    fact = Fact("Singapore", "Singaporean", "capital", "Singapore")
    assert tag_document(Document("Singapore is the capital of Singapore.", fact)) is None


def test_the_real_facts_give_hundreds_of_each():
    assert len(country_facts()) > 1000
    assert len(tagged_facts("test")) > 300
    assert len(fact_questions("test")) > 300
