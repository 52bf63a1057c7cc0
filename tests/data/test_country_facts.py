"""Facts of countries: complete, asked for in other words, fetched by name."""

import json
import re
import sys
from collections import Counter

import fake_index
import pytest

from course_utils.data import DataError, country_facts, package_source, store
from course_utils.data.country_facts import Fact, documents, facts_of, questions

ONE = {
    "name": "France",
    "demonym": "French",
    "capital": "Paris",
    "currencies": ["EUR"],
    "callingCodes": ["33"],
    "tld": [".fr"],
    "area": 640679.0,
    "population": 66078000,
    "subregion": "Western Europe",
    "ISO": {"alpha3": "FRA"},
}
PERU = ONE | {
    "name": "Peru",
    "demonym": "Peruvian",
    "capital": "Lima",
    "callingCodes": ["51"],
    "tld": [".pe"],
}


def test_a_country_has_nine_facts():
    facts = facts_of([ONE])
    assert len(facts) == 9
    assert facts[0] == Fact("France", "French", "capital", "Paris")
    assert {fact.relation: fact.value for fact in facts}["area"] == "640679"


@pytest.mark.parametrize(
    "change",
    [
        {"capital": None},
        {"capital": ["Paris"]},
        {"capital": "Paris / Lyon"},
        {"demonym": "French,Gallic"},
        {"currencies": ["EUR", "XPF"]},
        {"tld": []},
        {"area": None},
        {"ISO": {}},
    ],
)
def test_an_incomplete_country_is_left_out(change):
    assert {fact.country for fact in facts_of([ONE | change, PERU])} == {"Peru"}


def test_countries_that_share_the_name_of_their_people_are_left_out():
    assert facts_of([ONE, PERU | {"demonym": "French"}]) == []


def test_each_fact_is_stated_once():
    facts = facts_of([ONE, PERU])
    made = documents(facts)
    assert [one.fact for one in made] == facts
    for one in made:
        assert one.fact.country in one.text
        assert one.fact.value in one.text
        assert one.text.endswith(".")
    assert documents(facts) == made
    # A fact's wording does not depend on which others are there.
    assert documents(facts[9:]) == made[9:]


def test_questions_point_at_their_document_and_do_not_give_the_answer():
    facts = facts_of([ONE, PERU])
    for one in questions(facts):
        fact = facts[one.document]
        assert one.answer == (fact.value if one.direction == "forward" else fact.country)
        assert not re.search(rf"\b{re.escape(one.answer)}\b", one.text)
        assert one.text.endswith("?")
        assert "{" not in one.text


def test_six_wordings_of_each_and_inverse_ones_only_of_values_that_tell_the_country():
    facts = facts_of([ONE, PERU | {"tld": [".fr"]}])
    counts = Counter((one.document, one.direction) for one in questions(facts))
    assert set(counts.values()) == {6}
    inverse = {facts[row].relation for row, direction in counts if direction == "inverse"}
    assert inverse == {"capital", "calling code", "demonym"}  # both have the domain .fr
    assert len({one.text for one in questions(facts)}) == sum(counts.values())


def test_questions_share_few_words_with_their_documents():
    """Beside names, values and little words, or a search for words would find them all."""
    little = {"the", "of", "a", "an", "is", "in", "to", "has", "are", "for", "at"}
    for relation, kinds in country_facts._wordings().items():
        stated = set(re.findall(r"[a-z]+", " ".join(kinds["documents"]).lower()))
        asked = set(re.findall(r"[a-z]+", " ".join(kinds["questions"]).lower()))
        shared = (stated & asked) - little - {"country", "value", "people", "from", "with", "by"}
        assert len(shared) <= 2, (relation, shared)


def test_a_missing_wording_is_named(tmp_path, monkeypatch):
    file = tmp_path / "wordings.yml"
    file.write_text("capital:\n  documents: [a]\n  questions: [b, c]\n")
    monkeypatch.setattr(country_facts, "WORDINGS", file)
    country_facts._wordings.cache_clear()
    with pytest.raises(DataError, match=r"wordings\.yml: capital needs 6 questions, got 2"):
        questions([Fact("France", "French", "capital", "Paris")])
    country_facts._wordings.cache_clear()


def test_the_wheel_is_fetched_by_name_and_checked(tmp_path, monkeypatch):
    """From a fake of the package, in a folder that pip takes for its index."""
    links = tmp_path / "links"
    links.mkdir()
    members = {
        "countryinfo/data/france.json": json.dumps(ONE).encode(),
        "countryinfo/data/peru.json": json.dumps(PERU).encode(),
        "countryinfo/data/nowhere.json": b'{"name": null}',
        "countryinfo/data/index.js": b"",
    }
    path = fake_index.wheel(links, "countryinfo", "1.0.1", members)
    content = path.read_bytes()
    archive = package_source.Archive("countryinfo", "1.0.1", path.name, fake_index.sha256(content))
    pinned = store.PinnedFile(path.name, len(content), archive.sha256)
    monkeypatch.setattr(country_facts, "WHEEL", archive)
    monkeypatch.setattr(country_facts, "BUNDLE", store.Bundle("countryinfo-fake", "facts", (pinned,)))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    assert {fact.country for fact in country_facts.country_facts()} == {"France", "Peru"}
    path.unlink()  # the second time nothing is fetched
    assert len(country_facts.country_facts()) == 18
