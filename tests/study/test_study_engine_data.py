"""The rows of a study: nothing leaks, nothing is drawn twice, and what is missing is said."""

import json
from dataclasses import replace

import numpy as np
import pytest
from study_engine_standins import file, small_design

from course_utils.data.errors import DataError
from course_utils.study import data, design
from course_utils.study.cleaning import comparable
from course_utils.study.design import Domain
from course_utils.study.runs import RunError


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_design(tmp_path_factory.mktemp("design"))


@pytest.fixture(scope="module")
def folder(small, tmp_path_factory):
    place = tmp_path_factory.mktemp("study")
    data.prepare(small, place)
    return place


def with_domain(design, domain, **changes):
    changed = replace(design.domains[domain], **changes)
    return replace(design, domains={**design.domains, domain: changed})


def test_no_group_has_two_roles(folder):
    for domain in ("food", "games"):
        table = data.read(folder, domain)
        groups = {role: set(table.part(role).rows.groups) for role in ("train", "validation", "test")}
        assert all(groups.values())
        assert not groups["test"] & groups["validation"]
        assert not groups["train"] & (groups["test"] | groups["validation"])


def test_nothing_is_trained_on_that_is_tested_in_any_domain(small, tmp_path):
    """The games repeat texts of the food, shouted: the repeated ones must be in one role of one domain."""
    food = file(tmp_path / "food.csv", 300, 1)
    games = tmp_path / "games.csv"
    shouted = food.read_text().upper()
    games.write_text(shouted.replace("TEXT,LABEL,STARS,SHOP", "text,label,stars,shop"))
    extra = file(tmp_path / "extra.csv", 200, 3).read_text().split("\n", 1)[1].replace("shop", "mall")
    games.write_text(games.read_text() + extra)
    design = with_domain(with_domain(small, "food", name=str(food)), "games", name=str(games))
    frames = data.build(design)
    keys = {
        (name, role): set(part["key"])
        for name, frame in frames.items()
        for role, part in frame.groupby("role")
    }
    together = list(keys.values())
    assert sum(map(len, together)) == len(set().union(*together))


def test_every_run_of_a_seed_learns_from_the_same_rows_half_of_them_positive(folder):
    table = data.read(folder, "food")
    one, again, other = (table.training_sample(64, seed) for seed in (0, 0, 1))
    assert list(one.rows.ids) == list(again.rows.ids) != list(other.rows.ids)
    assert len(set(one.rows.ids)) == 64
    assert one.rows.labels.sum() == 32
    assert set(one.roles) == {"train"}


def test_held_out_rows_have_what_their_domain_says(small, folder):
    parts = data.held_out({name: data.read(folder, name) for name in small.domains})
    assert [(domain, part, len(rows.rows)) for domain, part, rows in parts] == [
        ("food", "test", 40),
        ("games", "test", 40),
        ("food", "validation", 16),
        ("games", "validation", 16),
    ]
    rows = parts[0][2].rows
    assert set(rows.ratings) == {1.0, 5.0}
    assert all(rows.words == [len(text.split()) for text in parts[0][2].texts])


def test_balanced_and_capped(small):
    balanced = data.build(with_domain(small, "games", balance="label", most_of_group=2))["games"]
    test = balanced[balanced["role"] == "test"]
    assert test["label"].sum() * 2 == len(test)
    assert test.groupby("group").size().max() <= 2
    by_stars = data.build(with_domain(small, "games", balance="rating"))["games"]
    assert set(by_stars[by_stars["role"] == "test"].groupby("rating").size()) == {20}


def test_undecided_and_short_and_repeated_texts(small, tmp_path):
    path = tmp_path / "films.csv"
    lines = [f"word{i} and more words,{i % 2},{(-1) ** (i + 1) * (0.1 if i < 20 else 1)}" for i in range(120)]
    path.write_text("\n".join(["text,label,rating", *lines, "short,1,1", "Word3 AND more words!,1,1"]) + "\n")
    domain = Domain(
        str(path), "films", source="file", margin=0.2, least_words=2, columns={"rating": "rating"}
    )
    frame = data.candidates(domain, small.rows, trained=True)
    assert len(frame) == 120
    assert (frame["label"] == -1).sum() == 20
    sizes = replace(small.rows, test=120, train=20)
    films = data.build(
        replace(small, domains={"films": domain}, seeds={"films": 1}, hypotheses=(), rows=sizes)
    )
    labels = films["films"].groupby("role")["label"]
    assert labels.min()["train"] == 0
    assert labels.min()["test"] == -1


def test_data_are_made_once_and_refused_to_another_design(small, folder):
    before = (folder / "data" / "food.parquet").stat().st_mtime_ns
    hashes = data.prepare(small, folder)
    assert (folder / "data" / "food.parquet").stat().st_mtime_ns == before
    assert hashes == json.loads((folder / "data" / "data.json").read_text())["sha256"]
    with pytest.raises(RunError, match="another design"):
        data.prepare(replace(small, data_seed=1), folder)


def test_what_is_missing_is_said(small, tmp_path):
    with pytest.raises(DataError, match=r"games.csv.*no column 'review'"):
        data.build(with_domain(small, "games", columns={"text": "review"}))
    with pytest.raises(DataError, match="take a smaller number"):
        data.build(replace(small, rows=replace(small.rows, train=2000)))
    classes = tmp_path / "classes.csv"
    classes.write_text("text,label\n" + "".join(f"text number {i},{i % 3}\n" for i in range(60)))
    with pytest.raises(DataError, match="two classes"):
        data.build(with_domain(small, "games", name=str(classes), columns={}))
    praise = tmp_path / "praise.csv"
    praise.write_text("text,label\n" + "".join(f"text number {i},1\n" for i in range(60)))
    with pytest.raises(DataError, match=r"0 negative .* to test on"):
        data.build(with_domain(small, "games", name=str(praise), columns={}))
    with pytest.raises(RunError, match="there is no data yet"):
        data.check(small, tmp_path)


def test_texts_are_the_same_whatever_their_case_and_punctuation():
    assert comparable("Not BAD, at all!") == comparable("not bad at all")
    assert comparable("!!!") != comparable("???")
    assert np.unique([comparable("naïve"), comparable("Naïve")]).size == 1


@pytest.mark.parametrize("name", ["laptop", "quick"])
def test_the_rated_sets_hold_what_a_design_asks_of_them(name):
    """Once the tweets had 10 negative rows fewer than the laptop's design wanted."""
    plan = design.load(name)
    for domain, frame in data.build(plan).items():
        counts = frame.groupby(["role", "label"]).size()
        if domain in plan.seeds:
            assert min(counts["train"]) >= plan.rows.train // 2
        assert min(counts["test"][[0, 1]]) >= plan.exclusions.least_rows_of_class
