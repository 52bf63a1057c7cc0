"""The loss around a trained model, in directions whose length is fair (Li et al. 2018, filter normalization).

A step of fixed length means nothing for weights: a layer whose rows are twice as long shrugs off twice the
step when a norm follows. Each row of a direction is therefore given the length of the row that it moves;
parameters with one axis (biases, gains of norms) stay where they are, as in the paper.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Generator, Tensor, nn

Direction = Mapping[str, Tensor]


def random_direction(model: nn.Module, generator: Generator) -> dict[str, Tensor]:
    """A random direction for each trainable parameter, row by row as long as the parameter's row.

    generator: on the CPU. Returns name -> tensor of the parameter's shape; zeros where it has one axis.
    Raises ValueError when nothing is trainable.
    """
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not trainable:
        raise ValueError("the model has no trainable parameter to move")
    return {name: _normalized(p.detach(), generator) for name, p in trainable.items()}


def _normalized(parameter: Tensor, generator: Generator) -> Tensor:
    """Gaussian rows as long as the parameter's own rows."""
    if parameter.dim() < 2:
        return torch.zeros_like(parameter)
    drawn = torch.randn(parameter.shape, generator=generator).to(parameter)
    rows, own = drawn.flatten(1), parameter.flatten(1)
    lengths = own.norm(dim=1) / rows.norm(dim=1)
    return (rows * lengths[:, None]).view_as(parameter)


@contextmanager
def moved(model: nn.Module, *steps: tuple[float, Direction]) -> Iterator[None]:
    """Inside the `with`, the model's parameters are theirs plus each step times its direction.

    They come back bit for bit, also after an error.
    """
    parameters = dict(model.named_parameters())
    touched = {name for _, direction in steps for name in direction}
    before = {name: parameters[name].detach().clone() for name in touched}
    try:
        with torch.no_grad():
            for size, direction in steps:
                for name, towards in direction.items():
                    parameters[name].add_(towards, alpha=size)
        yield
    finally:
        with torch.no_grad():
            for name, values in before.items():
                parameters[name].copy_(values)


def loss_grid(
    model: nn.Module,
    loss: Callable[[], float],
    first: Direction,
    second: Direction,
    steps: ArrayLike,
) -> NDArray[np.float64]:
    """The loss at model + a first + b second for all a, b in steps: (steps of second, steps of first)."""
    sizes = [float(step) for step in np.asarray(steps)]
    grid = np.empty((len(sizes), len(sizes)))
    for row, b in enumerate(sizes):
        for column, a in enumerate(sizes):
            with moved(model, (a, first), (b, second)):
                grid[row, column] = loss()
    return grid


def radius(
    loss_at: Callable[[float], float],
    level: float,
    *,
    start: float = 0.1,
    largest: float = 8.0,
    halvings: int = 4,
) -> float:
    """How far one can go before the loss is above `level`, to within a factor 2 ** (1 / 2 ** halvings).

    loss_at: from the step size to the loss, at most `level` at 0. The first crossing is sought by doubling
    (or halving) the step, then by bisection of its logarithm; a loss that comes down again beyond is not
    seen. Returns `largest` where the loss stays below. Raises ValueError when the loss is above at 0.

    >>> round(radius(lambda step: step**2, level=1.0), 1)
    1.0
    """
    if loss_at(0.0) > level:
        raise ValueError(f"the loss is above {level} before the first step")
    low = start
    while loss_at(low) > level:
        low /= 2
    high = low
    while loss_at(high) <= level:
        low, high = high, 2 * high
        if low >= largest:
            return largest
    for _ in range(halvings):
        middle = (low * high) ** 0.5
        if loss_at(middle) > level:
            high = middle
        else:
            low = middle
    return (low * high) ** 0.5
