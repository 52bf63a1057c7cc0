"""The methods that `distillation_layers` compares, each as a function from a seed to a trained student.

What they see, how they begin and at which rates is told in that module.
"""

import copy
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.distillation import bilstm, patient, relations, task, theseus, tiny
from course_utils.distillation.augment import augment, word_classes
from course_utils.distillation.layerwise import train_against
from course_utils.distillation.losses import mixed_of_rows
from course_utils.distillation.outputs import teacher_logits
from course_utils.distillation.students import every_other, from_layers
from course_utils.finetuning.classifier import (
    Example,
    collate,
    epochs,
    fine_tune,
    freeze_embeddings,
    load_tokenizer,
    new_classifier,
    predict,
    run_model,
)
from course_utils.models.heads import EncoderWithHead
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

NAME = "distillation_layers"
ROWS, BATCH, RATE, LSTM_RATE = 6000, 32, 1e-4, 2e-3
TEACHERS = 3
TEMPERATURE, SOFT = 2.0, 0.7
Result = tuple[nn.Module, list[dict[str, float]], nn.Module | None]  # student, metrics, its projection


@cache
def teacher(seed: int) -> EncoderWithHead:
    """The teacher of a student's seed."""
    return task.teacher(seed % TEACHERS)


@cache
def sentences(part: str) -> list[Example]:
    """The task's examples: "training", "validation" or "test"."""
    return getattr(task.load(), part).examples


def drawn(seed: int) -> list[int]:
    """Which training sentences a seed learns from, in its order; stages take one half each."""
    return np.random.default_rng([seed, 5]).permutation(len(sentences("training")))[:ROWS].tolist()


def chosen(seed: int, part: slice = slice(None)) -> list[Example]:
    """The sentences of a seed, or of one of its stages."""
    return [sentences("training")[i] for i in drawn(seed)[part]]


FIRST, SECOND = slice(0, ROWS // 2), slice(ROWS // 2, ROWS)


def student(seed: int) -> EncoderWithHead:
    """Layers 2, 4 and 6 of the teacher and a copy of its head; its tables are frozen."""
    mine = teacher(seed)
    encoder = from_layers(mine.encoder, every_other(mine.config.num_layers))
    model = new_classifier(encoder, len(task.CLASSES), seed)
    model.head.load_state_dict(copy.deepcopy(mine.head.state_dict()))
    freeze_embeddings(model)
    return model


def config(seed: int, rows: int, *, rate: float = RATE, passes: float = 1) -> TrainingConfig:
    """`passes` times through `rows` sentences."""
    steps = epochs(rows, BATCH, passes)
    return TrainingConfig(steps=steps, batch_size=BATCH, learning_rate=rate, seed=seed, log_every=steps // 4)


def logits_of(seed: int) -> Tensor:
    """The teacher's logits of all training sentences, from the cache of teachers' outputs."""
    return teacher_logits(teacher(seed), sentences("training"))


def learn_answers(
    model: nn.Module, seed: int, part: slice, *, temperature: float = TEMPERATURE, soft: float = SOFT
) -> list[dict[str, float]]:
    """Train in place on soft targets and labels of the seed's sentences."""
    logits, rows = logits_of(seed), drawn(seed)[part]
    examples = sentences("training")

    def batch_of(numbers: Sequence[int], _generator: torch.Generator) -> dict[str, Tensor]:
        return collate([examples[i] for i in numbers]) | {"teacher": logits[list(numbers)]}

    def terms(network: nn.Module, batch: Any) -> LossTerms:
        own = run_model(network, batch)
        losses = mixed_of_rows(
            own, batch["teacher"], batch["labels"], temperature=temperature, soft_weight=soft
        )
        return LossTerms(losses.sum(), len(own))

    data = TrainingData(rows, batch_of, [len(examples[i].ids) for i in rows])
    return train(model, terms, data, config(seed, len(rows)))


def run_start(seed: int) -> Result:
    """Nothing is learnt."""
    return student(seed), [], None


def run_hard(seed: int) -> Result:
    """Labels alone."""
    model = student(seed)
    return model, fine_tune(model, chosen(seed), config(seed, ROWS)), None


def run_soft(seed: int) -> Result:
    """The teacher's answers and labels."""
    model = student(seed)
    return model, learn_answers(model, seed, slice(None)), None


def run_patient(seed: int) -> Result:
    """PKD-Skip."""
    model, mine = student(seed), teacher(seed)
    method = patient.Patient(model, mine.config, alpha=0.7, beta=10.0, temperature=5.0)
    return model, train_against(method, mine, chosen(seed), config(seed, ROWS)), None


def run_tiny(seed: int) -> Result:
    """TinyBERT: states, then the prediction."""
    model, mine = student(seed), teacher(seed)
    method = tiny.TinyBERT(model, mine.config, seed)
    lines = tiny.distill(method, mine, chosen(seed, FIRST), config(seed, ROWS // 2), None)
    lines += learn_answers(model, seed, SECOND, temperature=1.0, soft=1.0)
    return model, lines, method.of_states


def run_minilm(seed: int) -> Result:
    """MiniLM: relations, then answers."""
    model, mine = student(seed), teacher(seed)
    method = relations.MiniLM(model, mine.config)
    lines = train_against(method, mine, chosen(seed, FIRST), config(seed, ROWS // 2))
    return model, lines + learn_answers(model, seed, SECOND), None


def run_theseus(seed: int) -> Result:
    """BERT-of-Theseus: replacing, then the successors alone."""
    mine, half = teacher(seed), config(seed, ROWS // 2)
    replacing = theseus.Replacing(0.5, full_at=round(0.75 * half.steps))
    model = theseus.Theseus(mine, len(every_other(mine.config.num_layers)), replacing)
    successor, lines = theseus.distill(model, chosen(seed, FIRST), half, None)
    return successor, lines + theseus.fine_tune_successor(successor, chosen(seed, SECOND), half), None


def run_bilstm(seed: int, copies: int = 0) -> Result:
    """A BiLSTM from logits, with so many changed copies of every sentence."""
    own, mine = chosen(seed), teacher(seed)
    logits = logits_of(seed)[drawn(seed)]
    vocabulary = load_tokenizer(task.tokenizer_file(), None).get_vocab()
    if copies:
        more = augment(own, word_classes(own, vocabulary), copies, seed, longest=task.LONGEST)
        logits = torch.cat([logits, predict(mine, more)])
        own = own + more
    pieces = bilstm.pieces_of(own)
    model = bilstm.new_bilstm(
        seed, config=bilstm.BiLSTMConfig(pieces=len(pieces)), pieces=pieces, teacher=mine.encoder
    )
    passes = 8 * ROWS / len(own)
    return (
        model,
        bilstm.distill(model, own, logits, config(seed, len(own), rate=LSTM_RATE, passes=passes)),
        None,
    )


METHODS: dict[str, Callable[[int], Result]] = {
    "start": run_start,
    "hard": run_hard,
    "soft": run_soft,
    "patient": run_patient,
    "tiny": run_tiny,
    "minilm": run_minilm,
    "theseus": run_theseus,
    "bilstm": run_bilstm,
    "bilstm-augmented": partial(run_bilstm, copies=1),
}
# How many of its sentences a method has labelled by the teacher beforehand.
LABELLED = {"soft": ROWS, "tiny": ROWS // 2, "minilm": ROWS // 2, "bilstm": ROWS, "bilstm-augmented": ROWS}
