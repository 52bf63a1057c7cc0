"""Label alignment and answer picker: by keyboard, with numbers equal to the package's, with hostile text."""

import random

import pytest
from conftest import HOSTILE, page_of
from playwright.sync_api import expect
from tagged_and_asked import PASSAGE, PIECES, SENTENCES, alignment, picker, window

from course_utils.explorables import answer_picker, label_alignment
from course_utils.explorables.answer_picker import best_over_windows, best_pair
from course_utils.explorables.label_alignment import SCHEMES, count_labels, piece_labels
from course_utils.finetuning.alignment import align_tags
from course_utils.finetuning.windows import best_span
from course_utils.metrics import entities
from course_utils.subword.wordpiece import WordPiece

browser_test = pytest.mark.browser
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "E-LOC", "S-LOC"]


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def tagged(count=80):
    """Numbers of pieces and tags, drawn."""
    rng = random.Random(3)
    for _ in range(count):
        words = rng.randint(1, 9)
        yield [rng.choice((0, 1, 1, 2, 4)) for _ in range(words)], rng.choices(TAGS[:5], k=words)


def logits(count=60):
    rng = random.Random(4)
    for _ in range(count):
        tokens = rng.randint(1, 12)
        rows = [[round(rng.gauss(0, 2), rng.choice((0, 1, 3))) for _ in range(tokens)] for _ in range(2)]
        yield *rows, rng.randint(1, 12)


@pytest.mark.parametrize("scheme", ["first", "all"])
def test_labels_are_those_that_the_tagger_learns_from(scheme):
    for counts, tags in tagged():
        word_ids = [None, *(word for word, n in enumerate(counts) for _ in range(n)), None]
        assert piece_labels(counts, tags, scheme) == align_tags(word_ids, tags, scheme)


def test_the_best_pair_is_the_one_that_is_predicted():
    for starts, ends, longest in logits():
        assert best_pair(starts, ends, longest) == pytest.approx(best_span(starts, ends, longest))


@browser_test
def test_the_script_has_the_same_labels_counts_and_entities(scripts):
    cases = [[counts, tags, scheme] for counts, tags in tagged() for scheme in SCHEMES]
    found = scripts("tags.js").evaluate(
        "(cases) => cases.map((c) => ({ labels: pieceLabels(...c), counts: countLabels(...c) }))", cases
    )
    for made, case in zip(found, cases, strict=True):
        assert made == {"labels": piece_labels(*case), "counts": count_labels(*case)}, case
    rng = random.Random(5)
    rows = [rng.choices(TAGS, k=rng.randint(0, 9)) for _ in range(150)]
    found = scripts("tags.js").evaluate("(rows) => rows.map(entitiesOf)", rows)
    assert [[tuple(one) for one in row] for row in found] == [entities(row) for row in rows]


@browser_test
def test_the_script_finds_the_same_span(scripts):
    cases = list(logits())
    found = scripts("answer_picker.js").evaluate(
        "(cases) => cases.map((c) => Object.values(bestPair(...c)))", [list(case) for case in cases]
    )
    assert [tuple(row) for row in found] == [best_pair(*case) for case in cases]


def shown(page):
    names = ("all", "counted", "wrong", "named", "true")
    return [int(part(page, name).inner_text()) for name in names]


@browser_test
def test_alignment_by_keyboard(open_page):
    tab = open_page(page_of(alignment()))
    page = tab.page
    # [CLS] una ##ffa ##ble play ##ing a [UNK] [SEP]
    assert shown(page) == [9, 4, 0, 2, 2]
    scheme = part(page, "scheme")
    for name, expected in (
        ("all", [9, 7, 0, 2, 2]),
        ("copied", [9, 7, 0, 4, 2]),
        ("in order", [9, 4, 4, 2, 2]),
    ):
        scheme.focus()
        scheme.select_option(name)
        assert shown(page) == expected
    expect(part(page, "live")).to_contain_text("4 of 9 tokens counted")
    page.get_by_label("Tag of a").select_option("I-LOC")
    scheme.select_option("first")
    assert shown(page) == [9, 4, 0, 2, 2]
    part(page, "sentence").select_option("1")
    expect(part(page, "tokens").locator("li").nth(1)).to_have_text("playO")
    tab.check()


@browser_test
def test_typed_words_keep_the_tags_of_words_that_stay(open_page):
    page = open_page(page_of(alignment())).page
    part(page, "text").fill("Unaffable play \u200b")
    expect(part(page, "sentence")).to_have_value("own")
    expect(part(page, "words").locator("select").first).to_have_value("B-LOC")
    expect(part(page, "words").locator("select").nth(1)).to_have_value("O")
    expect(part(page, "story")).to_contain_text("1 word left without a token")
    part(page, "text").fill("")
    expect(part(page, "story")).to_contain_text("no words yet")


@browser_test
def test_picker_by_keyboard(open_page):
    tab = open_page(page_of(picker()))
    page = tab.page
    made = picker().data["windows"]
    number, start, _, score = best_over_windows(made, 4)
    expect(part(page, "window")).to_have_value(str(number))
    expect(part(page, "score")).to_have_text(f"{score:.3f}")
    expect(part(page, "start")).to_have_value(str(start))
    expect(part(page, "story")).to_contain_text("No valid span of any window has a larger sum")
    part(page, "start").focus()
    page.keyboard.press("End")
    part(page, "end").focus()
    page.keyboard.press("Home")
    expect(part(page, "story")).to_contain_text("comes before the start")
    part(page, "start").press("Home")
    part(page, "end").press("End")
    expect(part(page, "story")).to_contain_text("8 tokens are more than 4")
    expect(part(page, "valid")).to_have_text("26 of 64")
    part(page, "longest").press("End")
    expect(part(page, "valid")).to_have_text("36 of 64")
    expect(part(page, "story")).to_contain_text("valid span")
    part(page, "best").press("Enter")
    expect(part(page, "end")).to_have_value(str(best_over_windows(made, 30)[2]))
    tab.check()


@browser_test
def test_tokens_set_the_start_and_then_the_end(open_page):
    page = open_page(page_of(picker())).page
    part(page, "window").select_option("0")
    buttons = part(page, "tokens").locator("button")
    buttons.nth(2).press("Enter")
    buttons.nth(4).press("Enter")
    expect(part(page, "story")).to_contain_text('"Viking, signed 😀"')
    expect(buttons.nth(4)).to_be_focused()
    part(page, "naive").press("Enter")
    starts, ends = (picker().data["windows"][0][name] for name in ("starts", "ends"))
    expect(part(page, "start")).to_have_value(str(starts.index(max(starts))))
    expect(part(page, "end")).to_have_value(str(ends.index(max(ends))))


@browser_test
def test_hostile_text_stays_text(open_page):
    word = HOSTILE.replace("\u2028", "")
    passage = f"{word} {word}"
    made = [window(passage, 0, 2, 0)]
    sentence = ([word, word], ["B-PER", "O"])
    tab = open_page(
        page_of(
            label_alignment(WordPiece([*PIECES, word]), [sentence], title=HOSTILE),
            answer_picker(word, passage, made, title=HOSTILE),
        )
    )
    part(tab.page, "text").fill(f"{word} {word} {word}")
    assert tab.page.locator("img").count() == 0
    assert tab.page.locator(".cw[data-ready]").count() == 2
    tab.check()


@browser_test
@pytest.mark.parametrize(("maker", "text"), [(alignment, "##ffa"), (picker, "Who signed it?")])
def test_without_javascript_the_first_state_is_there(open_page, maker, text):
    page = open_page(page_of(maker()), javascript=False).page
    expect(page.get_by_text(text).first).to_be_visible()
    assert page.locator("button:visible, input:visible, select:visible").count() == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: label_alignment(WordPiece(PIECES), []), "at least one sentence"),
        (lambda: label_alignment(WordPiece(PIECES), [(["a"], [])]), "every word needs one tag"),
        (lambda: label_alignment(WordPiece(PIECES), [(["a b"], ["O"])]), "no white space"),
        (lambda: label_alignment(WordPiece(PIECES), [(["a"], ["B-XYZ"])]), "not among those"),
        (lambda: label_alignment(WordPiece(PIECES), [(["a" * 200], ["O"])]), "at most 160"),
        (lambda: answer_picker("?", PASSAGE, []), "at least one window"),
        (lambda: answer_picker("?", PASSAGE, [window(PASSAGE, 0, 3, 0)], max_tokens=0), "1..30"),
        (lambda: answer_picker("?", "short", [window(PASSAGE, 0, 9, 0)]), "must lie in the passage"),
        (lambda: answer_picker("?", PASSAGE, [window(PASSAGE, 0, 3, 0) | {"ends": [1.0]}]), "got 3, 3 and 1"),
    ],
)
def test_what_cannot_be_shown_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_logits_that_are_not_finite_are_refused():
    made = window(PASSAGE, 0, 2, 0) | {"starts": [float("nan"), 1.0]}
    with pytest.raises(ValueError, match="finite"):
        answer_picker("?", PASSAGE, [made])


def test_the_first_state_is_the_first_sentences():
    html = alignment()._repr_html_()
    assert all(word in html for word in SENTENCES[0][0])
