"""Students have the layers that they should, and narrow ones the teacher's tables behind a map."""

import pytest
import torch

from course_utils.distillation.students import (
    DISTILBERT_CHOICE,
    ProjectedTable,
    every_other,
    fold_tables,
    from_layers,
    narrow_student,
    principal_directions,
    random_student,
    set_dropout,
    share_embeddings,
    spread,
    trained_parameters,
)
from course_utils.models import weights
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

CONFIG = EncoderConfig(vocab_size=50, hidden_size=8, num_layers=12, num_heads=2, intermediate_size=16)
IDS = torch.tensor([[1, 2, 3, 4, 0], [5, 6, 7, 8, 9]])


@pytest.fixture(scope="module")
def teacher():
    torch.manual_seed(0)
    return Encoder(CONFIG).eval()


@pytest.mark.parametrize("layers", [DISTILBERT_CHOICE, every_other(12), (0, 1, 2), (11, 0)])
def test_each_layer_is_the_teachers(teacher, layers):
    student = from_layers(teacher, layers)
    assert student.config.num_layers == len(layers)
    assert student.pooler is None
    for block, number in zip(student.stack.blocks, layers, strict=True):
        for name, tensor in teacher.stack.blocks[number].state_dict().items():
            assert torch.equal(block.state_dict()[name], tensor)
    assert torch.equal(student.embeddings.token.weight, teacher.embeddings.token.weight)


def test_layers_are_copies(teacher):
    student = from_layers(teacher, (0, 1))
    with torch.no_grad():
        student.stack.blocks[0].attention.query.weight.add_(1)
        student.embeddings.token.weight.add_(1)
    fresh = from_layers(teacher, (0, 1))
    assert not torch.equal(
        fresh.stack.blocks[0].attention.query.weight, student.stack.blocks[0].attention.query.weight
    )
    assert not torch.equal(fresh.embeddings.token.weight, student.embeddings.token.weight)


def test_all_layers_give_the_teachers_states(teacher):
    student = from_layers(teacher, range(12)).eval()
    assert torch.equal(student(IDS).last_hidden_state, teacher(IDS).last_hidden_state)


def test_choices_of_layers():
    assert every_other(12) == (1, 3, 5, 7, 9, 11)
    assert spread(12, 6) == DISTILBERT_CHOICE == (0, 2, 4, 7, 9, 11)


def test_random_students_come_from_their_seed(teacher):
    one, same, other = (random_student(teacher, 3, seed) for seed in (0, 0, 1))
    query = [student.stack.blocks[2].attention.query.weight for student in (one, same, other)]
    assert torch.equal(query[0], query[1])
    assert not torch.equal(query[0], query[2])
    assert torch.equal(one.embeddings.token.weight, teacher.embeddings.token.weight)
    apart = random_student(teacher, 3, 0, embeddings=False)
    assert not torch.equal(apart.embeddings.token.weight, teacher.embeddings.token.weight)


def test_shared_tables_exist_once_and_are_frozen(teacher):
    own = from_layers(teacher, range(12))
    student = from_layers(own, (1, 3))
    share_embeddings(student, own)
    assert student.embeddings is own.embeddings
    assert not any(p.requires_grad for p in student.embeddings.parameters())
    with pytest.raises(ValueError, match="use narrow_student"):
        share_embeddings(narrow_student(teacher, 1, 4, 2, 0), own)


def test_a_narrow_students_tables_are_the_teachers_behind_one_map(teacher):
    student = narrow_student(teacher, layers=2, width=4, heads=2, seed=0)
    assert student.config.hidden_size == 4
    assert student.config.intermediate_size == 16
    table = student.embeddings.token
    assert isinstance(table, ProjectedTable)
    assert torch.allclose(table(IDS), teacher.embeddings.token.weight[IDS] @ table.linear.T)
    assert student.embeddings.position.linear is table.linear
    assert not [name for name in student.state_dict() if name.endswith("rows")]
    out = student(IDS).last_hidden_state
    out.square().sum().backward()
    assert table.linear.grad is not None
    assert teacher.embeddings.token.weight.grad is None


def test_a_folded_student_gives_the_same_states_and_can_be_saved(teacher, tmp_path):
    student = narrow_student(teacher, layers=2, width=4, heads=2, seed=0).eval()
    folded = fold_tables(student)
    expected = student(IDS, attention_mask=IDS != 0).last_hidden_state
    assert torch.allclose(folded(IDS, attention_mask=IDS != 0).last_hidden_state, expected, atol=1e-6)
    weights.save(folded, tmp_path)
    again = weights.load_encoder(tmp_path)
    assert torch.allclose(again(IDS, attention_mask=IDS != 0).last_hidden_state, expected, atol=1e-6)
    copied = fold_tables(from_layers(teacher, (0, 3)).eval())
    assert torch.equal(
        copied(IDS).last_hidden_state, from_layers(teacher, (0, 3)).eval()(IDS).last_hidden_state
    )


def test_principal_directions_are_those_of_the_decomposition():
    table = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    _, _, expected = torch.linalg.svd(table - table.mean(dim=0), full_matrices=False)
    found = principal_directions(table, 3)
    assert torch.allclose((found @ expected[:3].T).abs(), torch.eye(3), atol=1e-4)


def test_dropout_and_counts(teacher):
    student = from_layers(teacher, (0, 1))
    set_dropout(student, 0.0)
    student.train()
    assert torch.equal(student(IDS).last_hidden_state, student(IDS).last_hidden_state)
    assert trained_parameters([student, student]) == sum(p.numel() for p in student.parameters())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: from_layers(t, []), "numbers from 0 to 11"),
        (lambda t: from_layers(t, [12]), "numbers from 0 to 11"),
        (lambda t: spread(12, 1), "keep must lie"),
        (lambda t: set_dropout(t, 1.0), "share of dropout"),
        (lambda t: principal_directions(t.embeddings.token.weight, 9), "width must lie"),
    ],
)
def test_what_is_not_there_is_refused(teacher, call, message):
    with pytest.raises(ValueError, match=message):
        call(teacher)
