"""TinyBERT: each loss against its formula written out, padding, gradients, projections, the two stages."""

import pytest
import torch
from layerwise_models import batch, classifier, examples, is_slope, loss_of, watched

from course_utils.distillation import tiny
from course_utils.distillation.tiny import TinyBERT, attention_loss
from course_utils.training import TrainingConfig

LENGTHS = (5, 6, 7, 8)  # of the sentences of `batch`


def written_out(method, student, teacher):
    """The three losses with loops over layers, sentences, heads and tokens."""
    found = {"embeddings": 0.0, "hidden": 0.0, "attention": 0.0}
    terms = [("embeddings", method.of_embeddings, 0, 0)]
    terms += [("hidden", method.of_states, m, g) for m, g in method.pairs]
    for name, linear, m, g in terms:
        errors = []
        for row, length in enumerate(LENGTHS):
            for t in range(length):
                projected = linear.weight @ student.state(m)[row, t]
                errors += ((projected - teacher.state(g)[row, t]) ** 2).tolist()
        found[name] += sum(errors) / len(errors)
    for m, g in method.pairs:
        errors = []
        for row, length in enumerate(LENGTHS):
            for head in range(2):
                for i in range(length):
                    for j in range(length):
                        scores = [
                            side.queries[layer - 1][row, head, i] @ side.keys[layer - 1][row, head, j]
                            / side.queries[0].shape[-1] ** 0.5
                            for side, layer in ((student, m), (teacher, g))
                        ]  # fmt: skip
                        errors.append(float((scores[0] - scores[1]) ** 2))
        found["attention"] += sum(errors) / len(errors)
    return found


@pytest.mark.parametrize("width", [8, 6])
def test_the_losses_are_the_papers_formulas(width):
    teacher, student, rows = classifier(4), classifier(2, width, seed=1), batch()
    method = TinyBERT(student, teacher.config, seed=0)
    mine, (seen, logits) = watched(student, rows)[0], watched(teacher, rows)
    expected = written_out(method, mine, seen)
    parts = method.parts(mine, seen)
    assert {name: float(part.detach()) for name, part in parts.items()} == pytest.approx(expected, rel=1e-4)
    total = float(method.eval()(rows, seen, logits).detach())
    assert total == pytest.approx(sum(expected.values()), rel=1e-4)


def test_layer_m_learns_from_layer_g_of_m():
    """A student that is the teacher's layers costs nothing at its own map and something one layer off."""
    teacher = classifier(4)
    exact = TinyBERT(teacher, teacher.config, 0, pairs=((1, 1), (2, 2), (3, 3), (4, 4)))
    shifted = TinyBERT(teacher, teacher.config, 0, pairs=((1, 2), (2, 3), (3, 4)))
    assert float(loss_of(exact, teacher, batch())) == pytest.approx(0, abs=1e-9)
    assert float(loss_of(shifted, teacher, batch())) > 0.1
    assert TinyBERT(classifier(2), teacher.config, 0).pairs == ((1, 2), (2, 4))


@pytest.mark.parametrize("stage", ["states", "prediction"])
def test_padding_never_counts(stage):
    teacher, student = classifier(4), classifier(2, 6, seed=1)
    method = TinyBERT(student, teacher.config, 0)
    method.stage = stage
    losses = [float(loss_of(method, teacher, batch(more_padding=columns))) for columns in (0, 5)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_scores_of_padded_places_never_count():
    student, teacher = torch.randn(2, 2, 3, 3), torch.randn(2, 2, 3, 3)
    real = torch.tensor([[True, True, False], [True, True, True]])
    before = attention_loss(student, teacher, real)
    student[0, :, 2], student[0, :, :, 2] = 1e6, torch.inf
    assert attention_loss(student, teacher, real) == before
    student[1, 0, 0, 0] += 1
    assert attention_loss(student, teacher, real) != before


@pytest.mark.parametrize("stage", ["states", "prediction"])
def test_gradients_are_finite_differences(stage):
    teacher, student = classifier(4), classifier(2, 6, seed=1)
    method = TinyBERT(student, teacher.config, 0)
    method.stage = stage
    assert is_slope(method, teacher, batch(), student.encoder.stack.blocks[0].attention.query.weight)
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_the_stage_decides_what_learns():
    teacher, student = classifier(4), classifier(2, 6, seed=1)
    method = TinyBERT(student, teacher.config, 0)
    loss_of(method, teacher, batch()).backward()
    assert student.head.classifier.weight.grad is None
    assert method.of_states.weight.grad is not None
    method.zero_grad()
    method.stage = "prediction"
    loss_of(method, teacher, batch()).backward()
    assert student.head.classifier.weight.grad is not None
    assert method.of_states.weight.grad is None


def test_the_prediction_is_the_cross_entropy_up_to_the_teachers_entropy():
    teacher, student, rows = classifier(4), classifier(2, 6, seed=1), batch()
    method = TinyBERT(student, teacher.config, 0, temperature=2.0)
    method.stage = "prediction"
    mine, theirs = (watched(model, rows)[1] / 2 for model in (student, teacher))
    q = theirs.softmax(-1)
    expected = (-(q * mine.log_softmax(-1)).sum(-1) + (q * q.log()).sum(-1)).mean()
    torch.testing.assert_close(loss_of(method, teacher, rows), expected)


def test_both_stages_learn_and_the_projection_with_them():
    teacher, student, rows = classifier(4), classifier(2, 6, seed=1), examples(16)
    method = TinyBERT(student, teacher.config, 0)
    before = method.of_states.weight.detach().clone()
    config = TrainingConfig(steps=40, batch_size=16, learning_rate=1e-2, log_every=1)
    lines = tiny.distill(method, teacher, rows, config, config)
    states = [line["loss"] for line in lines if line["stage"] == 0]
    prediction = [line["loss"] for line in lines if line["stage"] == 1]
    assert states[-1] < 0.7 * states[0]
    assert prediction[-1] < 0.7 * prediction[0]
    assert not torch.allclose(before, method.of_states.weight)


def test_the_projection_alone_finds_a_linear_map():
    """A narrow student whose states hold half of the teacher's features: the projection must find them."""
    generator = torch.Generator().manual_seed(3)
    linear = tiny.projection(4, 8, generator)
    states = torch.randn(200, 4, generator=generator)
    target = states @ torch.randn(4, 8, generator=generator)
    optimizer = torch.optim.Adam(linear.parameters(), lr=0.05)
    for _ in range(300):
        loss = tiny.state_loss(linear(states)[None], target[None], torch.ones(1, 200, dtype=torch.bool))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss) < 1e-4


def test_general_distillation_stops_after_the_states():
    teacher, student = classifier(4), classifier(2, seed=1)
    config = TrainingConfig(steps=2, batch_size=4)
    method = TinyBERT(student, teacher.config, 0)
    assert {line["stage"] for line in tiny.distill(method, teacher, examples(), config, None)} == {0.0}


def test_what_cannot_be_matched_is_refused(tmp_path):
    teacher = classifier(4)
    with pytest.raises(ValueError, match="the student has 4, the teacher 2"):
        TinyBERT(classifier(2, num_heads=4), teacher.config, 0)
    with pytest.raises(ValueError, match="divides"):
        TinyBERT(classifier(3), teacher.config, 0)
    with pytest.raises(ValueError, match="as many heads"):
        attention_loss(torch.zeros(1, 2, 3, 3), torch.zeros(1, 4, 3, 3), torch.ones(1, 3, dtype=torch.bool))
    method, config = TinyBERT(classifier(2), teacher.config, 0), TrainingConfig(steps=1)
    with pytest.raises(ValueError, match="cannot share a folder"):
        tiny.distill(method, teacher, examples(), config, config, folder=tmp_path)
