"""Losses of classifiers: cross-entropy with class weights, and focal loss."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def focal_loss(
    logits: Tensor, labels: Tensor, *, gamma: float = 2.0, class_weights: Tensor | None = None
) -> Tensor:
    """The focal loss of each example, -w_y (1 - p_y)^gamma log p_y (Lin et al. 2017, eq. 5).

    p_y is the probability that the softmax gives to the right class. gamma 0 is the cross-entropy, weighted
    by class; the larger gamma, the less an example counts that is right already. The paper's alpha weighs
    two classes: see `alpha_weights`.

    logits: (batch, classes). labels: (batch,), class indices. class_weights: (classes,), >= 0; 1 for all
    without it. Returns (batch,), in nats. Raises ValueError for gamma < 0 or shapes that do not fit.

    >>> logits, labels = torch.tensor([[0.0, 0.0], [0.0, 2.0]]), torch.tensor([1, 1])
    >>> focal_loss(logits, labels, gamma=0)
    tensor([0.6931, 0.1269])
    >>> focal_loss(logits, labels, gamma=2)
    tensor([0.1733, 0.0018])
    """
    if gamma < 0:
        raise ValueError(f"gamma must be at least 0, got {gamma}")
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise ValueError(
            f"expected logits (batch, classes) and labels (batch,), got {tuple(logits.shape)} and "
            f"{tuple(labels.shape)}"
        )
    if class_weights is not None and class_weights.shape != logits.shape[1:]:
        raise ValueError(f"{logits.shape[1]} classes need as many weights, got {tuple(class_weights.shape)}")
    log_p = F.log_softmax(logits, dim=-1).gather(1, labels[:, None])[:, 0]
    # 1 - p from the logarithm: where p is near 1, 1 - exp(log p) would lose its digits. Where p is 1, the
    # slope of a root (gamma below 1) is infinite, and its product with a gradient of 0 would be no number.
    wrong = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
    hardness = wrong**gamma if gamma else 1.0
    weight = 1.0 if class_weights is None else class_weights[labels]
    return -weight * hardness * log_p


def alpha_weights(alpha: float) -> Tensor:
    """Class weights of the paper's alpha: 1 - alpha for class 0, alpha for class 1, (2,).

    Lin et al. give the rare class the larger weight when gamma is 0, and find that it should be the smaller
    one (alpha 0.25) when gamma is 2. Raises ValueError unless 0 <= alpha <= 1.

    >>> alpha_weights(0.2)
    tensor([0.8000, 0.2000])
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is a share and must lie in [0, 1], got {alpha}")
    return torch.tensor([1 - alpha, alpha])
