"""A student on disk without the teacher's embedding tables, which come with the teacher anyway.

student.json         layers, width, heads, feed-forward
student.safetensors  the layers, the norm of the embeddings and, of a narrow student, the map of its tables,
                     in half precision: 1.6 MB for two layers of 192, where the whole one has 27 MB in single
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from course_utils.data import small_model_dir
from course_utils.distillation.students import TABLES, fold_tables, from_layers, narrow_student
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder
from course_utils.released import released_dir

ABOUT, WEIGHTS = "student.json", "student.safetensors"
SHAPE = ("num_layers", "hidden_size", "num_heads", "intermediate_size")


class ShippedStudentError(RuntimeError):
    """A folder that holds no student, a damaged one, or one of another teacher."""


def save_student(student: Encoder, teacher: Encoder, folder: Path) -> None:
    """Write a student that has the teacher's tables, as they are or behind a map (not folded).

    The description is written last, so that a folder with it is whole. Raises ValueError for a student whose
    tables are its own.
    """
    wide = student.config.hidden_size == teacher.config.hidden_size
    if wide and not torch.equal(student.embeddings.token.weight, teacher.embeddings.token.weight):
        raise ValueError("the student's tables are not the teacher's: use models.weights.save")
    if not wide and not hasattr(student.embeddings.token, "linear"):
        raise ValueError("the student's tables are folded: give the student from before fold_tables")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)
    save_file(_kept(student), folder / WEIGHTS)
    about = {name: getattr(student.config, name) for name in SHAPE}
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def load_student(folder: Path, teacher: Encoder) -> Encoder:
    """What `save_student` wrote, with tables of its own made from the teacher's, in evaluation mode.

    Raises ShippedStudentError, which says what is wrong, for anything else.
    """
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        shape = {name: int(about[name]) for name in SHAPE}
        kept = load_file(folder / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as problem:
        raise ShippedStudentError(
            f"{folder}: no whole student is there ({problem!r}); expected {ABOUT} and {WEIGHTS} as "
            "save_student writes them"
        ) from problem
    student = _empty(shape, teacher)
    expected = {name: tensor.shape for name, tensor in _kept(student).items()}
    found = {name: tensor.shape for name, tensor in kept.items()}
    if found != expected:
        wrong = sorted({*found.items()} ^ {*expected.items()})
        raise ShippedStudentError(f"{folder}: {WEIGHTS} does not fit {ABOUT} and this teacher: {wrong[:4]}")
    student.load_state_dict(_spread({name: tensor.float() for name, tensor in kept.items()}, student))
    return fold_tables(student).eval()


def released_student(name: str) -> Encoder:
    """A student of the course's own general distillation, from weights/; its teacher is `small_model_dir`'s.

    Raises ValueError for an unknown name, FileNotFoundError or ShippedStudentError where it is not whole.
    """
    return load_student(released_dir(name), load_encoder(small_model_dir()))


def _empty(shape: dict[str, int], teacher: Encoder) -> Encoder:
    """A student of the shape with the teacher's tables."""
    layers, width = shape["num_layers"], shape["hidden_size"]
    if width == teacher.config.hidden_size:
        return from_layers(teacher, [0] * layers)
    inner = shape["intermediate_size"]
    return narrow_student(teacher, layers, width, shape["num_heads"], seed=0, intermediate=inner)


def _kept(student: Encoder) -> dict[str, Tensor]:
    """What has to be kept, in half precision: all but tables; the map of a narrow student's tables once."""
    tables = tuple(f"embeddings.{name}." for name in TABLES)
    kept = {name: t for name, t in student.state_dict().items() if not name.startswith(tables)}
    linear = getattr(student.embeddings.token, "linear", None)
    if linear is not None:
        kept["map"] = linear.detach()
    return {name: tensor.half().contiguous() for name, tensor in kept.items()}


def _spread(kept: dict[str, Tensor], student: Encoder) -> dict[str, Tensor]:
    """A whole state: the map at each of its tables, and the tables that the student already has."""
    state = dict(student.state_dict())
    for name in state:
        if name.endswith(".linear"):
            state[name] = kept["map"]
        elif name in kept:
            state[name] = kept[name]
    return state
