"""A fine-tuned classifier in a folder: model, tokenizer, and the names of its classes.

config.json, model.safetensors   the encoder, as transformers reads it (in our own form if it cannot)
head.safetensors                 the head
classifier.json                  classes, pooling, longest text
tokenizer.json                   the encoder's tokenizer
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from course_utils.finetuning.classifier import encode, load_tokenizer, new_classifier, predict
from course_utils.models import weights
from course_utils.models.heads import EncoderWithHead, SequenceHead

HEAD, ABOUT, TOKENIZER = "head.safetensors", "classifier.json", "tokenizer.json"


class SavedModelError(RuntimeError):
    """A folder that holds no classifier, or a damaged one."""


@dataclass(frozen=True)
class Classifier:
    """A fine-tuned model that takes texts."""

    model: EncoderWithHead
    tokenizer_file: Path
    classes: tuple[str, ...]
    max_length: int  # tokens, with [CLS] and [SEP]; longer texts are cut

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The probability of each class for each text, (texts, classes); rows sum to 1."""
        tokenizer = load_tokenizer(self.tokenizer_file, self.max_length)
        logits = predict(self.model, encode(tokenizer, texts, [0] * len(texts)))
        return logits.double().softmax(dim=-1).numpy()


def save(classifier: Classifier, folder: Path) -> None:
    """Write the folder; the description is written last, so that a folder with it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)
    model = classifier.model
    weights.save_encoder(model.encoder, folder)
    if not isinstance(model.head, SequenceHead):
        raise TypeError(f"only a SequenceHead can be saved here, got {type(model.head).__name__}")
    save_file(model.head.state_dict(), folder / HEAD)
    if classifier.tokenizer_file != folder / TOKENIZER:
        shutil.copyfile(classifier.tokenizer_file, folder / TOKENIZER)
    about = {
        "classes": list(classifier.classes),
        "max_length": classifier.max_length,
        "pooling": model.head.pooling,
    }
    (folder / ABOUT).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load(folder: Path) -> Classifier:
    """What `save` wrote. Raises SavedModelError, which says what is wrong, for anything else."""
    about = read_about(folder)
    if "compressed" in about:
        raise SavedModelError(
            f"{folder} holds a model that `course compress` made; open it with "
            "course_utils.compression.saved.load"
        )
    try:
        model = new_classifier(
            weights.load_encoder(folder), len(about["classes"]), seed=0, pooling=about["pooling"]
        )
        model.head.load_state_dict(load_file(folder / HEAD))
    except (OSError, SafetensorError, ValueError, RuntimeError) as problem:
        raise SavedModelError(
            f"{folder}: the model is damaged or incomplete ({problem}); run `course finetune` again"
        ) from problem
    _check_tokenizer(folder / TOKENIZER)
    model.eval()
    return Classifier(model, folder / TOKENIZER, tuple(about["classes"]), about["max_length"])


def _check_tokenizer(file: Path) -> None:
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise SavedModelError(
            f"{file}: missing or damaged ({problem}); run `course finetune` again"
        ) from problem


def read_about(folder: Path) -> dict[str, Any]:
    """The description of a classifier. Raises SavedModelError where there is none, or not one of ours."""
    file = folder / ABOUT
    if not file.is_file():
        raise SavedModelError(
            f"{folder}: there is no {ABOUT}, so this is no model that `course finetune` or `course compress` "
            "saved; give the folder that it named, such as reviews-model/model"
        )
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        fits = (
            len(about["classes"]) >= 2
            and ("compressed" in about or about["pooling"] in ("cls", "mean"))
            and 2 <= about["max_length"] <= 10**6
        )
    except (ValueError, KeyError, TypeError) as problem:
        raise SavedModelError(f"{file}: not what `course finetune` writes ({problem!r})") from problem
    if not fits:
        raise SavedModelError(f"{file}: not what `course finetune` writes: {about}")
    return about
