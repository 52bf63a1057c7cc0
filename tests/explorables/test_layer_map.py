"""The layer map: the maps of the package, the numbers that were given, by keyboard, without a script."""

import pytest
from conftest import page_of
from matched_layers import STUDENT, TEACHER, matched, measured
from playwright.sync_api import expect

from course_utils.distillation import layer_maps
from course_utils.distillation.pairs import KINDS as MEASURED_KINDS
from course_utils.distillation.theseus import Replacing, Theseus
from course_utils.explorables.layer_map import KINDS, layer_map, pairs_of
from course_utils.finetuning.classifier import new_classifier
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


@pytest.mark.parametrize(("student", "teacher"), [(3, 6), (6, 12), (2, 6), (4, 12)])
def test_the_pairs_are_those_that_the_methods_train(student, teacher):
    as_lists = lambda pairs: [list(pair) for pair in pairs]
    assert pairs_of("tiny", student, teacher) == [[0, 0], *as_lists(layer_maps.uniform(student, teacher))]
    assert pairs_of("patient", student, teacher) == as_lists(layer_maps.skip(student, teacher))
    assert pairs_of("patient-last", student, teacher) == as_lists(layer_maps.last(student, teacher))
    assert pairs_of("minilm", student, teacher) == [[student, teacher]]
    assert pairs_of("soft", student, teacher) == []


def test_the_modules_are_those_of_theseus():
    small = EncoderConfig(
        vocab_size=9, hidden_size=4, num_layers=6, num_heads=2, intermediate_size=4, pooler=False
    )
    predecessor = new_classifier(Encoder(small), 2, 0)
    model = Theseus(predecessor, 3, Replacing())
    own = model.predecessor.encoder
    for m in range(3):
        chosen = [number != m for number in range(3)]
        mine = [i for i, b in enumerate(own.stack.blocks, 1) if b in model._blocks(own, chosen)]
        assert mine == [g for student, g in pairs_of("theseus", 3, 6) if student == m + 1]


def test_the_kinds_are_those_that_are_measured():
    assert set(KINDS) == set(MEASURED_KINDS)


def test_the_numbers_are_those_given():
    given = measured()
    for who, kinds in matched().data["tables"].items():
        for kind, table in kinds.items():
            assert table["values"] == given[who][kind]
            for row, text, nearest in zip(table["values"], table["text"], table["nearest"], strict=True):
                known = [value for value in row if value is not None]
                assert [float(t) for t in text if t] == pytest.approx(known, rel=0.06, abs=6e-4)
                assert nearest is None or row[nearest] == min(known)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ({}, {}, "must have 'start'"),
        ({"start": {"state": [[1.0, 1.0]] * 2}}, {}, "'state'"),
        ({"start": {"states": [[1.0, 1.0]] * 2}, "best": {}}, {}, "'best'"),
        ({"start": {"states": [[1.0, 1.0], [1.0]]}}, {}, "tables must all be"),
        ({"start": {"states": [[1.0, 1.0]] * 3}}, {}, "the student no deeper"),
        ({"start": {"states": [[1.0, 1.0]] * 2}}, {"method": "big"}, "method must be one of"),
    ],
)
def test_it_refuses(given, options, message):
    with pytest.raises(ValueError, match=message):
        layer_map(given, **options)


@pytest.mark.browser
def test_by_keyboard(open_page):
    tab = open_page(page_of(matched()))
    page, rows = tab.page, part(tab.page, "rows").locator("tr")
    page.keyboard.press("Tab")
    expect(part(page, "method")).to_be_focused()
    expect(page.locator(".cw-link:not(.cw-answers)")).to_have_count(STUDENT + 1)
    expect(page.locator("td.cw-joined")).to_have_count(STUDENT + 1)
    part(page, "who").select_option("tiny")
    expect(part(page, "story")).to_contain_text("layer 2 from layer 4: 0.040 (at the start 0.20)")
    expect(part(page, "story")).to_contain_text("is the nearest for 4 of 4")
    expect(part(page, "live")).to_contain_text("layer 2 from layer 4: 0.040")
    expect(page.locator(".cw-map text.cw-loss").last).to_have_text("0.048")
    part(page, "kind").select_option("scores")
    expect(page.locator("td.cw-joined")).to_have_count(STUDENT)  # embeddings have no attention
    part(page, "kind").select_option("values")
    expect(page.locator("td.cw-joined")).to_have_count(0)
    part(page, "method").select_option("minilm")
    expect(part(page, "kind")).to_have_value("attention")
    expect(rows.first.locator("td.cw-joined")).to_have_count(1)
    part(page, "method").select_option("theseus")
    expect(page.locator(".cw-link.cw-module")).to_have_count(TEACHER)
    expect(part(page, "who").locator("option")).to_have_text(["as it starts"])
    part(page, "method").select_option("soft")
    expect(page.locator(".cw-link")).to_have_count(1)
    expect(part(page, "story")).to_have_text(
        "Soft targets. Only the answers are compared. No layer is told what to do."
    )
    tab.check()


@pytest.mark.browser
def test_it_shows_the_same_table_before_and_after_its_script(open_page):
    def read(javascript):
        page = open_page(page_of(matched()), javascript=javascript).page
        cells = "nodes => nodes.map((n) => [n.textContent, n.className])"
        return part(page, "rows").locator("th, td").evaluate_all(cells)

    before, after = read(False), read(True)
    assert [[text, marks.strip()] for text, marks in before] == [[t, m.strip()] for t, m in after]
    assert len(before) == (STUDENT + 1) * (TEACHER + 2)
