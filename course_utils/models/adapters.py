"""Low-rank adapters (Hu et al. 2021, LoRA): train a thin correction of each linear map, keep the map.

A frozen W becomes W + (scale / rank) B A with A (rank, in) and B (out, rank). B starts at zero, so that
training starts from the model as it was; afterwards the correction can be added into W, and costs nothing.
"""

import math
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


class AdaptedLinear(nn.Module):
    """A frozen linear map and its trainable low-rank correction."""

    def __init__(self, linear: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"rank must be at least 1, got {rank}")
        self.linear = linear.requires_grad_(False)
        self.factor = scale / rank
        self.down = nn.Parameter(torch.empty(rank, linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        nn.init.kaiming_uniform_(
            self.down, a=math.sqrt(5)
        )  # as the paper's code, which is nn.Linear's own start

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        return self.linear(x) + self.factor * F.linear(F.linear(x, self.down), self.up)

    def merged(self) -> nn.Linear:
        """The linear map with its correction added in."""
        with torch.no_grad():
            self.linear.weight += self.factor * self.up @ self.down
        return self.linear


def add_adapters(model: nn.Module, rank: int = 8, scale: float = 16.0) -> nn.Module:
    """Freeze `model` and give every linear map in it an adapter, in place; returns `model`.

    rank, scale: 8 and 16 are the paper's choices for language models of this kind. Raises ValueError when
    there is no linear map, or the model has adapters already.
    """
    if any(isinstance(module, AdaptedLinear) for module in model.modules()):
        raise ValueError("the model has adapters already; merge them first")
    linears = [
        (m, name) for m in model.modules() for name, child in m.named_children() if type(child) is nn.Linear
    ]
    if not linears:
        raise ValueError("the model has no linear map to adapt")
    model.requires_grad_(False)
    for module, name in linears:
        setattr(module, name, AdaptedLinear(getattr(module, name), rank, scale))
    return model


def merge_adapters(model: nn.Module) -> nn.Module:
    """Add every correction into its linear map and remove the adapters, in place; returns `model`."""
    adapted = [
        (m, name) for m in model.modules() for name, c in m.named_children() if isinstance(c, AdaptedLinear)
    ]
    for module, name in adapted:
        setattr(module, name, getattr(module, name).merged())
    return model


def save_adapted(model: nn.Module, path: Path) -> None:
    """Write all that was trained (adapters, and any other trainable part) in half precision to one file."""
    trained = {
        name: p.detach().half().contiguous() for name, p in model.named_parameters() if p.requires_grad
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(trained, path)


def load_adapted(model: nn.Module, path: Path) -> nn.Module:
    """Give a model with adapters what `save_adapted` wrote; returns `model`.

    Raises ValueError when the file's parameters are not exactly the model's trainable ones.
    """
    state = load_file(path)
    wanted = {name: p.shape for name, p in model.named_parameters() if p.requires_grad}
    found = {name: tensor.shape for name, tensor in state.items()}
    if found != wanted:
        odd = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        raise ValueError(f"{path} does not fit the model: {len(odd)} parameters differ, {odd[0]} among them")
    model.load_state_dict({name: tensor.float() for name, tensor in state.items()}, strict=False)
    return model


def adapter_state(model: nn.Module) -> dict[str, Tensor]:
    """The corrections alone, by parameter name: what has to be saved."""
    return {
        f"{name}.{part}": getattr(module, part).detach()
        for name, module in model.named_modules()
        if isinstance(module, AdaptedLinear)
        for part in ("down", "up")
    }
