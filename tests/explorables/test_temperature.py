"""The temperature explorable: its numbers are those of the losses, and it answers to the keyboard."""

import pytest
import torch
from conftest import page_of
from playwright.sync_api import expect
from soft_and_hard import CASES, softener

from course_utils.distillation.losses import soft_target_loss, soft_targets
from course_utils.explorables.temperature import Case, measure, soften, temperature_at, temperature_explorer

TEMPERATURES = [0.25, 1.0, 2.0, 5.0, 64.0]


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("case", CASES)
def test_its_numbers_are_those_of_the_losses(case, temperature):
    v = torch.tensor([case.teacher], dtype=torch.float64)
    z = torch.tensor([case.student], dtype=torch.float64, requires_grad=True)
    p = soft_targets(v, temperature)
    assert soften(case.teacher, temperature) == pytest.approx(p[0].tolist(), rel=1e-9, abs=1e-300)
    found = measure(case.teacher, case.student, temperature)
    for squared, name in ((False, "gradient"), (True, "scaled")):
        loss = soft_target_loss(z, v, temperature, squared=squared)
        (gradient,) = torch.autograd.grad(loss, z)
        assert found[name] == pytest.approx(gradient.norm().item(), rel=1e-9)
    assert found["divergence"] == pytest.approx(soft_target_loss(z, v, temperature, squared=False).item())
    assert found["entropy"] == pytest.approx(-torch.special.xlogy(p, p).sum().item(), abs=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher": [1.0, 2.0]}, "as many logits"),
        ({"student": [0.0, float("nan"), 0.0, 0.0]}, "must be finite"),
        ({"near": "lorry"}, "must be among the classes"),
    ],
)
def test_it_refuses(change, message):
    with pytest.raises(ValueError, match=message):
        temperature_explorer([CASES[0]._replace(**change)])


def test_it_needs_a_case_and_a_temperature():
    with pytest.raises(ValueError, match="no case"):
        temperature_explorer([])
    with pytest.raises(ValueError, match="above 0"):
        temperature_explorer([Case("", ["a", "b", "c"], [1, 2, 3], [1, 2, 3], "a", "b")], temperature=0)


@pytest.mark.browser
def test_the_script_computes_what_python_does(scripts):
    page = scripts("temperature.js")
    for case in CASES:
        for temperature in TEMPERATURES:
            given = [list(case.teacher), list(case.student), temperature]
            found = page.evaluate("([v, z, t]) => measure(v, z, t)", given)
            assert found == pytest.approx(measure(*given), rel=1e-9, abs=1e-12)
            softened = page.evaluate("([v, z, t]) => soften(v, t)", given)
            assert softened == pytest.approx(soften(case.teacher, temperature), rel=1e-9, abs=1e-300)
    places = [0, 7, 16, 64]
    assert page.evaluate("(all) => all.map(temperatureAt)", places) == pytest.approx(
        [temperature_at(place) for place in places]
    )


@pytest.mark.browser
def test_by_keyboard(open_page):
    tab = open_page(page_of(softener()))
    page = tab.page
    page.keyboard.press("Tab")
    expect(part(page, "case")).to_be_focused()
    page.keyboard.press("Tab")
    expect(part(page, "place")).to_be_focused()
    expect(part(page, "placeText")).to_have_text("1.00")
    expect(part(page, "gradient")).to_have_text(part(page, "scaled").text_content())  # T squared is 1
    page.keyboard.press("End")
    expect(part(page, "placeText")).to_have_text("64.00")
    expect(part(page, "story")).to_contain_text("truck is 1.1 times as likely as carrot")
    page.keyboard.press("Home")
    expect(part(page, "story")).to_contain_text("At 0.25 the teacher gives car 1.000")
    part(page, "case").select_option("1")
    expect(part(page, "text")).to_have_text("A sure one")
    expect(part(page, "live")).to_contain_text("times T squared")
    tab.check()


@pytest.mark.browser
def test_it_shows_the_same_table_before_and_after_its_script(open_page):
    read = lambda javascript: (
        part(open_page(page_of(softener()), javascript=javascript).page, "rows")
        .locator("tr")
        .all_text_contents()
    )
    assert read(False) == read(True)
