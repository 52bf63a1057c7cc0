"""What needs no fine-tuning: frozen states or words, and a logistic regression on them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from course_utils.finetuning.classifier import PAD, Example, collate
from course_utils.models.encoder import Encoder
from course_utils.models.heads import mean_pool

Array = NDArray[np.float32]
STRENGTHS = [0.0003, 0.003, 0.03, 0.3, 3.0]  # inverse penalties to choose from; few examples want small ones
FOLDS = 4


@torch.no_grad()
def mean_states(encoder: Encoder, examples: Sequence[Example], batch_size: int = 32) -> Array:
    """The mean of each text's last states, in evaluation mode and in the order of the examples:
    (examples, hidden). Raises ValueError without examples."""
    if not examples:
        raise ValueError("there are no examples to encode")
    was_training = encoder.training
    device = next(encoder.parameters()).device
    encoder.eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    states = np.empty((len(examples), encoder.config.hidden_size), dtype=np.float32)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        ids = collate([examples[i] for i in rows])["input_ids"].to(device)
        states[rows] = mean_pool(encoder(ids, attention_mask=ids != PAD)).cpu().numpy()
    encoder.train(was_training)
    return states


def probe(seed: int = 0) -> GridSearchCV:
    """Logistic regression on standardized features, its penalty chosen by cross-validation inside the
    training examples. Give `fit` features (examples, hidden) and labels (examples,)."""
    return _chosen(make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, random_state=seed)))


def bag_of_words(seed: int = 0) -> GridSearchCV:
    """The baseline that reads no order: TF-IDF of words and pairs of words, then logistic regression.
    Give `fit` texts and labels. Weak penalties are tried too: its features are small numbers."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+")
    model = make_pipeline(words, LogisticRegression(max_iter=2000, random_state=seed))
    return _chosen(model, [100 * strength for strength in STRENGTHS])


def right_share(model: GridSearchCV, features: Array | Sequence[str], labels: Sequence[int]) -> float:
    """The share of rows that a fitted model gets right (its own `score` is the log loss)."""
    return float((model.predict(features) == np.asarray(labels)).mean())


def _chosen(model: Pipeline, strengths: Sequence[float] = STRENGTHS) -> GridSearchCV:
    return GridSearchCV(model, {"logisticregression__C": list(strengths)}, cv=FOLDS, scoring="neg_log_loss")
