"""A compressed classifier in a folder that needs nothing else: model, tokenizer, and what it is.

classifier.json     as `course finetune` writes it, and under "compressed": recipe, structure, checksums
model.safetensors   the numbers as they are: int8, two 4-bit values a byte, two-byte floats; or model.onnx
tokenizer.json      the tokenizer, its vocabulary trimmed if the recipe trims it

A tensor in single precision that half precision holds exactly is stored in half precision: saving never
changes a prediction. A folder is made beside its place and moved there when it is whole.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from tokenizers import Tokenizer
from torch import Tensor, nn

from course_utils.compression.integer_parts import Int8Embedding, Int8Linear
from course_utils.compression.onnx_model import EngineError, OnnxModel
from course_utils.compression.packed_parts import Int4Embedding, Int4Linear
from course_utils.compression.structure import describe, rebuild
from course_utils.finetuning import saved as finetuned
from course_utils.finetuning.classifier import encode, predict
from course_utils.finetuning.saved import ABOUT, TOKENIZER, Classifier, SavedModelError

TENSORS, GRAPH = "model.safetensors", "model.onnx"
FORMAT = 1
_AGAIN = "copy the folder again, or make it again with `course compress`"


@dataclass(frozen=True)
class Compressed:
    """A classifier that takes texts, whatever its numbers and its engine are."""

    model: nn.Module  # called with input_ids, attention_mask, token_type_ids; gives logits
    tokenizer: Tokenizer  # without padding, cutting at max_length
    classes: tuple[str, ...]
    max_length: int  # tokens, with [CLS] and [SEP]
    parameters: int  # numbers that it was trained or built with; a 4-bit value counts as one
    recipe: str = ""  # what was done to it; empty for a model as it was fine-tuned
    notes: tuple[str, ...] = ()  # what the steps told

    def logits(self, texts: Sequence[str], batch_size: int = 32) -> Tensor:
        """(texts, classes), in the order of the texts."""
        return predict(self.model, encode(self.tokenizer, texts, [0] * len(texts)), batch_size)

    def probabilities(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float64]:
        """The probability of each class for each text, (texts, classes); rows sum to 1."""
        return self.logits(texts, batch_size).double().softmax(dim=-1).numpy()


def as_compressed(classifier: Classifier) -> Compressed:
    """A fine-tuned classifier in the same form, nothing changed; the model is shared, not copied."""
    tokenizer = Tokenizer.from_file(str(classifier.tokenizer_file))
    count = count_parameters(classifier.model)
    return Compressed(
        classifier.model,
        cutting(tokenizer, classifier.max_length),
        classifier.classes,
        classifier.max_length,
        count,
    )


def cutting(tokenizer: Tokenizer, max_length: int) -> Tokenizer:
    """A copy that does not pad and cuts at so many tokens."""
    copied = Tokenizer.from_str(tokenizer.to_str())
    copied.no_padding()
    copied.enable_truncation(max_length)
    return copied


def count_parameters(model: nn.Module) -> int:
    """How many numbers a torch model was trained with: weights in integers count, their scales do not."""
    count = sum(p.numel() for p in model.parameters())
    for module in model.modules():
        if isinstance(module, Int8Linear | Int4Linear):
            bias = 0 if module.bias is None else module.out_features
            count += module.in_features * module.out_features + bias
        elif isinstance(module, Int8Embedding | Int4Embedding):
            count += module.num_embeddings * module.embedding_dim
    return count


def save(model: Compressed, folder: Path, *, replace: bool = False) -> None:
    """Write the folder, whole or not at all.

    Raises FileExistsError where there is something already, unless `replace`; TypeError for a model that
    `structure.describe` cannot describe.
    """
    if folder.exists() and not replace and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already; name a new folder")
    files, about = _contents(model)
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        for name, data in files.items():
            (part / name).write_bytes(data)
        (part / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def load(folder: Path) -> Compressed:
    """What `save` wrote, or what `course finetune` did.

    Raises SavedModelError, which says what is wrong and what to do, for anything else.
    """
    about = finetuned.read_about(folder)
    if "compressed" not in about:
        return as_compressed(finetuned.load(folder))
    made = _checked(folder, about["compressed"])
    data = {name: _read(folder / name, entry) for name, entry in made["files"].items()}
    try:
        model = _model(made, data)
        tokenizer = Tokenizer.from_str(data[TOKENIZER].decode("utf-8"))
    except EngineError as problem:
        raise SavedModelError(f"{folder}: {problem}") from problem
    except Exception as problem:  # tokenizers raises Exception itself
        raise SavedModelError(
            f"{folder}: {ABOUT} does not describe the model ({_short(problem)}); {_AGAIN}"
        ) from problem
    return Compressed(
        model,
        cutting(tokenizer, about["max_length"]),
        tuple(about["classes"]),
        about["max_length"],
        made["parameters"],
        made["recipe"],
        tuple(made["notes"]),
    )


def size_on_disk(folder: Path) -> int:
    """Bytes of all files in a model's folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def half_where_exact(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Single-precision tensors that half precision holds exactly, in half precision; the others as they are.

    >>> kept = half_where_exact({"a": torch.tensor([0.5]), "b": torch.tensor([0.1])})
    >>> kept["a"].dtype, kept["b"].dtype
    (torch.float16, torch.float32)
    """

    def smaller(tensor: Tensor) -> Tensor:
        tensor = tensor.detach().cpu().contiguous()
        if tensor.dtype != torch.float32 or not torch.equal(tensor.half().float(), tensor):
            return tensor
        return tensor.half()

    return {name: smaller(tensor) for name, tensor in state.items()}


def _contents(model: Compressed) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files by name, and the description that names them with their checksums."""
    onnx = isinstance(model.model, OnnxModel)
    files = {TOKENIZER: model.tokenizer.to_str().encode("utf-8")}
    if isinstance(model.model, OnnxModel):
        files[GRAPH] = model.model.data
    else:
        files[TENSORS] = save_tensors(half_where_exact(model.model.state_dict()))
    structure = None if onnx else describe(model.model)  # type: ignore[arg-type]
    made = {
        "format": FORMAT,
        "recipe": model.recipe,
        "engine": "onnx" if onnx else "torch",
        "parameters": model.parameters,
        "notes": list(model.notes),
        "structure": structure,
        "files": {n: {"bytes": len(d), "sha256": hashlib.sha256(d).hexdigest()} for n, d in files.items()},
    }
    return files, {"classes": list(model.classes), "max_length": model.max_length, "compressed": made}


def _checked(folder: Path, made: Any) -> dict[str, Any]:
    """The part of the description that only compressed models have, if it is one."""
    kinds = {"recipe": str, "engine": str, "parameters": int, "notes": list, "files": dict}
    fits = isinstance(made, dict) and all(isinstance(made.get(name), kind) for name, kind in kinds.items())
    if not fits:
        raise SavedModelError(f"{folder / ABOUT}: not what `course compress` writes; {_AGAIN}")
    if made.get("format") != FORMAT:
        raise SavedModelError(
            f"{folder}: a model in form {made.get('format')!r}, this version of the course reads form "
            f"{FORMAT}; install the version that wrote it, or make the model again with `course compress`"
        )
    wanted = {TOKENIZER, GRAPH if made["engine"] == "onnx" else TENSORS}
    if set(made["files"]) != wanted:
        raise SavedModelError(f"{folder / ABOUT}: names other files than {sorted(wanted)}; {_AGAIN}")
    return made


def _read(file: Path, entry: Any) -> bytes:
    """A file's bytes, if they are those that were written."""
    if not file.is_file():
        raise SavedModelError(f"{file} is missing; {_AGAIN}")
    data = file.read_bytes()
    try:
        size, checksum = entry["bytes"], entry["sha256"]
    except (KeyError, TypeError) as problem:
        raise SavedModelError(f"{file.with_name(ABOUT)}: no size of {file.name}; {_AGAIN}") from problem
    if len(data) != size:
        what = "truncated" if len(data) < size else "another file"
        raise SavedModelError(f"{file} has {len(data):,} bytes, expected {size:,}: {what}; {_AGAIN}")
    if hashlib.sha256(data).hexdigest() != checksum:
        raise SavedModelError(f"{file} is damaged, or belongs to another model; {_AGAIN}")
    return data


def _model(made: Mapping[str, Any], data: Mapping[str, bytes]) -> nn.Module:
    """The model of a description and its files, in evaluation mode."""
    if made["engine"] == "onnx":
        return OnnxModel(data[GRAPH]).eval()
    model = rebuild(made["structure"])
    state = load_tensors(data[TENSORS])
    state = {name: t.float() if t.dtype == torch.float16 else t for name, t in state.items()}
    model.load_state_dict(state, strict=True, assign=True)
    return model.requires_grad_(True).eval()


def _short(problem: Exception) -> str:
    return f"{type(problem).__name__}: {(str(problem).splitlines() or [''])[0][:200]}"
