"""Weights to and from the transformers library: every key and every shape is checked before one number moves.

A source is a folder with config.json and model.safetensors, or a transformers model in memory. What is
loaded is a copy in float32 and in evaluation mode.
Follows nanoGPT's from_pretrained; leaves out sharded checkpoints and pickled ones (.bin).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from course_utils.models import own_format
from course_utils.models.config import EncoderConfig, TransformerConfig
from course_utils.models.counting import build
from course_utils.models.decoder import CausalLM
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead, MaskedLM, ReplacedTokenHead
from course_utils.models.layouts import LAYOUTS, Layout
from course_utils.models.seq2seq import Seq2Seq

Model = Encoder | MaskedLM | CausalLM | Seq2Seq
State = dict[str, Tensor]


def load_encoder(source: Path | nn.Module) -> Encoder:
    """The encoder of a BERT, RoBERTa, ALBERT, DistilBERT or ELECTRA.

    Without a pooler if the checkpoint has none. Heads in the checkpoint are left aside. Raises
    FileNotFoundError, or ValueError on an architecture, a setting, a key or a shape that does not fit.
    A folder may also be of our own form (`own_format`).
    """
    if isinstance(source, Path) and own_format.is_own(source):
        return own_format.read(source)
    return _load(source, Encoder)


def load_masked_lm(source: Path | nn.Module) -> MaskedLM:
    """An encoder and its masked-LM head; raises as `load_encoder`, also when there is no head."""
    return _load(source, MaskedLM)


def load_discriminator(source: Path | nn.Module) -> EncoderWithHead:
    """ELECTRA's encoder and its replaced-token head; raises as `load_encoder`, also when there is no head."""
    return _load(source, EncoderWithHead)


def load_causal_lm(source: Path | nn.Module) -> CausalLM:
    """GPT-2; raises as `load_encoder`."""
    return _load(source, CausalLM)


def load_seq2seq(source: Path | nn.Module) -> Seq2Seq:
    """BART or T5; raises as `load_encoder`."""
    return _load(source, Seq2Seq)


def save(model: Model, folder: Path) -> None:
    """Write config.json and model.safetensors so that transformers' from_pretrained opens the folder.

    Raises ValueError when the config has a setting that no architecture of the library can express.
    """
    fields = config_to_library(model.config)
    layout = LAYOUTS[fields["model_type"]]
    fields["architectures"] = [layout.architectures[type(model).__name__]]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(fields, indent=2) + "\n")
    save_file(_to_library(model, layout), folder / "model.safetensors", metadata={"format": "pt"})


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write an encoder so that `load_encoder` opens it: for the library where it has an architecture that
    fits, else (pruned layers, factorized table) in our own form."""
    try:
        config_to_library(encoder.config)
    except ValueError:
        own_format.write(encoder, folder)
    else:
        save(encoder, folder)


def config_from_library(fields: Mapping[str, Any]) -> TransformerConfig:
    """Our config for the fields of a config.json; missing ones mean the library's defaults.

    Raises ValueError for an architecture or a setting that our models do not have.

    >>> config_from_library({"model_type": "bert", "num_hidden_layers": 6}).num_layers
    6
    """
    layout = _layout(fields)
    for name, value in layout.constants.items():
        if fields.get(name, value) != value:
            raise ValueError(f"{name}={fields[name]!r} in config.json: our models can only be {value!r}")
    ours: dict[str, Any] = {}
    for theirs, name in layout.fields:
        value = fields.get(theirs)
        if value is None:  # absent, or the library's "take the default", such as GPT-2's n_inner
            continue
        if ours.setdefault(name, value) != value:
            raise ValueError(f"{theirs}={value!r} in config.json contradicts {ours[name]!r} for our {name}")
    if layout.inner_factor and "hidden_size" in ours:
        ours.setdefault("intermediate_size", layout.inner_factor * ours["hidden_size"])
    if "max_positions" in ours:
        ours["max_positions"] -= layout.reserved_positions
    config = replace(layout.defaults, **ours)
    if not layout.square_projection and config.embedding_size == config.hidden_size:
        return replace(config, embedding_size=None)
    return config


def config_to_library(config: TransformerConfig) -> dict[str, Any]:
    """The fields of a config.json that says the same; raises ValueError if there is none.

    >>> from course_utils.models.config import PRESETS
    >>> config_to_library(PRESETS["distilbert-base"])["n_layers"]
    6
    """
    for model_type, layout in LAYOUTS.items():
        fields: dict[str, Any] = {theirs: getattr(config, ours, None) for theirs, ours in layout.fields}
        fields |= {"model_type": model_type, **layout.constants}
        if layout.reserved_positions:
            fields["max_position_embeddings"] += layout.reserved_positions
        if _says_the_same(fields, config, layout):
            return fields
    raise ValueError(
        f"no architecture of the library has these settings: {config}. Save the state_dict instead, or start "
        "from one of models.config.PRESETS"
    )


def _says_the_same(fields: dict[str, Any], config: TransformerConfig, layout: Layout) -> bool:
    """Whether reading the fields gives the config back; a pooler shows in the weights, not in config.json."""
    if type(config) is not type(layout.defaults) or fields.get("type_vocab_size") == 0:
        return False
    read = config_from_library(fields)
    if isinstance(config, EncoderConfig) and "pooler.dense" in layout.names:
        read = replace(read, pooler=config.pooler)  # type: ignore[call-arg]
    return read == config


def _layout(fields: Mapping[str, Any]) -> Layout:
    """The layout of an architecture, by its model_type."""
    if fields.get("model_type") not in LAYOUTS:
        raise ValueError(f"model_type {fields.get('model_type')!r} is not one of {', '.join(LAYOUTS)}")
    return LAYOUTS[fields["model_type"]]


def _read(source: Path | nn.Module) -> tuple[dict[str, Any], State]:
    """config.json's fields and all tensors of a source."""
    if isinstance(source, nn.Module):
        return source.config.to_dict(), source.state_dict()  # type: ignore[union-attr, operator]
    for name in ("config.json", "model.safetensors"):
        if not (source / name).is_file():
            raise FileNotFoundError(f"no {name} in {source}: expected a folder written by save_pretrained")
    return json.loads((source / "config.json").read_text()), load_file(source / "model.safetensors")


def _load(source: Path | nn.Module, kind: type) -> Any:
    """Read, check, copy."""
    fields, state = _read(source)
    layout = _layout(fields)
    if kind.__name__ not in layout.architectures:
        raise ValueError(
            f"a {fields['model_type']} is no {kind.__name__}: it is {' or '.join(layout.architectures)}"
        )
    state = _normalize(state, layout)
    config = config_from_library(fields)
    if isinstance(config, EncoderConfig):
        config = replace(config, pooler=any(name.startswith("pooler.") for name in state))
    if kind is EncoderWithHead:
        layout = replace(layout, head=layout.judge)
    model = _empty(config, kind)
    ours = _from_library(model, state, layout)
    model.load_state_dict(ours, strict=True, assign=True)
    return model.eval()


def _empty(config: TransformerConfig, kind: type) -> nn.Module:
    """A model of this kind whose weights have shapes but no memory."""
    model: Any = build(config, device="meta")
    with torch.device("meta"):
        if kind is MaskedLM:
            return MaskedLM(model)
        return EncoderWithHead(model, ReplacedTokenHead(model.config)) if kind is EncoderWithHead else model


def _normalize(state: State, layout: Layout) -> State:
    """Without the base model's prefix, and with today's names for the parameters of norms."""
    return {
        name.removeprefix(layout.prefix).replace(".gamma", ".weight").replace(".beta", ".bias"): tensor
        for name, tensor in state.items()
    }


def _their_name(name: str, layout: Layout) -> tuple[str, int | None]:
    """The library's name of one of our weights, and which third of it if it is fused there."""
    module, _, kind = name.rpartition(".")
    number = re.search(r"(?<=blocks\.)\d+", module)
    template = re.sub(r"(?<=blocks\.)\d+", "{i}", module).removeprefix("encoder." if layout.head else "")
    theirs = layout.head.get(module) or layout.names[template]
    theirs = theirs.format(i=number.group()) if number else theirs
    fused = re.fullmatch(r"(.*)\[(\d)\]", theirs)
    return (f"{fused[1]}.{kind}", int(fused[2])) if fused else (f"{theirs}.{kind}", None)


def _is_transposed(name: str, tensor: Tensor, layout: Layout) -> bool:
    """GPT-2 stores the matrices of its blocks as (in, out)."""
    return layout.transposed and ".blocks." in name and tensor.dim() == 2


def _from_library(model: nn.Module, state: State, layout: Layout) -> State:
    """Our state out of theirs: all keys and shapes are checked, and nothing may be left over."""
    ours, used, wrong = {}, set(), []
    for name, expected in model.state_dict().items():
        theirs, third = _their_name(name, layout)
        if theirs not in state:
            wrong.append(f"missing: {theirs}")
            continue
        used.add(theirs)
        tensor = state[theirs]
        tensor = tensor.T if _is_transposed(name, tensor, layout) else tensor
        tensor = tensor if third is None else tensor.chunk(3, dim=0)[third]
        if tensor.shape != expected.shape:
            wrong.append(f"{theirs}: shape {tuple(tensor.shape)}, expected {tuple(expected.shape)}")
        ours[name] = tensor.detach().float().clone(memory_format=torch.contiguous_format)
    wrong += _leftovers(state, used, layout)
    if wrong:
        raise ValueError("the checkpoint does not fit its config.json:\n  " + "\n  ".join(wrong))
    copied = sum(tensor.numel() for tensor in ours.values())
    assert copied == sum(state[name].numel() for name in used), "a weight was copied twice or in part"
    return ours


def _leftovers(state: State, used: set[str], layout: Layout) -> list[str]:
    """What is wrong with the keys that we did not use: unknown, untied, or not zero."""
    table = next(theirs for ours, theirs in layout.names.items() if ours.endswith("token")) + ".weight"
    wrong = []
    for name in sorted(state.keys() - used):
        if re.match(layout.tied, name):
            if table in state and not torch.equal(state[name], state[table]):
                wrong.append(f"{name} differs from the token embeddings: our output layer is always tied")
        elif re.match(layout.zeros, name):
            if state[name].any():
                wrong.append(f"{name} is not zero, and our models do not have it")
        elif not re.match(layout.ignored, name):
            wrong.append(f"unknown: {name}")
    return wrong


def _to_library(model: Model, layout: Layout) -> State:
    """Their state out of ours, with the base model's prefix if there is a head."""
    pieces: dict[str, list[Tensor]] = {}
    for name, tensor in model.state_dict().items():
        theirs, _ = _their_name(name, layout)
        prefix = "" if isinstance(model, Encoder) or name.startswith("head.") else layout.prefix
        pieces.setdefault(prefix + theirs, []).append(tensor.detach().cpu())
    state = {name: torch.cat(parts, dim=0) if len(parts) > 1 else parts[0] for name, parts in pieces.items()}
    return {
        name: (tensor.T if layout.transposed and ".h." in name and tensor.dim() == 2 else tensor).contiguous()
        for name, tensor in state.items()
    }
