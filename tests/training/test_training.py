"""The loop: resumed bit for bit, equal on two processes, equal to a loop written out, clear when it fails."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tiny
import torch

from course_utils.training import (
    CheckpointError,
    LossTerms,
    TrainingConfig,
    TrainingData,
    learning_rate_at,
    train,
)
from course_utils.training.batches import step_examples

ROOT = Path(__file__).parents[2]


def script(folder, kill_at=0, launcher=(), **changes):
    """Train in a process of its own; returns its exit status."""
    command = [
        sys.executable,
        *launcher,
        str(ROOT / "tests/training/tiny.py"),
        str(folder),
        json.dumps(changes),
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [*command, str(kill_at)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


def state(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)


def losses(folder):
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_killed_run_goes_on_bit_for_bit(tmp_path):
    """Killed twice, at steps that are no checkpoints, with dropout and noise in the data."""
    changes = {"noise": True, "dropout": 0.3}
    assert script(tmp_path / "whole", **changes) == 0
    assert script(tmp_path / "killed", kill_at=13, **changes) == -9
    assert script(tmp_path / "killed", kill_at=14, **changes) == -9  # step 10 + 14 calls = 24
    assert script(tmp_path / "killed", **changes) == 0
    whole, killed = state(tmp_path / "whole"), state(tmp_path / "killed")
    assert all(torch.equal(whole["model"][k], killed["model"][k]) for k in whole["model"])
    assert losses(tmp_path / "whole") == losses(tmp_path / "killed")
    assert len(losses(tmp_path / "whole")) == 40


def test_two_processes_follow_the_curve_of_one(tmp_path):
    """The last batch of each epoch has 6 examples for 2 processes, batches hold unequal numbers of terms."""
    launcher = ("-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=0", "--standalone")
    script(tmp_path / "one")
    script(tmp_path / "two", launcher=launcher)
    one, two = torch.tensor(losses(tmp_path / "one")), torch.tensor(losses(tmp_path / "two"))
    torch.testing.assert_close(one, two, atol=1e-5, rtol=0)
    a, b = state(tmp_path / "one")["model"], state(tmp_path / "two")["model"]
    assert max(float((a[k] - b[k]).abs().max()) for k in a) < 1e-4


def test_accumulation_changes_no_number():
    curves = []
    for parts in (1, 4, 16):
        history = train(tiny.model(), tiny.loss, tiny.data(), tiny.config(accumulation=parts))
        curves.append(torch.tensor([line["loss"] for line in history]))
    torch.testing.assert_close(curves[0], curves[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(curves[0], curves[2], atol=1e-5, rtol=0)


def test_the_loop_equals_one_written_out():
    """Against plain torch: the same batches, a mean over all terms, clip, AdamW, a linear schedule."""
    config, data, ours, plain = tiny.config(steps=25), tiny.data(), tiny.model(), tiny.model()
    history = train(ours, tiny.loss, data, config)
    weights = [p for p in plain.parameters() if p.dim() == 2]
    vectors = [p for p in plain.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": weights}, {"params": vectors, "weight_decay": 0.0}], weight_decay=0.01
    )
    for step in range(config.steps):
        indices = step_examples(data, step, config.batch_size, config.seed)
        total, count = tiny.loss(plain, tiny.collate([data.examples[i] for i in indices], torch.Generator()))
        (total / count).backward()
        norm = torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(step, config)
        optimizer.step()
        optimizer.zero_grad()
        assert history[step]["loss"] == pytest.approx((total / count).item(), abs=1e-5)
        assert history[step]["grad_norm"] == pytest.approx(float(norm), abs=1e-4)
    for a, b in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_the_loss_falls():
    history = train(tiny.model(), tiny.loss, tiny.data(), tiny.config(steps=150, log_every=50))
    assert [line["step"] for line in history] == [50, 100, 150]
    assert history[-1]["loss"] < history[0]["loss"] / 4


def test_half_precision_computes_in_it_and_leaves_nothing_on_the_model():
    """Single precision before and after it, in the same process; the loss is always taken in single."""
    seen, data = [], tiny.data()

    def loss(net, batch):
        inner = net[2].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
        outer = net.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
        terms = tiny.loss(net, batch)
        inner.remove()
        outer.remove()
        return terms

    single, half = tiny.model(), tiny.model()
    exact = train(single, tiny.loss, data, tiny.config())
    rounded = train(half, loss, data, tiny.config(precision="bf16"))
    assert seen == [torch.bfloat16, torch.float32] * 40
    assert exact[-1]["loss"] != rounded[-1]["loss"] == pytest.approx(exact[-1]["loss"], rel=0.05)
    assert not half._forward_hooks
    assert all(p.dtype == torch.float32 for p in half.parameters())
    assert half(torch.tensor([[1, 2]])).dtype == torch.float32
    assert train(tiny.model(), tiny.loss, data, tiny.config()) == exact


def test_a_run_that_stops_leaves_nothing_on_the_model():
    model = tiny.model()

    def stops(net, batch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(model, stops, tiny.data(), tiny.config(precision="bf16"))
    assert not model._forward_hooks


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
def test_schedules_rise_to_the_peak_and_never_pass_it(schedule):
    config = TrainingConfig(steps=100, warmup=0.2, schedule=schedule, learning_rate=3.0)
    rates = [learning_rate_at(s, config) for s in range(100)]
    assert max(rates) == rates[19] == rates[20] == 3.0
    assert all(a < b for a, b in itertools.pairwise(rates[:20]))
    assert all(a >= b for a, b in itertools.pairwise(rates[20:]))
    assert (rates[-1] < 0.1) == (schedule != "constant")


def test_an_epoch_visits_every_example_once_and_the_next_in_another_order():
    data = tiny.data()
    steps = -(-70 // 16)
    epochs = [
        [i for s in range(e * steps, (e + 1) * steps) for i in step_examples(data, s, 16, 0)] for e in (0, 1)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(70))
    assert epochs[0] != epochs[1]


def test_grouping_by_length_saves_padding():
    grouped = tiny.data(n=400)
    shuffled = TrainingData(grouped.examples, grouped.collate)
    widths = [
        sum(
            d.collate([d.examples[i] for i in step_examples(d, s, 16, 0)], None)["ids"].numel()
            for s in range(25)
        )
        for d in (grouped, shuffled)
    ]
    tokens = sum(len(e) for e in grouped.examples)
    assert widths[0] < 1.12 * tokens
    assert widths[1] > 1.5 * tokens


def test_evaluation_figures_join_the_line_and_dropout_is_off_in_them():
    net = tiny.model(dropout=0.5)
    history = train(
        net, tiny.loss, tiny.data(), tiny.config(steps=4, log_every=2), evaluate=lambda m: {"on": m.training}
    )
    assert [line["on"] for line in history] == [False, False]
    assert net.training


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    train(tiny.model(), tiny.loss, tiny.data(), tiny.config(steps=5), folder=tmp_path)
    with pytest.raises(CheckpointError, match="another configuration"):
        train(tiny.model(), tiny.loss, tiny.data(), tiny.config(steps=5, seed=1), folder=tmp_path)


def test_a_damaged_checkpoint_is_named(tmp_path):
    train(tiny.model(), tiny.loss, tiny.data(), tiny.config(steps=5), folder=tmp_path)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CheckpointError, match="is damaged"):
        train(tiny.model(), tiny.loss, tiny.data(), tiny.config(steps=5), folder=tmp_path)


def test_a_loss_that_is_not_finite_stops_the_run():
    def broken(net, batch):
        total, count = tiny.loss(net, batch)
        return LossTerms(total * float("nan"), count)

    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        train(tiny.model(), broken, tiny.data(), tiny.config(steps=5))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"learning_rate": 0.0}, "must be > 0"),
        ({"warmup": 2.0}, "must lie in"),
        ({"schedule": "step"}, "linear, cosine or constant"),
        ({"accumulation": 3}, "does not split"),
    ],
)
def test_bad_settings_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        tiny.config(**changes)


def test_bad_data_are_named():
    with pytest.raises(ValueError, match="no examples"):
        TrainingData([], tiny.collate)
    with pytest.raises(ValueError, match="2 lengths for 1 examples"):
        TrainingData([1], tiny.collate, lengths=[1, 2])
