"""Checkpoints that a `kill -9` at any moment cannot spoil."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch

NAME = "checkpoint.pt"


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be used: damaged, or of another run."""


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` to folder/checkpoint.pt: whole, or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{NAME}.{os.getpid()}.partial"
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / NAME)


def load(folder: Path, fingerprint: str) -> dict[str, Any] | None:
    """The state in folder/checkpoint.pt, or None where there is none.

    Raises CheckpointError when the file is damaged or was written by a run with another configuration.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, OSError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); delete it to begin the run anew") from error
    if state["fingerprint"] != fingerprint:
        raise CheckpointError(
            f"{path} belongs to a run with another configuration; "
            "use another folder, or delete it to begin anew"
        )
    return state
