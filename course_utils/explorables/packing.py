"""Vectors small enough for a page: whole numbers of one step, as base64."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

KINDS: dict[int, np.dtype[Any]] = {8: np.dtype("i1"), 16: np.dtype("<i2")}


def pack(values: Any, bits: int = 16) -> dict[str, Any]:
    """An array as {"bits", "step", "numbers"}; vectors.js unpacks it in the order of its memory.

    values: anything numpy reads, all finite. bits: 8 or 16; the error is at most half a step, and a step is
    the largest number divided by 127 or 32,767. Raises ValueError for other bits, and for NaN or infinity.

    >>> pack([1.0, -0.5], bits=8)["step"]
    0.007874015748031496
    """
    if bits not in KINDS:
        raise ValueError(f"bits must be 8 or 16, got {bits}")
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("vectors for a page must be finite: they hold NaN or infinity")
    most = 2 ** (bits - 1) - 1
    step = float(np.abs(array).max(initial=0.0)) / most or 1.0
    numbers = np.rint(array / step).astype(KINDS[bits])
    return {"bits": bits, "step": step, "numbers": base64.b64encode(numbers.tobytes()).decode()}


def unpack(packed: dict[str, Any], shape: Sequence[int]) -> np.ndarray:
    """What the page computes with: the numbers of `pack` again, in a shape.

    >>> unpack(pack([2.0, -2.0, 0.0]), (3,)).tolist()
    [2.0, -2.0, 0.0]
    """
    numbers = np.frombuffer(base64.b64decode(packed["numbers"]), dtype=KINDS[packed["bits"]])
    return numbers.reshape(shape) * packed["step"]
