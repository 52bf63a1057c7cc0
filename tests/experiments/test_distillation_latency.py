"""Timing half the layers: made-up times whose ratios are known, and one real round of tiny cases."""

import numpy as np
import pytest
import torch

from experiments import distillation_latency as latency
from experiments.distillation_latency import CASES, Case, measure, ratio, rows_of

SLOW, FAST = (Case(f"laptop, {layers} layers", 1, 32, 1) for layers in (6, 3))


def noisy(mean, seed, rounds=15):
    return (mean * np.random.default_rng(seed).lognormal(0, 0.05, rounds)).tolist()


def test_a_ratio_is_that_of_the_same_round_and_shrugs_off_outliers():
    shared = np.array(noisy(1.0, 0)) * np.linspace(1, 3, 15)  # the machine gets slower for both
    slow, fast = (2 * shared * noisy(1.0, 1)).tolist(), (shared * noisy(1.0, 2)).tolist()
    slow[3] *= 50  # something else ran
    made = ratio(slow, fast, np.random.default_rng(0))
    assert 1.8 < made.low < 2 < made.high < 2.2


def test_rows_name_the_reference_and_the_operations():
    slow, fast = rows_of({SLOW: noisy(0.03, 0), FAST: noisy(0.015, 1)})
    assert "faster" not in slow
    assert slow["flops_ratio"] == 1
    assert fast["flops_ratio"] == pytest.approx(2, rel=0.01)
    assert fast["low"] < 2 < fast["high"]
    assert fast["quartiles"][0] < fast["milliseconds"] < fast["quartiles"][1]


def test_every_case_has_its_reference_among_the_cases():
    for case in CASES:
        reference, batches = latency.COMPARED[case.model]
        assert case.batch in batches
        assert Case(reference, case.batch, case.length, case.threads) in CASES


def test_a_round_visits_every_case_with_its_threads(monkeypatch):
    threads = torch.get_num_threads()
    seen = []
    monkeypatch.setattr(latency, "CALLS", {1: 1})
    monkeypatch.setattr(torch, "set_num_threads", seen.append)
    times = measure([SLOW, FAST], rounds=2, seed=0)
    assert [len(values) for values in times.values()] == [2, 2]
    assert min(min(values) for values in times.values()) > 0
    assert seen == [1] * 4
    assert torch.get_num_threads() == threads
