"""Designs: the course's own hold together, and what cannot be meant is refused in words."""

from dataclasses import replace

import pytest
from study_engine_standins import DESIGN

from course_utils.study import design, power, report
from course_utils.study.design import DesignError
from course_utils.study.runs import Key, Study

TEXT = DESIGN.format(model="model", food="food.csv", games="games.csv", epochs=2)
HYPOTHESIS = TEXT[TEXT.index("hypotheses:") : TEXT.index("\nsystems:")]
SMALL = design.parse(TEXT, "small")


@pytest.mark.parametrize("name", ["quick", "laptop", "reviews", "colab", "full"])
def test_the_designs_of_the_course_hold_together(name):
    found = design.load(name)
    assert found.hypotheses
    assert {"tfidf", "vader", "majority", "probe"} <= {system.method for system in found.systems.values()}
    assert any(s.encoder and s.encoder.random for s in found.systems.values())


def test_sizes_are_what_was_promised():
    laptop, reviews, full = (design.load(name) for name in ("laptop", "reviews", "full"))
    assert laptop.seeds["movies"] >= 10
    assert set(laptop.seeds) == set(laptop.domains)
    assert min(laptop.seeds.values()) >= 3
    assert (reviews.rows.train, reviews.seeds["steam"]) >= (12_000, 3)
    assert reviews.rows.test >= 2_000
    assert (full.rows.train, full.rows.test) == (300_000, 50_000)


def test_runs_come_by_seed_and_a_system_may_have_fewer():
    names = [key.name for key in SMALL.keys]
    assert names[:2] == ["whole--food--0", "thin--food--0"]
    assert names.index("thin--games--0") < names.index("whole--food--1")
    assert len(names) == 5 + 5 + 2
    assert Key("words", "food", 1) not in SMALL.keys


def test_a_fingerprint_changes_with_what_shapes_a_run_and_with_nothing_else():
    key = SMALL.keys[0]
    same = replace(SMALL, alpha=0.01, seeds={**SMALL.seeds, "food": 9}, hypotheses=())
    assert same.fingerprint(key) == SMALL.fingerprint(key)
    assert same.registration() != SMALL.registration()
    for other in (
        replace(SMALL, training=replace(SMALL.training, learning_rate=0.5)),
        replace(SMALL, rows=replace(SMALL.rows, test=30)),
        replace(SMALL, data_seed=1),
    ):
        assert other.fingerprint(key) != SMALL.fingerprint(key)
    thin = replace(SMALL.systems["thin"], training={"learning_rate": 0.1})
    changed = replace(SMALL, systems={**SMALL.systems, "thin": thin})
    assert changed.fingerprint(key) == SMALL.fingerprint(key)
    assert changed.fingerprint(SMALL.keys[1]) != SMALL.fingerprint(SMALL.keys[1])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("method: tfidf", "method: magic", "must be one of fine-tune, probe"),
        ("kind: folder", "kind: attic", "the kind of an encoder must be one of small"),
        ("kind: folder, name: model}", "kind: folder}", "needs a name"),
        ("kind: folder, name: model}", "kind: small-layers}", "layers, such as"),
        ("learning_rate: 0.002", "speed: 1", r"unknown fields \['speed'\]"),
        ("learning_rate: 0.001", "learning_rate: 1e-3", "YAML reads 5e-5 as a word"),
        ("learning_rate: 0.001, ", "", "'learning_rate'"),
        ("seeds: {food: 2", "seeds: {shoes: 2", "'shoes' is no domain"),
        ("seeds: {food: 2", "seeds: {food: 0", "needs at least 1"),
        ("seeds: {food: 2", "seeds: {food: 2.0", "needs a whole number"),
        ("train: 64", "train: 63", "must be even"),
        ("first: thin", "first: fat", "'fat' is no system"),
        ("quantity: gap", "quantity: gulf", "quantity must be one of gap"),
        ("smallest_effect: 0.02", "smallest_effect: 2", "between 0 and 1"),
        ("primary: balanced_accuracy", "primary: beauty", "'beauty' is not in"),
        ("max_length: 16", "max_length: 1000", "8 to 512"),
        ("max_length: 16", "max_length: 16, precision: fp8", "no or bf16"),
        ("columns: {rating: stars", "columns: {colour: red", "columns may name"),
        ("title: food,", "title: food, test_parts: [train],", "trained on: its test_parts"),
        ("title: food,", "title: food, test_parts: [exam],", "'exam' is no split"),
        ("title: food,", "title: food, balance: karma,", "balance is none"),
        ("  words:", "  Big Words:", "names are small letters"),
        ("  words: {method: tfidf", "  words: {training: {epochs: 1}, method: tfidf", "only fine-tune"),
        ("  words: {method: tfidf", "  words: {encoder: {kind: small}, method: tfidf", "takes no encoder"),
        ("second: whole", "second: thin", "first and second are both 'thin'"),
        ("wanted: 0.8", "wanted: 1.5", "power.wanted lies between"),
        ("seed_sd: 0.02", "seed_sd: -1", "power.seed_sd must not be negative"),
        (HYPOTHESIS, HYPOTHESIS + HYPOTHESIS.removeprefix("hypotheses:"), r"\['worse'\] stand there more"),
        (HYPOTHESIS, "", "hypotheses: expected a list of at least one"),
        (HYPOTHESIS, "hypotheses:", "hypotheses: expected a list of at least one"),
        (HYPOTHESIS, "hypotheses: []", "hypotheses: expected a list of at least one"),
        ("alpha: 0.05", "alpha: [", "no YAML"),
        ("alpha: 0.05", "alpha: 5", "alpha lies between"),
        ("question: Does it work?", "riddle: why", r"unknown fields \['riddle'\]"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(old, new, message):
    assert old in TEXT
    with pytest.raises(DesignError, match=message) as raised:
        design.parse(TEXT.replace(old, new), "small")
    assert "design 'small'" in str(raised.value)


def test_a_design_without_hypotheses_has_runs_and_no_plan():
    alone = replace(SMALL, hypotheses=())
    assert alone.keys == SMALL.keys
    with pytest.raises(DesignError, match="'small' has no hypotheses: a plan and a report need"):
        power.plan_rows(alone)
    with pytest.raises(DesignError, match="has no hypotheses"):
        report.rows(alone, Study("small", {}))


def test_designs_are_found_by_name_or_file(tmp_path):
    with pytest.raises(DesignError, match="laptop, quick"):
        design.load("nothing")
    with pytest.raises(DesignError, match="there is no file"):
        design.load(str(tmp_path / "mine.yml"))
    (tmp_path / "mine.yml").write_text(TEXT)
    assert design.load(str(tmp_path / "mine.yml")).name == "mine"
    with pytest.raises(DesignError, match="expected fields"):
        design.parse("- a list", "small")
