"""The benchmark of the training loop: what it computes from its runs, and that it is a fair comparison."""

import numpy as np
import pytest
import torch
from transformers import BertForSequenceClassification

from benchmarks import training as benchmark
from course_utils import data


def rows(ours, padded, hits=(1.0, 1.0, 0.0, 1.0)):
    """The table for some CPU times of the course and of the padded Trainer."""
    same = np.array([1.0, 1.0, 0.0, 1.0])
    runs = {
        "course": [(t, t, np.array(hits)) for t in ours],
        "Trainer, 128": [(t, t, same) for t in padded],
        "Trainer, dynamic": [(t, t, same) for t in padded],
    }
    return [benchmark.row(way, runs, 1000, benchmark.Job()) for way in benchmark.WAYS]


def test_speed_is_compared_seed_by_seed():
    table = rows([2.0, 4.0, 2.0], [4.0, 6.0, 6.0])
    assert table[0]["tokens_per_second"] == 500
    assert (table[1]["times_slower_low"], table[1]["times_slower"], table[1]["times_slower_high"]) == (
        1.5,
        2.0,
        3.0,
    )
    assert benchmark.missed(table) == []


def test_a_slow_or_worse_run_fails():
    assert "only 1.20 times" in benchmark.missed(rows([5.0], [6.0]))[0]
    worse = rows([2.0], [6.0], hits=(0.0, 0.0, 0.0, 0.0))
    assert any("less accurate by 0.75" in problem for problem in benchmark.missed(worse))


def test_both_loops_start_from_the_same_function():
    ours = benchmark.new_model(0).eval()
    theirs = BertForSequenceClassification.from_pretrained(data.small_model_dir(), num_labels=2).eval()
    theirs.classifier.load_state_dict(ours.head.classifier.state_dict())
    batch = benchmark.pad(benchmark.sentences("test", 4))
    with torch.no_grad():
        expected = theirs(batch["input_ids"], batch["attention_mask"]).logits
        torch.testing.assert_close(ours(batch["input_ids"], batch["attention_mask"]), expected)


def test_the_library_gets_the_same_settings(tmp_path):
    arguments = benchmark.arguments(str(tmp_path), benchmark.Job(), seed=3)
    assert (arguments.learning_rate, arguments.weight_decay, arguments.max_grad_norm) == (2e-4, 0.0, 1.0)
    assert (arguments.adam_beta1, arguments.adam_beta2, arguments.adam_epsilon) == (0.9, 0.999, 1e-8)
    assert str(arguments.lr_scheduler_type.value) == "linear"
    assert arguments.get_warmup_steps(24) == 3  # as ceil(0.1 * 24) of the course
    assert not arguments.bf16


@pytest.mark.parametrize("split", ["train", "test"])
def test_both_labels_are_among_the_sentences(split):
    labels = [label for _, label in benchmark.sentences(split, 100)]
    assert 20 < sum(labels) < 80
