"""The losses against torch's own, their gradients against finite differences, Hinton's limits."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch.autograd import gradcheck

from course_utils.distillation.losses import (
    IGNORE,
    UNLABELED,
    cosine_loss,
    mixed_of_rows,
    smoothed_of_rows,
    soft_of_rows,
    soft_target_loss,
    soft_targets,
    state_loss,
    triple_loss,
)

TEMPERATURES = [0.5, 1.0, 2.0, 20.0]


def logits(*shape, seed=0):
    return 3 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


STUDENT, TEACHER = logits(6, 5), logits(6, 5, seed=1)
LABELS = torch.tensor([0, 1, 2, 3, 4, 0])


@pytest.mark.parametrize("t", TEMPERATURES)
def test_soft_targets_are_a_distribution_and_equal_the_definition(t):
    expected = torch.exp(TEACHER / t) / torch.exp(TEACHER / t).sum(dim=1, keepdim=True)
    assert torch.allclose(soft_targets(TEACHER, t), expected)


@pytest.mark.parametrize("t", TEMPERATURES)
def test_the_soft_loss_is_torchs_batchmean_times_t_squared(t):
    log_q, p = F.log_softmax(STUDENT / t, dim=1), F.softmax(TEACHER / t, dim=1)
    expected = F.kl_div(log_q, p, reduction="batchmean") * t**2
    assert torch.allclose(soft_target_loss(STUDENT, TEACHER, t), expected)
    bare = F.kl_div(log_q, p, reduction="none").sum(dim=1)
    assert torch.allclose(soft_of_rows(STUDENT, TEACHER, t, squared=False), bare)


def test_the_soft_loss_goes_from_teacher_to_student():
    p, q = TEACHER.softmax(dim=1), STUDENT.softmax(dim=1)
    forward = (p * (p.log() - q.log())).sum(dim=1).mean()
    reverse = (q * (q.log() - p.log())).sum(dim=1).mean()
    assert torch.allclose(soft_target_loss(STUDENT, TEACHER, 1.0), forward)
    assert not torch.allclose(soft_target_loss(STUDENT, TEACHER, 1.0), reverse)


@pytest.mark.parametrize("t", TEMPERATURES)
@pytest.mark.parametrize("squared", [True, False])
def test_the_gradient_of_the_soft_loss_by_finite_differences(t, squared):
    student = STUDENT.clone().requires_grad_()
    assert gradcheck(lambda x: soft_target_loss(x, TEACHER, t, squared=squared), student)


def test_no_gradient_reaches_the_teacher():
    student, teacher = STUDENT.clone().requires_grad_(), TEACHER.clone().requires_grad_()
    soft_target_loss(student, teacher, 2.0).backward()
    assert teacher.grad is None
    assert student.grad is not None


def gradient(t, *, squared):
    student = STUDENT.clone().requires_grad_()
    soft_target_loss(student, TEACHER, t, squared=squared).backward()
    return student.grad


def test_a_high_temperature_matches_logits():
    """Hinton et al. 2015, equation 4: (z - v) / (N T squared) for logits with mean zero in each row."""
    t = 1e4
    z = STUDENT - STUDENT.mean(dim=1, keepdim=True)
    v = TEACHER - TEACHER.mean(dim=1, keepdim=True)
    expected = (z - v) / (5 * t**2) / len(STUDENT)  # the loss is a mean over rows
    assert torch.allclose(gradient(t, squared=False), expected, rtol=1e-2, atol=1e-14)
    assert torch.allclose(gradient(t, squared=True), expected * t**2, rtol=1e-2, atol=1e-6)


def test_t_squared_keeps_the_size_of_the_gradient():
    with_it = [float(gradient(t, squared=True).norm()) for t in (50.0, 100.0, 200.0)]
    bare = [float(gradient(t, squared=False).norm()) for t in (50.0, 100.0, 200.0)]
    assert with_it[0] == pytest.approx(with_it[2], rel=0.1)
    assert bare[0] / bare[1] == pytest.approx(4, rel=0.1)
    assert bare[1] / bare[2] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_the_mix_written_out(weight):
    soft = soft_of_rows(STUDENT, TEACHER, 2.0)
    hard = F.cross_entropy(STUDENT, LABELS, reduction="none")
    mixed = mixed_of_rows(STUDENT, TEACHER, LABELS, temperature=2.0, soft_weight=weight)
    assert torch.allclose(mixed, weight * soft + (1 - weight) * hard)


def test_without_weight_for_the_teacher_the_mix_is_cross_entropy():
    mixed = mixed_of_rows(STUDENT, TEACHER, LABELS, temperature=2.0, soft_weight=0.0)
    assert torch.allclose(mixed, F.cross_entropy(STUDENT, LABELS, reduction="none"))
    with pytest.raises(ValueError, match="leave it out"):
        mixed_of_rows(STUDENT, TEACHER, LABELS * 0 + UNLABELED, temperature=2.0, soft_weight=0.0)


def test_a_row_without_a_label_has_the_teachers_word_in_full():
    labels = LABELS.clone()
    labels[2:4] = UNLABELED
    mixed = mixed_of_rows(STUDENT, TEACHER, labels, temperature=2.0, soft_weight=0.3)
    soft = soft_of_rows(STUDENT, TEACHER, 2.0)
    assert torch.allclose(mixed[2:4], soft[2:4])
    assert not torch.allclose(mixed[:2], soft[:2])


def test_label_smoothing_is_cross_entropy_against_the_smoothed_label():
    target = F.one_hot(LABELS, 5) * 0.9 + 0.1 / 5
    expected = -(target * STUDENT.log_softmax(dim=1)).sum(dim=1)
    assert torch.allclose(smoothed_of_rows(STUDENT, LABELS, 0.1), expected)


STATES, TAUGHT = logits(3, 4, 6, seed=2), logits(3, 4, 6, seed=3)
REAL = torch.tensor([[True] * 4, [True, True, False, False], [True, True, True, False]])


def test_the_cosine_loss_is_torchs_over_real_tokens():
    expected = F.cosine_embedding_loss(STATES[REAL], TAUGHT[REAL], torch.ones(int(REAL.sum())))
    assert torch.allclose(cosine_loss(STATES, TAUGHT, REAL), expected)


@pytest.mark.parametrize("loss", [cosine_loss, state_loss])
def test_padding_does_not_count_and_gradients_are_right(loss):
    noisy = torch.where(REAL[..., None], STATES, STATES + 100)
    assert torch.allclose(loss(noisy, TAUGHT, REAL), loss(STATES, TAUGHT, REAL))
    assert gradcheck(lambda x: loss(x, TAUGHT, REAL), STATES.clone().requires_grad_())
    taught = TAUGHT.clone().requires_grad_()
    loss(STATES.clone().requires_grad_(), taught, REAL).backward()
    assert taught.grad is None


def test_the_cosine_is_along_the_features_and_blind_to_length():
    assert float(cosine_loss(2 * TAUGHT, TAUGHT, REAL)) == pytest.approx(0, abs=1e-12)
    assert float(state_loss(2 * TAUGHT, TAUGHT, REAL)) > 0


def test_the_triple_loss_written_out():
    student, teacher = logits(3, 4, 7, seed=4), logits(3, 4, 7, seed=5)
    labels = torch.full((3, 4), IGNORE)
    labels[0, 1], labels[2, 0] = 5, 6
    triple = triple_loss(student, teacher, labels, STATES, TAUGHT, REAL, temperature=2.0)
    mine, its = student[labels != IGNORE], teacher[labels != IGNORE]
    soft = F.kl_div((mine / 2).log_softmax(1), (its / 2).softmax(1), reduction="batchmean") * 4
    assert torch.allclose(triple.soft, soft)
    assert torch.allclose(triple.masked_lm, F.cross_entropy(student.flatten(0, 1), labels.flatten()))
    assert torch.allclose(triple.cosine, cosine_loss(STATES, TAUGHT, REAL))
    assert torch.allclose(triple.total(), 5 * triple.soft + 2 * triple.masked_lm + triple.cosine)
    assert gradcheck(
        lambda x: triple_loss(x, teacher, labels, STATES, TAUGHT, REAL).total(),
        student.clone().requires_grad_(),
    )
    with pytest.raises(ValueError, match="no token is masked"):
        triple_loss(student, teacher, labels * 0 + IGNORE, STATES, TAUGHT, REAL)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: soft_targets(TEACHER, 0.0), "must be above 0"),
        (lambda: soft_target_loss(STUDENT, TEACHER, -1.0), "must be above 0"),
        (lambda: soft_target_loss(STUDENT[:, :2], TEACHER, 1.0), "same logits"),
        (lambda: cosine_loss(STATES[..., :2], TAUGHT, REAL), "needs a projection"),
        (lambda: cosine_loss(STATES, TAUGHT, REAL.long()), "must be boolean"),
        (lambda: smoothed_of_rows(STUDENT, LABELS, 1.0), "smoothing must lie"),
        (lambda: mixed_of_rows(STUDENT, TEACHER, LABELS, temperature=1.0, soft_weight=2.0), "soft_weight"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
