"""The solutions of exercise 7 equal course_utils.distillation, and PyTorch, on random inputs."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from course_utils.distillation import losses, students
from course_utils.grading import exercise
from course_utils.grading.exercise import source
from course_utils.grading.release import solution
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

SEEDS = range(5)


@pytest.fixture(scope="module")
def solved():
    """The functions of the solution cells, with what the set-up and the given cells define."""
    space = {}
    for cell in exercise.load("07").cells("setup", "given", "answer"):
        exec(solution(source(cell)), space)
    return space


def normal(seed, *shape, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0, 100.0])
@pytest.mark.parametrize("scale", [1.0, 30.0, 5000.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_soft_targets(solved, seed, scale, temperature):
    logits = normal(seed, 3, 4, 7, scale=scale)
    found = solved["soft_targets"](logits, temperature)
    torch.testing.assert_close(found, losses.soft_targets(logits, temperature))


@pytest.mark.parametrize("temperature", [1.0, 4.0, 100.0])
@pytest.mark.parametrize("scale", [3.0, 3000.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_soft_target_loss_and_its_gradient(solved, seed, scale, temperature):
    ours, theirs = (normal(seed, 6, 5, scale=scale).requires_grad_() for _ in range(2))
    teacher = normal(100 + seed, 6, 5, scale=scale)
    found = solved["soft_target_loss"](ours, teacher, temperature)
    expected = losses.soft_target_loss(theirs, teacher, temperature)
    torch.testing.assert_close(found, expected)
    found.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("seed", SEEDS)
def test_distillation_step(solved, seed):
    """The loss is the package's, and the update that of torch.optim.SGD."""
    student, teacher, optimizer = solved["new_pair"](seed)
    twin, _, _ = solved["new_pair"](seed)
    inputs, labels = normal(seed, 8, 4), torch.arange(8) % 3
    found = solved["distillation_step"](student, teacher, optimizer, inputs, labels, 3.0, 0.7)
    twin.train()
    rows = losses.mixed_of_rows(
        twin(inputs), teacher.eval()(inputs), labels, temperature=3.0, soft_weight=0.7
    )
    # The package keeps a weight for each row, in single precision.
    assert found == pytest.approx(rows.mean().item(), rel=1e-6)
    rows.mean().backward()
    torch.optim.SGD(twin.parameters(), lr=optimizer.rate).step()
    torch.testing.assert_close(list(student.parameters()), list(twin.parameters()), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_cosine_loss(solved, seed):
    student, teacher = normal(seed, 4, 6, 8), normal(50 + seed, 4, 6, 8)
    real = torch.arange(6) < torch.tensor([6, 1, 3, 5])[:, None]
    found = solved["cosine_loss"](student, teacher, real)
    torch.testing.assert_close(found, losses.cosine_loss(student, teacher, real))
    written_out = F.normalize(student, dim=-1) * F.normalize(teacher, dim=-1)
    torch.testing.assert_close(found, 1 - written_out.sum(-1)[real].mean())


def test_spread_is_the_packages_and_distilberts(solved):
    assert tuple(solved["spread"](12, 6)) == students.DISTILBERT_CHOICE
    for layers in range(2, 25):
        for keep in range(2, layers + 1):
            assert tuple(solved["spread"](layers, keep)) == students.spread(layers, keep)


@pytest.mark.parametrize("layers", [[0, 2, 5], [10, 1, 11], [3]])
def test_student_weights(solved, layers):
    """The names are those of the course's encoder, so that its student loads them to the last one."""
    config = EncoderConfig(
        vocab_size=11, hidden_size=8, num_heads=2, num_layers=12, intermediate_size=12, max_positions=9
    )
    teacher = Encoder(config)
    expected = students.from_layers(teacher, layers).state_dict()
    found = solved["student_weights"](dict(teacher.state_dict()), layers)
    assert found.keys() == expected.keys()
    torch.testing.assert_close(found, dict(expected))
