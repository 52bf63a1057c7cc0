"""The steps of recipes that train on, change the form of the numbers, or hand them to another engine."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from course_utils.compression import qat
from course_utils.compression.integer_parts import Int8Embedding, Int8Linear
from course_utils.compression.onnx_model import OnnxModel, to_onnx, to_onnx_int8
from course_utils.compression.packed_parts import Int4Embedding, Int4Linear
from course_utils.compression.registry import Context, Parameter, step
from course_utils.compression.structure import replace_part
from course_utils.finetuning.classifier import epochs, fine_tune, freeze_embeddings
from course_utils.training import TrainingConfig

CHECKPOINT_EVERY = 100  # steps
EPOCHS = Parameter("epochs", float, "passes over the rows", default=1.0, low=0.001, high=1000)
RATE = Parameter("rate", float, "peak of the learning rate", default=5e-5, low=1e-8, high=1.0)
BATCH = Parameter("batch", int, "rows a step of training", default=16, low=1, high=4096)
SCALES = Parameter("scales", str, "which weights share one", default="channel", choices=("channel", "tensor"))
GROUP = Parameter("group", int, "weights that share a scale, an even number", default=64, low=2, high=4096)
OFFERS = ("int8", "int4", "float")


@step("tune", stage="shape", help="train on, to recover", parameters=[EPOCHS, RATE, BATCH], needs="labels")
def tune(model: nn.Module, context: Context, epochs: float, rate: float, batch: int) -> nn.Module:
    """Fine-tune on the context's texts and labels; the embeddings stay as they are."""
    train_on(model, context, epochs, rate, batch)
    return model


@step(
    "int8",
    stage="integers",
    help="store weights in 8 bits and multiply integers",
    parameters=[
        Parameter("embeddings", str, "form of the tables", default="int8", choices=OFFERS),
        SCALES,
    ],
    source="Zafrir et al. 2019",
)
def int8(model: nn.Module, context: Context, embeddings: str, scales: str) -> nn.Module:
    """Linear maps in int8 with a scale for each output, dynamic activations; tables as chosen."""
    fine = scales == "channel"
    change_linears(model, lambda m: Int8Linear.from_linear(m, per_channel=fine))
    change_tables(model, embeddings, 64, fine)
    return model


@step(
    "int4",
    stage="integers",
    help="store weights in 4 bits, two a byte; multiply in floating point",
    parameters=[GROUP, Parameter("embeddings", str, "form of the tables", default="int4", choices=OFFERS)],
    source="Shen et al. 2020",
)
def int4(model: nn.Module, context: Context, group: int, embeddings: str) -> nn.Module:
    """Linear maps in four bits with a scale for each group of a row; tables as chosen."""
    change_linears(model, lambda m: Int4Linear.from_linear(m, group))
    change_tables(model, embeddings, group)
    return model


@step(
    "mixed",
    stage="integers",
    help="linear maps in 8 bits, tables in 4",
    parameters=[GROUP],
    source="Shen et al. 2020",
)
def mixed(model: nn.Module, context: Context, group: int) -> nn.Module:
    """Integers where time goes, the fewest bits where bytes are: half of a small model is its token table."""
    change_linears(model, Int8Linear.from_linear)
    change_tables(model, "int4", group)
    return model


@step(
    "qat",
    stage="integers",
    help="train with rounding, then int8",
    parameters=[
        EPOCHS,
        RATE,
        BATCH,
        Parameter("activations", str, "their scale", default="dynamic", choices=("dynamic", "static")),
    ],
    needs="labels",
    source="Zafrir et al. 2019",
)
def aware(
    model: nn.Module, context: Context, epochs: float, rate: float, batch: int, activations: Any
) -> nn.Module:
    """Quantisation-aware training, then the integer model."""
    qat.prepare(model, activations)  # type: ignore[arg-type]
    train_on(model, context, epochs, rate, batch)
    return qat.convert(model)  # type: ignore[arg-type]


@step("fp16", stage="half", help="round what is in floating point to half precision: two bytes a number")
def fp16(model: nn.Module, context: Context) -> nn.Module:
    """Round to half precision and compute in single: on most CPUs half precision is no faster.

    The saved form stores in two bytes each number of a tensor that two bytes hold exactly.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            limit = torch.finfo(torch.float16).max  # what is beyond would become infinity
            parameter.copy_(parameter.clamp(-limit, limit).half().float())
    return model


@step("onnx", stage="engine", help="run by ONNX Runtime, in single precision")
def onnx(model: nn.Module, context: Context) -> nn.Module:
    """The same numbers in another engine."""
    return OnnxModel(to_onnx(model))  # type: ignore[arg-type]


@step("onnx-int8", stage="engine", help="run by ONNX Runtime, in its own dynamic int8")
def onnx_int8(model: nn.Module, context: Context) -> nn.Module:
    """ONNX Runtime's integers in place of torch's."""
    return OnnxModel(to_onnx_int8(to_onnx(model)))  # type: ignore[arg-type]


def change_linears(model: nn.Module, make: Callable[[nn.Linear], nn.Module]) -> None:
    """Replace each linear map of the encoder; the head, a thousandth of the weights, stays as it is."""
    for path, module in list(model.named_modules()):
        if path.startswith("encoder.") and type(module) is nn.Linear:
            replace_part(model, path, make(module))


def change_tables(model: nn.Module, form: str, group: int, per_row: bool = True) -> None:
    """Replace each embedding table of the encoder: "int8", "int4", or "float" to leave it."""
    for path, module in list(model.named_modules()):
        if form == "float" or not path.startswith("encoder.") or type(module) is not nn.Embedding:
            continue
        if form == "int8":
            replace_part(model, path, Int8Embedding.from_embedding(module, per_row=per_row))
        else:
            replace_part(model, path, Int4Embedding.from_embedding(module, group))


def train_on(model: nn.Module, context: Context, passes: float, rate: float, batch: int) -> None:
    """Fine-tune in place, embeddings frozen as in `course finetune`; afterwards all can be trained again.

    Where the context has a folder, a run that was stopped goes on from its last checkpoint.
    """
    examples = context.examples()
    config = TrainingConfig(
        steps=epochs(len(examples), batch, passes),
        batch_size=batch,
        learning_rate=rate,
        seed=context.seed(),
        checkpoint_every=CHECKPOINT_EVERY,
    )
    folder = None if context.folder is None else context.folder / f"training-{config.seed}"
    freeze_embeddings(model)  # type: ignore[arg-type]
    fine_tune(model, examples, config, folder=folder, progress=context.progress)  # type: ignore[arg-type]
    model.requires_grad_(True)
    context.notes.append(f"trained on {len(examples):,} rows, {config.steps:,} steps")
