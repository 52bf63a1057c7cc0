"""The laptop task is fixed, its parts are apart, and a teacher is made once, also after an interruption."""

import pytest
import torch

from course_utils.distillation import task
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder


def test_the_split_is_fixed_and_no_text_is_in_two_parts():
    parts = task.load()
    assert (len(parts.training), len(parts.validation), len(parts.test)) == (8000, 419, 2000)
    texts = [set(part.texts) for part in (parts.training, parts.validation, parts.test)]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]
    assert abs(sum(parts.test.labels) / 2000 - 0.5) < 0.03
    again = task.load.__wrapped__()
    assert again.test == parts.test
    assert again.training == parts.training


def test_the_test_part_is_from_the_sets_own():
    rows = task.data.load("movies", split="test", margin=0.2)
    assert set(task.load().test.texts) <= set(rows["text"])


def test_inputs_are_cut():
    examples = task.load().test.examples[:300]
    assert max(len(example.ids) for example in examples) <= task.LONGEST
    assert [example.label for example in examples] == list(task.load().test.labels[:300])


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Teachers of a tiny encoder, in a folder of their own."""

    def encoder(_folder):
        torch.manual_seed(0)
        config = EncoderConfig(hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16, pooler=False)
        return Encoder(config)

    monkeypatch.setattr(task, "load_encoder", encoder)
    monkeypatch.setattr(task.paths, "cache_dir", lambda: tmp_path)
    return task.TeacherDesign(seed=3, rows=64, epochs=110, rate=1e-3)


def test_a_teacher_is_made_once_frozen_and_in_evaluation_mode(small, monkeypatch):
    first = task.teacher(small)
    assert not first.training
    assert not any(p.requires_grad for p in first.parameters())
    assert task.teacher_seconds(small) > 0
    monkeypatch.setattr(task, "fine_tune", None)  # would fail if it were called again
    second = task.teacher(small)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name])


def test_an_interrupted_teacher_goes_on(small, monkeypatch, tmp_path):
    whole = task.teacher(small).state_dict()
    for file in sorted(small.folder.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    real, calls = task.fine_tune, []

    def stop(figures):
        calls.append(figures)
        if len(calls) == 3:  # after step 150; the checkpoint is of step 100
            raise KeyboardInterrupt
        return {}

    monkeypatch.setattr(task, "fine_tune", lambda *args, **kw: real(*args, evaluate=stop, **kw))
    with pytest.raises(KeyboardInterrupt):
        task.teacher(small)
    assert (small.folder / "run" / "checkpoint.pt").is_file()
    monkeypatch.setattr(task, "fine_tune", real)
    again = task.teacher(small).state_dict()
    for name, tensor in whole.items():
        assert torch.equal(tensor, again[name]), name


def test_another_design_is_another_folder():
    designs = [
        task.TeacherDesign(0),
        task.TeacherDesign(1),
        task.TeacherDesign(0, rows=10),
        task.TeacherDesign(0, epochs=1),
        task.TeacherDesign(0, rate=1e-4),
    ]
    assert len({design.folder for design in designs}) == 5
    assert task.TeacherDesign(0).folder == designs[0].folder
