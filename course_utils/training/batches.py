"""Which examples a step sees, and how they become tensors: a function of the seed and the step alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

Batch = Mapping[str, Tensor]
Collate = Callable[[list[Any], Generator], Batch]


@dataclass(frozen=True)
class TrainingData:
    """Examples, and the function that makes a batch of some of them.

    collate(examples, generator) -> tensors with the examples along the first axis; all noise of the objective
    (masking, corruption) comes from its generator. lengths: where given, examples of similar length share a
    batch, which saves most of the padding; the batches still come in random order.
    """

    examples: Sequence[Any]
    collate: Collate
    lengths: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if not len(self.examples):
            raise ValueError("there are no examples to train on")
        if self.lengths is not None and len(self.lengths) != len(self.examples):
            raise ValueError(f"{len(self.lengths)} lengths for {len(self.examples)} examples")


def step_examples(data: TrainingData, step: int, batch_size: int, seed: int) -> list[int]:
    """The indices that optimizer step `step` sees, over all processes.

    An epoch visits each example once, in an order of its own; a batch never spans two epochs, so that the
    last batch of an epoch may be smaller.
    """
    lengths = None if data.lengths is None else tuple(data.lengths)
    batches_per_epoch = -(-len(data.examples) // batch_size)
    epoch, position = divmod(step, batches_per_epoch)
    return _epoch(len(data.examples), lengths, batch_size, seed, epoch)[position]


def micro_batch(
    data: TrainingData, indices: list[int], part: int, parts: int, seed: int, step: int
) -> tuple[Batch, int]:
    """Part `part` of `parts` of a step's examples, collated, and its weight.

    The weight is 1, or 0 where there are fewer examples than parts: the batch then repeats the step's first
    example, so that every process still takes part in the exchange of gradients, and must not count.
    """
    mine = indices[part::parts]
    examples = [data.examples[i] for i in mine or indices[:1]]
    return data.collate(examples, generator_for(seed, step, part)), int(bool(mine))


def generator_for(seed: int, *path: int) -> Generator:
    """An independent generator for each place in a run: (step, part), ..."""
    state = np.random.SeedSequence([seed, *path]).generate_state(1, np.uint64)
    return Generator().manual_seed(int(state[0]))


@lru_cache(maxsize=2)
def _epoch(
    n: int, lengths: tuple[int, ...] | None, batch_size: int, seed: int, epoch: int
) -> list[list[int]]:
    """All batches of an epoch. Sorting by length happens inside pools of 50 batches, so that order stays
    random."""
    generator = generator_for(seed, 2**31, epoch)
    order = torch.randperm(n, generator=generator).tolist()
    if lengths is not None:
        pool = 50 * batch_size
        pools = [sorted(order[i : i + pool], key=lambda j: -lengths[j]) for i in range(0, n, pool)]
        order = [i for sorted_pool in pools for i in sorted_pool]
    batches = [order[i : i + batch_size] for i in range(0, n, batch_size)]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]
