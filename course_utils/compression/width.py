"""Width pruning: fewer neurons in the feed-forward layers, fewer features in the hidden states.

Neurons go one by one, with their row of the inner matrix and their column of the outer one, and the result is
exactly the model in which they are masked. The hidden width cannot be cut like that: the residual stream runs
through every norm of the model, and a norm over fewer features has another mean and variance. A rotation to
principal components first (SliceGPT, Ashkboos et al. 2024) is exact for pre-norm models only; in BERT, which
norms the sum, each norm's scale belongs to a coordinate. Low-rank factors of the linear maps save nothing at
this width until the rank is below half. So `slice_hidden` keeps the most important coordinates as they are,
and is a start for training (as in Minitron, Muralidharan et al. 2024), not a model to use at once.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from course_utils.compression.importance import Gate, gate_importance
from course_utils.compression.rebuilding import block_name, blocks_of, check_kept, neurons_of, rebuilt
from course_utils.finetuning.classifier import Example
from course_utils.models.config import EncoderConfig
from course_utils.models.heads import EncoderWithHead, SequenceHead


def neuron_importance(
    model: EncoderWithHead, examples: Sequence[Example], batch_size: int = 32
) -> list[Tensor]:
    """For each layer (neurons,): the mean over examples of |sum of w * dL/dw|, w a neuron's outer weights."""
    outers = [block.feed_forward.outer for block in blocks_of(model.encoder)]
    gates = [Gate(outer, outer.in_features, at_input=True) for outer in outers]
    return gate_importance(model, examples, gates, batch_size)


def remove_neurons(model: EncoderWithHead, keep: Sequence[Sequence[int]]) -> EncoderWithHead:
    """A new model that has, in each layer, only these neurons of the feed-forward; at least one.

    Its outputs are those of the old model with the other neurons masked. Raises ValueError for a number that
    a layer does not have, and for none.
    """
    encoder = model.encoder
    kept = check_kept(keep, neurons_of(encoder), "neurons", least=1)
    state = dict(encoder.state_dict())
    for layer, neurons in enumerate(kept):
        prefix = block_name(layer) + "feed_forward."
        for kind in ("weight", "bias"):
            if (name := f"{prefix}inner.{kind}") in state:
                state[name] = state[name][neurons]
        state[f"{prefix}outer.weight"] = state[f"{prefix}outer.weight"][:, neurons]
    config = replace(encoder.config, layer_inner=tuple(len(neurons) for neurons in kept))
    return rebuilt(model, config, state)


def hidden_importance(model: EncoderWithHead, examples: Sequence[Example], batch_size: int = 32) -> Tensor:
    """(hidden,): the mean over examples of |dL/d gate| of each coordinate, summed over all hidden states.

    The gates stand behind the embeddings and behind both norms of every block, wherever the residual stream
    is written.
    """
    size = model.encoder.config.hidden_size
    norms = [n for b in blocks_of(model.encoder) for n in (b.attention_norm, b.feed_forward_norm)]
    gates = [Gate(module, size, at_input=False) for module in (model.encoder.embeddings, *norms)]
    return torch.stack(gate_importance(model, examples, gates, batch_size)).sum(dim=0)


def slice_hidden(model: EncoderWithHead, keep: Sequence[int]) -> EncoderWithHead:
    """A new model whose hidden states have only the coordinates with these numbers; heads and neurons stay.

    Its outputs are those of the old model with the other coordinates masked and each norm taken over the kept
    ones. Train it before use. Raises ValueError for a number outside the width, TypeError for another head
    than a SequenceHead.
    """
    (kept,) = check_kept([keep], [model.encoder.config.hidden_size], "coordinates", least=1)
    if not isinstance(model.head, SequenceHead):
        raise TypeError(f"the width of a {type(model.head).__name__} cannot be cut; give a SequenceHead")
    config = model.encoder.config
    narrow = replace(config, hidden_size=len(kept), head_size=config.width_of_head)
    state = {
        name: _sliced(name, tensor, kept, bool(config.embedding_size))
        for name, tensor in model.encoder.state_dict().items()
    }
    made = rebuilt(model, narrow, state)
    made.head = _narrow_head(model.head, narrow, kept).train(model.training)
    return made


# What a weight's axes hold, by the end of its module's name: 0 and 1 are hidden axes, to be sliced.
_HIDDEN_AXES = {
    "query": (1,),
    "key": (1,),
    "value": (1,),
    "output": (0,),
    "inner": (1,),
    "outer": (0,),
    "dense": (0, 1),  # the pooler
    "projection": (0,),
    "widen": (0,),  # of a factorized table
    "narrow": (),
    "token": (1,),
    "position": (1,),
    "segment": (1,),
}
_KEEP_BIAS = {"query", "key", "value", "inner"}  # biases of heads and neurons


def _sliced(name: str, tensor: Tensor, kept: Tensor, has_projection: bool) -> Tensor:
    """One weight at the kept coordinates."""
    module, _, kind = name.rpartition(".")
    part = module.rpartition(".")[2]
    if has_projection and name.startswith("embeddings.") and part != "projection":
        return tensor  # lives in the narrow space of the embeddings, which stays
    if tensor.dim() == 1:  # norms, constant attentions, biases
        return tensor if kind == "bias" and part in _KEEP_BIAS else tensor[kept]
    for axis in _HIDDEN_AXES[part]:
        tensor = tensor.index_select(axis, kept)
    return tensor


def _narrow_head(head: SequenceHead, config: EncoderConfig, kept: Tensor) -> SequenceHead:
    """The same head, reading the kept coordinates only."""
    labels = head.classifier.out_features
    with torch.device("meta"):
        narrow = SequenceHead(config, labels, head.pooling, head.dropout.p)
    state = {name: tensor.clone() for name, tensor in head.state_dict().items()}
    state["classifier.weight"] = state["classifier.weight"][:, kept].contiguous()
    narrow.load_state_dict(state, assign=True)
    return narrow.requires_grad_(True)
