"""Focal loss against formulas written out, and at the edges where it could go wrong."""

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from course_utils.finetuning.losses import alpha_weights, focal_loss


def drawn(classes=4, rows=50, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(rows, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (rows,), generator=generator)


def by_hand(logits, label, gamma, weights):
    """One example, without a tensor operation."""
    total = sum(math.exp(value) for value in logits)
    p = math.exp(logits[label]) / total
    return -weights[label] * (1 - p) ** gamma * math.log(p)


@pytest.mark.parametrize("gamma", [0, 0.5, 2, 5])
def test_equal_to_the_formula_written_out(gamma):
    logits, labels = drawn()
    weights = torch.tensor([0.1, 1.0, 2.0, 0.5], dtype=torch.float64)
    made = focal_loss(logits, labels, gamma=gamma, class_weights=weights)
    expected = [
        by_hand(row, label, gamma, weights.tolist())
        for row, label in zip(logits.tolist(), labels.tolist(), strict=True)
    ]
    assert made.tolist() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("alpha", "gamma"), [(0.25, 2.0), (0.2, 3.0), (0.5, 0.0)])
def test_equal_to_the_binary_form_on_one_logit(alpha, gamma):
    """The formula of the paper's and torchvision's code: a sigmoid, alpha for the positives."""
    x = torch.linspace(-6, 6, 41, dtype=torch.float64)
    for label in (0.0, 1.0):
        targets = torch.full_like(x, label)
        p = torch.sigmoid(x)
        right = p * targets + (1 - p) * (1 - targets)
        alpha_t = alpha * targets + (1 - alpha) * (1 - targets)
        entropy = F.binary_cross_entropy_with_logits(x, targets, reduction="none")
        expected = alpha_t * (1 - right) ** gamma * entropy
        logits = torch.stack([torch.zeros_like(x), x], dim=1)
        made = focal_loss(logits, targets.long(), gamma=gamma, class_weights=alpha_weights(alpha).double())
        # alpha_weights is in single precision.
        torch.testing.assert_close(made, expected, rtol=1e-6, atol=1e-12)


def test_gamma_0_is_weighted_cross_entropy():
    logits, labels = drawn()
    weights = torch.tensor([0.1, 1.0, 2.0, 0.5], dtype=torch.float64)
    made = focal_loss(logits, labels, gamma=0, class_weights=weights).sum()
    expected = F.cross_entropy(logits, labels, weight=weights, reduction="sum")
    torch.testing.assert_close(made, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("gamma", [0.0, 2.0, 3.0])
def test_gradients_by_finite_differences(gamma):
    logits, labels = drawn(classes=3, rows=6)
    weights = torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64)
    loss = lambda x: focal_loss(x, labels, gamma=gamma, class_weights=weights)
    assert torch.autograd.gradcheck(loss, (logits.requires_grad_(),))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("size", [50.0, 500.0, 1e4])
def test_extreme_logits_stay_finite(size, gamma):
    logits = torch.tensor([[size, -size], [-size, size], [0.0, 0.0]]).requires_grad_()
    made = focal_loss(logits, torch.tensor([0, 0, 1]), gamma=gamma)
    made.sum().backward()
    assert torch.isfinite(made).all()
    assert torch.isfinite(logits.grad).all()
    assert made.tolist()[:2] == pytest.approx([0, 2 * size], rel=1e-5)


def test_what_is_nearly_right_keeps_its_digits():
    """1 - p of a p that single precision rounds to 1."""
    made = focal_loss(torch.tensor([[0.0, 20.0]]), torch.tensor([1]), gamma=1)
    assert made.item() == pytest.approx(math.exp(-20.0) ** 2, rel=1e-3)


def test_easy_examples_fade_and_hard_ones_do_not():
    easy, hard = torch.tensor([[0.0, 3.0]]), torch.tensor([[3.0, 0.0]])
    label = torch.tensor([1])
    share = lambda gamma: (focal_loss(easy, label, gamma=gamma) / focal_loss(hard, label, gamma=gamma)).item()
    assert share(0) > 10 * share(2) > 100 * share(5) > 0


def test_alpha_weighs_class_1():
    assert alpha_weights(0.2).tolist() == pytest.approx([0.8, 0.2])
    logits, labels = torch.zeros(2, 2), torch.tensor([0, 1])
    negative, positive = focal_loss(logits, labels, class_weights=alpha_weights(0.2)).tolist()
    assert negative == pytest.approx(4 * positive)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: focal_loss(torch.zeros(2, 2), torch.tensor([0, 1]), gamma=-1), "gamma"),
        (lambda: focal_loss(torch.zeros(2, 2), torch.tensor([0])), "logits"),
        (lambda: focal_loss(torch.zeros(2), torch.tensor([0, 1])), "logits"),
        (
            lambda: focal_loss(torch.zeros(1, 3), torch.tensor([0]), class_weights=alpha_weights(0.5)),
            "3 classes",
        ),
        (lambda: alpha_weights(1.5), "alpha"),
    ],
)
def test_it_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
