"""Linear maps and tables in eight bits: stored as int8, and multiplied as integers.

Weights: symmetric, a scale for each output of a linear map or each row of a table. Activations: affine, one
scale for the whole input, found anew for each input (dynamic) or fixed in training (static, Q8BERT). They
get 7 bits: on CPUs without VNNI instructions the sum of two products of 8 and 8 bits overflows (torch's own
dynamic quantisation does the same), so that every machine gives the same predictions.
"""

import warnings
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.compression.quantize import Grid, choose_grid, quantize
from course_utils.compression.structure import part

ACTIVATION_BITS = 7


@part("int8-linear")
class Int8Linear(nn.Module):
    """A linear map whose weight is int8."""

    weight: Tensor  # (out, in), int8
    scale: Tensor  # (out, 1)
    bias: Tensor | None  # (out,)
    input_scale: Tensor | None  # of static activations, one number; None: dynamic
    input_zero: Tensor | None

    def __init__(self, in_features: int, out_features: int, bias: bool, static: bool = False) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.register_buffer("weight", torch.zeros(out_features, in_features, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(out_features, 1))
        self.register_buffer("bias", torch.zeros(out_features) if bias else None)
        self.register_buffer("input_scale", torch.ones(()) if static else None)
        self.register_buffer("input_zero", torch.zeros(()) if static else None)
        self._packed: Any = None  # the weight as torch's kernel wants it, made at the first call

    def spec(self) -> dict[str, Any]:
        """The arguments that make an empty one."""
        return {
            "in_features": self.in_features,
            "out_features": self.out_features,
            "bias": self.bias is not None,
            "static": self.input_scale is not None,
        }

    @classmethod
    def from_linear(
        cls, linear: nn.Linear, *, per_channel: bool = True, activations: Grid | None = None
    ) -> "Int8Linear":
        """The nearest integer map. activations: their fixed grid of 7 bits; None: found for each input."""
        made = cls(linear.in_features, linear.out_features, linear.bias is not None, activations is not None)
        with torch.no_grad():
            grid = choose_grid(linear.weight, keep=(0,) if per_channel else ())
            made.weight = quantize(linear.weight, grid)
            made.scale = grid.scale.expand(linear.out_features, 1).clone()
            made.bias = None if linear.bias is None else linear.bias.detach().clone()
            if activations is not None:
                made.input_scale = activations.scale.reshape(()).clone()
                made.input_zero = activations.zero_point.reshape(()).clone()
        return made

    def forward(self, x: Tensor) -> Tensor:
        """(batch, ..., in) -> (batch, ..., out), through torch's integer kernel where there is one."""
        if x.device.type != "cpu" or not has_kernel():
            return self.written_out(x)
        if self._packed is None:
            self._packed = _pack(self.weight, self.scale, self.bias)
        x = x.contiguous()
        if self.input_scale is None:
            return torch.ops.quantized.linear_dynamic(x, self._packed, True)
        grid = self.activation_grid(x)  # the kernel clamps at 8 bits, the grid has 7
        x = x.clamp(*(float((end - grid.zero_point) * grid.scale) for end in (grid.low, grid.high)))
        return torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32(
            x, float(grid.scale), int(grid.zero_point), self._packed
        )

    def activation_grid(self, x: Tensor) -> Grid:
        """The grid of the input: its own, or the fixed one."""
        if self.input_scale is None or self.input_zero is None:
            return choose_grid(x, ACTIVATION_BITS, symmetric=False)
        return Grid(self.input_scale, self.input_zero, 0, 2**ACTIVATION_BITS - 1)

    def written_out(self, x: Tensor) -> Tensor:
        """The same arithmetic step by step (Jacob et al. 2018, equation 7).

        y = s_x s_w (sum of q_x q_w - z_x sum of q_w) + bias; the sums run over integers.
        """
        grid = self.activation_grid(x)
        scale, zero = grid.scale.reshape(()), grid.zero_point.reshape(())
        q = quantize(x, grid).to(torch.int8).reshape(-1, self.in_features)  # 0 to 127
        sums = _integer_product(q, self.weight) - zero * self.weight.sum(1, dtype=torch.float32)
        y = (sums * (scale * self.scale[:, 0])).reshape(*x.shape[:-1], self.out_features)
        return y if self.bias is None else y + self.bias

    def _apply(self, fn: Any, recurse: bool = True) -> "Int8Linear":
        self._packed = None
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._packed = None
        super()._load_from_state_dict(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_packed": None}


@part("int8-embedding")
class Int8Embedding(nn.Module):
    """A table whose rows are int8, each with its scale."""

    weight: Tensor  # (rows, columns), int8
    scale: Tensor  # (rows, 1)

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.register_buffer("weight", torch.zeros(num_embeddings, embedding_dim, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(num_embeddings, 1))

    def spec(self) -> dict[str, int]:
        """The arguments that make an empty one."""
        return {"num_embeddings": self.num_embeddings, "embedding_dim": self.embedding_dim}

    @classmethod
    def from_embedding(cls, table: nn.Embedding, *, per_row: bool = True) -> "Int8Embedding":
        """The nearest table in integers."""
        made = cls(table.num_embeddings, table.embedding_dim)
        with torch.no_grad():
            grid = choose_grid(table.weight, keep=(0,) if per_row else ())
            made.weight = quantize(table.weight, grid)
            made.scale = grid.scale.expand(table.num_embeddings, 1).clone()
        return made

    def forward(self, ids: Tensor) -> Tensor:
        """(...) -> (..., embedding): only the rows that are asked for become floating point."""
        return self.weight[ids] * self.scale[ids]


def has_kernel() -> bool:
    """Whether this torch multiplies integers with packed weights; later versions are to lose it."""
    return hasattr(torch, "_make_per_channel_quantized_tensor") and torch.backends.quantized.engine != "none"


def _pack(weight: Tensor, scale: Tensor, bias: Tensor | None) -> Any:
    """The weight in the layout of torch's kernel."""
    with warnings.catch_warnings():  # that quantised tensors will go: `written_out` stands in then
        warnings.simplefilter("ignore", UserWarning)
        zeros = torch.zeros(len(weight), dtype=torch.long)
        tensor = torch._make_per_channel_quantized_tensor(weight, scale[:, 0].double(), zeros, 0)
        return torch.ops.quantized.linear_prepack(tensor, bias)


def _integer_product(q: Tensor, weight: Tensor) -> Tensor:
    """q (rows, in) times weight (out, in), both int8 -> (rows, out), whole numbers in float32."""
    if q.device.type == "cpu":
        return torch._int_mm(q, weight.T).float()
    return F.linear(q.float(), weight.float())  # exact up to 2**24, and any shape
