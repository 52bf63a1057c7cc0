"""An encoder in a folder, for shapes that no architecture of the transformers library can express.

config.json        model_type "course-encoder" and every field of our config
model.safetensors  the weights by our own names
Pruned layers and factorized tables are saved like this; whatever the library can open is saved for it.
"""

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

MODEL_TYPE = "course-encoder"


def write(encoder: Encoder, folder: Path) -> None:
    """Write both files; the folder is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {"model_type": MODEL_TYPE, **asdict(encoder.config)}
    (folder / "config.json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in encoder.state_dict().items()}
    save_file(state, folder / "model.safetensors")


def is_own(folder: Path) -> bool:
    """Whether a folder has a config.json of this form."""
    file = folder / "config.json"
    try:
        return file.is_file() and json.loads(file.read_text(encoding="utf-8"))["model_type"] == MODEL_TYPE
    except (ValueError, KeyError, TypeError):  # some other config.json; who reads it says what is wrong
        return False


def config_of(made: dict[str, Any]) -> EncoderConfig:
    """The config that `write` wrote. Raises ValueError for fields missing, unknown or out of range."""
    known = {field.name for field in fields(EncoderConfig)}
    given = made.keys() - {"model_type"}
    if given != known:
        raise ValueError(f"config.json has fields that differ from ours: {sorted(given ^ known)}")
    return EncoderConfig(**{name: made[name] for name in known})


def read(folder: Path) -> Encoder:
    """What `write` wrote, in evaluation mode. Raises ValueError, which names what does not fit."""
    config = config_of(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    with torch.device("meta"):
        encoder = Encoder(config)
    file = folder / "model.safetensors"
    try:
        encoder.load_state_dict(load_file(file), assign=True)
    except (OSError, SafetensorError, RuntimeError) as problem:
        raise ValueError(f"{file}: missing, damaged, or not of its config.json ({problem})") from problem
    return encoder.eval()
