"""Numbers as pieces, and as vectors for a linear probe to read their value from."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from course_utils import scale

scale.go_offline()

import torch  # noqa: E402  (after the switch that keeps transformers off the network)
import transformers  # noqa: E402

BEFORE, AFTER = ["it", "costs"], ["dollars", "."]

# A whole number to the pieces that stand for it.
Cut = Callable[[int], list[str]]


def decimal_digits(number: int) -> list[str]:
    """The pieces of a number that is read digit by digit.

    >>> decimal_digits(847)
    ['8', '##4', '##7']
    """
    first, *rest = str(number)
    return [first, *(f"##{digit}" for digit in rest)]


def sample_numbers(rng: np.random.Generator, per_length: int) -> np.ndarray:
    """All whole numbers from 1 to 999, and `per_length` each of four and of five digits."""
    longer = [rng.choice(np.arange(10**k, 10 ** (k + 1)), per_length, replace=False) for k in (3, 4)]
    return np.concatenate([np.arange(1, 1000), *map(np.sort, longer)])


def fragmentation_rows(cut: Cut, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Pieces by number of digits: all numbers up to five, 20,000 of six, and the years 1900 to 2019."""
    ranges: dict[str, Iterable[int]] = {
        str(k): range(10 ** (k - 1) if k > 1 else 0, 10**k) for k in range(1, 6)
    }
    ranges["6"] = rng.choice(np.arange(10**5, 10**6), 20_000, replace=False).tolist()
    ranges["years 1900 to 2019"] = range(1900, 2020)
    return [
        _fragmentation(digits, [len(cut(number)) for number in numbers]) for digits, numbers in ranges.items()
    ]


def _fragmentation(digits: str, counts: list[int]) -> dict[str, Any]:
    return {
        "part": "fragmentation",
        "digits": digits,
        "numbers": len(counts),
        "share_whole": counts.count(1) / len(counts),
        "pieces": float(np.mean(counts)),
        "most_pieces": max(counts),
    }


def digit_features(numbers: np.ndarray, width: int = 5) -> np.ndarray:
    """One-hot digits, aligned at the units, with 'no digit' as an eleventh value: (numbers, width * 11).

    >>> digit_features(np.array([42]), width=3).nonzero()[1].tolist()
    [2, 15, 32]
    """
    out = np.zeros((len(numbers), width, 11))
    for row, number in enumerate(numbers):
        for place in range(width):
            digit = number // 10**place % 10 if number >= 10**place else 10
            out[row, place, digit] = 1
    return out.reshape(len(numbers), -1)


def bag_features(numbers: np.ndarray) -> np.ndarray:
    """How often each digit occurs, wherever it stands: (numbers, 10)."""
    return np.array([[str(number).count(digit) for digit in "0123456789"] for number in numbers], float)


def first_digit_features(numbers: np.ndarray) -> np.ndarray:
    """The first digit, one-hot, beside the bag of all digits: (numbers, 20)."""
    first = np.array([[str(number).startswith(digit) for digit in "0123456789"] for number in numbers], float)
    return np.hstack([first, bag_features(numbers)])


def length_features(numbers: np.ndarray, cut: Cut) -> np.ndarray:
    """Number of digits and number of pieces: (numbers, 2)."""
    return np.array([[len(str(number)), len(cut(int(number)))] for number in numbers], float)


def read_numbers(model: Any, ids_of: dict[str, int], numbers: np.ndarray, cut: Cut) -> list[np.ndarray]:
    """The mean vector of each number's pieces: word embeddings first, then each layer's output.

    Returns layers + 1 arrays of (numbers, width). Numbers with equally many pieces share a batch, so that
    nothing is padded.
    """
    pieces = [cut(int(number)) for number in numbers]
    layers = model.config.num_hidden_layers + 1
    out = np.zeros((layers, len(numbers), model.config.hidden_size), np.float32)
    for count in sorted({len(cuts) for cuts in pieces}):
        rows = [row for row, cuts in enumerate(pieces) if len(cuts) == count]
        for start in range(0, len(rows), 256):
            batch = rows[start : start + 256]
            out[:, batch] = _read_batch(model, ids_of, [pieces[row] for row in batch])
    return list(out)


@torch.inference_mode()
def _read_batch(model: Any, ids_of: dict[str, int], pieces: Sequence[list[str]]) -> np.ndarray:
    tokens = [["[CLS]", *BEFORE, *cuts, *AFTER, "[SEP]"] for cuts in pieces]
    input_ids = torch.tensor([[ids_of[token] for token in row] for row in tokens])  # (batch, token)
    where = slice(1 + len(BEFORE), 1 + len(BEFORE) + len(pieces[0]))
    hidden_states = model(
        input_ids, output_hidden_states=True
    ).hidden_states  # layers + 1 of (batch, token, width)
    words = model.get_input_embeddings()(input_ids)
    return np.stack([states[:, where].mean(1).numpy() for states in (words, *hidden_states[1:])])


def load_model(folder: Path) -> tuple[Any, dict[str, int]]:
    """The real encoder and its vocabulary (token -> id)."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    model = transformers.AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
    lines = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    return model, {token: number for number, token in enumerate(lines)}


def random_encoder(config: Any, seed: int) -> Any:
    """An encoder of the same shape that has learned nothing."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.AutoModel.from_config(config, add_pooling_layer=False).eval()
