"""The explorables as readers meet them: by keyboard, in both themes, narrow, offline, several on a page."""

import pytest
from conftest import HOSTILE, MAKERS, VOCAB, fertility, page_of, stepper, walker
from playwright.sync_api import expect

from course_utils.explorables import fertility_explorer, merge_stepper, wordpiece_walker
from course_utils.subword.wordpiece import WordPiece

pytestmark = pytest.mark.browser


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_are_accessible_quiet_and_fit(open_page, theme, width):
    tab = open_page(page_of(*(maker() for maker in MAKERS.values())), color_scheme=theme, width=width)
    for button in tab.page.locator("[data-go=next]").all():
        for _ in range(3):
            button.press("Enter")
    assert tab.axe() == []
    assert tab.overflow() == 0
    tab.check()


def test_targets_are_at_least_24_pixels(open_page):
    page = open_page(page_of(*(maker() for maker in MAKERS.values())), width=400).page
    sizes = page.locator(".cw button:visible, .cw select, .cw label.cw-choice").evaluate_all(
        "nodes => nodes.map(node => node.getBoundingClientRect()).map(box => Math.min(box.width, box.height))"
    )
    assert len(sizes) > 12
    assert min(sizes) >= 24


def test_every_control_has_a_label_of_its_own(open_page):
    """A label names the first control or output inside: an output before the slider would take its name."""
    page = open_page(page_of(*(maker() for maker in MAKERS.values()))).page
    nameless = page.locator(".cw :is(input, select, textarea)").evaluate_all(
        """nodes => nodes
          .filter(node => !node.labels.length && !node.ariaLabel && !node.ariaLabelledByElements)
          .map(node => node.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize(
    ("theme", "scheme", "dark"), [("light", "dark", False), ("dark", "light", True), ("", "dark", True)]
)
def test_the_page_decides_the_theme_else_the_system(open_page, theme, scheme, dark):
    page = open_page(page_of(stepper(), theme=theme), color_scheme=scheme).page
    color = page.locator(".cw").evaluate("node => getComputedStyle(node).backgroundColor")
    assert color == ("rgb(27, 34, 38)" if dark else "rgb(255, 255, 255)")


def test_a_page_may_set_the_accent(open_page):
    page = open_page(page_of(stepper()) + "<style>html { --cw-accent: rgb(90, 0, 90) }</style>").page
    color = page.locator("[data-go=next]").evaluate("node => getComputedStyle(node).backgroundColor")
    assert color == "rgb(90, 0, 90)"


@pytest.mark.parametrize(
    ("name", "text"),
    [("merge_stepper", "5 ×"), ("wordpiece_walker", "##ffa"), ("fertility", "tweets"), ("polysemy", "stick")],
)
def test_without_javascript_the_first_state_is_there(open_page, name, text):
    page = open_page(page_of(MAKERS[name]()), javascript=False).page
    expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_text("Turn on JavaScript")).to_be_visible()
    assert page.locator("button:visible, input:visible, textarea:visible").count() == 0


def test_two_of_a_kind_do_not_disturb_each_other(open_page):
    tab = open_page(page_of(stepper(), walker(), stepper()))
    first, _, second = tab.page.locator(".cw").all()
    second.locator("[data-go=last]").press("Enter")
    expect(part(first, "position")).to_have_text("Merge 0 of 12")
    expect(part(second, "position")).to_have_text("Merge 12 of 12")
    tab.check()


def test_html_inserted_later_starts_as_in_a_notebook(open_page):
    """JupyterLab sets innerHTML, then replaces each script by a copy so that it runs."""
    tab = open_page(page_of())
    tab.page.evaluate(
        """(html) => {
             const host = document.createElement("div");
             host.innerHTML = html;
             for (const old of host.querySelectorAll("script")) {
               const copy = document.createElement("script");
               for (const { name, value } of old.attributes) copy.setAttribute(name, value);
               copy.textContent = old.textContent;
               old.replaceWith(copy);
             }
             document.querySelector("main").append(host);
           }""",
        stepper()._repr_html_(),
    )
    expect(part(tab.page, "position")).to_have_text("Merge 0 of 12")
    tab.check()


def test_hostile_text_stays_text(open_page):
    row = {"domain": HOSTILE, "tokenizer": HOSTILE, "vocab_size": 500, "fertility": 1.5}
    broken = HOSTILE.replace("\u2028", "")
    shown = [
        merge_stepper(broken, 5, title=HOSTILE),
        wordpiece_walker(WordPiece([*VOCAB, HOSTILE]), HOSTILE, title=HOSTILE),
        fertility_explorer([row], title=HOSTILE, interval=HOSTILE),
    ]
    tab = open_page(page_of(*shown))
    for box in tab.page.locator("textarea, input[type=text]").all():
        box.fill(f"{broken} {broken}")
    for button in tab.page.locator("[data-go=last]").all():
        button.click()
    assert tab.page.locator("img").count() == 0
    assert tab.page.locator(".cw[data-ready]").count() == 3
    tab.check()


def test_stepper_by_keyboard(open_page):
    tab = open_page(page_of(stepper()))
    page, position = tab.page, part(tab.page, "position")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("[data-go=first]")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(position).to_have_text("Merge 1 of 12")
    expect(part(page, "happened")).to_have_text("e + s → es Seen 9 times, now one token.")
    expect(part(page, "words").locator(".cw-new")).to_have_text(["es", "es"])
    expect(part(page, "live")).to_contain_text("Next: es + t, seen 9 times.")
    expect(part(page, "rows").locator("tr").first).to_contain_text("next")
    page.keyboard.press("End")
    expect(part(page, "next")).to_have_text("The end: every word is one token, no pair is left.")
    expect(part(page, "tokens")).to_have_text("16")
    page.keyboard.press("Home")
    expect(position).to_have_text("Merge 0 of 12")
    expect(part(page, "next")).to_contain_text("2 pairs tie: the smallest token numbers win, here 1 then 7.")
    page.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(position).to_have_text("Merge 1 of 12")
    assert part(page, "merged").locator("li").count() == 1
    tab.check()


def test_bars_are_as_long_as_their_counts(open_page):
    page = open_page(page_of(stepper()), width=400).page
    page.locator("[data-go=next]").press("Enter")
    widths = page.locator(".cw-bar").evaluate_all(
        "bars => bars.map(bar => bar.getBoundingClientRect().width)"
    )
    counts = [int(text) for text in part(page, "rows").locator("td:nth-child(3)").all_text_contents()]
    shares = [width / widths[0] for width in widths]
    assert shares == pytest.approx([count / counts[0] for count in counts], abs=0.02)
    assert len(set(counts)) > 2


def test_buttons_keep_the_focus_at_the_end(open_page):
    page = open_page(page_of(stepper())).page
    last = page.locator("[data-go=last]")
    last.press("Enter")
    expect(last).to_be_focused()
    expect(last).to_have_attribute("aria-disabled", "true")
    last.press("Enter")
    expect(part(page, "position")).to_have_text("Merge 12 of 12")


def test_stepper_trains_on_what_is_typed(open_page):
    page = open_page(page_of(stepper())).page
    page.locator("textarea").fill("aaaa aa")
    expect(part(page, "position")).to_have_text("Merge 0 of 2")
    page.locator("textarea").press("ArrowLeft")
    expect(part(page, "position")).to_have_text("Merge 0 of 2")
    page.locator("[data-go=last]").click()
    expect(part(page, "words").locator(".cw-chip")).to_have_text(["aaaa", "aa"])
    page.locator("textarea").fill("   ")
    expect(part(page, "happened")).to_have_text("There is no text yet: type some words.")


def test_walker_by_keyboard(open_page):
    tab = open_page(page_of(walker()))
    page, story = tab.page, part(tab.page, "story")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(story).to_have_text("Start with the whole word, 9 letters.")
    page.keyboard.press("ArrowRight")
    expect(story).to_have_text("unaffable is not in the vocabulary. Drop its last letter and look again.")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(story).to_contain_text("una is in the vocabulary, number 1. Take it, and go on from letter 4")
    expect(part(page, "pieces").locator(".cw-chip")).to_have_text(["una"])
    expect(part(page, "live")).to_contain_text("una is in the vocabulary")
    page.keyboard.press("End")
    expect(story).to_contain_text("it becomes [UNK]")
    expect(part(page, "pieces").locator(".cw-chip")).to_have_text(["[UNK]"])
    tab.check()


def test_walker_jumps_to_words_and_says_why_one_is_unknown(open_page):
    page = open_page(page_of(walker())).page
    word = page.get_by_role("button", name="playing")
    word.press("Enter")
    expect(part(page, "story")).to_have_text("Start with the whole word, 7 letters.")
    expect(page.get_by_role("button", name="unaffable")).to_contain_text("3 pieces")
    expect(page.get_by_role("button", name="playing")).to_be_focused()
    page.locator("input[type=text]").fill("a" * 101)
    expect(part(page, "story")).to_contain_text("101 characters are more than 100")


def test_fertility_by_keyboard(open_page):
    tab = open_page(page_of(fertility()))
    page, rows = tab.page, part(tab.page, "rows").locator("tr")
    assert rows.count() == 3
    expect(rows.first).to_contain_text("Ελληνικά")
    expect(rows.first).to_contain_text("1.45")
    page.locator("input[type=range]").focus()
    page.keyboard.press("End")
    expect(part(page, "sizeText")).to_have_text("16,000")
    expect(rows.first).to_contain_text("1.11")
    expect(part(page, "live")).to_contain_text(
        "Vocabulary of 16,000. Tokens per word: highest Ελληνικά, 1.11"
    )
    page.get_by_label("WordPiece").press("Space")
    expect(rows).to_have_count(6)
    expect(page.locator(".cw-chart path.cw-line")).to_have_count(6)
    page.get_by_label("No texts").press("Enter")
    expect(rows).to_have_text("Nothing is chosen: tick a text and a tokenizer.")
    page.get_by_label("films").press("Space")
    expect(rows).to_have_count(2)
    page.get_by_label("Measure").select_option("unknown_rate")
    expect(rows.first).to_contain_text("0.0%")
    tab.check()


def test_a_click_on_the_chart_picks_the_nearest_size(open_page):
    page = open_page(page_of(fertility())).page
    box = page.locator(".cw-chart").bounding_box()
    page.mouse.click(box["x"] + 60, box["y"] + 100)
    expect(part(page, "sizeText")).to_have_text("500")


def test_motion_stops_for_readers_who_ask(open_page):
    for motion, moves in [("reduce", False), ("no-preference", True)]:
        page = open_page(page_of(stepper()), reduced_motion=motion).page
        page.evaluate("() => { Element.prototype.animate = () => { window.moved = true; }; }")
        page.locator("[data-go=next]").press("Enter")
        assert page.evaluate("Boolean(window.moved)") is moves
