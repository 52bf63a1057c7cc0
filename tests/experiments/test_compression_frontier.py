"""The frontier: entrants can be followed, what is missing is skipped, verdicts follow the rule."""

import json
import sys

import numpy as np
import pytest
from compression_task import small_task  # noqa: F401 - a fixture

from benchmarks.compression_models import load_all
from course_utils import results
from course_utils.compression.recipe import parse
from course_utils.distillation import bilstm
from experiments import compression_frontier as frontier
from experiments import compression_frontier_report as reports
from experiments.compression_entrants import BY_NAME, ENTRANTS, Entrant


def test_the_design_is_as_wide_as_it_has_to_be():
    assert len(BY_NAME) == len(ENTRANTS) >= 12
    assert len({entrant.family for entrant in ENTRANTS} - {"teacher"}) >= 6
    for number, entrant in enumerate(ENTRANTS):
        if entrant.recipe:
            assert str(parse(entrant.recipe))
        if entrant.start.startswith("@"):  # made before what builds on it
            assert BY_NAME[entrant.start[1:]] in ENTRANTS[:number]


@pytest.mark.parametrize("entrant", [
    Entrant("teacher", "teacher", "teacher"),
    Entrant("a", "x", "teacher", "heads=0.4,ffn=0.25:rows=8,imitate=0.5:unlabeled=8"),
    Entrant("b", "x", "teacher", "vocabulary=1:characters=used,factorize=8,drop-layers=1,int8"),
    Entrant("c", "x", "teacher", "width=12:rows=8,imitate=0.5,fp16"),
])  # fmt: skip
def test_entrants_are_made_saved_and_tested(entrant, small_task):  # noqa: F811
    record = frontier.make(entrant, 0)
    assert len(record["test"]) == 30
    assert record["bytes"] > 0
    assert (frontier.models(0) / entrant.name).is_dir()
    if "imitate" in entrant.recipe:
        assert frontier.make(entrant, 0)["test"] == record["test"]


def test_one_entrant_builds_on_another_and_what_is_not_there_is_skipped(small_task, monkeypatch, capsys):  # noqa: F811
    chain = (
        Entrant("teacher", "teacher", "teacher"),
        Entrant("few", "vocabulary", "teacher", "vocabulary"),
        Entrant("late", "combination", "@quick", "int8"),
        Entrant("both", "combination", "@few", "int8"),
        Entrant("quick", "distillation", "general:quick", "int8"),
        Entrant("theseus", "module replacement", "layers:theseus"),
    )

    def not_yet(*_):
        raise FileNotFoundError("no checkpoint")

    for module in (frontier, reports):
        monkeypatch.setattr(module, "ENTRANTS", chain)
    monkeypatch.setattr(frontier, "BY_NAME", {entrant.name: entrant for entrant in chain})
    monkeypatch.setattr(frontier.distillation_general, "student", not_yet)
    monkeypatch.setattr(frontier.distillation_layers, "load_saved", not_yet)
    monkeypatch.setattr(sys, "argv", ["frontier", "--seeds", "0,1"])
    frontier.main()
    told = capsys.readouterr().out
    assert "both-1: " in told
    assert "quick-0 skipped: general distillation comes first" in told
    assert "late-0 skipped: quick of seed 0 comes first" in told
    assert "theseus-1 skipped: no checkpoint" in told
    frontier.main()
    assert "both" not in capsys.readouterr().out  # it is there already
    made = reports.runs()
    few, both = (made[name][0] for name in ("few", "both"))
    assert both["bytes"] < few["bytes"] < made["teacher"][0]["bytes"]
    assert few["test"] == made["teacher"][0]["test"]  # all pieces are kept


def test_an_unknown_entrant_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["frontier", "--only", "huge"])
    with pytest.raises(SystemExit):
        frontier.main()
    assert "no entrant is called huge" in capsys.readouterr().err


def record(share, size=1000, seed=0, labels=()):
    """A run that is right on the first `share` of the sentences."""
    count = round(share * len(labels))
    test = [0.9 if (label == 1) == (i < count) else 0.1 for i, label in enumerate(labels)]
    return {
        "test": test,
        "bytes": size,
        "flops": None,
        "cpu_seconds": 1.0,
        "notes": [],
        "parameters": 9,
        "changed": 0,
    }


def test_kept_is_paired_by_seed_and_has_both_intervals():
    labels = [i % 2 for i in range(500)]
    teacher = {seed: record(share, labels=labels) for seed, share in enumerate((0.9, 0.8, 0.85))}
    own = {seed: record(share * 0.95, labels=labels) for seed, share in enumerate((0.9, 0.8, 0.85))}
    row = reports.kept(own, teacher, labels)
    assert row["kept"] == pytest.approx(0.95, abs=0.002)
    assert row["low"] <= row["over_seeds"][0] <= row["kept"] <= row["over_sentences"][1] <= row["high"]
    assert reports.kept(teacher, teacher, labels)["low"] is None
    assert reports.kept({0: own[0]}, teacher, labels)["low"] is None


def speed(faster, low, **condition):
    return {"batch": 32, "length": 32, "threads": 1, **condition, "faster": faster, "low": low}


@pytest.mark.parametrize(
    ("row", "speeds", "tiny"),
    [
        ({"smaller": 8, "kept": 0.97, "low": 0.965}, [speed(10, 9.6)], "surely"),
        ({"smaller": 8, "kept": 0.97, "low": 0.95}, [speed(10, 9.6)], "by the estimate"),
        ({"smaller": 8, "kept": 0.97, "low": 0.965}, [speed(10, 9.0)], "by the estimate"),
        ({"smaller": 7, "kept": 0.97, "low": 0.965}, [speed(10, 9.6)], "no"),
        ({"smaller": 8, "kept": 0.97, "low": 0.965}, [speed(10, 9.6, length=128)], None),
        ({"smaller": 8, "kept": 0.97, "low": None}, [speed(10, 9.6)], None),
    ],
)
def test_the_goal_is_judged_by_the_rule(row, speeds, tiny):
    assert reports.judged(row, speeds, frontier.TINY) == tiny


def test_the_goal_of_integers_needs_no_speed():
    assert reports.judged({"smaller": 4.2, "kept": 0.995, "low": 0.991}, None, frontier.INTEGER) == "surely"
    assert reports.judged({"smaller": 3.9, "kept": 0.995, "low": 0.991}, None, frontier.INTEGER) == "no"


def test_the_frontier_has_what_no_other_beats():
    rows = [
        {"entrant": n, "bytes": b, "kept": k} for n, b, k in (("a", 1, 0.8), ("b", 2, 0.7), ("c", 3, 0.9))
    ]
    assert [row["entrant"] for row in reports.best(rows)] == ["a", "c"]


def test_the_report_puts_runs_and_times_together(small_task, tmp_path, monkeypatch):  # noqa: F811
    labels = list(small_task.test.labels)
    shares = {"teacher": (0.9, 1000), "int8": (0.87, 250), "int8-aware": (0.9, 250)}
    for name, (share, size) in shares.items():
        for seed in (0, 1, 2):
            file = frontier.record_file(BY_NAME[name], seed)
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(record(share, size, labels=labels)))
    times = [
        {
            "part": "time",
            "model": "int8",
            "engine": "torch",
            "milliseconds": 1.0,
            "high": 3.0,
            **speed(2.0, 1.9),
        }
    ]
    monkeypatch.setattr(reports, "times_measured", lambda: times)
    monkeypatch.setenv(results.OUT_VARIABLE, str(tmp_path / "out"))
    reports.report()
    made = results.parse((tmp_path / "out" / "compression_frontier.json").read_text(), "compression_frontier")
    row = made.row(part="point", entrant="int8")
    assert row["smaller"] == 4
    assert np.isclose(row["kept"], 26 / 27)
    assert row["speeds"][0]["faster"] == 2.0
    assert np.isclose(made.value("gain", part="pair", first="int8-aware"), 1 / len(labels))
    assert made.claims["compression-table"]["verdict"] == "does not hold"
    assert "1.65 times smaller" in made.claims["compression-table"]["sentence"]
    assert "theseus" in made.value("entrants", part="absent")


def test_a_bilstm_is_kept_in_its_own_form(small_task, monkeypatch):  # noqa: F811
    model = bilstm.new_bilstm(0, config=bilstm.BiLSTMConfig(pieces=30522, embedding_size=2))
    monkeypatch.setattr(frontier.distillation_layers, "load_saved", lambda name, seed: model)
    made = frontier.make(BY_NAME["bilstm"], 0)
    assert made["parameters"] == sum(p.numel() for p in model.parameters())
    assert made["flops"] is None
    assert len(made["test"]) == 30
    (loaded,) = load_all([frontier.models(0) / "bilstm"])
    assert loaded.bytes == made["bytes"]
