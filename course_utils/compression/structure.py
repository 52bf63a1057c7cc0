"""What a compressed model is made of, as JSON, and the empty model of that description.

A pruned or quantised model is no longer what its config says: heads are gone, layers became narrower, linear
maps became integers. The description is the config and, by path, each part that differs from it. A class
of its own, such as a linear map in integers, joins by the decorator:

    @part("int8-linear")
    class Int8Linear(nn.Module):
        def __init__(self, in_features, out_features, bias): ...
        def spec(self): return {"in_features": 384, "out_features": 1536, "bias": True}

`spec()` gives the arguments that make an empty module of the same shape; weights travel in the state_dict,
so everything else that matters must be a parameter or a buffer. A part may hold parts: a factorized table
holds a table and a linear map, either of which may be in integers. Plain `nn.Linear`, `nn.Embedding` and the
number of heads of a `MultiHeadAttention` are understood as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead, SequenceHead
from course_utils.models.layers import MultiHeadAttention

Description = dict[str, Any]
PARTS: dict[str, Callable[..., nn.Module]] = {"linear": nn.Linear, "embedding": nn.Embedding}
_NAMES: dict[type, str] = {}


def part(name: str) -> Callable[[type], type]:
    """Make a class of modules known by a name, under which saved models refer to it."""

    def register(kind: type) -> type:
        if name in PARTS and getattr(PARTS[name], "__qualname__", "") != kind.__qualname__:
            raise ValueError(f"{name!r} is {PARTS[name]} already")
        PARTS[name], _NAMES[kind] = kind, name
        return kind

    return register


def describe(model: EncoderWithHead) -> Description:
    """The JSON description of a classifier.

    Raises TypeError for a model that is not an encoder with a head for sequences, or holds a module with
    parameters that the description cannot express.
    """
    if not isinstance(model, EncoderWithHead) or not isinstance(model.head, SequenceHead):
        raise TypeError(
            f"only an encoder with a SequenceHead can be described, got {type(model).__name__}; a model of "
            "another kind cannot be saved here"
        )
    frame: Description = {
        "config": asdict(model.encoder.config),
        "classes": _classes(model),
        "pooling": model.head.pooling,
    }
    plain = dict(_base(frame).named_modules())
    parts: Description = {}
    for path, module in model.named_modules():
        found = _spec(module)
        if found is not None and (path not in plain or found != _spec(plain[path])):
            parts[path] = found
        elif found is None and not _known(path, module, plain, parts):
            raise TypeError(f"{path} is a {type(module).__name__}, which the saved form does not know")
    return {**frame, "parts": parts}


def rebuild(description: Mapping[str, Any]) -> EncoderWithHead:
    """The model of a description, in evaluation mode, its weights not yet set (on the meta device).

    Raises KeyError, TypeError, ValueError or AttributeError for what `describe` did not write.
    """
    model = _base(description)
    with torch.device("meta"):
        for path, spec in description["parts"].items():
            fields = dict(spec)
            kind = fields.pop("part")
            if kind == "attention":
                model.get_submodule(path).num_heads = fields["num_heads"]
            else:
                replace_part(model, path, PARTS[kind](**fields))
    return model.eval()


def replace_part(model: nn.Module, path: str, module: nn.Module) -> None:
    """Put a module in the place that a dotted path names."""
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, module)


def _base(frame: Mapping[str, Any]) -> EncoderWithHead:
    """The model that the config alone describes."""
    # JSON has lists where the config has tuples.
    fields: Any = {name: tuple(v) if isinstance(v, list) else v for name, v in frame["config"].items()}
    config = EncoderConfig(**fields)
    with torch.device("meta"):
        head = SequenceHead(config, frame["classes"], frame["pooling"])
        return EncoderWithHead(Encoder(config), head).eval()


def _classes(model: EncoderWithHead) -> int:
    """How many logits the head gives; its linear map may be of any kind."""
    return int(model.head.get_submodule("classifier").out_features)  # type: ignore[arg-type]


def _spec(module: nn.Module) -> Description | None:
    """The part's name and arguments; None for a module that is no part."""
    if type(module) in _NAMES:
        return {"part": _NAMES[type(module)], **module.spec()}  # type: ignore[operator]
    if type(module) is nn.Linear:
        sizes = {"in_features": module.in_features, "out_features": module.out_features}
        return {"part": "linear", **sizes, "bias": module.bias is not None}
    if type(module) is nn.Embedding:
        return {
            "part": "embedding",
            "num_embeddings": module.num_embeddings,
            "embedding_dim": module.embedding_dim,
            "padding_idx": module.padding_idx,
        }
    if isinstance(module, MultiHeadAttention):
        return {"part": "attention", "num_heads": module.num_heads}
    return None


def _known(path: str, module: nn.Module, plain: Mapping[str, nn.Module], parts: Mapping[str, Any]) -> bool:
    """Whether a module that is no part comes back by itself: from the config, or inside a part."""
    own = {name: p.shape for name, p in module.named_parameters(recurse=False)}
    inside = any(path.startswith(f"{outer}.") for outer in parts if parts[outer]["part"] != "attention")
    if inside:
        return True
    if path not in plain or type(plain[path]) is not type(module):
        return False
    return own == {name: p.shape for name, p in plain[path].named_parameters(recurse=False)}
