"""The frontier: what fits a budget is the same in Python and in the page, by keyboard, without a script."""

import pytest
from conftest import page_of
from large_and_small import FAMILIES, SETTINGS, budgeted, models
from playwright.sync_api import expect

from course_utils.explorables.frontier import ALL, MEGABYTES, MILLISECONDS, Model, frontier, within

WHOLE = Model("whole", "teacher", 90.0, 1.0, None, None, {"torch": 9.0})
SMALL = Model("small", "cut", 8.0, 0.9, 0.88, 0.92, {"torch": 3.0})
TIED = SMALL._replace(name="tied", megabytes=9.0)
BUDGETS = [(10, 5), (None, None), (0.3, 0.1), (30, None), (None, 2)]


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def test_a_budget_leaves_what_fits_the_best_first():
    found = within([WHOLE, TIED, SMALL], "torch", ALL, 10, 5)
    assert found["fitting"] == ["small", "tied"]
    assert found["front"] == ["small"]  # the tied one is larger and keeps no more
    assert (found["timed"], found["best"]) == (3, "small")
    assert [found[key] for key in ("lost", "lost_low", "lost_high")] == pytest.approx([0.1, 0.08, 0.12])


def test_limits_belong_to_what_they_allow():
    assert within([SMALL], "torch", ALL, 8, 3)["best"] == "small"
    assert within([SMALL], "torch", ALL, 7.99, 3)["best"] is None
    assert within([SMALL], "torch", ALL, 8, 2.99)["lost"] is None


def test_engines_and_families_are_not_mixed():
    other = SMALL._replace(name="elsewhere", kept=0.91, milliseconds={"onnxruntime": 1.0})
    assert within([WHOLE, SMALL, other], "torch", ALL, None, None)["fitting"] == ["whole", "small"]
    assert within([WHOLE, SMALL, other], "torch", "cut", None, None)["fitting"] == ["small"]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_on_the_front_is_beaten(seed):
    given = {m.name: m for m in models(seed=seed)}
    found = within(list(given.values()), SETTINGS[0], ALL, None, None)
    front = [given[name] for name in found["front"]]
    for m in map(given.__getitem__, found["fitting"]):
        beaten = any(
            f.megabytes <= m.megabytes and f.kept >= m.kept and (f.megabytes, f.kept) != (m.megabytes, m.kept)
            for f in front
        )
        twin = any((f.megabytes, f.kept) == (m.megabytes, m.kept) for f in front)
        assert beaten or twin
        assert (m in front) <= (not beaten)


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ([], {}, "at least one model"),
        ([SMALL, SMALL], {}, "name of its own"),
        ([SMALL._replace(megabytes=0)], {}, "above 0"),
        ([SMALL._replace(milliseconds={})], {}, "above 0"),
        ([SMALL._replace(low=0.95)], {}, "must hold 0.9"),
        ([SMALL._replace(low=None)], {}, "None on both sides"),
        ([SMALL], {"megabytes": 11}, "on the sliders"),
        ([SMALL], {"milliseconds": 4}, "on the sliders"),
    ],
)
def test_it_refuses(given, options, message):
    with pytest.raises(ValueError, match=message):
        frontier(given, **options)


@pytest.mark.browser
def test_the_script_computes_what_python_does(scripts):
    page = scripts("chart.js", "frontier.js")
    for seed in range(4):
        given = models(seed=seed)
        sent = [m._asdict() for m in given]
        for setting in SETTINGS:
            for family in (ALL, *FAMILIES):
                for budget in BUDGETS:
                    found = page.evaluate("(a) => within(...a)", [sent, setting, family, *budget])
                    wanted = within(given, setting, family, *budget)
                    for key, value in wanted.items():
                        close = isinstance(value, float)
                        assert found[key] == (pytest.approx(value, abs=1e-9) if close else value), key


@pytest.mark.browser
def test_it_answers_by_keyboard(open_page):
    tab = open_page(page_of(budgeted()))
    page = tab.page
    for name in ("megabytes", "milliseconds"):
        page.keyboard.press("Tab")
        expect(part(page, name)).to_be_focused()
    expect(part(page, "story")).to_contain_text("Under 10 MB and 5 ms")
    page.keyboard.press("End")
    expect(part(page, "millisecondsText")).to_have_text("no limit")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("End")
    found = within(models(), SETTINGS[0], ALL, None, None)
    expect(part(page, "rows").locator("tr")).to_have_count(found["timed"])
    expect(part(page, "story")).to_contain_text("Without a limit")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    expect(part(page, "story")).to_contain_text("none of")
    page.keyboard.press("End")
    part(page, "megabytes").press("End")
    part(page, "setting").select_option("1")
    part(page, "family").select_option("1")
    wanted = within(models(), SETTINGS[1], "teacher", None, None)
    assert part(page, "rows").locator("th").all_text_contents() == wanted["fitting"]
    expect(part(page, "live")).to_contain_text("loses nothing: it keeps 100.0%")
    tab.check()


@pytest.mark.browser
def test_its_marks_are_the_timed_models_and_those_outside_fade(open_page):
    page = open_page(page_of(budgeted())).page
    found = within(models(), SETTINGS[0], ALL, 10, 5)
    expect(page.locator(".cw-model")).to_have_count(found["timed"])
    expect(page.locator(".cw-model.cw-out")).to_have_count(found["timed"] - len(found["fitting"]))


@pytest.mark.browser
def test_it_shows_the_same_table_before_and_after_its_script(open_page):
    def read(javascript):
        page = open_page(page_of(budgeted()), javascript=javascript).page
        return part(page, "caption").text_content(), part(page, "rows").locator("tr").all_text_contents()

    assert read(False) == read(True)


def test_the_sliders_rise_and_end_without_a_limit():
    for limits in (MEGABYTES, MILLISECONDS):
        assert list(limits[:-1]) == sorted(limits[:-1])
        assert limits[-1] is None
