"""PKD and MiniLM: losses written out, padding, gradients, widths and heads that differ."""

import pytest
import torch
from layerwise_models import batch, classifier, examples, is_slope, loss_of, watched

from course_utils.distillation.layerwise import train_against
from course_utils.distillation.patient import Patient, patient_loss, summary
from course_utils.distillation.relations import (
    VERSION_2,
    MiniLM,
    log_relation,
    regroup,
    relation_loss,
)
from course_utils.training import TrainingConfig

LENGTHS = (5, 6, 7, 8)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize(("strategy", "pairs"), [("skip", ((1, 2),)), ("last", ((1, 3),))])
def test_the_patient_loss_is_the_papers_formula(pooling, strategy, pairs):
    teacher, student, rows = classifier(4), classifier(2, seed=1, pooling=pooling), batch()
    settings = {"alpha": 0.3, "beta": 7.0, "temperature": 4.0}
    method = Patient(student, teacher.config, strategy=strategy, **settings)
    assert method.pairs == pairs
    (mine, own), (seen, logits) = watched(student, rows), watched(teacher, rows)
    distance = 0.0
    for row, length in enumerate(LENGTHS):
        for m, g in pairs:
            states = [side.state(layer)[row, :length] for side, layer in ((mine, m), (seen, g))]
            h = [state[0] if pooling == "cls" else state.mean(0) for state in states]
            distance += float(((h[0] / h[0].norm() - h[1] / h[1].norm()) ** 2).sum()) / len(LENGTHS)
    hard = -own.log_softmax(-1)[range(4), rows["labels"]].mean()
    q = (logits / 4).softmax(-1)
    soft = (q * (q.log() - (own / 4).log_softmax(-1))).sum(-1).mean()
    expected = 0.7 * hard + 0.3 * soft + 7.0 * distance
    torch.testing.assert_close(loss_of(method, teacher, rows), expected)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_patience_ignores_padding(pooling):
    teacher, student = classifier(4), classifier(2, seed=1, pooling=pooling)
    method = Patient(student, teacher.config)
    losses = [loss_of(method, teacher, batch(more_padding=columns)).item() for columns in (0, 5)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    states, real = torch.randn(1, 3, 4), torch.tensor([[True, True, False]])
    before = summary(states, real, pooling)
    states[:, 2] = torch.inf
    assert torch.equal(summary(states, real, pooling), before)


def test_only_directions_count_for_patience():
    h = torch.randn(5, 4)
    assert float(patient_loss(h, 3 * h)) == pytest.approx(0, abs=1e-6)
    assert float(patient_loss(h, -h)) == pytest.approx(4)


def test_the_gradient_of_patience_is_a_finite_difference():
    teacher, student = classifier(4), classifier(2, seed=1)
    method = Patient(student, teacher.config)
    assert is_slope(method, teacher, batch(), student.encoder.stack.blocks[0].feed_forward.inner.weight)
    assert all(parameter.grad is None for parameter in teacher.parameters())


@pytest.mark.parametrize(
    ("student", "options", "message"),
    [
        ({"width": 6}, {}, "equal widths, got 6 and 8"),
        ({}, {"alpha": 1.2}, "alpha must lie"),
        ({}, {"strategy": "first"}, "'skip' or 'last', got 'first'"),
        ({"layers": 1}, {}, "at least 2 layers"),
        ({}, {"pairs": ((0, 0),)}, "blocks count from 1"),
    ],
)
def test_patience_refuses_what_does_not_fit(student, options, message):
    with pytest.raises(ValueError, match=message):
        Patient(classifier(**({"layers": 2} | student)), classifier(4).config, **options)


@pytest.mark.parametrize("width", [8, 4])
def test_relations_are_the_papers_formula(width):
    """Widths differ, heads do not: KL of the models' own maps, and of softmax(V V^T / sqrt d)."""
    teacher, student, rows = classifier(4), classifier(2, width, seed=1), batch()
    method = MiniLM(student, teacher.config)
    mine, seen = watched(student, rows)[0], watched(teacher, rows)[0]
    found = method.parts(mine, seen)
    for name in ("qk", "vv"):
        terms = []
        for row, n in enumerate(LENGTHS):
            for head in range(2):
                p, q = (_relation(side, name, layer, row, head, n) for side, layer in ((seen, 4), (mine, 2)))
                terms += [float((p[i] * (p[i] / q[i]).log()).sum()) for i in range(n)]
        assert float(found[name]) == pytest.approx(sum(terms) / len(terms), rel=1e-4)
    torch.testing.assert_close(loss_of(method, teacher, rows), found["qk"] + found["vv"])


def _relation(side, name, layer, row, head, n):
    vectors = {"q": side.queries, "k": side.keys, "v": side.values}
    x, y = (vectors[letter][layer - 1][row, head, :n] for letter in name)
    return (x @ y.T / x.shape[-1] ** 0.5).softmax(-1)


def test_the_divergence_runs_from_the_teacher():
    teacher = torch.tensor([[[[0.9, 0.1], [0.5, 0.5]]]]).log()
    student = torch.tensor([[[[0.5, 0.5], [0.5, 0.5]]]]).log()
    real = torch.tensor([[True, True]])
    expected = (0.9 * torch.tensor(0.9 / 0.5).log() + 0.1 * torch.tensor(0.1 / 0.5).log()) / 2
    torch.testing.assert_close(relation_loss(student, teacher, real), expected)


def test_relations_ignore_padding():
    teacher, student = classifier(4), classifier(2, 4, seed=1)
    method = MiniLM(student, teacher.config)
    losses = [loss_of(method, teacher, batch(more_padding=columns)).item() for columns in (0, 5)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    q, real = torch.randn(1, 2, 3, 4), torch.tensor([[True, True, False]])
    theirs = log_relation(torch.randn(1, 2, 3, 4), q, real)
    before = relation_loss(log_relation(q, q, real), theirs, real)
    q = q.clone()
    q[:, :, 2] = 50.0
    assert relation_loss(log_relation(q, q, real), theirs, real) == before


@pytest.mark.parametrize("heads", [None, 4])
def test_the_gradient_of_relations_is_a_finite_difference(heads):
    teacher, student = classifier(4), classifier(2, 4, seed=1)
    method = MiniLM(student, teacher.config, relation_heads=heads, relations=VERSION_2)
    assert is_slope(method, teacher, batch(), student.encoder.stack.blocks[1].attention.value.weight)
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_relation_heads_keep_every_feature():
    x = torch.arange(24.0).reshape(1, 2, 3, 4)  # 2 heads of 4
    assert torch.equal(regroup(x, 2), x)
    one = regroup(x, 1)  # (1, 1, 3, 8)
    assert one[0, 0, 1].tolist() == [*x[0, 0, 1].tolist(), *x[0, 1, 1].tolist()]
    with pytest.raises(ValueError, match="3 relation heads do not divide 8 features"):
        regroup(x, 3)


def test_heads_may_differ_with_relation_heads_only():
    teacher, student = classifier(4), classifier(2, num_heads=4, seed=1)
    with pytest.raises(ValueError, match="set relation_heads"):
        MiniLM(student, teacher.config)
    method = MiniLM(student, teacher.config, relation_heads=2, relations=VERSION_2)
    assert loss_of(method, teacher, batch()).item() > 0
    with pytest.raises(ValueError, match="layers 1 to 4, got 0"):
        MiniLM(student, teacher.config, relation_heads=2, teacher_layer=0)
    with pytest.raises(ValueError, match="relations are"):
        MiniLM(student, teacher.config, relation_heads=2, relations=("qv",))


def test_a_copy_of_the_teacher_has_nothing_to_learn():
    teacher = classifier(4)
    assert loss_of(MiniLM(teacher, teacher.config), teacher, batch()).item() == pytest.approx(0, abs=1e-6)
    below = MiniLM(teacher, teacher.config, teacher_layer=3)
    assert loss_of(below, teacher, batch()).item() > 0.01


@pytest.mark.parametrize("kind", [MiniLM, Patient])
def test_training_lowers_the_loss(kind):
    teacher, student = classifier(4), classifier(2, seed=1)
    config = TrainingConfig(steps=40, batch_size=12, learning_rate=1e-2, log_every=1)
    lines = train_against(kind(student, teacher.config), teacher, examples(), config)
    assert lines[-1]["loss"] < 0.7 * lines[0]["loss"]
