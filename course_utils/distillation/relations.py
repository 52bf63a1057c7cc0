"""MiniLM (Wang et al. 2020) and its second version (Wang et al. 2021): match how tokens relate in one layer.

    L_AT = mean over heads and tokens of KL(A_t || A_s), A = softmax(Q K^T / sqrt(d))
    L_VR = mean over heads and tokens of KL(VR_t || VR_s), VR = softmax(V V^T / sqrt(d))

Both are distributions over tokens, (query, key), so that student and teacher may differ in width; the numbers
of heads must agree. Version 2 concatenates the heads and cuts the result into as many "relation heads" as one
likes, so that the heads may differ too, and matches Q Q^T, K K^T and V V^T. One layer of the teacher teaches
the student's last: no layer map to choose. d is the width of a (relation) head of the model in question.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from course_utils.distillation.internals import Inside, look_inside
from course_utils.distillation.layerwise import mean_over_real
from course_utils.models.config import EncoderConfig
from course_utils.models.heads import EncoderWithHead

# Which vectors ask, which answer: "qk" is attention itself, "vv" MiniLM's value relation.
Relation = Literal["qk", "qq", "kk", "vv"]
VERSION_1: tuple[Relation, ...] = ("qk", "vv")
VERSION_2: tuple[Relation, ...] = ("qq", "kk", "vv")


def log_relation(asking: Tensor, answering: Tensor, real: Tensor) -> Tensor:
    """log softmax(X Y^T / sqrt(d)) over real keys; padded keys get the lowest finite number.

    asking, answering: (batch, heads, length, d). real: (batch, length), boolean. Returns (batch, heads,
    query, key).
    """
    scores = asking @ answering.transpose(-2, -1) * asking.shape[-1] ** -0.5
    lowest = torch.finfo(scores.dtype).min
    return scores.masked_fill(~real[:, None, None, :], lowest).log_softmax(dim=-1)


def relation_loss(student: Tensor, teacher: Tensor, real: Tensor) -> Tensor:
    """KL(teacher || student) of two relations, mean over heads and real queries, in nats.

    student, teacher: logarithms, (batch, heads, query, key), as `log_relation` gives them. real: (batch,
    length). Returns a scalar. Raises ValueError for unequal shapes.
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f"relations of student {tuple(student.shape)} and teacher {tuple(teacher.shape)} must have one "
            "shape: as many heads in both, or set relation_heads (MiniLM version 2)"
        )
    weights = teacher.exp()
    terms = (weights * (teacher - student)).masked_fill(~real[:, None, None, :], 0.0)  # padded keys
    return mean_over_real(terms.sum(dim=-1), real[:, None, :])  # padded queries


def regroup(x: Tensor, heads: int) -> Tensor:
    """Concatenate the heads and cut them into `heads` relation heads.

    x: (batch, heads before, length, size). Returns (batch, heads, length, all features / heads). Raises
    ValueError unless that is a whole number.

    >>> regroup(torch.zeros(2, 3, 5, 4), 6).shape
    torch.Size([2, 6, 5, 2])
    """
    flat = x.transpose(1, 2).flatten(2)  # (batch, length, features)
    if heads < 1 or flat.shape[-1] % heads:
        raise ValueError(f"{heads} relation heads do not divide {flat.shape[-1]} features")
    return flat.unflatten(-1, (heads, -1)).transpose(1, 2)


class MiniLM(nn.Module):
    """The student and its relations' loss; `layerwise.train_against` trains it.

    It trains the encoder only: the head learns nothing here and is trained on the task afterwards.
    """

    def __init__(
        self,
        student: EncoderWithHead,
        teacher: EncoderConfig,
        *,
        relations: Sequence[Relation] = VERSION_1,
        teacher_layer: int | None = None,
        relation_heads: int | None = None,
    ) -> None:
        """teacher_layer: counts from 1; the last by default (version 2 takes an upper middle one for large
        teachers). relation_heads: regroup both sides into so many heads. Raises ValueError for a layer that
        is not there, unknown relations, or unequal heads without relation_heads."""
        super().__init__()
        own = student.config
        self.layer = teacher.num_layers if teacher_layer is None else teacher_layer
        if not 1 <= self.layer <= teacher.num_layers:
            raise ValueError(f"the teacher has layers 1 to {teacher.num_layers}, got {self.layer}")
        if not relations or set(relations) - {"qk", "qq", "kk", "vv"}:
            raise ValueError(f"relations are 'qk', 'qq', 'kk' and 'vv', got {tuple(relations)}")
        if relation_heads is None and own.num_heads != teacher.num_heads:
            raise ValueError(
                f"the student has {own.num_heads} heads, the teacher {teacher.num_heads}: make them equal, "
                "or set relation_heads (MiniLM version 2)"
            )
        self.student, self.relations, self.relation_heads = student, tuple(relations), relation_heads

    def forward(self, batch: Mapping[str, Tensor], teacher: Inside, logits: Tensor) -> Tensor:
        """The mean loss of a batch, a scalar; the teacher's logits are not used."""
        mine = look_inside(self.student.encoder, batch)
        return torch.stack(list(self.parts(mine, teacher).values())).sum()

    def parts(self, student: Inside, teacher: Inside) -> dict[str, Tensor]:
        """The loss of each relation."""
        last = student.num_layers
        return {
            relation: relation_loss(
                self.log_relation_of(student, last, relation),
                self.log_relation_of(teacher, self.layer, relation),
                teacher.real,
            )
            for relation in self.relations
        }

    def log_relation_of(self, inside: Inside, layer: int, relation: Relation) -> Tensor:
        """The logarithm of one relation of one layer (1 is the first), (batch, heads, query, key)."""
        vectors = {"q": inside.queries, "k": inside.keys, "v": inside.values}
        asking, answering = (vectors[name][layer - 1] for name in relation)
        if self.relation_heads is not None:
            asking, answering = (regroup(x, self.relation_heads) for x in (asking, answering))
        return log_relation(asking, answering, inside.real)
