"""What a teacher says of texts, computed once and kept on disk.

A file's name is a hash of everything that its numbers depend on: the teacher's weights, shapes and pooling,
the token ids of every text (so: texts, tokenizer, longest text) and what is asked for. Another teacher or
another text is another file. A file that is damaged is noticed by its checksum, and made again.
"""

import hashlib
import json
import os
import struct
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from course_utils import paths
from course_utils.finetuning.classifier import PAD, Example, outputs, pad, predict
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead

Tensors = dict[str, Tensor]
CHECKSUM_BYTES = 32


class DamagedOutputs(UserWarning):
    """A cached file was damaged and has been made again."""


def weights_hash(model: nn.Module) -> str:
    """A hash of every number of a model, its names and shapes: one changed weight gives another.

    >>> layer = nn.Linear(1, 1)
    >>> before = weights_hash(layer)
    >>> with torch.no_grad():
    ...     _ = layer.bias.add_(1e-3)
    >>> weights_hash(layer) == before
    False
    """
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        found.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def texts_hash(examples: Sequence[Example]) -> str:
    """A hash of the token ids and segments of all examples, in order; labels do not count."""
    found = hashlib.sha256()
    for example in examples:
        for part in (example.ids, example.segments or []):
            found.update(struct.pack("<q", len(part)) + np.asarray(part, np.int64).tobytes())
    return found.hexdigest()


def teacher_logits(
    teacher: EncoderWithHead, examples: Sequence[Example], *, folder: Path | None = None
) -> Tensor:
    """The teacher's logits of each example, (examples, classes), in evaluation mode, without gradients.

    Read from the cache where they are. folder: default paths.cache_dir()/teacher_outputs. Raises ValueError
    without examples.
    """
    key = _key(teacher, examples, "logits")
    return _cached(key, folder, lambda: {"logits": predict(teacher, examples)})["logits"]


def teacher_states(
    teacher: EncoderWithHead,
    examples: Sequence[Example],
    layers: Sequence[int],
    *,
    folder: Path | None = None,
) -> list[Tensor]:
    """Hidden states of some layers for each example: (layers, its length, hidden), half precision.

    layers: numbers of hidden states, 0 the embeddings. 8,000 sentences take about 170 MB a layer.
    """
    key = _key(teacher, examples, f"states {list(layers)}")
    kept = _cached(key, folder, lambda: {"states": _states(teacher.encoder, examples, layers)})["states"]
    lengths = [len(example.ids) for example in examples]
    return [part.transpose(0, 1) for part in kept.split(lengths)]


def _states(encoder: Encoder, examples: Sequence[Example], layers: Sequence[int]) -> Tensor:
    """The chosen states of all tokens of all examples, one after another: (tokens, layers, hidden)."""
    wanted = _ChosenStates(encoder, layers)

    def collate(chosen: Sequence[Example]) -> dict[str, Tensor]:
        return {"input_ids": pad([example.ids for example in chosen], PAD)}

    found = outputs(wanted, examples, collate)
    kept = [states[: len(example.ids)] for states, example in zip(found, examples, strict=True)]
    return torch.cat(kept).half()


class _ChosenStates(nn.Module):
    """An encoder whose output is (batch, length, layers, hidden)."""

    def __init__(self, encoder: Encoder, layers: Sequence[int]) -> None:
        super().__init__()
        self.encoder, self.layers = encoder, list(layers)
        self.training = encoder.training  # or `outputs` would leave the teacher in training mode

    def forward(self, ids: Tensor, **options: Tensor) -> Tensor:
        states = self.encoder(ids, **options).hidden_states
        return torch.stack([states[layer] for layer in self.layers], dim=2)


def _key(teacher: EncoderWithHead, examples: Sequence[Example], asked: str) -> str:
    """A hash of all that the outputs depend on; dropout does not count, since it is off."""
    config = {name: value for name, value in asdict(teacher.config).items() if "dropout" not in name}
    design = [config, getattr(teacher.head, "pooling", None), asked]
    parts = [json.dumps(design, sort_keys=True), weights_hash(teacher), texts_hash(examples)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _cached(key: str, folder: Path | None, make: Callable[[], Tensors]) -> Tensors:
    """The tensors of a key, made where there is no whole file of them."""
    file = (folder or paths.cache_dir() / "teacher_outputs") / f"{key}.tensors"
    kept = _read(file)
    if kept is None:
        kept = {name: tensor.contiguous() for name, tensor in make().items()}
        _write(file, kept)
    return kept


def _read(file: Path) -> Tensors | None:
    """The tensors of a whole file; None, with a warning if it is there and damaged."""
    if not file.is_file():
        return None
    whole = file.read_bytes()
    checksum, body = whole[:CHECKSUM_BYTES], whole[CHECKSUM_BYTES:]
    try:
        if hashlib.sha256(body).digest() != checksum:
            raise ValueError("the checksum is wrong")
        return load(body)
    except (SafetensorError, ValueError) as problem:
        warnings.warn(f"{file} is damaged ({problem}) and is made again", DamagedOutputs, stacklevel=4)
        return None


def _write(file: Path, tensors: Tensors) -> None:
    """Whole, or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    body = save(tensors)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_bytes(hashlib.sha256(body).digest() + body)
    part.replace(file)
