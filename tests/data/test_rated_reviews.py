"""The rated reviews are all there, aligned with their raters, labeled and split as documented."""

from collections import Counter

import numpy as np
import pytest

from course_utils.data import load, noise_ceiling, rated_reviews, raters
from course_utils.data.columns import NAMES
from course_utils.data.errors import DataError

DOMAINS = rated_reviews.DOMAINS


@pytest.mark.parametrize(
    ("name", "rows"), [("products", 3708), ("movies", 10605), ("editorials", 5190), ("tweets", 4200)]
)
def test_every_set_is_complete(name: str, rows: int) -> None:
    found = load(name)
    assert len(found) == rows
    assert tuple(found.column_names) == NAMES
    assert len(set(found["id"])) == rows
    assert set(found["domain"]) == {name}
    assert all(text.strip() for text in found["text"])


@pytest.mark.parametrize("name", DOMAINS)
def test_the_label_is_the_sign_of_the_rating(name: str) -> None:
    found = load(name)
    for label, rating in zip(found["label"], found["rating"], strict=True):
        assert label == {1.0: 1, -1.0: 0, 0.0: None}[float(np.sign(rating))]
        assert -4 <= rating <= 4


def test_a_margin_leaves_only_rows_with_a_clear_label() -> None:
    found = load("editorials", margin=0.2)
    assert len(found) == 4129
    assert min(map(abs, found["rating"])) == 0.2
    assert None not in found["label"]
    assert None not in load("products", margin=0)["label"]


@pytest.mark.parametrize("name", DOMAINS)
def test_splits_keep_reviews_and_equal_texts_together(name: str) -> None:
    found = load(name)
    for column in ("group", "text"):
        parts: dict[str, set[str]] = {}
        for key, part in zip(found[column], found["split"], strict=True):
            parts.setdefault(key, set()).add(part)
        assert all(len(part) == 1 for part in parts.values())
    shares = {part: count / len(found) for part, count in Counter(found["split"]).items()}
    assert shares == pytest.approx({"train": 0.7, "validation": 0.1, "test": 0.2}, abs=0.01)


def test_one_split_is_a_part_of_the_whole() -> None:
    whole = load("tweets")
    assert load("tweets", split="test")["id"] == [row["id"] for row in whole if row["split"] == "test"]


def test_products_are_grouped_by_review() -> None:
    found = load("products")
    assert len(set(found["group"])) == 300
    assert all(name.startswith(f"{group}_") for name, group in zip(found["id"], found["group"], strict=True))


@pytest.mark.parametrize("name", DOMAINS)
def test_raters_stand_in_the_order_of_the_rows(name: str) -> None:
    found, scores = load(name), raters(name).scores
    assert raters(name).ids == list(found["id"])
    assert np.nanmin(scores) == -4
    assert np.nanmax(scores) == 4
    differs = np.abs(np.nanmean(scores, axis=1) - np.array(found["rating"])) > 1e-4
    assert differs.sum() == (199 if name == "tweets" else 0)
    assert np.array_equal(np.sign(np.nanmean(scores, axis=1)), np.sign(found["rating"]))


def test_how_many_raters_there_are() -> None:
    counts = {name: np.sum(~np.isnan(raters(name).scores), axis=1) for name in DOMAINS}
    assert {name: (int(count.min()), int(count.max())) for name, count in counts.items()} == {
        "products": (20, 20),
        "movies": (15, 29),
        "editorials": (20, 20),
        "tweets": (20, 99),
    }


def test_raters_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        raters("products").scores[0, 0] = 4


def test_texts_are_decoded_without_loss() -> None:
    texts = "".join(load("movies")["text"])
    assert texts.count("é") == 78
    assert "�" not in texts
    assert "Ã" not in texts


def test_the_noise_ceiling_of_the_products_leaves_room_below_one() -> None:
    found = noise_ceiling(raters("products").scores)
    assert found.rows == 3610
    assert 0.93 < found.replication < found.accuracy < 0.99
    assert abs(found.predicted - found.replication) < 0.01


def test_a_set_with_missing_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rated_reviews._read("products", "GroundTruth", columns=3)
    monkeypatch.setattr(rated_reviews, "_read", lambda *_, **__: rows[:-1])
    with pytest.raises(DataError, match="products has 3707 rows instead of 3708"):
        load("products")


def test_unknown_names_and_splits() -> None:
    with pytest.raises(KeyError, match="there is no data set 'films': take one of products, movies"):
        load("films")
    with pytest.raises(ValueError, match="unknown split 'dev': take one of train, validation, test"):
        load("movies", split="dev")
