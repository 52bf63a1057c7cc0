"""Sizes of chapter 6's studies: experiments/finetuning_*.py run them, and the chapter quotes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Transfer:
    """Frozen, adapted or fine-tuned, with few sentences."""

    layers: int = 6  # of the small real encoder
    test: int = 600  # sentences, the same for every run


@dataclass(frozen=True)
class Stability:
    """How runs differ, and what three habits do."""

    layers: int = 3
    train: int = 256  # sentences, drawn anew by each seed
    test: int = 600
    rate: float = 2e-4  # of every part that does not say otherwise
    clipping_rate: float = 1e-3


@dataclass(frozen=True)
class Surfaces:
    """The loss around two optima."""

    layers: int = 3
    train: int = 48  # sentences
    directions: int = 8  # from each optimum
    rise: float = 0.5  # nats above the optimum, where its radius ends


@dataclass(frozen=True)
class Focal:
    """Focal loss against cross-entropy, after the design of Shen (2022)."""

    train: int = 1600  # sentences
    validation: int = 400
    test: int = 1200
    epochs: int = 7
    batch: int = 16
    rate: float = 5e-6
    alpha: float = 0.2
    gamma: float = 3.0
    source_test: int = 200  # rows that the source tested on
    source_gain: float = 0.025  # accuracy, as the source reports it


TRANSFER, STABILITY, SURFACES, FOCAL = Transfer(), Stability(), Surfaces(), Focal()
SMALLEST = 0.01  # accuracy: one point, the smallest difference that would matter in any of them
