"""Parallel messages: read from catalogs as packages carry them, aligned, without what gives them away."""

import json
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

import fake_index
import pytest

from course_utils.data import SourceUnavailable, translations
from course_utils.data.package_source import Archive
from course_utils.data.translations import catalogs, parallel_messages, plain, read_mo, split_of


def compiled(messages: Mapping[str, str], order: str = "<") -> bytes:
    """A .mo file, as msgfmt writes it."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **messages}.items())
    count, body, tables = len(pairs), b"", []
    start = 28 + 16 * count
    for column in (0, 1):
        for pair in pairs:
            text = pair[column].encode()
            tables.append(struct.pack(f"{order}2I", len(text), start + len(body)))
            body += text + b"\0"
    header = struct.pack(f"{order}7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 28 + 16 * count)
    return header + b"".join(tables) + body


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No index but the test's own folder, and an empty cache."""
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.delenv("COURSE_HUB_MIRROR", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "index"


def publish(index: Path, monkeypatch: pytest.MonkeyPatch, source: str, members: Mapping[str, bytes]) -> Path:
    """Make a wheel with these members the package of a source."""
    path = fake_index.wheel(index, f"fake-{source}", "1.0", members)
    archive = Archive(f"fake-{source}", "1.0", path.name, fake_index.sha256(path.read_bytes()))
    package = translations._Package(archive, path.stat().st_size, "the messages of a test")
    monkeypatch.setitem(translations.PACKAGES, source, package)
    return path


def framework(index: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    german = {
        "Delete %(count)d files?": "%(count)d Dateien löschen?",
        "month\4May": "Mai",
        "one file\0many files": "eine Datei\0viele Dateien",
        "Port": "Port",
        "Only here": "Nur hier",
        "Not yet": "",
    }
    chinese = {
        "Delete %(count)d files?": "删除%(count)d个文件吗？",
        "month\4May": "五月",
        "one file\0many files": "%d个文件",
        "Port": "端口",
        "Not yet": "还没有",
    }
    place = "django/conf/locale/{}/LC_MESSAGES/django.mo"
    members = {place.format("de"): compiled(german), place.format("zh_Hans"): compiled(chinese, ">")}
    return publish(index, monkeypatch, "django", {**members, "django/conf/locale/de/formats.py": b""})


def test_messages_are_aligned_and_what_two_languages_share_is_left_out(index, monkeypatch):
    framework(index, monkeypatch)
    found = {message.texts["en"]: dict(message.texts) for message in parallel_messages(["de", "zh-Hans"])}
    assert found == {
        "Delete files?": {"en": "Delete files?", "de": "Dateien löschen?", "zh-Hans": "删除 个文件吗？"},
        "May": {"en": "May", "de": "Mai", "zh-Hans": "五月"},
        "one file": {"en": "one file", "de": "eine Datei", "zh-Hans": "个文件"},
    }


def test_a_catalog_has_all_that_its_language_has(index, monkeypatch):
    framework(index, monkeypatch)
    found = catalogs(["de"])
    assert set(found) == {"en", "de"}
    assert set(found["de"].values()) == {"Dateien löschen?", "Mai", "eine Datei", "Port", "Nur hier"}
    assert found["en"]["conf/Only here"] == "Only here"


def test_the_other_package_has_nested_texts_and_one_english_text_counts_once(index, monkeypatch):
    texts = {
        "en": {"config": {"step": {"title": "Turn {name} on"}}, "again": "Turn {other} on", "n": 3},
        "fr": {"config": {"step": {"title": "Allumer {name}"}}, "again": "Mettre en marche {other}"},
    }
    place = "homeassistant/components/lamp/translations/{}.json"
    members = {place.format(code): json.dumps(tree).encode() for code, tree in texts.items()}
    publish(index, monkeypatch, "home-assistant", {**members, place.format("sensor.fr"): b"{}"})
    found = parallel_messages(["fr"], "home-assistant")
    assert [dict(message.texts) for message in found] == [{"en": "Turn on", "fr": "Mettre en marche"}]


def test_the_package_is_pinned_by_content_and_fetched_once(index, monkeypatch):
    path = framework(index, monkeypatch)
    kept = translations.wheel_of("django")
    assert kept.read_bytes() == path.read_bytes()
    path.write_bytes(b"other")
    assert translations.wheel_of("django") == kept
    kept.unlink()
    with pytest.raises(SourceUnavailable, match="the messages of a test"):
        translations.wheel_of("django")


def test_a_mirror_on_the_hub_stands_in_for_the_index(index, monkeypatch, tmp_path):
    path = framework(index, monkeypatch)
    place = tmp_path / "hub" / "datasets" / "me" / "copy" / "resolve" / "main"
    place.mkdir(parents=True)
    path.rename(place / path.name)
    monkeypatch.setenv("COURSE_HUB_MIRROR", "me/copy")
    with fake_index.serve(tmp_path / "hub") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert len(parallel_messages(["de"])) == 4


def test_wrong_names_are_refused(index, monkeypatch):
    framework(index, monkeypatch)
    with pytest.raises(KeyError, match="take one of django, home-assistant"):
        parallel_messages(source="flask")
    with pytest.raises(ValueError, match=r"no messages in \['xx'\]: write codes such as"):
        parallel_messages(["de", "xx"])


def test_another_file_is_no_catalog():
    with pytest.raises(ValueError, match=r"not a compiled message catalog"):
        list(read_mo(b"msgid"))


def test_both_byte_orders_are_read():
    assert [list(read_mo(compiled({"a": "ä"}, order))) for order in "<>"] == [[("a", "ä")]] * 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%(name)s was added to %s.", "was added to."),
        ("Set up “{device}” now", "Set up now"),
        ('<a href="%(url)s">Log in</a> &amp; go on', "Log in & go on"),
        ("See [the page]({url}) at https://example.org", "See the page at"),
        ("[%key:common::config_flow::title%]", ""),
        ("{a}: {b} – 100%%", ""),
        ("50% off", "50% off"),
        ("Ein (neues) Gerät", "Ein (neues) Gerät"),
    ],
)
def test_what_is_the_same_in_all_languages_is_taken_out(text, expected):
    assert plain(text) == expected


def test_about_a_fifth_is_for_testing_by_the_english_text_alone():
    shares = [split_of(f"message {number}") == "test" for number in range(2000)]
    assert 0.15 < sum(shares) / len(shares) < 0.25
    assert translations.Message({"en": "message 1", "de": "x"}).split == split_of("message 1")
