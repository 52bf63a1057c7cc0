"""The studies of fine-tuning: their rules, their measures, and their reports on made-up runs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils.stats import Interval
from experiments import finetuning_common as common
from experiments import finetuning_focal as focal
from experiments import finetuning_focal_report as focal_report
from experiments import finetuning_stability as stability
from experiments import finetuning_stability_clipping as clipping
from experiments import finetuning_stability_report as stability_report
from experiments import finetuning_surfaces as surfaces
from experiments import finetuning_transfer as transfer
from experiments.finetuning_common import Sentence

SENTENCES = tuple(Sentence(f"It isn't film {n}!", n % 2) for n in range(600))


def between(low, high):
    return Interval((low + high) / 2, low, high, 0.95)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and made-up sentences; returns the function that writes a run."""
    monkeypatch.setattr(common.paths, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(common, "sentences", lambda split: SENTENCES)
    monkeypatch.setenv("COURSE_RESULTS_DIR", str(tmp_path))

    def write(name, run, record):
        common.folder(name).mkdir(parents=True, exist_ok=True)
        (common.folder(name) / f"{run}.json").write_text(json.dumps(record))

    return write


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        ((0.011, 0.03), "holds here only"),
        ((0.009, 0.03), "cannot tell"),
        ((-0.02, 0.011), "cannot tell"),
        ((-0.02, 0.009), "does not hold"),
        ((-0.05, -0.02), "does not hold"),
    ],
)
def test_gain_rule(gain, expected):
    assert common.gain_verdict(between(*gain)) == expected


@pytest.mark.parametrize(
    ("gain", "expected"),
    [((0.011, 0.04), "holds"), ((0.0, 0.04), "cannot tell"), ((-0.01, 0.009), "does not hold")],
)
def test_focal_rule(gain, expected):
    assert focal_report.verdict(between(*gain)) == expected


@pytest.mark.parametrize(
    ("gains", "learnable", "expected"),
    [
        ([(-0.01, 0.01), (-0.01, 0.01)], 0.8, "does not hold"),
        ([(-0.01, 0.01), (-0.01, 0.03)], 0.8, "cannot tell"),
        ([(-0.01, 0.01), (0.03, 0.05)], 0.8, "holds here only"),
        ([(0.03, 0.05), (0.03, 0.05)], 0.6, "cannot tell"),
    ],
)
def test_clipping_rule(gains, learnable, expected):
    assert clipping.clip_verdict([between(*gain) for gain in gains], learnable) == expected


def test_runs_of_two_arms_differ_in_the_arm_alone():
    runs = stability.all_runs()
    assert len({run.name for run in runs}) == len(runs)
    for seed in stability.SEEDS:
        own = [run for run in runs if run.arm != "crossed" and run.seed == seed]
        assert {(run.head, run.order) for run in own} == {(seed, seed)}
    crossed = {(run.head, run.order) for run in runs if run.arm == "crossed"}
    assert len(crossed) == len(stability.HEADS) * len(stability.ORDERS)


def test_variance_components_are_found_again():
    rng = np.random.default_rng(0)
    heads, orders = 400, 300
    table = 3 * rng.normal(size=(heads, 1)) + 1 * rng.normal(size=(1, orders))
    found = stability_report.components(table + 0.5 * rng.normal(size=(heads, orders)))
    assert found["head"] == pytest.approx(9, rel=0.2)
    assert found["order"] == pytest.approx(1, rel=0.2)
    assert found["rest"] == pytest.approx(0.25, rel=0.05)


def test_whole_seeds_need_every_arm(cache):
    for seed in (0, 1, 3):
        cache(stability.NAME, f"cls-0.0002-{seed}", {})
    cache(stability.NAME, "centered-0.0002-1", {})
    cache(stability.NAME, "centered-0.0002-3", {})
    names = ["cls-0.0002", "centered-0.0002"]
    assert stability_report.whole_seeds(names) == [1, 3]


def test_no_claim_from_few_seeds(cache):
    record = {"accuracy": 0.7, "accuracy_other": 0.6, "norms": [1.0, 2.0], "losses": [0.7, 0.5]}
    cache(stability.NAME, "cls-states", {"cls": 0.99, "mean": 0.6})
    for seed in range(stability_report.FEWEST):
        cache(stability.NAME, f"cls-0.0002-{seed}", record)
        better = {**record, "accuracy": 0.72 + 0.001 * seed}
        cache(stability.NAME, f"centered-0.0002-{seed}", better)
        rows, claims = stability_report.centering_part()
        assert bool(claims) == (seed + 1 == stability_report.FEWEST)
    assert claims["cls-centering"]["verdict"] == "holds here only"
    assert rows[0]["mean"] == pytest.approx(0.0235)


def test_a_deep_network_trains_with_and_without(cache):
    free, clipped = (stability.make_deep("exploding", "gradient descent", on, seed=0) for on in (False, True))
    assert not free["finite"]
    assert clipped["finite"]
    assert free["total_before"] == free["total_after"] == pytest.approx(clipped["total_before"])
    assert clipped["total_after"] == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize(
    ("positive", "answers", "expected"),
    [([0.1, 0.2, 0.4, 0.9], [0, 0, 1, 1], 0.3), ([0.6, 0.7, 0.8], [0, 0, 1], 0.75)],
)
def test_best_threshold(positive, answers, expected):
    found = focal_report.best_threshold(np.array(positive), np.array(answers))
    assert found == pytest.approx(expected)
    assert focal_report.share_right(np.array(positive), np.array(answers), found) == 1


def test_the_rows_that_a_test_needs_detect_the_gain_as_often_as_they_say():
    """Simulated McNemar tests (normal form) of two models that differ by 2.5 points."""
    disagree, gain = 0.1, 0.025
    rows = focal_report.rows_needed(disagree, gain)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(rows, [(disagree + gain) / 2, (disagree - gain) / 2, 1 - disagree], size=4000)
    z = (drawn[:, 0] - drawn[:, 1]) / np.sqrt(drawn[:, 0] + drawn[:, 1])
    assert (z > 1.96).mean() == pytest.approx(0.8, abs=0.03)


def test_a_small_test_has_the_standard_error_of_its_disagreements():
    rng = np.random.default_rng(1)
    first, second = rng.random((5, 1200)) < 0.8, rng.random((5, 1200)) < 0.8
    row = focal_report.small_test_row(5e-6, "a - b", first, second)
    assert row["standard_error"] == pytest.approx((row["disagree"] / 200) ** 0.5, rel=0.05)
    assert row["gain_seen"] == pytest.approx(row["loss_seen"], abs=0.12)


def test_focal_report_on_made_up_runs(tmp_path, monkeypatch):
    answers = np.arange(1200) % 2
    as_examples = lambda labels: [focal.Example([2, 3], int(label)) for label in labels]
    monkeypatch.setattr(focal, "test_sentences", lambda: as_examples(answers))
    monkeypatch.setattr(focal, "drawn", lambda seed: ([], as_examples(np.arange(400) % 2)))
    monkeypatch.setenv("COURSE_RESULTS_DIR", str(tmp_path))
    rng = np.random.default_rng(0)
    shift = {"cross-entropy": 0.0, "focal": -0.1}
    for run in focal.RUNS:
        if run.seed > 3:
            continue
        made = lambda truth, run=run: np.clip(
            truth * 0.4 + 0.3 + shift[run.loss] + 0.15 * rng.normal(size=len(truth)), 0, 1
        ).tolist()
        record = {
            "losses": [0.6, 0.5],
            "gradient_norms": [1.0, 1.0],
            "validation": made(np.arange(400) % 2),
            "test": made(answers),
            "cpu_seconds": 1.0,
        }
        (tmp_path / run.file).write_text(json.dumps(record))
    written = json.loads(Path(focal_report.report(tmp_path)).read_text())
    claim = written["claims"]["focal-helps-small-data"]
    assert (claim["verdict"], claim["seeds"]) == ("does not hold", 4)
    by = {
        row["measure"]: row for row in written["rows"] if row["part"] == "difference" and row["rate"] == 5e-6
    }
    assert by["called_positive"]["high"] < -0.05
    # The threshold that suits the shift takes the difference away.
    assert abs(by["accuracy_oracle"]["mean"]) < abs(by["accuracy"]["mean"])
    parts = {row["part"] for row in written["rows"]}
    assert parts == {"run", "arm", "difference", "curve", "calibration", "hardness", "small test"}


def test_too_few_focal_runs_are_refused(tmp_path):
    with pytest.raises(ValueError, match="too few runs"):
        focal_report.report(tmp_path)


def test_width_ratio_counts_only_seeds_that_were_trained():
    rows = [
        {"start": start, "seed": seed, "train_loss": 0.01, "radius": radius * (1 + 0.01 * seed)}
        for start, radius in (("pretrained", 1.0), ("random", 0.5))
        for seed in surfaces.SEEDS
    ]
    assert surfaces.width_ratio(rows)[0].estimate == pytest.approx(2)
    rows[0] |= {"train_loss": 0.5, "radius": 100}
    ratio, seeds = surfaces.width_ratio(rows)
    assert (ratio.estimate, seeds) == (pytest.approx(2), len(surfaces.SEEDS) - 1)
    for row in rows[:3]:
        row["train_loss"] = 0.5
    with pytest.raises(ValueError, match="train longer"):
        surfaces.width_ratio(rows)


def test_transfer_reports_every_method_at_every_size(cache, tmp_path):
    for seed in transfer.SEEDS:
        probes = {
            f"{m}-{n}": [0.7 + 0.01 * seed, 2.0]
            for m in ("words", "random", "frozen")
            for n in transfer.STEPS
        }
        cache(transfer.NAME, f"probes-{seed}", probes | {f"terms-{n}": 1000 for n in transfer.STEPS})
        for method in transfer.RATES:
            for size in transfer.STEPS:
                record = {"accuracy": 0.75 + 0.01 * seed, "seconds": 20.0, "parameters": 5000}
                cache(transfer.NAME, f"{method}-{size}-{seed}", record)
    rows = json.loads(Path(transfer.report()).read_text())["rows"]
    assert len(rows) == len(transfer.METHODS) * len(transfer.STEPS)
    tuned = next(row for row in rows if row["method"] == "fine-tuning" and row["sentences"] == 64)
    assert tuned["gain"] == pytest.approx(0.05)
    assert tuned["gain_low"] == pytest.approx(0.05)  # paired: the seeds' own spread is gone


def test_a_run_is_made_once_and_kept(cache):
    calls = []
    make = lambda: calls.append(1) or {"x": 1}
    assert list(common.run_missing("toy", {"a": make})) == ["a"]
    assert list(common.run_missing("toy", {"a": make})) == []
    assert (len(calls), common.read("toy", "a")) == (1, {"x": 1})
    with pytest.raises(FileNotFoundError, match=r"python -m experiments\.toy"):
        common.read("toy", "b")


def test_larger_draws_begin_with_smaller_ones(cache):
    assert common.drawn("train", 100, 3)[:40] == common.drawn("train", 40, 3)
    assert common.drawn("train", 40, 3) != common.drawn("train", 40, 4)


def test_deep_problem_has_two_classes_of_some_size():
    for seed in stability.SEEDS:
        x, labels = stability.deep_problem(seed)
        assert x.shape == (stability.ROWS, stability.INPUTS)
        assert 0.35 < labels.float().mean() < 0.65
        assert torch.isfinite(x).all()
