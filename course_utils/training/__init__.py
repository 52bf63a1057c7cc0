"""The one training loop of the course, on accelerate.

`train(model, loss, data, config, folder=...)` runs on a laptop's CPU, on a GPU, and under `accelerate launch`
on several processes, with the same numbers: the data of step n are a function of the seed and n alone, so
that a run that was killed goes on from its last checkpoint bit for bit.
"""

from course_utils.training.batches import TrainingData
from course_utils.training.checkpoint import CheckpointError
from course_utils.training.config import TrainingConfig, learning_rate_at
from course_utils.training.loop import LossTerms, train

__all__ = ["CheckpointError", "LossTerms", "TrainingConfig", "TrainingData", "learning_rate_at", "train"]
