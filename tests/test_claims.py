"""Claims: complete, sourced, and with a verdict that only a results file can give."""

import re
from pathlib import Path

import pytest

from course_utils import claims, results
from course_utils.claims import UNTESTED, Claim
from course_utils.results_format import VERDICTS

ROOT = Path(__file__).parents[1]
IN_THE_BOOK = (ROOT / "_toc.yml").read_text(encoding="utf-8")
NOTEBOOKS = [ROOT / f"{file}.ipynb" for file in re.findall(r"chapters/[0-9]{2}_\w+", IN_THE_BOOK)]
CHAPTERS = {int(notebook.name[:2]) for notebook in NOTEBOOKS}
KEYS = set(
    re.findall(r"^@\w+\{([^,]+),", (ROOT / "chapters/references.bib").read_text(encoding="utf-8"), re.M)
)
ENTRY = {
    "verdict": "does not hold",
    "estimate": 0.34567,
    "interval": [0.2, 0.5],
    "unit": "bits",
    "seeds": 5,
    "sentence": "It was <0.35> & not 1.",
}


@pytest.fixture
def found(monkeypatch):
    """One claim and what its results file says of it; change the entry to see another box."""
    entry = dict(ENTRY)
    claim = Claim("a-claim", 1, "A < B & C.", "Someone (2020)", ("someone2020",), "Count them.", "toy")
    monkeypatch.setattr(claims, "load", lambda: {"a-claim": claim})
    monkeypatch.setattr(results, "load", lambda name: results.Results(name, [], claims={"a-claim": entry}))
    return entry


def html(box):
    return box._repr_mimebundle_()["text/html"]


def words(box):
    """What a reader of the HTML sees."""
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html(box), flags=re.S).split())


@pytest.mark.parametrize("claim", claims.load().values(), ids=lambda claim: claim.id)
def test_every_claim_is_complete(claim):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", claim.id)
    assert 1 <= claim.chapter <= 13
    for text in (claim.says, claim.by, claim.test):
        assert text.strip() == text
        assert text
    assert claim.says.endswith(".")
    assert claim.test.endswith((".", "?"))
    assert claim.source


@pytest.mark.parametrize(
    "claim_id", [claim.id for claim in claims.load().values() if claim.chapter in CHAPTERS]
)
def test_every_claim_of_a_chapter_in_the_book_was_tested_and_is_cited(claim_id):
    claim = claims.get(claim_id)
    assert claim.results, f"{claim.id}: name the results file that holds its verdict"
    assert claim.verdict() in VERDICTS
    missing = set(claim.source) - KEYS
    assert not missing, f"{claim.id}: {missing} are not in references.bib"


@pytest.mark.parametrize("chapter", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_chapter_shows_the_box_of_each_of_its_claims(chapter):
    text = chapter.read_text(encoding="utf-8")
    shown = set(re.findall(r'claims\.box\(\\"([^"\\]+)\\"\)', text))
    assert shown == {claim.id for claim in claims.load().values() if claim.chapter == int(chapter.name[:2])}


def test_a_results_file_judges_only_claims_that_name_it():
    for name in results.names():
        for claim in results.load(name).claims:
            assert claims.get(claim).results == name


def test_claims_stand_in_the_order_of_their_chapters():
    chapters = [claim.chapter for claim in claims.load().values()]
    assert chapters == sorted(chapters)


def test_a_box_says_who_what_how_sure_and_the_verdict(found):
    said = words(claims.box("a-claim"))
    for part in (
        "A &lt; B &amp; C.",
        "Someone (2020)",
        "It was &lt;0.35&gt; &amp; not 1.",
        "✗ does not hold",
    ):
        assert part in said
    assert "Measured 0.35 [0.20, 0.50] bits Seeds 5 How Count them. Again course reproduce toy" in said


def test_a_box_says_the_same_in_plain_words(found):
    text = claims.box("a-claim")._repr_mimebundle_()["text/plain"]
    assert text.splitlines() == [
        "Claim (Someone (2020)): A < B & C.",
        "Verdict: does not hold. It was <0.35> & not 1.",
        "Measured: 0.35 [0.20, 0.50] bits",
        "Seeds: 5",
        "How: Count them.",
        "Again: course reproduce toy",
    ]


def test_a_box_without_randomness_or_estimate_says_so(found):
    found.update(estimate=None, interval=None, seeds=0, unit="")
    assert "Measured exact Seeds none, nothing is random How" in words(claims.box("a-claim"))


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_has_its_own_look_sign_and_words(found, verdict):
    found["verdict"] = verdict
    look, sign = claims.LOOKS[verdict]
    assert f'class="claim {look}"' in html(claims.box("a-claim"))
    assert f"{sign} {verdict}" in words(claims.box("a-claim"))
    assert f"{verdict}: 1" in words(claims.ledger())
    for position in (0, 1):
        assert len({entry[position] for entry in claims.LOOKS.values()}) == len(VERDICTS) + 1


def test_an_untested_claim_says_so_and_how_it_will_be(monkeypatch):
    claim = Claim("a-claim", 2, "A is B.", "Someone (2020)", ("someone2020",), "Count them.")
    monkeypatch.setattr(claims, "load", lambda: {"a-claim": claim})
    assert f"○ {UNTESTED}" in words(claims.box("a-claim"))
    assert "Measured" not in words(claims.box("a-claim"))
    assert "To come: Count them." in words(claims.ledger())


def test_a_claim_that_its_results_do_not_judge_is_an_error(found, monkeypatch):
    monkeypatch.setattr(results, "load", lambda name: results.Results(name, [], claims={"other": ENTRY}))
    with pytest.raises(
        KeyError, match=r"'toy' do not hold claim 'a-claim', only \['other'\].*experiments/toy\.py"
    ):
        claims.box("a-claim")


def test_an_unknown_claim_is_an_error_that_lists_the_ids():
    with pytest.raises(KeyError, match=r"no claim 'no-such'.*'bpe-open-vocabulary'"):
        claims.box("no-such")


def test_two_claims_with_one_id_are_refused(monkeypatch):
    entry = {"id": "a", "chapter": 1, "says": "", "by": "", "source": [], "test": ""}
    monkeypatch.setattr(claims.yaml, "safe_load", lambda text: [entry, entry])
    with pytest.raises(ValueError, match=r"\['a'\] more than once"):
        claims.load.__wrapped__()


def test_the_ledger_has_a_row_for_every_claim_and_counts_them():
    shown = html(claims.ledger())
    assert shown.count('class="ledger-row"') == len(claims.load()) + 1
    counts = [int(count) for count in re.findall(r"(?:holds|only|hold|tell|tested): (\d+)<", shown)]
    assert len(counts) == len(VERDICTS) + 1
    assert sum(counts) == len(claims.load())


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_boxes_and_ledger_are_accessible_without_the_books_styles(open_page, scheme, width):
    shown = "".join(html(box) for box in (claims.box("static-no-polysemy"), claims.ledger()))
    head = f'<!doctype html><html lang="en" theme="{scheme}"><title>Claims</title>'
    page = f"{head}<main><h1>Claims</h1>{shown}</main>"
    tab = open_page(page, width=width)
    back = {"light": "#fff", "dark": "#14191c"}[scheme]
    tab.page.add_style_tag(content=f"body {{ background: {back}; }} h1 {{ color: #808080; }}")
    tab.check()
    assert tab.axe(".claim") + tab.axe(".ledger") == []
    assert tab.overflow() == 0
