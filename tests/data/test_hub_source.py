"""Every hub data set comes out with the course's columns, read from repositories with the hub's schema."""

from collections import Counter
from pathlib import Path

import hub_copies
import pytest

from course_utils.data import DataError, SourceUnavailable, hub_source, load, registry
from course_utils.data.columns import NAMES
from course_utils.scale import Scale

HUB_NAMES = [name for name, entry in registry.ENTRIES.items() if entry.hub]


@pytest.fixture(autouse=True)
def no_cache_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets-cache")
    monkeypatch.delenv("COURSE_HUB_ROOT", raising=False)


@pytest.mark.parametrize("name", HUB_NAMES)
def test_every_hub_data_set_has_the_columns_of_the_course(tmp_path: Path, name: str) -> None:
    getattr(hub_copies, name)(tmp_path)
    found = load(name, hub_root=tmp_path)
    assert tuple(found.column_names) == NAMES
    assert {str(kind.dtype) for kind in found.features.values()} == {"string", "int64", "float64"}
    assert set(found["domain"]) == {name}
    assert set(found["split"]) <= {"train", "validation", "test"}
    assert all(text.strip() for text in found["text"])
    assert len(set(found["id"])) == len(found)
    assert set(found["label"]) - {None} <= set(range(len(registry.entry(name).classes)))


def test_imdb_loses_its_markup_and_what_it_tests_on(tmp_path: Path) -> None:
    hub_copies.imdb(tmp_path)
    found = load("imdb", hub_root=tmp_path)
    assert Counter(found["split"]) == {"train": 9, "test": 2}  # one text was in both; none unlabeled
    assert found[0]["text"] == "Scene 0.\n\nThen it ends."
    assert found["id"][:4] == ["train-0", "train-1", "train-2", "train-4"]
    assert set(found["rating"]) == {None}


def test_sst2_has_no_hidden_labels_and_trains_on_nothing_it_validates_on(tmp_path: Path) -> None:
    hub_copies.sst2(tmp_path)
    found = load("sst2", hub_root=tmp_path)
    assert found["text"] == ["so dull ", "a joy ", "seen before ", "bright "]
    assert found["split"] == ["train", "train", "validation", "validation"]


def test_yelp_stars_are_ratings_and_three_stars_have_no_label(tmp_path: Path) -> None:
    hub_copies.yelp(tmp_path)
    found = load("yelp", hub_root=tmp_path, split="train")
    assert found["rating"][:5] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert found["label"][:5] == [0, 0, None, 1, 1]
    assert found[0]["text"] == 'Visit 0.\nThe "soup" was there.'
    assert set(load("yelp", hub_root=tmp_path, margin=1)["rating"]) == {1.0, 2.0, 4.0, 5.0}
    assert set(load("yelp", hub_root=tmp_path, margin=2)["rating"]) == {1.0, 5.0}


def test_amazon_puts_the_title_before_the_text(tmp_path: Path) -> None:
    hub_copies.amazon(tmp_path)
    assert load("amazon", hub_root=tmp_path)[0]["text"] == "Broken\nIt fell apart."


def test_emotion_keeps_its_six_classes(tmp_path: Path) -> None:
    hub_copies.emotion(tmp_path)
    assert load("emotion", hub_root=tmp_path, split="train")["label"] == [0, 1, 2, 3, 4, 5]


def test_steam_is_balanced_split_by_game_and_without_placeholders(tmp_path: Path) -> None:
    hub_copies.steam(tmp_path)
    found = load("steam", hub_root=tmp_path)
    games = {part: {row["group"] for row in found if row["split"] == part} for part in hub_source.PARTS}
    assert all(games.values())
    assert not games["train"] & games["test"]
    assert not (games["train"] | games["test"]) & games["validation"]
    assert all(text.startswith("Game") for text in found["text"])
    for part in hub_source.PARTS:
        labels = Counter(row["label"] for row in found if row["split"] == part)
        assert labels[0] == labels[1] > 0


def test_a_sample_depends_on_the_seed_and_on_nothing_else(tmp_path: Path) -> None:
    hub_copies.imdb(tmp_path, train=200)
    ids = [load("imdb", hub_root=tmp_path, rows=20, seed=seed)["id"] for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]
    assert Counter(name.split("-")[0] for name in ids[0]) == {"train": 20, "test": 2}
    assert ids[0][:20] == sorted(ids[0][:20], key=lambda name: int(name.split("-")[1]))


def test_the_scale_decides_how_much_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_copies.imdb(tmp_path, train=200)
    monkeypatch.setattr(hub_source, "SAMPLE", {"train": 30, "validation": 1, "test": 1})
    assert len(load("imdb", hub_root=tmp_path, scale=Scale.COLAB)) == 31
    assert len(load("imdb", hub_root=tmp_path, scale=Scale.FULL)) == 201


def test_the_environment_can_name_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_copies.amazon(tmp_path)
    monkeypatch.setenv("COURSE_HUB_ROOT", str(tmp_path))
    assert len(load("amazon")) == 3


def test_no_hub_is_one_sentence_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Couldn't reach 'stanfordnlp/imdb' on the Hub")

    monkeypatch.setattr("datasets.load_dataset", unreachable)
    with pytest.raises(
        SourceUnavailable, match=r"imdb could not be read from the hub .*set COURSE_SCALE=colab"
    ) as caught:
        load("imdb")
    assert "\n" not in str(caught.value)


def test_a_repository_that_has_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import load_dataset

    copy = hub_copies.amazon(tmp_path)
    monkeypatch.setattr("datasets.load_dataset", lambda *_, **__: load_dataset(str(copy)))
    with pytest.raises(DataError, match=r"fancyzhx/amazon_polarity has .* instead of .* it has changed"):
        load("amazon")


def test_margin_needs_ratings() -> None:
    with pytest.raises(ValueError, match="imdb has no ratings, only labels"):
        load("imdb", margin=0.2)


def test_library_progress_bars_are_as_they_were(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from datasets import are_progress_bars_disabled

    hub_copies.imdb(tmp_path)
    capfd.readouterr()
    before = are_progress_bars_disabled()
    load("imdb", hub_root=tmp_path)
    assert are_progress_bars_disabled() == before
    assert capfd.readouterr() == ("", "")
