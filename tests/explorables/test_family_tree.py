"""The family tree: its facts, what it refuses, the drawing, and how it answers to the keyboard."""

import re
from pathlib import Path

import pytest
from conftest import page_of
from family_of_many import SIZES, tree
from playwright.sync_api import expect

from course_utils.explorables import family_tree
from course_utils.explorables.family import FEATURES, check, members
from course_utils.explorables.family_tree import COLUMNS, LABELS

ROOT = Path(__file__).parents[2]
KEYS = set(
    re.findall(r"^@\w+\{([^,]+),", (ROOT / "chapters/references.bib").read_text(encoding="utf-8"), re.M)
)
ENTRY = vars(members()[0]) | {"parents": []}


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


@pytest.mark.parametrize("member", members(), ids=lambda member: member.id)
def test_every_fact_has_a_source_that_the_bibliography_knows(member):
    assert member.source
    assert set(member.source) <= KEYS
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", member.date)
    for feature in (*FEATURES, "name", "model", "change", "corpus", "tokens"):
        assert getattr(member, feature).strip()


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_has_few_values(feature):
    assert feature in LABELS
    assert 2 <= len({getattr(member, feature) for member in members()}) <= 9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([{}, {}], "transformer .*an id must be new"),
        ([{}, {"id": "child", "parents": ["nobody"]}], r"parents \['nobody'\] must stand before"),
        ([{}, {"id": "older", "date": "2016-01"}], "no member may be older than the one before, 2017-06"),
        ([{"change": "x" * 71}], "in 70 characters, not more"),
    ],
)
def test_facts_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        check([ENTRY | change for change in changes])


def test_it_refuses_members_without_a_size_and_unknown_ids():
    with pytest.raises(ValueError, match=r"no row for \['bert'\]"):
        family_tree([row for row in SIZES if row["id"] != "bert"])
    with pytest.raises(ValueError, match=r"no member is called \['bort'\]; there are \['transformer'"):
        family_tree(SIZES, first="bort")


def test_the_area_of_a_dot_is_the_size_and_no_two_members_share_a_cell():
    family = {entry["id"]: entry for entry in tree().data["members"]}
    large, quarter = family["legalbert"], next(e for e in family.values() if e["parameters"] == 40_000_000)
    assert (large["dot"] / quarter["dot"]) ** 2 == pytest.approx(
        large["parameters"] / quarter["parameters"], rel=0.02
    )
    assert max(entry["lane"] for entry in family.values()) == COLUMNS - 1
    assert family["transformer"]["positions"] == "no table of positions"


def test_every_parent_has_its_line():
    html = tree()._repr_html_()
    drawn = set(re.findall(r'data-from="(\w+)" data-to="(\w+)"', html))
    assert drawn == {(parent, member.id) for member in members() for parent in member.parents}


@pytest.mark.browser
def test_a_name_compares_a_member_with_its_parent(open_page):
    tab = open_page(page_of(tree()))
    page = tab.page
    expect(part(page, "story")).to_contain_text("Transformer → BERT → ALBERT.")
    page.get_by_role("button", name="Longformer").press("Enter")
    expect(part(page, "first")).to_have_value("roberta")
    expect(part(page, "story")).to_contain_text("Transformer → BERT → RoBERTa → Longformer.")
    expect(part(page, "live")).to_contain_text("differs in")
    expect(page.get_by_role("button", name="Longformer")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="ALBERT", exact=True)).to_have_attribute("aria-pressed", "false")
    attention = part(page, "table").locator("tr", has_text="Attention")
    expect(attention).to_contain_text("≠")
    expect(attention.locator("td")).to_have_text(["full", "window and global"])
    lit = page.locator(".cw-edge.cw-on").evaluate_all("nodes => nodes.map(node => node.dataset.to)")
    assert sorted(lit) == ["bert", "longformer", "roberta"]
    tab.check()


@pytest.mark.browser
def test_a_root_is_compared_with_itself(open_page):
    page = open_page(page_of(tree())).page
    page.get_by_role("button", name="Transformer").press("Enter")
    expect(part(page, "story")).to_have_text("Transformer. Attention alone, in an encoder and a decoder.")


@pytest.mark.browser
def test_filters_by_keyboard(open_page):
    page = open_page(page_of(tree())).page
    page.keyboard.press("Tab")
    shape = page.locator("[data-filter=shape]")
    expect(shape).to_be_focused()
    shape.select_option("decoder")
    expect(part(page, "count")).to_have_text("2 of 18 members: GPT, GPT-2.")
    expect(part(page, "live")).to_have_text("2 of 18 members: GPT, GPT-2.")
    expect(page.locator("li.cw-off")).to_have_count(16)
    part(page, "most").press("Home")
    expect(part(page, "mostText")).to_have_text("10 million")
    expect(part(page, "count")).to_have_text("0 of 18 members.")
    part(page, "all").press("Enter")
    expect(part(page, "count")).to_have_text("All 18 members, oldest first.")
    expect(page.locator("li.cw-off")).to_have_count(0)


@pytest.mark.browser
def test_without_javascript_the_tree_is_there_and_nothing_pretends_to_work(open_page):
    page = open_page(page_of(tree()), javascript=False).page
    expect(page.get_by_text("Half the layers, taught by BERT")).to_be_visible()
    expect(page.locator(".cw button:visible")).to_have_count(0)
