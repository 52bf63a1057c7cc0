"""How each method of a design goes from training rows to a score for every other row.

A score above 0 says positive. All but VADER's are log-odds, log P(positive)/P(negative).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from course_utils.finetuning.classifier import (
    encode,
    epochs,
    fine_tune,
    freeze_embeddings,
    new_classifier,
    predict,
)
from course_utils.finetuning.features import FOLDS, STRENGTHS, mean_states, probe
from course_utils.study import models, vader
from course_utils.study.data import Table
from course_utils.study.design import System, Training
from course_utils.study.runs import About, Floats
from course_utils.training import TrainingConfig

PROBED = 20_000  # training rows that a probe reads at most: a regression on frozen states needs no more


class Scored(NamedTuple):
    """The score of each text, what kind of score it is, and what there is to say of how it came about."""

    scores: Floats
    kind: str  # "log_odds", or "score" where there is no probability behind it
    about: About


@dataclass(frozen=True)
class Task:
    """What a system gets: rows to learn from, texts to score, and the run's seed.

    folder: for the checkpoints of a long run.
    """

    system: System
    training: Training
    rows: Table
    texts: Sequence[str]
    seed: int
    folder: Path

    @property
    def labels(self) -> list[int]:
        """Of the rows to learn from."""
        return self.rows.rows.labels.tolist()


def score(task: Task) -> Scored:
    """Train a system and score all texts."""
    methods = {
        "fine-tune": _fine_tuned,
        "probe": _probed,
        "tfidf": _words,
        "vader": _rules,
        "majority": _majority,
    }
    return methods[task.system.method](task)


def _fine_tuned(task: Task) -> Scored:
    """An encoder and a head, trained as the design says; scores in single precision."""
    training = task.training
    start = _start(task)
    tokenizer = start.tokenizer(training.max_length)
    if training.pooling == "mean":
        start.encoder.pooler = None  # nobody reads it
    model = new_classifier(start.encoder, 2, task.seed, pooling=training.pooling, dropout=training.dropout)
    if training.freeze_embeddings:
        freeze_embeddings(model)
    config = _config(training, len(task.labels), task.seed)
    history = fine_tune(model, encode(tokenizer, task.rows.texts, task.labels), config, folder=task.folder)
    logits = predict(model, encode(tokenizer, task.texts, [0] * len(task.texts))).double()
    about = {
        "start_sha256": start.sha256,
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": config.steps,
        "loss": [[line["step"], round(line["loss"], 5)] for line in history],
    }
    return Scored((logits[:, 1] - logits[:, 0]).float().numpy(), "log_odds", about)


def _config(training: Training, rows: int, seed: int) -> TrainingConfig:
    steps = epochs(rows, training.batch_size, training.epochs)
    return TrainingConfig(
        steps=steps,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        warmup=training.warmup,
        weight_decay=training.weight_decay,
        precision=training.precision,
        seed=seed,
        log_every=max(1, steps // 20),
        checkpoint_every=training.checkpoint_every,
    )


def _probed(task: Task) -> Scored:
    """Logistic regression on the mean of the last states of an encoder that nobody trains."""
    start = _start(task)
    tokenizer = start.tokenizer(task.training.max_length)
    start.encoder.to("cuda" if torch.cuda.is_available() else "cpu")
    states = mean_states(start.encoder, encode(tokenizer, task.rows.texts[:PROBED], task.labels[:PROBED]))
    model = probe(task.seed).fit(states, task.labels[:PROBED])
    found = model.decision_function(
        mean_states(start.encoder, encode(tokenizer, task.texts, [0] * len(task.texts)))
    )
    about = {
        "start_sha256": start.sha256,
        "parameters": sum(p.numel() for p in start.encoder.parameters()),
        "penalty": model.best_params_,
    }
    return Scored(found.astype(np.float32), "log_odds", about)


def _words(task: Task) -> Scored:
    """TF-IDF of words and pairs of words that occur twice or more, and a logistic regression whose penalty is
    chosen by cross-validation inside the training rows."""
    features = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    chosen = GridSearchCV(
        make_pipeline(features, LogisticRegression(max_iter=2000, random_state=task.seed)),
        {"logisticregression__C": [100 * strength for strength in STRENGTHS]},
        cv=FOLDS,
        scoring="neg_log_loss",
    ).fit(list(task.rows.texts), task.labels)
    found = chosen.decision_function(list(task.texts)).astype(np.float32)
    return Scored(found, "log_odds", {"penalty": chosen.best_params_})


def _rules(task: Task) -> Scored:
    """VADER learns nothing but which class to take where it has nothing to say."""
    return Scored(vader.scores(task.texts, float(np.mean(task.labels))), "score", {})


def _majority(task: Task) -> Scored:
    """The log-odds of the classes in training; positive where they are equal, as they are by design."""
    share = float(np.mean(task.labels))
    odds = float(np.log(share) - np.log1p(-share))
    return Scored(
        np.full(len(task.texts), max(odds, vader.TIE) if share >= 0.5 else odds, np.float32), "log_odds", {}
    )


def _start(task: Task) -> models.Start:
    assert task.system.encoder is not None
    return models.start(task.system.encoder, task.seed)


def versions() -> dict[str, Any]:
    """Of the libraries that a score depends on."""
    import sklearn
    import tokenizers

    return {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "tokenizers": tokenizers.__version__,
    }
