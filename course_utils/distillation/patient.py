"""Patient knowledge distillation (PKD, Sun et al. 2019): the student's layers follow the teacher's summaries.

    L = (1 - alpha) CE(labels) + alpha CE(teacher softened by T) + beta L_PT
    L_PT = sum over pairs of || h_s / ||h_s|| - h_t / ||h_t|| ||^2, mean over the batch

h is the state of [CLS] after a layer. Where the classifier reads the mean of the tokens, as the course's
small model does, [CLS] is no summary, and h is that mean instead: `pooling` follows the student's head.
The authors search alpha in {.2, .5, .7}, T in {5, 10, 20} and beta in {10, 100, 500, 1000}. Student and
teacher must be equally wide. The soft part has no factor T^2 in the paper's equation, and none here; it is
the KL divergence, which is less than the cross-entropy by the teacher's entropy and has the same gradient.
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.distillation import layer_maps
from course_utils.distillation.internals import Inside, look_inside
from course_utils.distillation.layer_maps import LayerMap
from course_utils.distillation.losses import soft_target_loss
from course_utils.models.config import EncoderConfig
from course_utils.models.heads import EncoderWithHead, SequenceHead

Pooling = Literal["cls", "mean"]


def summary(states: Tensor, real: Tensor, pooling: Pooling) -> Tensor:
    """One vector a sentence: the first token's state, or the mean over real tokens.

    states: (batch, length, hidden). real: (batch, length), boolean. Returns (batch, hidden).
    """
    if pooling == "cls":
        return states[:, 0]
    chosen = states.masked_fill(~real[..., None], 0.0)
    return chosen.sum(dim=1) / real.sum(dim=1, keepdim=True).clamp(min=1)


def patient_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared distance of two summaries at length 1, mean over the batch; 0 to 4.

    student, teacher: (batch, hidden). Raises ValueError for unequal shapes.

    >>> patient_loss(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 5.0]]))
    tensor(2.)
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f"student {tuple(student.shape)} and teacher {tuple(teacher.shape)} must have one shape: patient "
            "distillation has no projection, and a narrower student cannot follow it"
        )
    difference = F.normalize(student, dim=-1) - F.normalize(teacher, dim=-1)
    return (difference**2).sum(dim=-1).mean()


class Patient(nn.Module):
    """The student and PKD's loss; `layerwise.train_against` trains it."""

    def __init__(
        self,
        student: EncoderWithHead,
        teacher: EncoderConfig,
        *,
        strategy: Literal["skip", "last"] = "skip",
        pairs: LayerMap | None = None,
        alpha: float = 0.5,
        beta: float = 100.0,
        temperature: float = 5.0,
    ) -> None:
        """strategy: which map, unless `pairs` is given. alpha: weight of the soft part, in [0, 1]. beta: of
        the patient part, >= 0. Raises ValueError for other values, maps or widths that do not fit."""
        super().__init__()
        own = student.config
        if not 0 <= alpha <= 1 or beta < 0:
            raise ValueError(f"alpha must lie in [0, 1] and beta be >= 0, got {alpha} and {beta}")
        if own.hidden_size != teacher.hidden_size:
            raise ValueError(
                f"patient distillation needs equal widths, got {own.hidden_size} and {teacher.hidden_size}"
            )
        if pairs is None:
            maps = {"skip": layer_maps.skip, "last": layer_maps.last}
            if strategy not in maps:
                raise ValueError(f"strategy must be 'skip' or 'last', got {strategy!r}")
            pairs = maps[strategy](own.num_layers, teacher.num_layers)
        self.pairs = layer_maps.check(pairs, own.num_layers, teacher.num_layers)
        self.student, self.alpha, self.beta, self.temperature = student, alpha, beta, temperature
        head = student.head
        if not isinstance(head, SequenceHead):
            raise TypeError(f"patient distillation is for a SequenceHead, got {type(head).__name__}")
        self.pooling: Pooling = head.pooling

    def forward(self, batch: Mapping[str, Tensor], teacher: Inside, logits: Tensor) -> Tensor:
        """The mean loss of a batch, a scalar. logits: the teacher's, (batch, classes)."""
        mine = look_inside(self.student.encoder, batch)
        own = self.student.head(mine.output)
        hard = F.cross_entropy(own, batch["labels"])
        soft = soft_target_loss(own, logits, self.temperature, squared=False)
        return (1 - self.alpha) * hard + self.alpha * soft + self.beta * self.patience(mine, teacher)

    def patience(self, student: Inside, teacher: Inside) -> Tensor:
        """L_PT: summed over the map's pairs."""
        terms = [
            patient_loss(
                summary(student.state(m), student.real, self.pooling),
                summary(teacher.state(g), teacher.real, self.pooling),
            )
            for m, g in self.pairs
        ]
        return torch.stack(terms).sum()
