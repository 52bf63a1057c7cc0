"""A student without its tables comes back whole, and what is damaged is named."""

import pytest
import torch

from course_utils.distillation.shipped import (
    ABOUT,
    WEIGHTS,
    ShippedStudentError,
    load_student,
    save_student,
)
from course_utils.distillation.students import fold_tables, from_layers, narrow_student, random_student
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

CONFIG = EncoderConfig(vocab_size=500, hidden_size=8, num_layers=4, num_heads=2, intermediate_size=16)
IDS = torch.tensor([[1, 2, 3, 4, 0], [5, 6, 7, 8, 9]])


@pytest.fixture(scope="module")
def teacher():
    torch.manual_seed(0)
    return Encoder(CONFIG).eval()


def states(encoder):
    return encoder.eval()(IDS, attention_mask=IDS != 0).last_hidden_state


@pytest.mark.parametrize("kind", ["layers", "narrow"])
def test_a_student_comes_back(teacher, tmp_path, kind):
    student = (
        from_layers(teacher, (1, 3))
        if kind == "layers"
        else narrow_student(teacher, 2, 4, 2, 5, intermediate=6)
    )
    with torch.no_grad():
        student.embeddings.norm.weight.mul_(1.1)
    save_student(student, teacher, tmp_path)
    again = load_student(tmp_path, teacher)
    assert torch.allclose(states(again), states(student), atol=5e-3)
    assert again.config == student.config
    table = teacher.embeddings.token.weight.numel() * 2
    assert (tmp_path / WEIGHTS).stat().st_size < table


def test_tables_of_its_own_cannot_be_left_out(teacher, tmp_path):
    with pytest.raises(ValueError, match="not the teacher's"):
        save_student(random_student(teacher, 2, 0, embeddings=False), teacher, tmp_path)
    with pytest.raises(ValueError, match="before fold_tables"):
        save_student(fold_tables(narrow_student(teacher, 2, 4, 2, 0)), teacher, tmp_path)


def cut(folder):
    file = folder / WEIGHTS
    file.write_bytes(file.read_bytes()[:-10])


def another_shape(folder):
    (folder / ABOUT).write_text((folder / ABOUT).read_text().replace('"num_layers": 2', '"num_layers": 3'))


def without_shape(folder):
    (folder / ABOUT).write_text("{}")


@pytest.mark.parametrize("damage", [cut, another_shape, without_shape, lambda f: (f / WEIGHTS).unlink()])
def test_what_is_damaged_is_named(teacher, tmp_path, damage):
    save_student(narrow_student(teacher, 2, 4, 2, 5), teacher, tmp_path)
    damage(tmp_path)
    with pytest.raises(ShippedStudentError, match=str(tmp_path)):
        load_student(tmp_path, teacher)
