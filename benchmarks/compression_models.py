"""Saved models as something to call, on each engine that can run them, with their sizes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from course_utils.compression import saved
from course_utils.compression.onnx_model import OnnxModel, to_onnx
from course_utils.distillation import bilstm
from course_utils.finetuning.saved import ABOUT
from course_utils.models.heads import EncoderWithHead

TORCH, ONNX = "torch", "onnxruntime"
ANY_LENGTH = 10**6
Engine = Callable[[int], nn.Module]  # threads -> what is called with input_ids and attention_mask


@dataclass(frozen=True)
class Loaded:
    """A model, ready to be timed."""

    name: str
    bytes: int  # of all files that it needs
    parameters: int
    longest: int  # tokens
    engines: dict[str, Engine]


def load_all(places: Sequence[Path], *, export: bool = True) -> list[Loaded]:
    """Every model in the places, a folder of one model or of several, in order; names are the folders'.

    Raises ValueError for a place without a model, and for two models of one name.
    """
    folders = [folder for place in places for folder in models_in(place)]
    names = [folder.name for folder in folders]
    if len(set(names)) < len(names):
        double = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"two models are called {double}: names of folders must differ")
    return [load(folder, export=export) for folder in folders]


def models_in(place: Path) -> list[Path]:
    """The place itself if it holds a model, else the folders in it that do, by name."""
    found = [place] if holds_model(place) else sorted(p for p in place.glob("*") if holds_model(p))
    if not found:
        raise ValueError(f"{place}: no saved model there; give a folder that `course compress` wrote")
    return found


def holds_model(folder: Path) -> bool:
    """Whether a folder looks like a saved model."""
    return (folder / ABOUT).is_file() or (folder / bilstm.ABOUT).is_file()


def load(folder: Path, *, export: bool = True) -> Loaded:
    """A saved model; in floating point also exported to the other engine."""
    model, parameters = read(folder)
    size = saved.size_on_disk(folder)
    return Loaded(folder.name, size, parameters, longest_of(model), engines_of(model, export))


def read(folder: Path) -> tuple[nn.Module, int]:
    """A saved model, and its parameters."""
    if (folder / bilstm.ABOUT).is_file():
        model = bilstm.load(folder)
        return model, sum(parameter.numel() for parameter in model.parameters())
    found = saved.load(folder)
    return found.model, found.parameters


def longest_of(model: nn.Module) -> int:
    """Tokens that a model can read."""
    if isinstance(model, EncoderWithHead):
        return model.encoder.config.max_positions or ANY_LENGTH
    return ANY_LENGTH


def engines_of(model: nn.Module, export: bool) -> dict[str, Engine]:
    """What can run it. Integers of torch's own are not exported: ONNX Runtime has its own."""
    if isinstance(model, OnnxModel):
        return {ONNX: _sessions(model.data)}
    found: dict[str, Engine] = {TORCH: lambda _threads: model}
    if export and isinstance(model, EncoderWithHead) and is_float(model):
        found[ONNX] = _sessions(to_onnx(model))
    return found


def is_float(model: nn.Module) -> bool:
    """Whether everything that the model stores is in floating point."""
    return all(tensor.is_floating_point() for tensor in model.state_dict().values())


def _sessions(data: bytes) -> Engine:
    """One session for each number of threads, made when it is first asked for."""
    made: dict[int, OnnxModel] = {}

    def session(threads: int) -> nn.Module:
        if threads not in made:
            made[threads] = OnnxModel(data, threads)
        return made[threads]

    return session
