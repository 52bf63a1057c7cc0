"""What clipping does to gradients, on networks deep enough that they vanish or explode.

`torch.nn.utils.clip_grad_norm_` multiplies all gradients by one factor, min(1, bound / norm). The factor is
never above 1: a gradient that is too small stays as it is, and the layers' ratios stay as they are.
"""

from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["saturated", "residual", "exploding"]


class DeepNet(nn.Module):
    """A classifier of `depth` layers of one width.

    "saturated": x <- sigmoid(W x + b). Its slope is at most 1/4, so the gradient shrinks with every layer.
    "residual": x <- x + (sigmoid(W x + b) - 1/2) / depth: the same units beside a path that keeps the
        gradient.
    "exploding": x <- relu(W x + b) with weights half as long again as would keep the size of the states.
    """

    def __init__(self, inputs: int, width: int, depth: int, kind: Kind, generator: torch.Generator) -> None:
        super().__init__()
        if kind not in ("saturated", "residual", "exploding"):
            raise ValueError(f"kind must be 'saturated', 'residual' or 'exploding', got {kind!r}")
        self.kind = kind
        self.first = nn.Linear(inputs, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.last = nn.Linear(width, 2)
        gain = 1.5 * 2**0.5 if kind == "exploding" else 1.0
        for module in (self.first, *self.layers, self.last):
            scale = gain if module in list(self.layers) else 1.0
            with torch.no_grad():
                module.weight.normal_(0.0, scale * module.in_features**-0.5, generator=generator)
                module.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs) -> logits (batch, 2)."""
        x = self.first(x)
        for layer in self.layers:
            if self.kind == "residual":
                x = x + (torch.sigmoid(layer(x)) - 0.5) / len(self.layers)
            else:
                x = torch.relu(layer(x)) if self.kind == "exploding" else torch.sigmoid(layer(x))
        return self.last(x)


def gradient_norms(model: nn.Module) -> dict[str, float]:
    """The norm of each parameter's gradient, by name; parameters without a gradient are left out."""
    return {name: float(p.grad.norm()) for name, p in model.named_parameters() if p.grad is not None}


def total_norm(norms: dict[str, float]) -> float:
    """The norm of all gradients together, which is what clipping looks at.

    >>> total_norm({"weight": 3.0, "bias": 4.0})
    5.0
    """
    return sum(norm**2 for norm in norms.values()) ** 0.5
