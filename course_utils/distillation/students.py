"""Students: an encoder out of some of the teacher's layers, with random weights, or narrow.

A narrow student keeps the teacher's embedding tables, frozen, behind a linear map that is learnt: what has to
be kept of its tables is that map, 384 x 192 numbers for 30,522 x 192. `fold_tables` multiplies it out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.models.encoder import Encoder

DISTILBERT_CHOICE = (0, 2, 4, 7, 9, 11)
"""The six of twelve layers, counted from 0, with which DistilBERT started (its extraction script)."""

TABLES = ("token", "position", "segment")


def every_other(layers: int) -> tuple[int, ...]:
    """The last layer of each pair, so that the last layer of all is kept.

    >>> every_other(6)
    (1, 3, 5)
    """
    return tuple(range(1, layers, 2))


def spread(layers: int, keep: int) -> tuple[int, ...]:
    """`keep` layers from the first to the last at even distances: DistilBERT's choice for 6 of 12.

    >>> spread(12, 6) == DISTILBERT_CHOICE, spread(6, 3)
    (True, (0, 2, 5))
    """
    if not 2 <= keep <= layers:
        raise ValueError(f"keep must lie in 2 to {layers}, got {keep}")
    return tuple(round(i * (layers - 1) / (keep - 1)) for i in range(keep))


def from_layers(teacher: Encoder, layers: Sequence[int]) -> Encoder:
    """A copy of the teacher's embeddings and of the layers with these numbers, from 0, in this order.

    Without a pooler, which read the last layer. Raises ValueError for no layer, for a number that the teacher
    does not have, and for a teacher that shares one layer.
    """
    available = teacher.config.num_layers
    if not layers or not all(0 <= layer < available for layer in layers):
        raise ValueError(f"layers must be numbers from 0 to {available - 1}, got {list(layers)}")
    if teacher.config.share_layers:
        raise ValueError("the teacher shares one layer: change num_layers in its config instead")
    student = Encoder(replace(teacher.config, num_layers=len(layers), pooler=False))
    student.embeddings.load_state_dict(teacher.embeddings.state_dict())
    for block, layer in zip(student.stack.blocks, layers, strict=True):
        block.load_state_dict(teacher.stack.blocks[layer].state_dict())
    student.stack.norm.load_state_dict(teacher.stack.norm.state_dict())
    return student


def random_student(teacher: Encoder, layers: int, seed: int, *, embeddings: bool = True) -> Encoder:
    """The teacher's shape with fewer layers, drawn from the seed; embeddings: but the teacher's tables."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = Encoder(replace(teacher.config, num_layers=layers, pooler=False))
    if embeddings:
        student.embeddings.load_state_dict(teacher.embeddings.state_dict())
    return student


def share_embeddings(student: Encoder, teacher: Encoder) -> None:
    """Let the student read the teacher's own embedding module, frozen for both: it exists once in memory.

    Raises ValueError when the widths differ.
    """
    if student.config.hidden_size != teacher.config.hidden_size:
        raise ValueError(
            f"a student {student.config.hidden_size} wide cannot share tables {teacher.config.hidden_size} "
            "wide: use narrow_student"
        )
    student.embeddings = teacher.embeddings.requires_grad_(False)


class ProjectedTable(nn.Module):
    """A frozen table behind a linear map: row i is `rows[i] @ map.T`. Only the map is trained and saved."""

    def __init__(self, rows: Tensor, linear: nn.Parameter) -> None:
        super().__init__()
        self.register_buffer("rows", rows.detach(), persistent=False)
        self.linear = linear  # (narrow, wide), one for all tables of a student

    def forward(self, ids: Tensor) -> Tensor:
        """ids: any shape -> (..., narrow)."""
        return F.linear(self.rows[ids], self.linear)  # type: ignore[index]

    @property
    def weight(self) -> Tensor:
        """The whole table, (rows, narrow), multiplied out."""
        return F.linear(self.rows, self.linear)  # type: ignore[arg-type]


def principal_directions(table: Tensor, width: int) -> Tensor:
    """The `width` directions, (width, features), along which the rows of the table vary most, from the mean.

    Raises ValueError unless 1 <= width <= features.
    """
    if not 1 <= width <= table.shape[1]:
        raise ValueError(f"width must lie in 1 to {table.shape[1]}, got {width}")
    centered = (table - table.mean(dim=0)).double()
    _, directions = torch.linalg.eigh(centered.T @ centered)  # ascending
    return directions.flip(1)[:, :width].T.to(table.dtype).contiguous()


def narrow_student(
    teacher: Encoder, layers: int, width: int, heads: int, seed: int, *, intermediate: int | None = None
) -> Encoder:
    """An encoder of another width; its tables are the teacher's behind one map, which starts as their PCA.

    Everything else is drawn from the seed. intermediate: default four times the width. Without a pooler.
    """
    config = replace(
        teacher.config,
        num_layers=layers,
        hidden_size=width,
        num_heads=heads,
        intermediate_size=intermediate or 4 * width,
        pooler=False,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        student = Encoder(config)
    wide = teacher.embeddings
    # Scaled to rows of the teacher's length: PCA keeps a part of it, and the positions are added to both.
    directions = principal_directions(wide.token.weight.detach(), width)
    kept = (wide.token.weight.detach() @ directions.T).norm() / wide.token.weight.detach().norm()
    linear = nn.Parameter(directions / kept)
    for name in TABLES:
        if hasattr(wide, name):
            setattr(student.embeddings, name, ProjectedTable(getattr(wide, name).weight, linear))
    return student


def fold_tables(student: Encoder) -> Encoder:
    """A copy of a narrow student with tables of its own, multiplied out; gives the same states.

    A student without projected tables is copied as it is.
    """
    folded = Encoder(student.config)
    state = {name: value for name, value in student.state_dict().items() if not name.endswith(".linear")}
    for name in TABLES:
        table = getattr(student.embeddings, name, None)
        if table is not None:
            state[f"embeddings.{name}.weight"] = table.weight.detach()
    folded.load_state_dict(state)
    return folded.train(student.training)


def set_dropout(model: nn.Module, share: float) -> None:
    """Set every dropout of a model. Imitating targets on text seen once needs none; fine-tuning does."""
    if not 0 <= share < 1:
        raise ValueError(f"a share of dropout lies in [0, 1), got {share}")
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def trained_parameters(parts: Iterable[nn.Module]) -> int:
    """How many numbers of some modules are trained; what is shared counts once."""
    distinct = {id(p): p for part in parts for p in part.parameters() if p.requires_grad}
    return sum(p.numel() for p in distinct.values())
