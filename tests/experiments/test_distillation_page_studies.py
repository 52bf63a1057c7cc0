"""Sentiment against emotion, and time to accuracy: rules, measures by hand, reports on made-up runs."""

import json

import numpy as np
import pytest
import torch
from scipy import stats as reference

from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.stats import Interval
from experiments import distillation_emotion as emotion
from experiments import distillation_emotion_report as emotion_report
from experiments import distillation_time_to_accuracy as race
from experiments import distillation_time_to_accuracy_report as race_report

RNG = np.random.default_rng(0)


def between(low, high):
    return Interval((low + high) / 2, low, high, 0.95)


# ---------------------------------------------------------------------- emotion


def test_strength_is_read_among_one_sign_only():
    ratings = np.array([3.0, 1.0, 2.0, -1.0, -3.0, -2.0])
    said = [0.9, 0.1, 0.2, 0.8, 0.7, 0.3]
    expected = reference.spearmanr(ratings[:3], said[:3]).statistic
    assert emotion_report.correlation(ratings, said, 1) == pytest.approx(expected)


def test_the_ceiling_of_simulated_raters():
    true = RNG.normal(size=1500)
    scores = true[:, None] + RNG.normal(scale=2.0, size=(1500, 20))
    made = emotion_report.ceiling(scores, np.random.default_rng(0))
    assert made["halves"] < made["all"] < made["perfect"]
    assert made["perfect"] == pytest.approx(reference.spearmanr(true, scores.mean(1)).statistic, abs=0.02)


def test_confusions_are_shares_of_each_row():
    made = emotion_report.confusion([0, 0, 1, 2, 3, 4, 5], [[0, 1, 1, 2, 3, 4, 5], [0, 0, 1, 2, 3, 4, 5]])
    assert made[0][:2] == [0.75, 0.25]
    assert [sum(row) for row in made] == [1] * 6


@pytest.mark.parametrize(
    ("gain", "expected"),
    [((0.06, 0.2), "holds"), ((0.0, 0.04), "fails"), ((0.02, 0.2), "cannot be told")],
)
def test_half_verdicts(gain, expected):
    assert emotion_report.half_verdict(between(*gain), 0.05) == expected


def made_up_emotions(sureness):
    """Graded models know the mean but for a little noise, sentiment models but for `sureness` times more."""
    ratings = np.array([rating for _, rating, _ in emotion.drawn("test", emotion.TEST["strength"], 2026)])
    true = list(range(6)) * 50
    records = {}
    for seed in emotion.SEEDS:
        for kind, noise in (("graded", 0.5), ("sentiment", 0.5 * sureness)):
            said = ratings + noise * np.random.default_rng([seed, 8]).normal(size=len(ratings))
            records[f"strength-{kind}-{seed}"] = {
                "said": {"teacher": said.tolist(), "student": said.tolist()},
                "cpu_seconds": 1.0,
            }
        guess = [label if n % (5 + seed) else 0 for n, label in enumerate(true)]
        records[f"kinds-{seed}"] = {
            "said": {"teacher": guess, "student": guess},
            "true": true,
            "cpu_seconds": 1.0,
        }
    return records


@pytest.mark.parametrize(("sureness", "expected"), [(5, "holds here only"), (1, "does not hold")])
def test_the_report_on_emotions(tmp_path, sureness, expected):
    file = emotion_report.report(made_up_emotions(sureness), tmp_path)
    made = json.loads(file.read_text())
    assert made["claims"]["sentiment-vs-emotion"]["verdict"] == expected
    parts = {row["part"] for row in made["rows"]}
    assert parts >= {"ceiling", "strength", "strength gain", "polarity", "kinds f1", "confusion"}


def test_a_tiny_teacher_and_student(monkeypatch):
    config = EncoderConfig(
        vocab_size=50, hidden_size=8, num_layers=6, num_heads=2, intermediate_size=8, max_positions=8
    )
    monkeypatch.setattr(emotion, "load_encoder", lambda folder: Encoder(config))
    monkeypatch.setattr(emotion.data, "small_model_dir", lambda: None)
    rows = [emotion.Taught([1, 5 + n % 2, 2], n % 2, [0.0]) for n in range(48)]
    models = emotion.teacher_and_student(0, rows, 2, (emotion.hard, emotion.soft))
    assert models["student"].encoder.config.num_layers == 3
    assert emotion.predict(models["student"], rows).shape == (48, 2)
    scores = emotion.graded_soft(torch.ones(2, 1), torch.zeros(2), torch.full((2, 1), 2.0))
    assert scores.tolist() == [pytest.approx(0.7 * 1 + 0.3 * 1)] * 2


# ---------------------------------------------------------------------- time to accuracy


def race_record(rate, speed, end, rise):
    return {
        "rate": rate,
        "seconds": [speed * n for n in range(1, 9)],
        "validation": [end - 0.05, *[end] * 7],
        "test": [end - rise, end],
        "parameters": 1,
    }


def made_up_race(half_gain, quick_rise):
    records = {}
    for size in race.SIZES:
        for rate in race.RATES:
            records[race.tuning_run(size, rate)] = race_record(rate, 1, 0.8, 0)
        for seed in race.SEEDS:
            noise = 0.002 * np.random.default_rng([seed, race.SIZES.index(size)]).normal()
            shape = {"whole": (6e-5, 10, 0.85, 0), "halved": (6e-5, 4, 0.85 + half_gain, 0)}
            given = shape.get(size, (2e-4, 1, 0.75, quick_rise))
            rate, speed, end, rise = given
            records[f"{size}-{seed}"] = race_record(rate, speed * (1 + noise), end + noise, rise + noise)
    return records


@pytest.mark.parametrize(
    ("half_gain", "quick_rise", "expected"),
    [(0.0, 0.02, "holds here only"), (-0.05, 0.02, "does not hold"), (0.0, -0.02, "cannot tell")],
)
def test_the_report_on_the_race(tmp_path, half_gain, quick_rise, expected):
    made = json.loads(race_report.report(made_up_race(half_gain, quick_rise), tmp_path).read_text())
    assert made["claims"]["one-bert-distil-half-time"]["verdict"] == expected
    half = next(row for row in made["rows"] if row["part"] == "size" and row["size"] == "halved")
    assert half["reached"] == (5 if half_gain == 0 else 0)


def test_the_lower_rate_of_equals_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(race.common.paths, "cache_dir", lambda: tmp_path)
    folder = race.common.folder(race.NAME)
    folder.mkdir(parents=True)
    for rate, end in zip(race.RATES, (0.7, 0.8, 0.8, 0.6), strict=True):
        record = race_record(rate, 1, end, 0)
        (folder / f"{race.tuning_run('halved', rate)}.json").write_text(json.dumps(record))
    assert race.tuned("halved") == race.RATES[1]


def test_a_tiny_race(monkeypatch):
    config = EncoderConfig(
        vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=8, max_positions=8
    )
    monkeypatch.setattr(race, "encoder", lambda size: Encoder(config))
    rows = tuple(race.Example([1, 5 + n % 2, 2], n % 2) for n in range(64))
    monkeypatch.setattr(race, "sentences", lambda split: rows)
    monkeypatch.setattr(race, "TRAIN", 64)
    record = race.make("whole", 1e-2, seed=0)
    assert len(record["seconds"]) == len(record["validation"]) == race.LOOKS * race.EPOCHS
    assert len(record["test"]) == 2
    assert record["seconds"] == sorted(record["seconds"])
