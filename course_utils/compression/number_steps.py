"""The steps of recipes that train a model on, or change the form of its numbers."""

import torch
from torch import nn

from course_utils.compression.recipe import Context, Parameter, step
from course_utils.finetuning.classifier import epochs, fine_tune, freeze_embeddings
from course_utils.training import TrainingConfig

RATE = Parameter("rate", float, "peak of the learning rate", default=5e-5, low=1e-8, high=1.0)
BATCH = Parameter("batch", int, "rows a step of training", default=16, low=1, high=4096)


@step(
    "tune",
    stage="shape",
    help="train on, so that the model recovers from what was removed",
    parameters=[
        Parameter("epochs", float, "passes over the rows", default=1.0, low=0.001, high=1000),
        RATE,
        BATCH,
    ],
    needs="labels",
)
def tune(model: nn.Module, context: Context, epochs: float, rate: float, batch: int) -> nn.Module:
    """Fine-tune on the context's texts and labels; the embeddings stay as they are."""
    train_on(model, context, epochs, rate, batch)
    return model


def train_on(model: nn.Module, context: Context, passes: float, rate: float, batch: int) -> None:
    """Fine-tune in place, embeddings frozen as in `course finetune`; afterwards all can be trained again."""
    examples = context.examples()
    config = TrainingConfig(
        steps=epochs(len(examples), batch, passes), batch_size=batch, learning_rate=rate, seed=context.seed()
    )
    freeze_embeddings(model)  # type: ignore[arg-type]
    lines = fine_tune(model, examples, config, progress=context.progress)  # type: ignore[arg-type]
    model.requires_grad_(True)
    context.notes.append(
        f"trained on {len(examples):,} rows, {config.steps:,} steps; last loss {lines[-1]['loss']:.3f}"
    )


@step(
    "fp16", stage="half", help="round what is in floating point to half precision, stored in two bytes each"
)
def fp16(model: nn.Module, context: Context) -> nn.Module:
    """Round to half precision and compute in single: on most CPUs half precision is no faster.

    The saved form stores in two bytes each tensor that two bytes hold exactly.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
    return model
