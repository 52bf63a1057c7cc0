"""The losses of distillation: soft targets, their mix with labels, DistilBERT's three, label smoothing.

Hinton et al. 2015, sections 2 and 2.1; Sanh et al. 2019, section 2. Losses named `..._of_rows` give one
number a row, for the training loop; the others are their means.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

UNLABELED = -1  # the label of a row that has only the teacher's word
IGNORE = -100  # the label of a token that was not masked, as in objectives.masked


def soft_targets(logits: Tensor, temperature: float) -> Tensor:
    """softmax(logits / T) over the last axis. Raises ValueError unless T > 0.

    >>> soft_targets(torch.tensor([0.0, 2.0]), 1.0).round(decimals=3)
    tensor([0.1190, 0.8810])
    >>> soft_targets(torch.tensor([0.0, 2.0]), 4.0).round(decimals=3)
    tensor([0.3780, 0.6220])
    """
    _check_temperature(temperature)
    return F.softmax(logits / temperature, dim=-1)


def soft_of_rows(student: Tensor, teacher: Tensor, temperature: float, *, squared: bool = True) -> Tensor:
    """KL(teacher at T || student at T) of each row, times T squared (Hinton et al. 2015, section 2).

    student, teacher: logits, (rows, classes). Returns (rows,); no gradient reaches the teacher. The gradient
    of the bare divergence shrinks as 1 / T squared: `squared` keeps its size, so that a mix with labels means
    the same at every temperature.
    """
    _check_temperature(temperature)
    if student.shape != teacher.shape:
        raise ValueError(
            f"student {tuple(student.shape)} and teacher {tuple(teacher.shape)} must have the same logits"
        )
    log_student = F.log_softmax(student / temperature, dim=-1)
    log_teacher = F.log_softmax(teacher.detach() / temperature, dim=-1)
    divergence = (log_teacher.exp() * (log_teacher - log_student)).sum(dim=-1)
    return divergence * temperature**2 if squared else divergence


def soft_target_loss(student: Tensor, teacher: Tensor, temperature: float, *, squared: bool = True) -> Tensor:
    """The mean over rows ("batchmean") of `soft_of_rows`.

    >>> logits = torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    >>> float(soft_target_loss(logits, logits, temperature=2.0))
    0.0
    """
    return soft_of_rows(student, teacher, temperature, squared=squared).mean()


def mixed_of_rows(
    student: Tensor, teacher: Tensor, labels: Tensor, *, temperature: float, soft_weight: float
) -> Tensor:
    """soft_weight * soft loss + (1 - soft_weight) * cross-entropy with the label, for each row.

    labels: (rows,), classes or UNLABELED; a row without a label has the soft loss with its full weight of 1.
    Raises ValueError unless 0 <= soft_weight <= 1, and where a weight of 0 leaves a row without any loss.
    """
    if not 0 <= soft_weight <= 1:
        raise ValueError(f"soft_weight must lie in [0, 1], got {soft_weight}")
    labeled = labels != UNLABELED
    if soft_weight == 0:
        if not labeled.all():
            raise ValueError("with soft_weight=0 a row without a label teaches nothing: leave it out")
        return F.cross_entropy(student, labels, reduction="none")
    soft = soft_of_rows(student, teacher, temperature)
    hard = F.cross_entropy(student, labels, reduction="none", ignore_index=UNLABELED)
    weight = torch.where(labeled, soft_weight, 1.0)
    return weight * soft + (1 - weight) * hard


def smoothed_of_rows(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy against 1 - smoothing + smoothing/classes for the label and smoothing/classes elsewhere.

    Soft targets that know nothing: the same for each row of a class (Szegedy et al. 2016, section 7).
    """
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must lie in [0, 1), got {smoothing}")
    return F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)


def cosine_loss(student: Tensor, teacher: Tensor, real: Tensor) -> Tensor:
    """1 - cosine between the states of student and teacher, mean over the real tokens.

    student, teacher: (batch, length, hidden); real: (batch, length), boolean, False on padding. The angle is
    taken over the features of each token. Raises ValueError for different shapes.
    """
    _check_states(student, teacher, real)
    return (1 - F.cosine_similarity(student[real], teacher[real].detach(), dim=-1)).mean()


def state_loss(student: Tensor, teacher: Tensor, real: Tensor) -> Tensor:
    """Mean squared difference of the states, over real tokens and features; shapes as in `cosine_loss`."""
    _check_states(student, teacher, real)
    return F.mse_loss(student[real], teacher[real].detach())


class TripleLoss(NamedTuple):
    """DistilBERT's three losses, unweighted; each a scalar."""

    soft: Tensor
    masked_lm: Tensor
    cosine: Tensor

    def total(self, soft: float = 5.0, masked_lm: float = 2.0, cosine: float = 1.0) -> Tensor:
        """The weighted sum; the defaults are those of DistilBERT's published training command."""
        return soft * self.soft + masked_lm * self.masked_lm + cosine * self.cosine


def triple_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    student_states: Tensor,
    teacher_states: Tensor,
    real: Tensor,
    *,
    temperature: float = 2.0,
) -> TripleLoss:
    """Soft targets and masked LM at the masked tokens, cosine of the last states at all real tokens.

    logits: (batch, length, vocabulary); labels: (batch, length), IGNORE where nothing was masked; states:
    (batch, length, hidden); real: (batch, length), boolean. Soft targets carry T squared. Raises ValueError
    when no token is masked.
    """
    masked = labels != IGNORE
    if not masked.any():
        raise ValueError("no token is masked: labels must differ from IGNORE somewhere")
    return TripleLoss(
        soft_target_loss(student_logits[masked], teacher_logits[masked], temperature),
        F.cross_entropy(student_logits[masked], labels[masked]),
        cosine_loss(student_states, teacher_states, real),
    )


def _check_temperature(temperature: float) -> None:
    if not temperature > 0:
        raise ValueError(f"the temperature must be above 0, got {temperature}; 1 changes nothing")


def _check_states(student: Tensor, teacher: Tensor, real: Tensor) -> None:
    if student.shape != teacher.shape:
        raise ValueError(
            f"states of student {tuple(student.shape)} and teacher {tuple(teacher.shape)} must have one "
            "shape: a narrow student needs a projection"
        )
    if real.shape != student.shape[:2] or real.dtype != torch.bool:
        raise ValueError(f"real must be boolean, {tuple(student.shape[:2])}, got {tuple(real.shape)}")
