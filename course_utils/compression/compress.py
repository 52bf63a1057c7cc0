"""From a classifier and a recipe to a smaller classifier."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import Generator

from course_utils.compression.onnx_model import OnnxModel
from course_utils.compression.recipe import Recipe, RecipeError, parse
from course_utils.compression.registry import Context
from course_utils.compression.saved import Compressed, as_compressed, count_parameters, cutting
from course_utils.finetuning.saved import Classifier


def compress(
    classifier: Classifier | Compressed,
    recipe: str | Recipe,
    *,
    texts: Sequence[str] = (),
    labels: Sequence[int] | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: bool = False,
) -> Compressed:
    """A new classifier; the given one stays as it is.

    recipe: such as "drop-layers=3,int8"; `registry.steps()` lists the steps. texts, labels: training rows
    for steps that measure or train. folder: where training keeps checkpoints, so that a run that was stopped
    goes on. Raises RecipeError for a recipe that cannot be followed, EngineError where ONNX fails.
    """
    chain = parse(recipe) if isinstance(recipe, str) else recipe
    start = as_compressed(classifier) if isinstance(classifier, Classifier) else classifier
    if start.recipe:
        raise RecipeError(
            f"the model is compressed already ({start.recipe}); start from the fine-tuned model, with one "
            "recipe"
        )
    if labels is not None and len(labels) != len(texts):
        raise ValueError(f"{len(texts)} texts need as many labels, got {len(labels)}")
    chain.check_rows(texts, labels)
    context = Context(
        tokenizer=cutting(start.tokenizer, start.max_length),
        max_length=start.max_length,
        generator=Generator().manual_seed(seed),
        texts=texts,
        labels=labels,
        original=start.model,
        folder=folder,
        progress=progress,
    )
    model, count = copy.deepcopy(start.model).eval(), start.parameters
    for planned in chain.planned:
        model = planned.run(model, context)
        # A graph of another engine holds the numbers that went into it.
        count = count if isinstance(model, OnnxModel) else count_parameters(model)
    return replace(
        start,
        model=model,
        tokenizer=cutting(context.tokenizer, start.max_length),
        parameters=count,
        recipe=str(chain),
        notes=tuple(context.notes),
    )
