"""General distillation on a tiny teacher: what is trained, what is not, going on after a stop."""

import numpy as np
import pytest
import torch

from course_utils.distillation import general
from course_utils.distillation.corpus import TokenRows, joined, letters, read_lines, without
from course_utils.distillation.general import (
    Agreement,
    Classroom,
    GeneralLoss,
    Pupil,
    Teacher,
    TimeIsUp,
    collate_rows,
    distil,
    load_classroom,
)
from course_utils.distillation.students import from_layers, narrow_student, set_dropout, share_embeddings
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM, MaskedLMHead
from course_utils.training import TrainingConfig

CONFIG = EncoderConfig(
    vocab_size=30522, hidden_size=8, num_layers=4, num_heads=2, intermediate_size=16, pooler=False
)


def rows(count=40, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 12, count)
    flat = np.concatenate([[101, *rng.integers(1000, 2000, n - 2), 102] for n in lengths])
    return TokenRows(flat.astype(np.uint16), np.concatenate([[0], np.cumsum(lengths)]))


def room(masks=False):
    torch.manual_seed(0)
    encoder = Encoder(CONFIG)
    teacher = Teacher(MaskedLM(encoder) if masks else encoder)
    halved = from_layers(encoder, (1, 3))
    share_embeddings(halved, encoder)
    thin = narrow_student(encoder, layers=1, width=4, heads=2, seed=1)
    pupils = {
        "halved": Pupil(halved, encoder, MaskedLMHead(halved.config) if masks else None),
        "thin": Pupil(thin, encoder),
    }
    made = Classroom({"halved": pupils["halved"]} if masks else pupils)
    set_dropout(made, 0.0)
    return made, teacher


def settings(steps=8, **changes):
    fields = {"batch_size": 4, "learning_rate": 1e-3, "log_every": 2, "checkpoint_every": 2}
    return TrainingConfig(steps=steps, **fields | changes)


WEIGHTS = GeneralLoss(cosine=1.0, states=1.0)


def test_students_come_nearer_and_the_teacher_stays_as_it_was():
    made, teacher = room()
    before = {name: tensor.clone() for name, tensor in teacher.encoder.state_dict().items()}
    lines = distil(made, teacher, rows(), WEIGHTS, settings(60, log_every=30), held_out=rows(8, seed=1))
    assert lines[-1]["cosine_halved"] > lines[0]["cosine_halved"]
    assert lines[-1]["cosine_thin"] > lines[0]["cosine_thin"]
    assert all(torch.equal(tensor, before[name]) for name, tensor in teacher.encoder.state_dict().items())
    assert not teacher.model.training
    assert not any(p.requires_grad for p in teacher.model.parameters())
    assert all(p.grad is None for p in teacher.model.parameters())


def test_the_teacher_is_asked_in_evaluation_mode_even_if_someone_switched_it():
    _, teacher = room()
    batch = {"input_ids": collate_rows([rows()[0]], None, masks=False)["input_ids"]}
    teacher.model.train()
    first = teacher.says(batch, WEIGHTS)[0].last_hidden_state
    assert torch.equal(first, teacher.says(batch, WEIGHTS)[0].last_hidden_state)
    assert not first.requires_grad


@pytest.mark.parametrize("masks", [False, True])
def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path, monkeypatch, masks):
    weights = GeneralLoss(1.0, 0.5, 5.0, 2.0) if masks else WEIGHTS
    whole, teacher = room(masks)
    distil(whole, teacher, rows(), weights, settings())
    clock = iter([0.0] * 6 + [1e9] * 100)
    monkeypatch.setattr(general.time, "process_time", lambda: next(clock))
    begun, teacher = room(masks)
    with pytest.raises(TimeIsUp, match="call again"):
        distil(begun, teacher, rows(), weights, settings(), folder=tmp_path, minutes=1)
    monkeypatch.undo()
    again, teacher = room(masks)
    assert load_classroom(room(masks)[0], tmp_path) == 4
    distil(again, teacher, rows(), weights, settings(), folder=tmp_path)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


def test_one_students_weights_do_not_depend_on_the_other():
    both, teacher = room()
    distil(both, teacher, rows(), WEIGHTS, settings(max_grad_norm=1e9))
    alone, teacher = room()
    del alone.pupils["thin"]
    distil(alone, teacher, rows(), WEIGHTS, settings(max_grad_norm=1e9))
    for name, tensor in alone.state_dict().items():
        assert torch.allclose(tensor, both.state_dict()[name], atol=1e-6), name


def test_agreement_is_one_for_the_teacher_itself():
    _, teacher = room()
    same = Classroom({"same": Pupil(teacher.encoder, teacher.encoder)})
    assert Agreement(teacher, rows(8))(same)["cosine_same"] == pytest.approx(1.0, abs=1e-5)


def test_what_cannot_be_meant_is_refused():
    made, teacher = room()
    with pytest.raises(ValueError, match="one must be above 0"):
        GeneralLoss(cosine=0.0)
    with pytest.raises(ValueError, match="masked-LM head"):
        distil(made, teacher, rows(), GeneralLoss(soft=1.0), settings())
    with pytest.raises(ValueError, match="need a head"):
        distil(made, teacher, rows(), GeneralLoss(masked_lm=1.0), settings())


def test_a_batch_that_draws_no_mask_still_has_one():
    batch = collate_rows([[101, 1000, 102]], torch.Generator().manual_seed(1), masks=True)
    assert (batch["labels"] != -100).sum() == 1


def test_text_of_the_test_set_is_left_out_whatever_its_marks():
    texts = ["A good film .", "a bad film", "A good film!", "A bad film."]
    assert list(without(texts, ["a GOOD film"])) == ["a bad film"]
    assert letters(" -- ") == ""


def test_lines_are_read_from_all_files_in_turn(tmp_path):
    (tmp_path / "a.txt").write_text("a1\na2\na3\n")
    (tmp_path / "b.txt").write_text("b1\n")
    assert [line.strip() for line in read_lines([tmp_path])] == ["a1", "b1", "a2", "a3"]
    with pytest.raises(FileNotFoundError, match="expected a"):
        list(read_lines([tmp_path / "none"]))


def test_token_rows_keep_their_ids():
    some = rows(5)
    twice = joined([some, some.chosen(np.array([4, 0]))])
    assert [twice[i] for i in range(7)] == [*[some[i] for i in range(5)], some[4], some[0]]
    with pytest.raises(IndexError):
        twice[7]


def test_text_can_be_masked_without_any_prediction():
    made, teacher = room()
    seen = []
    says = Teacher.says
    masked = GeneralLoss(cosine=1.0, masked_text=True)
    assert masked.masks
    assert not masked.predicts
    teacher_says = lambda self, batch, weights: seen.append(batch) or says(self, batch, weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Teacher, "says", teacher_says)
        distil(made, teacher, rows(), masked, settings())
    assert all((batch["input_ids"] == 103).any() or (batch["labels"] != -100).any() for batch in seen)
