"""What is read inside a model is what the model computed, and maps of layers cannot slip by one."""

import copy

import pytest
import torch
from layerwise_models import batch, classifier, examples

from course_utils.distillation import layer_maps
from course_utils.distillation.internals import look_inside
from course_utils.distillation.layerwise import check_apart, mean_over_real, projection, train_against
from course_utils.distillation.tiny import TinyBERT
from course_utils.models import masks
from course_utils.models.layers import attention_weights
from course_utils.training import TrainingConfig


@pytest.fixture
def seen():
    model, rows = classifier().eval(), batch()
    return model, rows, look_inside(model.encoder, rows)


def test_the_scores_give_the_maps_of_the_model(seen):
    model, rows, inside = seen
    ids = rows["input_ids"]
    maps = model.encoder(ids, attention_mask=ids != 0, return_maps=True).attentions
    mask = masks.padding(ids != 0)
    for layer in range(1, 5):
        q, k = inside.queries[layer - 1], inside.keys[layer - 1]
        torch.testing.assert_close(attention_weights(q, k, mask, scale=inside.scales[0]), maps[layer - 1])
        scores = inside.scores(layer).masked_fill(~mask, -torch.inf)
        torch.testing.assert_close(scores.softmax(-1), maps[layer - 1])


def test_states_and_values_belong_to_their_layers(seen):
    model, rows, inside = seen
    embedded = model.encoder.embeddings(rows["input_ids"])
    torch.testing.assert_close(inside.state(0), embedded)
    first, last = model.encoder.stack.blocks[0], model.encoder.stack.blocks[3]
    torch.testing.assert_close(inside.state(1), first(embedded, masks.padding(inside.real))[0])
    for block, layer in ((first, 1), (last, 4)):
        expected = block.attention.split(block.attention.value(inside.state(layer - 1)))
        torch.testing.assert_close(inside.values[layer - 1], expected)


def test_a_layer_that_is_not_there_is_refused(seen):
    inside = seen[2]
    with pytest.raises(IndexError, match="layer 5: this model has 0 to 4"):
        inside.state(5)
    with pytest.raises(IndexError, match="layer 0: this model has 1 to 4"):
        inside.scores(0)
    with pytest.raises(IndexError, match="layer -1"):
        inside.state(-1)


def test_looking_changes_nothing_and_leaves_nothing_behind(seen):
    model, rows, inside = seen
    ids = rows["input_ids"]
    plain = model.encoder(ids, attention_mask=ids != 0).last_hidden_state
    assert torch.equal(plain, inside.state(4))
    assert not any(module._forward_hooks for module in model.modules())


def test_a_shared_block_counts_every_time():
    model, rows = classifier(share_layers=True).eval(), batch()
    inside = look_inside(model.encoder, rows)
    assert inside.num_layers == 4
    assert not torch.equal(inside.scores(1), inside.scores(4))


def test_the_maps_of_the_papers():
    assert layer_maps.even(1, 6) == ((1, 6),)
    assert [teacher for _, teacher in layer_maps.even(4, 6)] == [2, 3, 5, 6]
    assert layer_maps.uniform(4, 12) == ((1, 3), (2, 6), (3, 9), (4, 12))  # TinyBERT4
    assert [teacher for _, teacher in layer_maps.skip(6, 12)] == [2, 4, 6, 8, 10]
    assert [teacher for _, teacher in layer_maps.last(6, 12)] == [7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: layer_maps.uniform(4, 6), "divides the teacher's 6, got 4"),
        (lambda: layer_maps.even(7, 6), "1 to 6 layers"),
        (lambda: layer_maps.uniform(7, 6), "1 to 6 layers"),
        (lambda: layer_maps.skip(1, 6), "at least 2 layers"),
        (lambda: layer_maps.check([(0, 0), (1, 3)], 2, 6), r"pair \(0, 0\): blocks count from 1"),
        (lambda: layer_maps.check([(1, 2), (3, 6)], 2, 6), r"pair \(3, 6\)"),
        (lambda: layer_maps.check([(1, 7)], 2, 6), r"pair \(1, 7\)"),
        (lambda: layer_maps.check([(1, 4), (2, 2)], 2, 6), "must rise"),
        (lambda: layer_maps.check([(1, 2), (1, 4)], 2, 6), "must rise"),
        (lambda: layer_maps.check([], 2, 6), "empty"),
    ],
)
def test_maps_that_do_not_fit_are_refused(made, message):
    with pytest.raises(ValueError, match=message):
        made()


def test_the_mean_leaves_padding_out():
    values = torch.tensor([[1.0, torch.inf], [3.0, 5.0]])
    assert mean_over_real(values, torch.tensor([[True, False], [True, True]])) == 3.0
    assert mean_over_real(values, torch.zeros(2, 2, dtype=torch.bool)) == 0.0


def test_a_projection_is_the_identity_where_it_can_be():
    assert torch.equal(projection(3, 3, torch.Generator()).weight, torch.eye(3))
    drawn = [projection(3, 5, torch.Generator().manual_seed(seed)).weight for seed in (1, 1, 2)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_a_student_must_not_train_its_teacher():
    teacher, student = classifier(4), classifier(2)
    student.encoder.stack.blocks[0] = teacher.encoder.stack.blocks[1]
    with pytest.raises(ValueError, match=r"student\.encoder\.stack\.blocks\.0.* copy them"):
        train_against(TinyBERT(student, teacher.config, 0), teacher, examples(), TrainingConfig(steps=1))
    student.encoder.stack.blocks[0].requires_grad_(False)
    check_apart(student, teacher)


def test_training_leaves_the_teacher_as_it_was():
    teacher, student = classifier(4).train(), classifier(2, seed=1)
    weights, before = copy.deepcopy(teacher.state_dict()), copy.deepcopy(student.state_dict())
    modes = []
    teacher.head.register_forward_hook(lambda module, *_: modes.append(module.training))
    method = TinyBERT(student, teacher.config, 0)
    train_against(method, teacher, examples(), TrainingConfig(steps=2, batch_size=4))
    assert all(torch.equal(weights[name], tensor) for name, tensor in teacher.state_dict().items())
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert modes == [False, False]
    assert teacher.training
    assert not torch.equal(before["encoder.stack.blocks.0.attention.query.weight"],
                           student.encoder.stack.blocks[0].attention.query.weight)  # fmt: skip
