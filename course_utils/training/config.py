"""What a run is: every number that shapes it, with the reason beside the default."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class TrainingConfig:
    """One run. Raises ValueError for values that cannot be meant."""

    steps: int  # optimizer steps, not micro-batches
    batch_size: int = (
        32  # examples an optimizer step, over all processes: 16 or 32 in Devlin et al. 2019, A.3
    )
    learning_rate: float = 5e-5  # the peak; the largest of the three that Devlin et al. tried
    warmup: float = 0.1  # share of the steps: Adam's second moments are noise at first
    schedule: Literal["linear", "cosine", "constant"] = "linear"  # after the warm-up, down to 0
    weight_decay: float = (
        0.01  # on matrices only: decaying a bias or a norm's gain shrinks outputs, not capacity
    )
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    max_grad_norm: float = 1.0  # bounds the rare huge gradient; does nothing for a vanishing one
    accumulation: int = 1  # micro-batches a step, where memory is short; the numbers do not change
    # bf16: twice as fast on recent GPUs and on CPUs with matrix units (AMX), several times slower on others.
    precision: Literal["no", "bf16"] = "no"
    compile: bool = False  # pays after a minute of compiling
    seed: int = 0  # order of the data, noise of the objective, dropout
    log_every: int = 10  # steps between lines of metrics
    checkpoint_every: int = 0  # steps; 0 is only at the end

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulation", "log_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.learning_rate <= 0 or self.max_grad_norm <= 0:
            raise ValueError("learning_rate and max_grad_norm must be > 0")
        if not 0 <= self.warmup <= 1:
            raise ValueError(f"warmup is a share of the steps and must lie in [0, 1], got {self.warmup}")
        if self.schedule not in ("linear", "cosine", "constant"):
            raise ValueError(f"schedule must be linear, cosine or constant, got {self.schedule!r}")
        if self.batch_size % self.accumulation:
            raise ValueError(
                f"batch_size {self.batch_size} does not split into {self.accumulation} micro-batches"
            )

    def fingerprint(self) -> str:
        """A short hash of everything that changes the numbers of the run (not how often it logs or saves)."""
        shaping = {k: v for k, v in asdict(self).items() if k not in ("log_every", "checkpoint_every")}
        return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:16]


def learning_rate_at(step: int, config: TrainingConfig) -> float:
    """The learning rate of step 0, 1, ..., config.steps - 1.

    Rises linearly over the warm-up, is at its peak in the step after it, and would reach 0 at step
    config.steps.

    >>> [learning_rate_at(s, TrainingConfig(steps=4, warmup=0.5, learning_rate=1.0)) for s in range(5)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    warm = math.ceil(config.warmup * config.steps)
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, config.steps - warm)
    shape = {"linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2, "constant": 1.0}
    return config.learning_rate * shape[config.schedule]
