"""The benchmark of attention's cost and the experiment on what a window loses: what they compute."""

import numpy as np
import pytest
import torch

from benchmarks import long_attention as benchmark
from benchmarks import long_attention_calls as calls
from course_utils import results
from course_utils.models import masks
from course_utils.models.layers import attention_weights
from experiments import family_longformer as family

JOB = benchmark.Job(lengths=(256, 512, 1024))


def table(local=1.0, matrix=2.0, fused=2.0, memory=1.0):
    """Exponents as the benchmark has them; `memory` is that of all but the matrix."""
    powers = {p.name: local for p in benchmark.PATTERNS} | {"matrix": matrix, "fused": fused}
    rows = []
    for name, power in powers.items():
        for direction in benchmark.DIRECTIONS:
            same = {"what": "exponent", "pattern": name, "direction": direction}
            rows.append(same | {"of": "time", "exponent": power, "low": power - 0.02, "high": power + 0.02})
            rows.append(same | {"of": "memory", "exponent": 2.0 if name == "matrix" else memory})
    return rows


def test_exponents_are_those_of_the_power_laws(monkeypatch):
    patterns = [calls.named("window"), calls.named("matrix")]
    monkeypatch.setattr(benchmark, "PATTERNS", patterns)
    monkeypatch.setattr(benchmark, "DIRECTIONS", ("training",))
    rng, times, rows = np.random.default_rng(0), {}, []
    for pattern, power in zip(patterns, (1.1, 2.1), strict=True):
        for length in JOB.lengths:
            spread = np.exp(0.02 * rng.normal(size=9))
            times["attention", pattern.name, length, "training"] = list(1e-6 * length**power * spread)
            key = {"what": "attention", "pattern": pattern.name, "direction": "training"}
            rows.append(key | {"length": length, "peak_megabytes": length**power})
    time, memory, _, square = benchmark.exponents(rows, times, JOB)
    assert time["exponent"] == pytest.approx(1.1, abs=0.03)
    assert time["low"] < time["exponent"] < time["high"]
    assert (memory["exponent"], square["exponent"]) == pytest.approx((1.1, 2.1))


def test_the_bars_and_the_verdict():
    fine, steep = table(), table(local=1.3)
    assert benchmark.missed(fine) == []
    assert benchmark.judge(fine) == "holds"
    assert len(benchmark.missed(steep)) == 6
    assert benchmark.judge(steep) == "does not hold"
    assert benchmark.judge(table(memory=1.2)) == "does not hold"
    assert benchmark.judge(table(fused=1.5)) == "does not hold"
    assert benchmark.judge(table(fused=2.7)) == "cannot tell"
    assert any("matrix" in problem for problem in benchmark.missed(table(matrix=2.7)))


def test_it_wins_from_the_first_length_after_the_last_defeat():
    rng = np.random.default_rng(0)
    ratios = [factor * np.exp(0.01 * rng.normal(size=12)) for factor in (0.5, 2, 0.9, 2, 4)]
    rows = benchmark.speedups("attention", "window", "forward", (1, 2, 3, 4, 5), ratios)
    assert [row["wins_from_here"] for row in rows] == [False, False, False, True, True]
    assert rows[1]["times_faster"] == pytest.approx(2, rel=0.02)


def test_peak_memory_counts_what_lives_at_once():
    def work():
        first = torch.ones(1_000_000)
        second = first + first
        del first
        return second + 1

    assert calls.peak_memory(work) == pytest.approx(8e6, rel=0.01)


def test_every_pattern_computes_what_its_name_says():
    length = 96
    query, key, value = torch.randn(3, 1, calls.HEADS, length, calls.HEAD_SIZE)
    is_global = (torch.arange(length) < 4)[None]
    window = masks.sliding_window(length, 32)
    expected = {
        "matrix": window,
        "fused": masks.full(length),
        "window": window,
        "wide window": masks.full(length),
        "dilated": masks.sliding_window(length, 32, 4),
        "window + global": window | masks.global_tokens(is_global),
    }
    for pattern in calls.PATTERNS:
        attend = calls.ATTENDS.get(pattern.name, calls.attend_locally)
        found = attend(pattern, window, query, key, value)
        weights = attention_weights(query, key, expected[pattern.name], scale=calls.HEAD_SIZE**-0.5)
        torch.testing.assert_close(found, weights @ value, atol=1e-5, rtol=0)


def test_the_lookup_has_its_answer_at_the_distance():
    distances = torch.tensor(family.DISTANCES)
    ids, answers = family.draw(distances, torch.Generator().manual_seed(0))
    places = family.LENGTH - 1 - distances
    assert torch.equal(ids.gather(1, places[:, None])[:, 0], family.VALUES + answers)
    marked = (ids >= family.VALUES) & (ids < 2 * family.VALUES)
    assert marked.sum(dim=1).tolist() == [1] * len(distances)


@pytest.mark.parametrize("way", family.WAYS, ids=lambda way: way.name)
def test_reachable_is_what_gradients_say(way):
    model = family.new_model(way, 0)
    ids, _ = family.draw(torch.tensor([6]), torch.Generator().manual_seed(0))
    x = model.embeddings.token(ids).detach().requires_grad_()
    weights = torch.randn(32, generator=torch.Generator().manual_seed(0))
    state = model(inputs_embeds=x).last_hidden_state[0, -1] @ weights
    (gradient,) = torch.autograd.grad(state, x)
    for distance in family.DISTANCES:
        felt = bool(gradient[0, family.LENGTH - 1 - distance].abs().sum())
        assert felt == way.reaches(distance)


def test_the_published_file_meets_the_bars_and_its_own_rule():
    made = results.load(benchmark.NAME)
    assert benchmark.missed(made.table) == []
    assert made.claims["longformer-cost"]["verdict"] == benchmark.judge(made.table)
    full = made.value("resident_megabytes", what="process", pattern="matrix")
    key = {"what": "attention", "pattern": "matrix", "length": 4096, "direction": "training"}
    assert made.value("peak_megabytes", **key) == pytest.approx(full, rel=0.1)
