"""Quantisation-aware training (Jacob et al. 2018, section 3; Q8BERT, Zafrir et al. 2019).

`prepare` lets a model in floating point feel the rounding, training goes on with straight-through
gradients, `convert` makes the integer model that it has been rehearsing for.
"""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.compression.integer_parts import ACTIVATION_BITS, Int8Embedding, Int8Linear
from course_utils.compression.quantize import Grid, choose_grid, fake_quantize
from course_utils.compression.structure import replace_part
from course_utils.models.heads import EncoderWithHead

Activations = Literal["dynamic", "static"]
# Of the moving average of the activations' range. Q8BERT says "close to 1"; 0.99 settles in 300 steps.
KEEP = 0.99


class RehearsingLinear(nn.Module):
    """A linear map that computes with the numbers that its integer form will have."""

    range: Tensor  # (2,), the smallest and the largest input of static activations

    def __init__(self, linear: nn.Linear, activations: Activations) -> None:
        super().__init__()
        self.linear, self.activations = linear, activations
        self.register_buffer("range", torch.full((2,), torch.nan))  # smallest, largest; NaN: none seen yet

    @property
    def out_features(self) -> int:
        """Of the linear map."""
        return self.linear.out_features

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out); in training the static range follows what it sees."""
        if self.training and self.activations == "static":
            self._see(x)
        weight = fake_quantize(self.linear.weight, choose_grid(self.linear.weight.detach(), keep=(0,)))
        return F.linear(fake_quantize(x, self.grid(x)), weight, self.linear.bias)

    def grid(self, x: Tensor) -> Grid:
        """The grid of the input. Raises ValueError for a static one that no training has set."""
        if self.activations == "dynamic":
            return choose_grid(x.detach(), ACTIVATION_BITS, symmetric=False)
        if self.range.isnan().any():
            raise ValueError("the ranges of the activations are not known yet: train for at least one step")
        return choose_grid(self.range, ACTIVATION_BITS, symmetric=False)

    @torch.no_grad()
    def _see(self, x: Tensor) -> None:
        """Move the range towards that of a batch; the first batch sets it."""
        seen = torch.stack([x.min(), x.max()])
        self.range.copy_(torch.where(self.range.isnan(), seen, KEEP * self.range + (1 - KEEP) * seen))

    def converted(self) -> Int8Linear:
        """The integer map."""
        grid = None if self.activations == "dynamic" else self.grid(self.range)
        return Int8Linear.from_linear(self.linear, activations=grid)


class RehearsingEmbedding(nn.Module):
    """A table that gives the numbers that its integer form will give."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        self.table = table

    def forward(self, ids: Tensor) -> Tensor:
        """(...) -> (..., embedding); only the rows that are asked for are rounded."""
        rows = self.table(ids)
        return fake_quantize(rows, choose_grid(rows.detach(), keep=range(rows.dim() - 1)))

    def converted(self) -> Int8Embedding:
        """The integer table."""
        return Int8Embedding.from_embedding(self.table)


def prepare(model: EncoderWithHead, activations: Activations = "dynamic") -> EncoderWithHead:
    """Let every linear map and table of the encoder rehearse, in place; the head stays as it is.

    activations: "dynamic", a scale for each input; "static", one that follows the inputs in training
    (Q8BERT's) and is fixed afterwards. Raises ValueError for a model that rehearses already.
    """
    if any(isinstance(m, RehearsingLinear) for m in model.modules()):
        raise ValueError("the model is prepared already; train it, then convert it")
    for path, module in list(model.named_modules()):
        if not path.startswith("encoder."):
            continue
        if type(module) is nn.Linear:
            replace_part(model, path, RehearsingLinear(module, activations))
        elif type(module) is nn.Embedding:
            replace_part(model, path, RehearsingEmbedding(module))
    return model


def convert(model: EncoderWithHead) -> EncoderWithHead:
    """Put the integer parts in the place of the rehearsing ones, in place.

    Raises ValueError where there are none.
    """
    rehearsing = [
        (path, m)
        for path, m in model.named_modules()
        if isinstance(m, RehearsingLinear | RehearsingEmbedding)
    ]
    if not rehearsing:
        raise ValueError("there is nothing to convert: call `prepare` first, and train")
    for path, module in rehearsing:
        replace_part(model, path, module.converted())
    return model.eval()
