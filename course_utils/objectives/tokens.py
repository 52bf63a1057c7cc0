"""What all objectives share: the special ids, the result type, and the label that is ignored."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import BoolTensor, Generator, LongTensor, Tensor

IGNORE = -100
"""The label of a position that is not predicted; the default `ignore_index` of torch's cross-entropy."""


class Corrupted(NamedTuple):
    """What an objective makes of a text: what the model reads, and what it must predict."""

    input_ids: Tensor
    labels: Tensor


@dataclass(frozen=True)
class SpecialTokens:
    """The ids that an objective must know; the defaults are those of bert-base-uncased.

    mask: replaces a token. special: ids that are never corrupted (padding, [CLS], [SEP], the sentinels).
    sentinels: the ids <X>, <Y>, <Z>, ... of T5, in order of use; empty where they are not needed.
    vocab_size: ids run from 0 to vocab_size - 1.

    Raises ValueError when an id lies outside the vocabulary or every id is special.
    """

    mask: int = 103
    special: tuple[int, ...] = (0, 101, 102)
    sentinels: tuple[int, ...] = ()
    vocab_size: int = 30522

    def __post_init__(self) -> None:
        outside = [i for i in self._reserved() if not 0 <= i < self.vocab_size]
        if outside:
            raise ValueError(f"ids {outside} lie outside the vocabulary of {self.vocab_size}")
        if len(self._reserved()) >= self.vocab_size:
            raise ValueError("every id is special; nothing is left to draw a random token from")

    def _reserved(self) -> set[int]:
        return {self.mask, *self.special, *self.sentinels}

    def corruptible(self, input_ids: Tensor) -> BoolTensor:
        """True where a token may be corrupted; same shape as `input_ids`."""
        reserved = torch.tensor([*self.special, *self.sentinels], device=input_ids.device)
        return ~torch.isin(input_ids, reserved)  # type: ignore[return-value]

    def ordinary(self) -> LongTensor:
        """All ids that stand for text, ascending: what a random replacement is drawn from."""
        keep = torch.ones(self.vocab_size, dtype=torch.bool)
        keep[list(self._reserved())] = False
        return keep.nonzero().flatten()  # type: ignore[return-value]

    def random_like(self, input_ids: Tensor, generator: Generator) -> Tensor:
        """Ordinary ids drawn uniformly; same shape and device as `input_ids`."""
        ordinary = self.ordinary().to(input_ids.device)
        draws = torch.randint(len(ordinary), input_ids.shape, generator=generator, device=input_ids.device)
        return ordinary[draws]


def check_share(name: str, share: float) -> None:
    """Raise ValueError unless `share` is a probability."""
    if not 0 <= share <= 1:
        raise ValueError(f"{name} must lie in [0, 1], got {share}")


def check_sequence(ids: Tensor) -> None:
    """Raise ValueError unless `ids` is one sequence, shape (length,)."""
    if ids.dim() != 1:
        raise ValueError(f"expected one sequence of shape (length,), got shape {tuple(ids.shape)}")
