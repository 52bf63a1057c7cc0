"""The base: safe embedding, the same HTML every time, nothing that could clash or call out."""

import json
import os
import re
import subprocess
import sys

import pytest
from conftest import HOSTILE, MAKERS

from course_utils.explorables.base import ASSETS, Explorable, Html, embed_json, fill, join, tag

SCRIPT = re.compile(r"<script type=\"application/json\" data-part=\"data\">(.*?)</script>", re.S)


@pytest.mark.parametrize(
    "text", [HOSTILE, "<!--<script>", "\u2028\u2029", "😀é", "\ud800", "\\", '"', "$name"]
)
def test_json_comes_back_whole_and_cannot_leave_its_element(text):
    embedded = embed_json({text: [text]})
    assert json.loads(embedded) == {text: [text]}
    assert "<" not in embedded
    assert embedded.isascii()


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_lacks_are_refused(number):
    with pytest.raises(ValueError, match="finite"):
        embed_json({"x": [number]})


def test_markup_is_escaped_once():
    assert fill("<p>$text</p>", text=HOSTILE).count("<") == 2
    assert tag("b", "<", title='"<') == '<b title="&quot;&lt;">&lt;</b>'
    assert join(["<", Html("<i>")]) == "&lt;<i>"
    with pytest.raises(KeyError):
        fill("$absent")


def explorable(**changes):
    given = {"kind": "merge_stepper", "title": "A title", "lede": "A lede.", "data": {}, "body": Html("")}
    return Explorable(**(given | changes))


def test_titles_and_data_cannot_break_out():
    html = explorable(title=HOSTILE, lede=HOSTILE, data={"x": HOSTILE})._repr_html_()
    plain = explorable()._repr_html_()
    assert "<img" not in html
    assert html.count("<") == plain.count("<")
    assert json.loads(SCRIPT.search(html)[1]) == {"x": HOSTILE}


def test_half_a_character_is_refused_with_its_explorable():
    with pytest.raises(ValueError, match=r"merge_stepper: .*surrogate"):
        explorable(title="\ud800")


def test_notebooks_get_html_and_terminals_a_sentence():
    shown = explorable()
    bundle = shown._repr_mimebundle_()
    assert bundle["text/html"] == shown._repr_html_()
    assert bundle["text/plain"] == str(shown)
    assert "A title: A lede." in str(shown)


@pytest.mark.parametrize("name", MAKERS)
def test_no_ids_no_addresses_no_unfilled_slots(name):
    html = MAKERS[name]()._repr_html_()
    assert not re.search(r"\sid=", html)
    assert set(re.findall(r"https?://[^\"'\s]+", html)) <= {"http://www.w3.org/2000/svg"}
    markup = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)
    assert not re.search(r"\$[a-z]", markup)
    assert 'role="group"' in markup
    assert "Turn on JavaScript" in markup


def test_scripts_and_styles_cannot_close_their_own_element():
    for path in [*ASSETS.glob("*.js"), *ASSETS.glob("*.css")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"</(script|style)|<!--", text), path.name
        assert "innerHTML" not in text, path.name


def test_two_processes_write_the_same_bytes():
    code = "from conftest import MAKERS; print(''.join(m()._repr_html_() for m in MAKERS.values()))"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=os.path.dirname(__file__),
        env=environment,
        capture_output=True,
        check=True,
    )
    here = "".join(maker()._repr_html_() for maker in MAKERS.values())
    assert done.stdout.decode() == here + "\n"
