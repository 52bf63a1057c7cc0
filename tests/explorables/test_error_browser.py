"""The error browser: every filter counts what it says, in Python and in the page, and by keyboard."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from conftest import HOSTILE, page_of
from playwright.sync_api import expect
from wrong_and_sure import COUNT, MODELS, NAMES, browser, columns, domains, predicted

from course_utils.explorables import error_browser
from course_utils.explorables.error_selection import (
    LENGTHS,
    LIMITS,
    codes,
    error_rate,
    probabilities,
    sample,
    select,
)
from course_utils.stats import crossed_estimate

GIVEN = predicted()
DOMAINS = domains(GIVEN)
DATA = error_browser(DOMAINS, GIVEN).data


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def test_everything_is_counted_by_a_loop():
    found = select(DATA, model=1, train=0, test=1, limit=0.7, words=2)
    labels, words, _ = columns(1)
    (one,) = [p for p in GIVEN if (p.model, p.train, p.test) == (MODELS[1], NAMES[0], NAMES[1])]
    count = errors = 0
    for row in range(COUNT):
        sure = max(one.positive[row], 1 - one.positive[row])
        if sure >= 0.7 and 9 <= words[row] <= 16:
            count += 1
            errors += int((one.positive[row] > 0.5) != (labels[row] == 1))
    assert (found["count"], found["errors"]) == (count, errors)
    assert sum(one["count"] for one in found["bins"]) == count


def test_all_is_the_sum_of_its_parts():
    whole = select(DATA)
    parts = [select(DATA, model=m, train=t, test=d) for m, t, d in product(range(2), repeat=3)]
    for key in ("count", "errors"):
        assert whole[key] == sum(one[key] for one in parts)
    assert whole["count"] == 8 * COUNT
    lengths = [select(DATA, words=number)["count"] for number in range(1, len(LENGTHS))]
    assert sum(lengths) == whole["count"]


def test_the_list_holds_the_errors_of_the_sample_the_surest_first():
    found = select(DATA, train=0, test=0)
    sure = [one["sure"] for one in found["listed"]]
    assert sure == sorted(sure, reverse=True)
    for one in found["listed"]:
        assert one["row"] in DOMAINS[0].texts
        for number in one["by"]:
            by = DATA["predicted"][number]
            said = probabilities(by["codes"])[one["row"]] > 0.5
            assert said == (one["said"] == "positive") != (columns(0)[0][one["row"]] == 1)
            assert (by["train"], by["test"]) == (0, 0)


def test_steps_never_change_the_side():
    p = np.concatenate([[0.0, 0.5, np.nextafter(0.5, 1), 1.0], np.random.default_rng(0).random(1000)])
    again = probabilities(codes(p))
    assert np.array_equal(again > 0.5, p > 0.5)
    assert np.abs(again - p).max() <= 0.0026
    assert not any(limit in again for limit in LIMITS)


def test_the_interval_is_wilsons_where_rows_stand_alone():
    from scipy.stats import binomtest

    wrong = np.arange(200) < 30
    _, low, high = error_rate(wrong, np.arange(200))
    expected = binomtest(30, 200).proportion_ci(method="wilson")
    assert [low, high] == pytest.approx([expected.low, expected.high], abs=1e-5)
    assert error_rate([0] * 5, range(5))[1:] == pytest.approx((0.0, 0.434), abs=1e-3)


def test_the_interval_counts_groups_as_the_study_does():
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(80), 5)
    wrong = rng.random(400) < np.repeat(rng.beta(1, 3, 80), 5)
    _, low, high = error_rate(wrong, groups)
    ours = crossed_estimate([wrong[None].astype(float)], groups=[groups]).interval()
    assert high - low == pytest.approx(ours.high - ours.low, rel=0.05)
    alone = error_rate(wrong, np.arange(400))
    assert high - low > 1.2 * (alone[2] - alone[1])


def test_nothing_is_no_error_rate():
    assert error_rate([], []) == (None, None, None)
    assert error_browser(DOMAINS, GIVEN[:1]).data["trains"] == [NAMES[0]]


def test_the_sample_is_drawn_from_rows_that_somebody_got_wrong():
    wrong = np.random.default_rng(0).random((3, 50)) < 0.2
    rows = sample(wrong, 10, np.random.default_rng(1))
    assert len(set(rows)) == 10
    assert wrong.any(axis=0)[rows].all()


@pytest.mark.parametrize(
    ("given", "said", "message"),
    [
        (DOMAINS, [], "no prediction"),
        (DOMAINS[:1], GIVEN, "is no test domain"),
        ([replace(DOMAINS[0], words=[1]), DOMAINS[1]], GIVEN, "of one length"),
        ([replace(DOMAINS[0], labels=np.full(COUNT, -1)), DOMAINS[1]], GIVEN, "of one length"),
        ([replace(DOMAINS[0], texts={COUNT: "x"}), DOMAINS[1]], GIVEN, "not there"),
        (DOMAINS, [replace(GIVEN[0], positive=np.full(COUNT, 1.5))], "probabilities"),
        (DOMAINS, [replace(GIVEN[0], positive=np.zeros(3))], f"expected {COUNT} probabilities"),
    ],
)
def test_it_refuses(given, said, message):
    with pytest.raises(ValueError, match=message):
        error_browser(given, said)


@pytest.mark.browser
def test_the_script_computes_what_python_does(scripts):
    page = scripts("error_browser.js")
    sent = {key: value for key, value in DATA.items() if key != "start"}
    for model, train, test, limit, words in product((-1, 1), (-1, 0), (-1, 1), (0.5, 0.9), range(5)):
        chosen = {"model": model, "train": train, "test": test, "limit": limit, "words": words}
        found, wanted = page.evaluate("([d, c]) => select(d, c)", [sent, chosen]), select(DATA, **chosen)
        assert [found[key] for key in ("count", "errors")] == [wanted[key] for key in ("count", "errors")]
        for key in ("rate", "low", "high"):
            assert found[key] == (
                wanted[key] if wanted[key] is None else pytest.approx(wanted[key], abs=1e-9)
            )
        assert [one["count"] for one in found["bins"]] == [one["count"] for one in wanted["bins"]]
        assert [{**one, "sure": None} for one in found["listed"]] == [
            {**one, "sure": None} for one in wanted["listed"]
        ]
    told = page.evaluate("() => [LENGTHS, LIMITS]")
    assert told == [[list(one) for one in LENGTHS], list(LIMITS)]


@pytest.mark.browser
def test_by_keyboard(open_page):
    tab = open_page(page_of(browser()))
    page = tab.page
    for name in ("model", "train", "test", "words", "limit"):
        page.keyboard.press("Tab")
        expect(part(page, name)).to_be_focused()
    expect(part(page, "story")).to_contain_text(f"of {2 * COUNT} predictions")
    page.keyboard.press("End")
    expect(part(page, "limitText")).to_have_text("0.95")
    found = select(DATA, model=0, train=0, limit=0.95)
    expect(part(page, "story")).to_contain_text(f"{found['errors']} of {found['count']} predictions")
    expect(part(page, "errors").locator("li")).to_have_count(len(found["listed"]))
    page.keyboard.press("Home")
    for name in ("model", "train", "test"):
        part(page, name).select_option("-1" if name != "test" else "1")
    found = select(DATA, test=1)
    expect(part(page, "heading")).to_contain_text(f"{len(found['listed'])} of the 24")
    expect(part(page, "live")).to_contain_text(f"of {found['count']} predictions are wrong")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.getAttribute('role')") == "region"
    tab.check()


@pytest.mark.browser
def test_it_shows_the_same_before_and_after_its_script(open_page):
    def read(javascript):
        page = open_page(page_of(browser()), javascript=javascript).page
        names = ("story", "right", "counts", "heading")
        return [part(page, name).text_content() for name in names], part(page, "errors").locator(
            "li"
        ).all_text_contents()

    assert read(False) == read(True)


@pytest.mark.browser
def test_hostile_texts_stay_text(open_page):
    texts = dict.fromkeys(range(COUNT), HOSTILE)
    tab = open_page(page_of(error_browser([replace(DOMAINS[0], texts=texts), DOMAINS[1]], GIVEN)))
    part(tab.page, "model").select_option("-1")
    assert tab.page.locator("img").count() == 0
    expect(part(tab.page, "errors").locator(".cw-text").first).to_contain_text("onerror=alert(1)")
    tab.check()
