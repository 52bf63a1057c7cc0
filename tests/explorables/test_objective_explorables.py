"""Masking sampler, objective gallery and span corruption: by keyboard, in both themes, with hostile text."""

import re

import pytest
from conftest import HOSTILE, page_of
from playwright.sync_api import expect

from course_utils.explorables import masking_sampler, objective_gallery, span_corruption
from course_utils.subword.wordpiece import WordPiece

browser_test = pytest.mark.browser
VOCAB = list(dict.fromkeys(["[UNK]", "un", "##put", "##down", "##able", "story", ".", ",", *"aeiouprstwchy"]))
TEXT = "a unputdownable story . i cry ."


def sampler():
    return masking_sampler("The plot is thin, but the leads carry it.")


def gallery():
    return objective_gallery(WordPiece(VOCAB), TEXT, other=["a story .", "i try ."])


MAKERS = {"masking_sampler": sampler, "objective_gallery": gallery, "span_corruption": span_corruption}


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


@browser_test
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_are_accessible_quiet_and_fit(open_page, theme, width):
    tab = open_page(page_of(*(maker() for maker in MAKERS.values())), color_scheme=theme, width=width)
    tab.page.locator("[data-part=family]").select_option("all")
    tab.page.locator("[data-part=many]").press("Enter")
    assert tab.axe() == []
    assert tab.overflow() == 0
    sizes = tab.page.locator(".cw button:visible, .cw select").evaluate_all(
        "nodes => nodes.map(node => node.getBoundingClientRect()).map(box => Math.min(box.width, box.height))"
    )
    assert min(sizes) >= 24
    tab.check()


@pytest.mark.parametrize("name", MAKERS)
def test_no_ids_and_no_addresses(name):
    html = MAKERS[name]()._repr_html_()
    assert not re.search(r"\sid=", html)
    assert set(re.findall(r"https?://[^\"'\s]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert html == MAKERS[name]()._repr_html_()


@browser_test
@pytest.mark.parametrize(
    ("name", "text"),
    [("masking_sampler", "leads"), ("objective_gallery", "##put"), ("span_corruption", "<X>")],
)
def test_without_javascript_the_first_state_is_there(open_page, name, text):
    page = open_page(page_of(MAKERS[name]()), javascript=False).page
    expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_text("Turn on JavaScript")).to_be_visible()
    assert page.locator("button:visible, input:visible, textarea:visible").count() == 0


@browser_test
def test_hostile_text_stays_text(open_page):
    text = HOSTILE.replace("\u2028", "")
    shown = [
        masking_sampler(text, replacements=[text], title=HOSTILE),
        objective_gallery(WordPiece([*VOCAB, text]), text, other=[text], title=HOSTILE),
        span_corruption(text, (0,), title=HOSTILE),
    ]
    tab = open_page(page_of(*shown))
    tab.page.locator("[data-part=family]").select_option("all")
    for box in tab.page.locator("textarea, input[type=text]").all():
        box.fill(f"{text} {text}")
    for button in tab.page.locator("[data-part=again]").all():
        button.click()
    assert tab.page.locator("img").count() == 0
    assert tab.page.locator(".cw[data-ready]").count() == 3
    tab.check()


def shares(page):
    names = ("share", "mask", "random", "keep")
    return [part(page, f"{name}Text").inner_text() for name in names]


@browser_test
def test_sampler_by_keyboard(open_page):
    tab = open_page(page_of(sampler()))
    page = tab.page
    page.keyboard.press("Tab")
    expect(part(page, "text")).to_be_focused()
    assert shares(page) == ["15%", "80%", "10%", "10%"]
    expect(part(page, "drawn")).to_have_text("1 draw, 11 tokens")
    part(page, "mask").focus()
    page.keyboard.press("End")
    assert shares(page) == ["15%", "100%", "0%", "0%"]
    page.keyboard.press("Home")
    assert shares(page) == ["15%", "0%", "50%", "50%"]
    part(page, "share").focus()
    page.keyboard.press("End")
    assert part(page, "tokens").locator(".cw-masked").count() == 0
    assert part(page, "tokens").locator(".cw-random, .cw-kept").count() == 11
    expect(part(page, "live")).to_contain_text("11 tokens of 11 chosen")
    tab.check()


@browser_test
def test_sampler_tallies_what_it_draws_and_tests_it(open_page):
    page = open_page(page_of(sampler())).page
    expect(part(page, "test")).to_contain_text("Too few tokens")
    part(page, "many").press("Enter")
    expect(part(page, "drawn")).to_have_text("1,001 draws, 11,011 tokens")
    cells = part(page, "rows").locator("td:nth-child(2)").all_text_contents()
    counts = [int(text.replace(",", "")) for text in cells]
    assert sum(counts) == 11_011
    assert 0.13 < sum(counts[:3]) / 11_011 < 0.17
    value = float(re.search(r"Chi-squared: (\d+\.\d)", part(page, "test").inner_text())[1])
    expected = [11_011 * share for share in (0.12, 0.015, 0.015, 0.85)]
    assert value == pytest.approx(
        sum((o - e) ** 2 / e for o, e in zip(counts, expected, strict=True)), abs=0.06
    )
    part(page, "clear").press("Enter")
    expect(part(page, "drawn")).to_have_text("1 draw, 11 tokens")


@browser_test
def test_sampler_never_touches_special_tokens_and_shows_every_word(open_page):
    page = open_page(page_of(sampler())).page
    part(page, "share").focus()
    page.keyboard.press("End")
    chips = part(page, "tokens").locator(".cw-chip").all_text_contents()
    assert (chips[0], chips[-1], len(chips)) == ("[CLS]", "[SEP]", 13)
    asked = part(page, "tokens").locator(".cw-below").all_text_contents()
    assert asked[1:-1] == ["The", "plot", "is", "thin", ",", "but", "the", "leads", "carry", "it", "."]


@browser_test
def test_spans_are_toggled_by_keyboard(open_page):
    tab = open_page(page_of(span_corruption()))
    page = tab.page
    texts = {name: part(page, name).locator(".cw-chip") for name in ("inputs", "targets")}
    expect(texts["inputs"]).to_have_text(
        ["Thank", "you", "<X>", "me", "to", "your", "party", "<Y>", "week", "."]
    )
    expect(texts["targets"]).to_have_text(["<X>", "for", "inviting", "<Y>", "last", "<Z>"])
    button = page.get_by_role("button", name="week")
    button.focus()
    page.keyboard.press("Space")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(texts["targets"]).to_have_text(["<X>", "for", "inviting", "<Y>", "last", "week", "<Z>"])
    expect(part(page, "written")).to_have_text("7")
    expect(part(page, "story")).to_contain_text("4 tokens of 11 in 2 spans")
    page.keyboard.press("Enter")
    expect(texts["targets"]).to_have_text(["<X>", "for", "inviting", "<Y>", "last", "<Z>"])
    part(page, "none").press("Enter")
    expect(texts["targets"]).to_have_text(["<X>"])
    expect(part(page, "story")).to_contain_text("teaches nothing")
    tab.check()


@browser_test
def test_spans_are_drawn_as_dense_as_asked(open_page):
    page = open_page(page_of(span_corruption("a " * 100, ()))).page
    part(page, "density").focus()
    page.keyboard.press("End")
    expect(part(page, "story")).to_contain_text("60 tokens of 100 in 20 spans")
    part(page, "span").focus()
    page.keyboard.press("Home")
    expect(part(page, "story")).to_contain_text("60 tokens of 100 in 40 spans")
    part(page, "text").fill("one")
    expect(part(page, "story")).to_contain_text("Nothing is corrupted")
    part(page, "text").fill("")
    expect(part(page, "story")).to_contain_text("There is no text yet")


def cards(page):
    return {card.locator(".cw-name").inner_text(): card for card in page.locator(".cw-card").all()}


@browser_test
def test_gallery_shows_each_family_and_draws_again(open_page):
    tab = open_page(page_of(gallery()))
    page = tab.page
    assert next(iter(cards(page))) == "Masked LM BERT"
    assert len(cards(page)) == 6
    family = part(page, "family")
    for value, count in (("written", 11), ("pair", 2), ("all", 19)):
        family.select_option(value)
        assert len(cards(page)) == count
    before = part(page, "cards").inner_text()
    part(page, "again").focus()
    page.keyboard.press("Enter")
    expect(part(page, "drawn")).to_have_text("Draw 2")
    assert part(page, "cards").inner_text() != before
    expect(part(page, "live")).to_contain_text("Draw 2: 19 objectives shown.")
    part(page, "text").fill("a")
    expect(part(page, "cards")).to_have_text("There is too little text yet: type two tokens or more.")
    part(page, "text").fill("a story")
    expect(part(page, "cards")).to_contain_text("This needs two sentences")
    tab.check()


RESTORE = """([tokens, starts, opens, seeds, other]) => seeds.map((seed) => {
  const all = objectivesOf({ tokens, starts, opens }, { share: 0.3, other }, seed);
  return Object.fromEntries(all.map((one) => [one.name, one]));
})"""
LIKE_THE_TEXT = (
    "BERT-style, rewritten",
    "Deshuffling",
    "Token masking",
    "Token deletion",
    "Text infilling",
    "Sentence permutation",
    "Document rotation",
)


@pytest.fixture(scope="module")
def drawn(scripts):
    """A text of distinct tokens, and every objective on it for forty seeds."""
    tokens = [f"w{i}" for i in range(20)]
    starts, opens = [i % 3 > 0 for i in range(20)], [i in (0, 7, 12) for i in range(20)]
    page = scripts("wordpiece.js", "objectives.js", "objective_gallery.js")
    return (
        tokens,
        starts,
        page.evaluate(RESTORE, [tokens, starts, opens, list(range(40)), [["x"], ["y", "z"]]]),
    )


@browser_test
def test_gallery_labels_restore_the_text(drawn):
    tokens, _, found = drawn
    for made in found:
        for name in ("Masked LM", "Whole-word masking", "Span masking"):
            one = made[name]
            pairs = zip(one["inputs"], one["labels"], strict=True)
            assert [label or token for token, label in pairs] == tokens
            assert any(one["labels"])
        assert made["Causal LM"]["labels"] == tokens
        prefix = made["Prefix LM"]["labels"]
        asked = [label for label in prefix if label]
        assert asked == tokens[-len(asked) :]
        for name in LIKE_THE_TEXT:
            assert made[name]["targets"] == tokens
        replaced = made["Replaced-token detection"]
        for token, new, label in zip(tokens, replaced["inputs"], replaced["labels"], strict=True):
            assert label == ("original" if new == token else "replaced")


@browser_test
def test_gallery_targets_restore_the_text(drawn):
    tokens, _, found = drawn
    for made in found:
        for name in ("Span corruption", "Single tokens replaced"):
            parts, current = {}, []
            for token in made[name]["targets"]:
                if token.startswith("<"):
                    current = parts.setdefault(token, [])
                else:
                    current.append(token)
            restored = [t for token in made[name]["inputs"] for t in parts.get(token, [token])]
            assert restored == tokens
        for name in ("Deshuffling", "Sentence permutation", "Document rotation"):
            assert sorted(made[name]["inputs"]) == sorted(tokens)
        fragment = made["A masked fragment"]
        first = fragment["inputs"].index("[MASK]")
        assert tokens[first : first + 10] == fragment["targets"]
        dropped = made["Tokens dropped"]
        assert sorted(dropped["inputs"] + dropped["targets"]) == sorted(tokens)


@browser_test
def test_a_sample_equal_to_the_original_counts_as_original(drawn):
    _, _, found = drawn
    same = [
        (new, label)
        for made in found
        for new, old, label, sampled in zip(
            made["Replaced-token detection"]["inputs"],
            made["Causal LM"]["labels"],
            made["Replaced-token detection"]["labels"],
            made["Replaced-token detection"]["sampled"],
            strict=True,
        )
        if sampled and new == old
    ]
    assert same
    assert {label for _, label in same} == {"original"}


@browser_test
def test_pairs_are_true_and_wrong_about_equally_often(drawn):
    tokens, _, found = drawn
    answers = {"IsNext": 0, "NotNext": 0, "in order": 0, "swapped": 0}
    for made in found:
        following, order = made["Next-sentence prediction"], made["Sentence-order prediction"]
        answers[following["says"]] += 1
        answers[order["says"]] += 1
        text = [token for token in following["inputs"] if not token.startswith("[")]
        assert (text == tokens) == (following["says"] == "IsNext")
        text = [token for token in order["inputs"] if not token.startswith("[")]
        assert (text == tokens) == (order["says"] == "in order")
    assert min(answers.values()) > 8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: masking_sampler("a" * 241), "at most 240"),
        (lambda: masking_sampler("a", share=2), "share must lie"),
        (lambda: masking_sampler("a", kinds=(0.8, 0.1, 0.2)), "sum to 1"),
        (lambda: masking_sampler("a", replacements=[]), "replacements is empty"),
        (lambda: span_corruption("a b", (2,)), r"0 to 1, got \[2\]"),
        (lambda: span_corruption("a b", (), density=0.9), "density"),
        (lambda: objective_gallery(WordPiece(VOCAB), other=[]), "other is empty"),
        (lambda: objective_gallery(WordPiece(VOCAB), share=0.9), "0.05..0.5"),
        (lambda: objective_gallery(WordPiece({"[UNK]": 0, "a": 2})), "0, 1, 2"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
