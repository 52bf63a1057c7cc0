"""The table of all pairs of layers: the losses of the methods, each in its place."""

import pytest
import torch
from layerwise_models import batch, classifier, examples, watched

from course_utils.distillation.pairs import KINDS, pair_losses
from course_utils.distillation.patient import Patient
from course_utils.distillation.relations import MiniLM
from course_utils.distillation.tiny import TinyBERT


def test_the_entries_are_the_losses_of_the_methods():
    teacher, student, rows = classifier(4), classifier(2, seed=1), examples(4)
    found = pair_losses(student, teacher, rows)
    mine, seen = watched(student, batch(4))[0], watched(teacher, batch(4))[0]
    tiny = TinyBERT(student, teacher.config, 0).parts(mine, seen)
    assert found["states"][0][0] == pytest.approx(float(tiny["embeddings"].detach()), rel=1e-5)
    hidden = found["states"][1][2] + found["states"][2][4]
    assert hidden == pytest.approx(float(tiny["hidden"].detach()), rel=1e-5)
    scores = found["scores"][1][2] + found["scores"][2][4]
    assert scores == pytest.approx(float(tiny["attention"].detach()), rel=1e-5)
    patience = Patient(student, teacher.config).patience(mine, seen)
    assert found["summaries"][1][2] == pytest.approx(float(patience), rel=1e-5)
    relations = MiniLM(student, teacher.config).parts(mine, seen)
    assert found["attention"][2][4] == pytest.approx(float(relations["qk"]), rel=1e-5)
    assert found["values"][2][4] == pytest.approx(float(relations["vv"]), rel=1e-5)


def test_a_model_is_nearest_to_itself_and_unchanged():
    teacher = classifier(3).train()
    found = pair_losses(teacher, teacher, examples(40), batch_size=7)
    assert set(found) == set(KINDS)
    for kind, table in found.items():
        assert [len(row) for row in table] == [4] * 4
        for layer in range(KINDS[kind], 4):
            assert table[layer][layer] == pytest.approx(0, abs=1e-5)
            assert min(value for value in table[layer] if value is not None) == table[layer][layer]
        empty = [value for row in table for value in row].count(None)
        assert empty == (7 if KINDS[kind] else 0)
    assert teacher.training


def test_a_narrow_student_needs_its_projection_and_an_identity_changes_nothing():
    teacher, student = classifier(2), classifier(2, 6, seed=1)
    projection = TinyBERT(student, teacher.config, 0).of_states
    with pytest.raises(ValueError, match="a narrow student needs a projection"):
        pair_losses(student, teacher, examples())
    assert set(KINDS) - set(pair_losses(student, teacher, examples(), of_states=projection)) == {"summaries"}
    with pytest.raises(ValueError, match="no examples"):
        pair_losses(teacher, teacher, [])
    same = torch.nn.Linear(8, 8, bias=False)
    torch.nn.init.eye_(same.weight)
    plain, projected = (pair_losses(teacher, teacher, examples(), of_states=p) for p in (None, same))
    assert projected["states"] == plain["states"]
