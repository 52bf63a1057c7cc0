"""The projection explorer: what it computes, what it refuses, and how it answers to the keyboard."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import HOSTILE, page_of
from many_pictures import COUNT, cloud, projected
from playwright.sync_api import expect
from sklearn.metrics import adjusted_rand_score

from course_utils.explorables.projection import projection_explorer

GIVEN = cloud("sentences")


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def test_agreement_is_the_adjusted_rand_index_within_a_perplexity():
    (made,) = projection_explorer([GIVEN]).data["clouds"]
    groups = [np.asarray(one.groups) for one in GIVEN.pictures]
    for first in (0, 3):
        one = made["pictures"][first]
        others = [adjusted_rand_score(groups[first], groups[first + k]) for k in (1, 2)]
        assert one["seeds"] == pytest.approx(np.mean(others), abs=6e-4)
        assert one["before"] == pytest.approx(adjusted_rand_score(groups[first], GIVEN.before), abs=6e-4)
        assert one["known"] == pytest.approx(adjusted_rand_score(groups[first], GIVEN.known), abs=6e-4)


def test_points_fill_the_square_on_one_scale():
    wide = replace(GIVEN.pictures[0], points=np.stack([np.arange(COUNT) * 10.0, np.arange(COUNT)], axis=1))
    (made,) = projection_explorer([replace(GIVEN, pictures=[wide, *GIVEN.pictures[1:]])]).data["clouds"]
    points = np.array(made["pictures"][0]["points"])
    assert np.abs(points).max(axis=0) == pytest.approx([1.0, 0.1])


def without(cloud, *numbers):
    return replace(cloud, pictures=[one for i, one in enumerate(cloud.pictures) if i not in numbers])


@pytest.mark.parametrize(
    ("clouds", "message"),
    [
        ([], "no cloud"),
        ([replace(GIVEN, before=np.zeros(COUNT))], "whole numbers"),
        ([replace(GIVEN, before=np.full(COUNT, 26))], "at most 26 groups"),
        ([replace(GIVEN, known=["films"])], "1 known labels for 24 points"),
        ([without(GIVEN, 1, 2)], "two seeds or more"),
        ([GIVEN, without(GIVEN, 2)], "the same perplexities and seeds"),
        (
            [replace(GIVEN, pictures=[replace(one, points=np.zeros((3, 2))) for one in GIVEN.pictures])],
            r"shape \(24, 2\)",
        ),
    ],
)
def test_it_refuses(clouds, message):
    with pytest.raises(ValueError, match=message):
        projection_explorer(clouds)


@pytest.mark.browser
def test_by_keyboard(open_page):
    tab = open_page(page_of(projected()))
    page = tab.page
    letters = lambda: page.locator(".cw-letter").all_text_contents()
    page.keyboard.press("Tab")
    expect(part(page, "cloud")).to_be_focused()
    assert letters() == [chr(65 + group) for group in GIVEN.pictures[0].groups]
    part(page, "perplexity").select_option("30")
    part(page, "seed").select_option("2")
    assert letters() == [chr(65 + group) for group in GIVEN.pictures[5].groups]
    part(page, "by").select_option("before")
    assert letters() == [chr(65 + group) for group in GIVEN.before]
    part(page, "by").select_option("known")
    expect(part(page, "legend").locator("li")).to_have_text(["F films", "T tweets 😀"])
    part(page, "cloud").select_option("1")
    expect(part(page, "by")).to_have_value("groups")
    expect(part(page, "score")).to_contain_text("agree with those of the other seeds")
    expect(part(page, "live")).to_contain_text("before the projection")
    tab.check()


@pytest.mark.browser
def test_hostile_names_stay_text(open_page):
    tab = open_page(page_of(projection_explorer([replace(GIVEN, name=HOSTILE, known=[HOSTILE] * COUNT)])))
    part(tab.page, "by").select_option("known")
    assert tab.page.locator("img").count() == 0
    tab.check()
