"""Equal compute: how many steps an entrant gets for the same number of floating-point operations.

Operations are counted by `course_utils.models.flops` (every matrix product of every stack: generators and
decoders too) on the shapes that the entrant's batches really have; backward costs twice forward.
"""

from dataclasses import dataclass, field

from torch import Generator, Tensor, nn

from course_utils.contest.entrants import Batch, Entrant
from course_utils.contest.models import Sizes
from course_utils.contest.vocabulary import Vocabulary
from course_utils.models.flops import training_flops
from course_utils.training import LossTerms

_SAMPLED = 32  # batches that the mean cost of a step is taken from; shapes vary by a few percent


def flops_per_step(
    entrant: Entrant, sizes: Sizes, language: Vocabulary, corpus: Tensor, batch_size: int, seed: int
) -> float:
    """Mean cost of a training step over some batches of the corpus."""
    generator = Generator().manual_seed(seed)
    total = 0
    for i in range(_SAMPLED):
        first = i * batch_size % (len(corpus) - batch_size + 1)
        batch = entrant.collate(list(corpus[first : first + batch_size]), language.tokens, generator)
        total += training_flops(entrant.forward_flops(sizes, batch))
    return total / _SAMPLED


def steps_for(flops: float, per_step: float) -> int:
    """The number of steps that comes nearest to `flops`; ValueError if less than one fits.

    >>> steps_for(1e9, 3e8)
    3
    """
    if flops < per_step:
        raise ValueError(f"one step costs {per_step:.3g} operations, more than the {flops:.3g} allowed")
    return round(flops / per_step)


@dataclass
class Meter:
    """An entrant's loss that also counts what it spends."""

    entrant: Entrant
    sizes: Sizes
    flops: int = field(default=0, init=False)
    tokens: int = field(default=0, init=False)

    def __call__(self, model: nn.Module, batch: Batch) -> LossTerms:
        """The loss of the batch; its operations and places are added up."""
        self.flops += training_flops(self.entrant.forward_flops(self.sizes, batch))
        self.tokens += self.entrant.processed_tokens(batch)
        return self.entrant.loss(model, batch)
