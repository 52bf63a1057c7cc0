"""The polysemy explorer: what it computes, what it refuses, and how it answers to keyboard and pointer."""

import numpy as np
import pytest
from conftest import HOSTILE, page_of, polysemy
from playwright.sync_api import expect

from course_utils.explorables import polysemy_explorer

ROWS = [("bat", sense, f"One bat {n}.", (4, 7)) for n, sense in enumerate(["animal"] * 3 + ["stick"] * 3)]


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def vectors(n=6, layers=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, layers, 8))


def test_nearest_are_sorted_by_cosine():
    array = vectors()
    (word,) = polysemy_explorer(ROWS, array).data["words"]
    unit = array / np.linalg.norm(array, axis=-1, keepdims=True)
    for layer, made in enumerate(word["layers"]):
        for row, nearest in enumerate(made["nearest"]):
            similar = unit[:, layer] @ unit[row, layer]
            expected = sorted((i for i in range(6) if i != row), key=lambda i: -similar[i])
            assert [other for other, _ in nearest] == expected
            assert [cosine for _, cosine in nearest] == pytest.approx(similar[expected], abs=6e-4)


def test_points_keep_the_distances_that_two_dimensions_can_hold():
    flat = np.zeros((6, 1, 8))
    flat[:, 0, :3] = [[1, 0.1 * i, 0.05 * (-1) ** i] for i in range(6)]
    (word,) = polysemy_explorer(ROWS, flat).data["words"]
    unit = flat[:, 0] / np.linalg.norm(flat[:, 0], axis=1, keepdims=True)
    points = np.array(word["layers"][0]["points"])
    distance = lambda x: np.linalg.norm(x[:, None] - x[None], axis=-1)[np.triu_indices(6, 1)]
    assert np.corrcoef(distance(points), distance(unit))[0, 1] > 0.99
    assert np.abs(points).max() == pytest.approx(1, abs=1e-3)
    assert word["layers"][0]["shown"] > 0.98


def test_a_mirrored_layer_is_turned_back():
    array = np.repeat(vectors(layers=1), 2, axis=1)
    array[:, 0, 0] *= -1
    (word,) = polysemy_explorer(ROWS, array).data["words"]
    below, above = (np.array(layer["points"]) for layer in word["layers"])
    assert below == pytest.approx(above, abs=2e-3)


@pytest.mark.parametrize(
    ("rows", "array", "message"),
    [
        (ROWS, vectors(5), "with 6 sentences, got shape"),
        ([], vectors(0), "with 0 sentences"),
        (ROWS[:2], vectors(2), "at least 3 sentences"),
        ([("bat", str(n), "a bat", (2, 5)) for n in range(7)], vectors(7), "at most 6 senses"),
        (ROWS, np.zeros((6, 2, 3)), "not all zeros"),
        (ROWS, vectors() * np.nan, "finite"),
    ],
)
def test_it_refuses(rows, array, message):
    with pytest.raises(ValueError, match=message):
        polysemy_explorer(rows, array)


@pytest.mark.browser
def test_by_keyboard(open_page):
    tab = open_page(page_of(polysemy()))
    page = tab.page
    page.keyboard.press("Tab")
    expect(part(page, "word")).to_be_focused()
    expect(part(page, "layerText")).to_have_text("layer 2")
    expect(part(page, "rows").locator("tr")).to_have_count(5)
    part(page, "layer").focus()
    page.keyboard.press("Home")
    expect(part(page, "layerText")).to_have_text("static vector")
    expect(part(page, "rows")).to_have_text("All other sentences are equally near, with a cosine of 1.00.")
    expect(part(page, "live")).to_contain_text("nothing tells the senses apart")
    page.keyboard.press("ArrowRight")
    expect(part(page, "layerText")).to_have_text("embeddings")
    expect(part(page, "score")).to_contain_text("of 8.")
    part(page, "sentence").select_option("2")
    expect(part(page, "chosen")).to_have_text("Sentence 2 has a bat 😀 in it.")
    expect(part(page, "chosen").locator("mark")).to_have_text("bat")
    part(page, "word").select_option("1")
    expect(part(page, "legend").locator("li")).to_have_text(["money", "river"])
    tab.check()


@pytest.mark.browser
def test_all_points_of_the_static_vector_coincide(open_page):
    page = open_page(page_of(polysemy())).page
    spots = page.locator(".cw-spot")
    places = lambda: {box["x"] + box["width"] / 2 for box in (spot.bounding_box() for spot in spots.all())}
    assert len(places()) > 1
    part(page, "layer").fill("0")
    page.wait_for_timeout(500)
    assert max(places()) - min(places()) < 2


@pytest.mark.browser
def test_a_point_chooses_its_sentence(open_page):
    page = open_page(page_of(polysemy())).page
    page.locator(".cw-spot").nth(5).dispatch_event("click")
    expect(part(page, "chosen")).to_have_text("Sentence 5 has a bat 😀 in it.")
    expect(part(page, "sentence")).to_have_value("5")


@pytest.mark.browser
def test_hostile_text_stays_text(open_page):
    rows = [(HOSTILE, HOSTILE + str(n % 2), HOSTILE, (2, 5)) for n in range(6)]
    tab = open_page(page_of(polysemy_explorer(rows, vectors(), title=HOSTILE)))
    assert tab.page.locator("img").count() == 0
    tab.check()
