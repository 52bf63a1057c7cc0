"""The benchmark of compressed models: every model under every condition, ratios per engine."""

import sys

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from torch import nn

from benchmarks import compression as benchmark
from benchmarks.compression_models import Loaded, load_all, models_in
from course_utils import data, results
from course_utils.compression import saved
from course_utils.compression.integer_parts import Int8Linear
from course_utils.compression.number_steps import change_linears
from course_utils.distillation import bilstm
from course_utils.finetuning.classifier import new_classifier
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

PLAN = benchmark.Plan(batches=(1, 2), lengths=(4, 8), threads=(1,), rounds=3)


def classifier(layers):
    torch.manual_seed(0)
    sizes = {"vocab_size": 2000, "hidden_size": 24, "num_heads": 4, "intermediate_size": 40}
    config = EncoderConfig(**sizes, num_layers=layers, max_positions=16)
    return new_classifier(Encoder(config), 2, 0).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four saved models: whole, short, in integers, and a BiLSTM."""
    where = tmp_path_factory.mktemp("models")
    tokenizer = Tokenizer.from_file(str(data.small_model_dir() / "tokenizer.json"))
    integers = classifier(3)
    change_linears(integers, Int8Linear.from_linear)
    for name, model in {"a-whole": classifier(3), "b-short": classifier(1), "c-int8": integers}.items():
        count = saved.count_parameters(model)
        made = saved.Compressed(model, saved.cutting(tokenizer, 16), ("no", "yes"), 16, count)
        saved.save(made, where / name)
    config = bilstm.BiLSTMConfig(pieces=2000, vocab_size=2000)
    bilstm.save(bilstm.new_bilstm(0, config=config), where / "d-bilstm")
    return where


def test_every_model_is_timed_on_each_engine_that_runs_it(folder):
    others = [folder / name for name in ("a-whole", "c-int8", "d-bilstm")]
    models = [*load_all([folder / "b-short"]), *load_all(others, export=False)]
    assert [sorted(m.engines) for m in models] == [["onnxruntime", "torch"]] + [["torch"]] * 3
    times = benchmark.measure(models, PLAN)
    assert {len(seconds) for seconds in times.values()} == {3}
    assert len(times) == 4 * (2 + 1 + 1 + 1)  # conditions times engines of all models
    rows = benchmark.rows_of(models, "a-whole", times)
    compared = [row for row in rows if row["part"] == "time" and "faster" in row]
    assert {row["model"] for row in compared} == {"b-short", "c-int8", "d-bilstm"}
    assert all(row["low"] <= row["faster"] <= row["high"] for row in compared)
    sizes = {row["model"]: row["smaller"] for row in rows if row["part"] == "model"}
    assert sizes["a-whole"] == 1 < sizes["c-int8"]
    assert len(benchmark.told(rows)) == 4 + len(compared)


class Clock:
    """A clock that only the models below move."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


def timed(name, clock, seconds, longest=100, log=None):
    """A model that takes a known time for each row and tells when it was called."""

    class Timed(nn.Module):
        def forward(self, ids, attention_mask):
            clock.now += seconds * len(ids)
            if log is not None and len(ids) > 1:
                log.append(name)

    return Loaded(name, 1, 1, longest, {"torch": lambda _threads: Timed()})


def test_a_known_ratio_is_found_and_models_take_turns(monkeypatch):
    clock, log = Clock(), []
    monkeypatch.setattr(benchmark, "time", clock)
    models = [timed("slow", clock, 0.004, log=log), timed("fast", clock, 0.001, log=log)]
    plan = benchmark.Plan(batches=(2,), lengths=(4,), threads=(1,), rounds=8)
    rows = benchmark.rows_of(models, "slow", benchmark.measure(models, plan))
    (row,) = [row for row in rows if "faster" in row]
    assert row["faster"] == pytest.approx(4)
    assert row["milliseconds"] == pytest.approx(2)  # of the batch of 2; the first call is not counted
    turns = [tuple(log[i : i + 2]) for i in range(0, len(log), 2)]
    assert {frozenset(turn) for turn in turns} == {frozenset(("slow", "fast"))}  # both in every round
    assert len(set(turns)) == 2  # in either order


def test_a_length_that_a_model_cannot_read_is_left_out():
    models = [timed("whole", Clock(), 0), timed("short", Clock(), 0, longest=4)]
    times = benchmark.measure(models, PLAN)
    assert {condition.length for name, condition in times if name == "short"} == {4}


def test_drift_that_hits_all_alike_cancels():
    drift = np.linspace(1, 5, 12)
    made = benchmark.faster(list(2 * drift), list(drift), np.random.default_rng(0))
    assert made.estimate == pytest.approx(2)
    assert made.high - made.low < 1e-9


def test_the_command_prints_and_writes(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(results.OUT_VARIABLE, str(tmp_path))
    monkeypatch.setattr(benchmark, "BATCHES", (1,))
    monkeypatch.setattr(benchmark.Plan, "__init__", _quick(benchmark.Plan.__init__))
    monkeypatch.setattr(benchmark, "frontier", lambda: folder)
    monkeypatch.setattr(benchmark, "TEACHER", "a-whole")
    monkeypatch.setattr(sys, "argv", ["compression", "--threads", "1", "--no-export", "--write"])
    benchmark.main()
    assert "x faster [" in capsys.readouterr().out
    made = results.parse((tmp_path / "benchmark_compression.json").read_text(), "benchmark_compression")
    assert made.value("reference", part="machine") == "a-whole"
    monkeypatch.setattr(sys, "argv", ["compression", str(folder / "b-short"), "--write"])
    with pytest.raises(SystemExit):
        benchmark.main()
    assert "name no others with --write" in capsys.readouterr().err


def _quick(whole):
    def init(self, **given):
        whole(self, **{**given, "batches": (1,), "lengths": (4,), "rounds": 2})

    return init


def test_what_is_no_model_is_said(tmp_path, folder):
    with pytest.raises(ValueError, match="no saved model there"):
        models_in(tmp_path)
    with pytest.raises(ValueError, match="two models are called"):
        load_all([folder / "a-whole", folder])
