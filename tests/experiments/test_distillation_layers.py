"""The comparison of layer-wise methods: every run on small random models, and the rule on made-up runs."""

import json

import numpy as np
import pytest
import torch

from course_utils import results
from course_utils.distillation import task
from course_utils.finetuning.classifier import Example, new_classifier
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.stats import Interval
from experiments import distillation_layers as layers
from experiments import distillation_layers_methods as methods
from experiments import distillation_layers_report as reporting

CONFIG = EncoderConfig(hidden_size=64, num_layers=6, num_heads=2, intermediate_size=32, pooler=False)


def examples(n, seed):
    rng = np.random.default_rng(seed)
    return [Example([101, *rng.integers(1996, 2100, 4 + i % 5).tolist(), 102], i % 2) for i in range(n)]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """All of it with 96 sentences, a random teacher, and a cache of its own."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    torch.manual_seed(0)
    teacher = new_classifier(Encoder(CONFIG), 2, 0).eval().requires_grad_(False)
    parts = {"training": examples(96, 0), "validation": examples(20, 1), "test": examples(40, 2)}
    vocabulary = tmp_path / "tokenizer.json"
    pieces = {"[UNK]": 0, "a": 1996}
    vocabulary.write_text(json.dumps({"model": {"type": "WordLevel", "vocab": pieces, "unk_token": "[UNK]"}}))
    monkeypatch.setattr(task, "tokenizer_file", lambda: vocabulary)
    monkeypatch.setattr(methods, "ROWS", 64)
    monkeypatch.setattr(methods, "FIRST", slice(0, 32))
    monkeypatch.setattr(methods, "SECOND", slice(32, 64))
    monkeypatch.setattr(methods, "BATCH", 4)
    for module in (layers, methods):
        monkeypatch.setattr(module, "teacher", lambda _seed: teacher)
        monkeypatch.setattr(module, "sentences", parts.__getitem__)
    monkeypatch.setattr("course_utils.distillation.augment.FREQUENT", 5)
    return teacher


@pytest.mark.parametrize("method", methods.METHODS)
def test_every_method_runs_leaves_the_teacher_alone_and_comes_back(small, monkeypatch, method):
    monkeypatch.setattr("course_utils.distillation.augment._class", lambda *_: "other")
    monkeypatch.setattr("course_utils.distillation.augment.word_classes", None)
    monkeypatch.setattr(methods, "word_classes", _classes)
    before = {name: tensor.clone() for name, tensor in small.state_dict().items()}
    record = json.loads(json.dumps(layers.make(method, 0)))
    assert len(record["test"]) == 40
    assert (record["pairs"] is None) == method.startswith("bilstm")
    assert bool(record["losses"]) == (method != "start")
    assert all(torch.equal(before[name], tensor) for name, tensor in small.state_dict().items())
    again = layers.load_saved(method, 0)
    assert not again.training
    assert layers.positive(again) == pytest.approx(record["test"], abs=2e-6)


def _classes(examples, _vocabulary):
    from course_utils.distillation.augment import WordClasses, words_of

    words = sorted({word for example in examples for word in words_of(example, frozenset())})
    shares = {"other": np.full(len(words), 1 / len(words))}
    return WordClasses(dict.fromkeys(words, "other"), {"other": words}, shares, frozenset())


def test_students_begin_alike_with_what_the_teacher_ends_with(small):
    one, other = methods.student(0), methods.student(1)
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    assert torch.equal(one.head.classifier.weight, small.head.classifier.weight)
    for mine, theirs in zip((0, 1, 2), (1, 3, 5), strict=True):
        weights = (
            m.encoder.stack.blocks[i].feed_forward.inner.weight for m, i in ((one, mine), (small, theirs))
        )
        assert torch.equal(*weights)
    assert not any(p.requires_grad for p in one.encoder.embeddings.parameters())


def test_stages_share_no_sentence_and_methods_see_the_same(small):
    assert len(set(methods.drawn(0))) == 64
    assert not set(methods.drawn(0)[methods.FIRST]) & set(methods.drawn(0)[methods.SECOND])
    assert methods.drawn(0) == methods.drawn(0) != methods.drawn(1)


def test_a_model_that_was_not_made_says_how_to(small):
    with pytest.raises(FileNotFoundError, match=r"python -m experiments\.distillation_layers"):
        layers.load_saved("soft", 2)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.011, 0.02, "better"),
        (-0.03, -0.011, "worse"),
        (-0.009, 0.009, "the same"),
        (-0.02, 0.02, "cannot tell"),
    ],
)
def test_the_rule(low, high, expected):
    assert reporting.verdict(Interval((low + high) / 2, low, high, 0.99)) == expected


def made_up(where, rng, labels):
    """Runs in which TinyBERT is 5 points better than soft targets and the others are alike."""
    table = [[None, None], [None, 1.0]]
    for seed in range(5):
        base = rng.permutation(len(labels))
        for method in ["teacher", *methods.METHODS]:
            share = 0.25 if method == "tiny" else 0.3
            test = labels.astype(float)
            wrong = base[: round(share * len(labels)) + int(rng.integers(0, 3))]
            test[wrong] = 1 - test[wrong]
            record = {"test": test.tolist(), "cpu_seconds": 2.0, "seconds_each": 0.01, "losses": [1.0]}
            pairs = {"scores": table} if seed < 3 and not method.startswith("bilstm") else None
            if method != "teacher" or seed < 3:
                (where / f"{method}-{seed}.json").write_text(json.dumps(record | {"pairs": pairs}))


def test_the_report_says_what_was_put_in(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_RESULTS_DIR", str(tmp_path / "out"))
    labels = np.arange(1000) % 2
    monkeypatch.setattr(reporting, "sentences", lambda _part: [Example([1], int(label)) for label in labels])
    made_up(tmp_path, np.random.default_rng(0), labels)
    for name in ("soft-3", "soft-4"):
        (tmp_path / f"{name}.json").rename(tmp_path / f"{name}.aside")
    (tmp_path / "soft-2.json").rename(tmp_path / "soft-2.aside")
    with pytest.raises(ValueError, match="2 whole seeds, 3 are needed"):
        reporting.report(tmp_path)
    for file in list(tmp_path.glob("*.aside")):
        file.rename(file.with_suffix(".json"))
    made = results.parse((tmp_path / "out" / "distillation_layers.json").read_text(), "distillation_layers") \
        if reporting.report(tmp_path) else None  # fmt: skip
    assert made.seeds == [0, 1, 2, 3, 4]
    row = made.row(part="difference", method="tiny")
    assert row["estimate"] == pytest.approx(0.05, abs=0.003)
    assert row["verdict"] == "better"
    assert made.row(part="difference", method="patient")["verdict"] == "the same"
    assert made.row(part="run", method="tiny", seed=3)["labelling_seconds"] == 30
    assert made.row(part="method", method="hard")["accuracy"] == pytest.approx(0.7, abs=0.003)
    assert made.row(part="pairs", method="tiny", kind="scores")["table"] == [[None, None], [None, 1.0]]
