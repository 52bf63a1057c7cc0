"""Proof that a model of ours equals the transformers library's: largest differences on one batch.

Both models run in evaluation mode on the same input; every hidden state, every attention map, the outputs
and the gradient of every parameter are compared. The library's model must return its maps: load it with
attn_implementation="eager".
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.models.decoder import CausalLM
from course_utils.models.encoder import Encoder
from course_utils.models.seq2seq import Seq2Seq
from course_utils.models.weights import load_causal_lm, load_encoder, load_seq2seq

Model = Encoder | CausalLM | Seq2Seq
LOADERS: dict[type[nn.Module], Any] = {
    Encoder: load_encoder,
    CausalLM: load_causal_lm,
    Seq2Seq: load_seq2seq,
}


@dataclass(frozen=True)
class Trace:
    """All that one forward pass computed, in the order of the layers; encoder before decoder."""

    states: Sequence[Tensor]  # each (batch, length, hidden)
    maps: Sequence[Tensor]  # each (batch, heads, query, key)
    outputs: Sequence[Tensor]  # the pooled state, or the logits


def trace(model: Model, given: Mapping[str, Tensor]) -> Trace:
    """Run a model of ours. given: input_ids and whatever else it takes, by name."""
    if isinstance(model, Seq2Seq):
        out = model(**given, return_maps=True)
        sides = (out.encoder, out.decoder)
        maps = [m for side in sides for m in side.attentions] + [*out.decoder.cross_attentions]
        return Trace([x for side in sides for x in side.hidden_states], maps, [out.logits])
    if isinstance(model, CausalLM):
        out = model.decoder(**given, return_maps=True)
        return Trace(out.hidden_states, out.attentions, [model.logits(out.last_hidden_state)])
    out = model(**given, return_maps=True)
    return Trace(out.hidden_states, out.attentions, [] if out.pooled is None else [out.pooled])


def trace_library(library: nn.Module, given: Mapping[str, Tensor]) -> Trace:
    """The same for a model of the library. Raises ValueError if it does not return its maps."""
    out = library(**given, output_hidden_states=True, output_attentions=True)
    if "encoder_hidden_states" in out:
        states = out.encoder_hidden_states + out.decoder_hidden_states
        maps = out.encoder_attentions + out.decoder_attentions + out.cross_attentions
    else:
        states, maps = out.hidden_states, out.attentions
    if not maps or any(one is None for one in maps):
        raise ValueError('the library gave no attention maps: load it with attn_implementation="eager"')
    outputs = [out[name] for name in ("pooler_output", "logits") if out.get(name) is not None]
    return Trace(states, maps, outputs)


def differences(model: Model, library: nn.Module, given: Mapping[str, Tensor]) -> dict[str, float]:
    """Largest absolute difference of states, maps and outputs; largest relative one of the gradients.

    Both models must be in evaluation mode; their gradients are cleared. Raises ValueError where the two
    have not the same number of states, maps or outputs, or a model is in training mode.
    """
    if model.training or library.training:
        raise ValueError("dropout makes every run another: call .eval() on both models first")
    ours, theirs = trace(model, given), trace_library(library, given)
    found = {kind: _farthest(ours, theirs, kind) for kind in ("states", "maps", "outputs")}
    for one, run in ((model, ours), (library, theirs)):
        one.zero_grad()
        _loss(run).backward()
    return {**found, "gradients": gradient_difference(model, library)}


def _farthest(ours: Trace, theirs: Trace, kind: str) -> float:
    pairs = zip(getattr(ours, kind), getattr(theirs, kind), strict=True)
    return max((largest(mine, reference) for mine, reference in pairs), default=0.0)


def largest(first: Tensor, second: Tensor) -> float:
    """Largest absolute difference of two tensors of one shape; raises ValueError on two shapes.

    >>> largest(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.5]))
    0.5
    """
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {tuple(first.shape)} and {tuple(second.shape)}")
    return (first - second).abs().max().item()


def gradient_difference(model: Model, library: nn.Module) -> float:
    """Over all parameters, the largest difference relative to that parameter's largest gradient.

    The gradient of the keys' bias is zero in exact arithmetic, since softmax ignores a shift of a whole
    row. So a hundredth of the model's largest gradient is added to every denominator.
    """
    bearer = copy.deepcopy(library)
    with torch.no_grad():  # gradients in the place of weights: the loader renames and reshapes them
        for name, parameter in library.named_parameters():
            gradient = parameter.grad
            value = torch.zeros_like(parameter) if gradient is None else gradient
            bearer.get_parameter(name).copy_(value)
    theirs = dict(LOADERS[type(model)](bearer).named_parameters())
    floor = 0.01 * max(gradient.abs().max().item() for gradient in theirs.values())
    worst = 0.0
    for name, parameter in model.named_parameters():
        mine = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        size = theirs[name].abs().max().item() + floor
        worst = max(worst, largest(mine, theirs[name]) / size)
    return worst


def _loss(run: Trace) -> Tensor:
    """Every entry of the last state and of the outputs, each with a fixed random weight."""
    total = torch.zeros(())
    for number, x in enumerate([run.states[-1], *run.outputs]):
        weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(number))
        total = total + (x * weights.to(x.device)).mean().to(total.device)
    return total
