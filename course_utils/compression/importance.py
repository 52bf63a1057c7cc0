"""How much the loss would change without a part, to first order.

A gate g = 1 multiplies the part's features x. The loss without the part is L(g = 0), about L - dL/dg, and
dL/dg = sum of x * dL/dx: one backward pass tells it for every part at once (Molchanov et al. 2017). For a
neuron the same sum is that of w * dL/dw over the weights which read it.
The absolute value is taken of each example's own gradient, then averaged: gains and losses of different
examples do not cancel (Michel et al. 2019, eq. 6).
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.finetuning.classifier import Example, collate, run_model
from course_utils.models.heads import EncoderWithHead


class Gate(NamedTuple):
    """Where features are gated: at the input of a module, or at its output, in `groups` of equal width."""

    module: nn.Module
    groups: int
    at_input: bool


def gate_importance(
    model: EncoderWithHead, examples: Sequence[Example], gates: Sequence[Gate], batch_size: int = 32
) -> list[Tensor]:
    """For each gate (groups,): the mean over examples of |dL/d gate|, the model in evaluation mode.

    Examples need their true labels. Raises ValueError without examples.
    """
    if not examples:
        raise ValueError("importance is a mean over examples: give some, with labels")
    was_training = model.training
    model.eval()
    totals = [torch.zeros(gate.groups) for gate in gates]
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    for start in range(0, len(order), batch_size):
        batch = collate([examples[i] for i in order[start : start + batch_size]])
        with captured(gates) as features:
            # A sum, so that each example's gradient is that of its own loss.
            loss = F.cross_entropy(run_model(model, batch), batch["labels"], reduction="sum")
            slopes = torch.autograd.grad(loss, features)
        for total, gate, x, slope in zip(totals, gates, features, slopes, strict=True):
            by_group = (x * slope).detach().unflatten(-1, (gate.groups, -1)).sum(dim=(1, 3))
            total += by_group.abs().sum(dim=0)  # (examples, groups) -> (groups,)
    model.train(was_training)
    return [total / len(examples) for total in totals]


@contextmanager
def captured(gates: Sequence[Gate]) -> Any:
    """While it is open, each forward pass puts the gated features, (batch, length, features), into a list."""
    found: list[Tensor] = [torch.empty(0)] * len(gates)
    with ExitStack() as stack:
        for number, gate in enumerate(gates):
            add = (
                gate.module.register_forward_pre_hook if gate.at_input else gate.module.register_forward_hook
            )
            handle = add(_keeper(found, number, gate.at_input))
            stack.callback(handle.remove)
        yield found


def _keeper(found: list[Tensor], number: int, at_input: bool) -> Callable[..., Any]:
    """A hook that keeps the features, and makes them part of the graph even where all weights are frozen."""

    def before(_module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        found[number] = _in_graph(arguments[0])
        return (found[number], *arguments[1:])

    def after(_module: nn.Module, _arguments: Any, output: Tensor) -> Tensor:
        found[number] = _in_graph(output)
        return found[number]

    return before if at_input else after


def _in_graph(x: Tensor) -> Tensor:
    return x if x.requires_grad else x.detach().requires_grad_()


def least_important(importance: Sequence[Tensor], share: float, *, keep_one: bool = False) -> list[list[int]]:
    """What stays in each layer, sorted, when this share of all parts goes, the least important first.

    importance: (parts,) for each layer, compared across layers. share: in [0, 1); the count is rounded down.
    keep_one: leave the most important part of a layer even if the share would take it.
    Raises ValueError for a share outside [0, 1).

    >>> least_important([torch.tensor([0.1, 0.9]), torch.tensor([0.2, 0.3])], 0.5)
    [[1], [1]]
    """
    if not 0 <= share < 1:
        raise ValueError(f"the share to remove lies in [0, 1), got {share}")
    places = [(float(v), layer, i) for layer, row in enumerate(importance) for i, v in enumerate(row)]
    last = {(layer, int(row.argmax())) for layer, row in enumerate(importance) if keep_one and len(row)}
    removable = sorted(place for place in places if place[1:] not in last)
    gone = {place[1:] for place in removable[: int(share * len(places) + 1e-9)]}
    return [[i for i in range(len(row)) if (layer, i) not in gone] for layer, row in enumerate(importance)]
