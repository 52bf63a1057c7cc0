"""The focal loss curve: its numbers are the loss's own, and it answers to the keyboard."""

import math

import pytest
import torch
from conftest import page_of
from hard_and_easy import COUNTS, curve
from playwright.sync_api import expect

from course_utils.explorables import focal_curve
from course_utils.explorables.focal_curve import loss_and_gradient, shares
from course_utils.finetuning.losses import alpha_weights, focal_loss

PLACES = [0.05, 0.3, 0.5, 0.8, 0.95, 1.0]


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 3.0, 5.0])
def test_loss_and_gradient_are_those_of_the_package(gamma):
    for p in PLACES[:-1]:
        logits = torch.tensor([[0.0, math.log(p / (1 - p))]], dtype=torch.float64, requires_grad=True)
        weights = alpha_weights(0.2).double()
        made = focal_loss(logits, torch.tensor([1]), gamma=gamma, class_weights=weights)
        made.sum().backward()
        loss, gradient = loss_and_gradient(p, gamma, float(weights[1]))
        assert loss == pytest.approx(made.item(), rel=1e-9)
        assert gradient == pytest.approx(-logits.grad[0, 1].item(), rel=1e-9)


def test_shares_by_hand():
    """Four examples at 0.25 and twelve at 0.85 in twenty bins."""
    counts = [0] * 20
    counts[4], counts[17] = 4, 12  # middles 0.225 and 0.875
    (wrong, unsure, easy) = shares(counts, 2.0)
    hard, light = 4 * 0.775**2 * -math.log(0.225), 12 * 0.125**2 * -math.log(0.875)
    assert (wrong["share"], unsure["share"], easy["share"]) == (0.25, 0, 0.75)
    assert easy["loss"] == pytest.approx(light / (hard + light))
    assert sum(row["loss"] for row in (wrong, unsure, easy)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        ([], {}, "multiple of 10"),
        ([1] * 7, {}, "multiple of 10"),
        ([0] * 10, {}, "not all 0"),
        ([-1] * 10, {}, "none below 0"),
        ([1] * 10, {"gamma": 6}, "gamma must lie"),
        ([1] * 10, {"alpha": 1}, "alpha in"),
    ],
)
def test_it_refuses(counts, options, message):
    with pytest.raises(ValueError, match=message):
        focal_curve(counts, **options)


@pytest.mark.browser
def test_the_script_computes_what_python_does(scripts):
    page = scripts("chart.js", "focal_curve.js")
    gammas = [0, 0.25, 2, 5]
    found = page.evaluate(
        "([places, gammas]) => places.map((p) => gammas.map((g) => lossAndGradient(p, g, 0.2)))",
        [PLACES, gammas],
    )
    for p, row in zip(PLACES, found, strict=True):
        for gamma, pair in zip(gammas, row, strict=True):
            assert pair == pytest.approx(loss_and_gradient(p, gamma, 0.2), rel=1e-12, abs=1e-15)
    for gamma in gammas:
        made = page.evaluate("([counts, gamma]) => shares(counts, gamma)", [COUNTS, gamma])
        for one, expected in zip(made, shares(COUNTS, gamma), strict=True):
            assert one == pytest.approx(expected, rel=1e-12)


@pytest.mark.browser
def test_by_keyboard(open_page):
    tab = open_page(page_of(curve()))
    page = tab.page
    page.keyboard.press("Tab")
    expect(part(page, "gamma")).to_be_focused()
    expect(part(page, "column")).to_have_text("Focal loss, gamma 3")
    page.keyboard.press("Home")
    expect(part(page, "gammaText")).to_have_text("0.00")
    cells = part(page, "rows").locator("tr").nth(2).locator("td").all_text_contents()
    assert cells[1] == cells[2]  # without gamma both losses have the same shares
    part(page, "alpha").fill("0.5")
    expect(part(page, "story")).to_contain_text("2.0 times smaller than that of cross-entropy")
    part(page, "p").press("End")
    expect(part(page, "story")).to_contain_text("Nothing is left to learn")
    part(page, "p").fill("0.5")
    part(page, "measure").select_option("1")
    expect(part(page, "story")).to_contain_text("cross-entropy 0.500, focal 0.250 for class 1")
    expect(part(page, "live")).to_contain_text("of the focal loss")
    tab.check()


@pytest.mark.browser
def test_it_shows_the_same_table_before_and_after_its_script(open_page):
    read = lambda javascript: (
        part(open_page(page_of(curve()), javascript=javascript).page, "rows")
        .locator("tr")
        .all_text_contents()
    )
    assert read(False) == read(True)
