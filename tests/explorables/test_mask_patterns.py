"""The mask pattern viewer: the masks of the package, in Python and in the script; by keyboard and pointer."""

import pytest
import torch
from conftest import page_of
from playwright.sync_api import expect

from course_utils.explorables import mask_patterns
from course_utils.explorables.mask_patterns import KNOBS, PATTERNS, pattern_grid, reach
from course_utils.models import masks

SIZES = [
    {"length": n, "radius": r, "dilation": d, "count": g}
    for n, r, d, g in [
        (4, 0, 1, 0),
        (5, 9, 2, 6),
        (13, 2, 3, 1),
        (24, 3, 2, 2),
        (48, 16, 6, 0),
        (48, 5, 4, 3),
    ]
]


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def packaged(pattern, values):
    """The pattern in the mask language of the package, (length, length)."""
    length = values["length"]
    is_global = (torch.arange(length) < values["count"])[None]
    window = masks.sliding_window(length, values["radius"])
    made = {
        "full": masks.full(length),
        "causal": masks.causal(length),
        "window": window,
        "dilated": masks.sliding_window(length, values["radius"], values["dilation"]),
        "global": window | masks.global_tokens(is_global),
        "causal window": window & masks.causal(length),
    }[pattern]
    return made[0, 0]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("values", SIZES, ids=str)
def test_patterns_are_the_masks_of_the_package(pattern, values):
    assert pattern_grid(pattern, values) == packaged(pattern, values).tolist()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_reach_is_a_power_of_the_mask(pattern):
    values = SIZES[3]
    step = (packaged(pattern, values) | torch.eye(24, dtype=torch.bool)).float()
    for layers in (1, 2, 5):
        expected = torch.linalg.matrix_power(step, layers) > 0
        found = [reach(pattern_grid(pattern, values), row, layers) for row in range(24)]
        assert found == expected.tolist()


@pytest.mark.browser
def test_the_script_computes_the_same(scripts):
    page = scripts("mask_patterns.js")
    cases = [(pattern, values) for pattern in PATTERNS for values in SIZES]
    found = page.evaluate(
        """(cases) => cases.map(([pattern, values]) => {
             const grid = patternGrid(pattern, values);
             return [grid, countPairs(grid), [1, 3].map((layers) => reach(grid, 2, layers))];
           })""",
        cases,
    )
    for (pattern, values), (grid, pairs, reached) in zip(cases, found, strict=True):
        expected = pattern_grid(pattern, values)
        assert grid == expected
        assert pairs == sum(map(sum, expected))
        assert reached == [reach(expected, 2, layers) for layers in (1, 3)]


@pytest.mark.browser
def test_ranges_say_every_place(scripts):
    page = scripts("mask_patterns.js")
    flags = [[1, 1, 1, 0, 1], [0, 1, 0, 1, 0, 1], [1, 1, 0], [0, 0, 1], [1, 0, 0, 1], [0, 0]]
    found = page.evaluate("(all) => all.map((flags) => ranges(flags.map(Boolean)))", flags)
    assert found == ["0 to 2, 4", "1 to 5 in steps of 2", "0, 1", "2", "0, 3", ""]


@pytest.mark.browser
def test_by_keyboard(open_page):
    tab = open_page(page_of(mask_patterns("global", length=24, radius=2, count=1, layers=2)))
    page = tab.page
    page.keyboard.press("Tab")
    expect(part(page, "pattern")).to_be_focused()
    expect(part(page, "pairs")).to_have_text("156")
    expect(part(page, "square")).to_have_text("576")
    expect(part(page, "share")).to_have_text("27.1%")
    expect(part(page, "reached")).to_have_text("24")
    expect(part(page, "story")).to_contain_text("Token 12 sees 6 tokens of 24: 0, 10 to 14.")
    part(page, "row").focus()
    page.keyboard.press("Home")
    expect(part(page, "rowText")).to_have_text("token 0")
    expect(part(page, "story")).to_contain_text("Token 0 sees 24 tokens of 24: 0 to 23.")
    part(page, "pattern").select_option("dilated")
    expect(page.get_by_label("Dilation: tokens in a step")).to_be_visible()
    expect(page.get_by_label("Global tokens, the first ones")).to_be_hidden()
    expect(part(page, "story")).to_contain_text("Token 0 sees 3 tokens of 24: 0 to 4 in steps of 2.")
    page.get_by_label("Length of the text").focus()
    page.keyboard.press("Home")
    expect(part(page, "square")).to_have_text("16")
    expect(part(page, "live")).to_contain_text("scores of 16")
    tab.check()


@pytest.mark.browser
def test_the_pointer_chooses_a_row(open_page):
    page = open_page(page_of(mask_patterns("window", length=12, radius=1))).page
    box = page.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 3.5 / 12)
    expect(part(page, "rowText")).to_have_text("token 3")
    expect(part(page, "story")).to_contain_text("Token 3 sees 3 tokens of 12: 2 to 4.")


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_squares_are_painted_where_the_mask_is_true(open_page, theme):
    page = open_page(page_of(mask_patterns("causal", length=8, row=0)), color_scheme=theme).page
    found = page.evaluate(
        """() => {
             const canvas = document.querySelector("canvas"), cell = canvas.width / 8;
             const pen = canvas.getContext("2d"), middle = (i) => (i + 0.5) * cell;
             const pixel = (i, j) => pen.getImageData(middle(j), middle(i), 1, 1).data.join();
             return Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, j) => pixel(i, j)));
           }"""
    )
    grid = pattern_grid("causal", {"length": 8, "radius": 0, "dilation": 1, "count": 0})
    unseen = {found[i][j] for i in range(8) for j in range(8) if not grid[i][j]}
    seen = {found[i][j] for i in range(1, 8) for j in range(8) if grid[i][j]}
    assert len(unseen) == len(seen) == 1
    assert unseen != seen


@pytest.mark.browser
def test_without_javascript_the_first_state_is_there(open_page):
    page = open_page(page_of(mask_patterns("window", length=6, radius=1)), javascript=False).page
    expect(part(page, "story")).to_have_text("Sliding window: token 3 sees 3 of 6 tokens.")
    assert page.locator(".cw-line").count() == 6
    assert page.locator(".cw-line .cw-seen").count() == 16
    assert page.locator("select:visible, input:visible").count() == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mask_patterns("star"), "one of full, causal"),
        (lambda: mask_patterns(length=99), r"length must lie in 4\.\.48"),
        (lambda: mask_patterns(radius=-1), r"radius must lie in 0\.\.16"),
        (lambda: mask_patterns(length=8, row=8), r"0\.\.7, got 8"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_every_knob_of_a_pattern_exists():
    assert {knob for _, knobs in PATTERNS.values() for knob in knobs} <= KNOBS.keys()
