"""A small multilingual BERT on eight languages: `python -m experiments.family_languages`.

One encoder of 4 layers of 128 with one WordPiece vocabulary of 8,000 for all languages (uncased, without
accents, as the first multilingual BERT) learns to fill in masks in the messages of Home Assistant in English,
German, French, Spanish, Russian, Turkish, Finnish and Chinese, 1,500 steps of 64 messages. It is never told
which language a message is in, nor which messages say the same. That its training text holds translations of
each other is more than multilingual BERT had; a fifth of the messages, in all languages, is kept for
measuring.

Measured for three seeds, each beside the same encoder untrained, on two sets of messages that all eight
languages have, of three English words or more: `home-assistant`, held out; `django`, of other software.
  loss       nats a masked token and share of first guesses, by language, beside frequencies
  identity   which language is it: a logistic regression on the mean state, by layer, and nearest centroid;
             half of the messages teach, the other half test; beside character n-grams. `between` is the share
             of the variance of mean states that lies between the languages' centroids
  alignment  the nearest neighbor (cosine) among the messages in the other language, from English and back, by
             layer; raw, and after the languages' centroids (of other messages) are subtracted; beside TF-IDF
             of the shared word pieces, and 1 in the number of messages
Intervals: `low` and `high` by bootstrap over messages, of the mean over seeds; `seed_low` and `seed_high` by
t over seeds. No claim is judged here: chapter 11 does that for `mbert-language`.

The runs lie in the cache folder; a call makes those that are missing (3 minutes a seed on one core), measures
them, and writes results/family_languages.json and weights/multilingual with its card (seed 0).
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import load_file, save_file
from torch import Tensor

from course_utils import paths
from course_utils.data.translations import LANGUAGES, Message, catalogs, parallel_messages, split_of
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM
from course_utils.objectives import IGNORE, SpecialTokens
from course_utils.objectives.masked import mask_tokens
from course_utils.subword import BertNormalizer, WordPiece, count_words, train_wordpiece
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

NAME = "family_languages"
SEEDS = (0, 1, 2)
TRAINED_ON = "home-assistant"
VOCABULARY, LONGEST = 8000, 32  # pieces; tokens of a row
MASKED = 0.4  # BERT has 0.15; in a short training more predictions a message pay (Wettig et al. 2022)
WIDER = 5.0  # the token table starts so much wider: with 0.02 the first steps of Adam drown it
CONFIG = EncoderConfig(
    vocab_size=VOCABULARY,
    hidden_size=128,
    num_layers=4,
    num_heads=4,
    intermediate_size=512,
    max_positions=128,
    dropout=0.0,
    attention_dropout=0.0,
    pooler=False,
)
TRAINING = TrainingConfig(
    steps=1500, batch_size=64, learning_rate=2e-3, warmup=0.1, log_every=50, checkpoint_every=250
)

Rows = list[Tensor]


def folder() -> Path:
    """Where the runs lie."""
    return paths.cache_dir() / "experiments" / NAME


@cache
def training_texts() -> dict[str, list[str]]:
    """Language -> its messages, each once, without any that is the text of a message for testing."""
    found = catalogs(LANGUAGES, TRAINED_ON)
    english, kept = found["en"], {}
    for language, texts in found.items():
        splits = {key: split_of(english.get(key, text)) for key, text in texts.items()}
        tested = {text for key, text in texts.items() if splits[key] == "test"}
        kept[language] = list(dict.fromkeys(text for text in texts.values() if text not in tested))
    return kept


def test_messages(source: str) -> list[Message]:
    """What is measured: messages of three English words or more, from which nothing was learnt."""
    found = [m for m in parallel_messages(LANGUAGES, source) if len(m.texts["en"].split()) >= 3]
    return [m for m in found if source != TRAINED_ON or m.split == "test"]


@cache
def vocabulary() -> WordPiece:
    """One vocabulary for all languages, merged by frequency; what stands only once has no say."""
    normal = BertNormalizer().normalize
    counts = count_words((normal(t) for texts in training_texts().values() for t in texts), "punctuation")
    often = {word: count for word, count in counts.items() if count > 1}
    return train_wordpiece(often, vocab_size=VOCABULARY, criterion="frequency")


def special_tokens(words: WordPiece) -> SpecialTokens:
    """What the objective must know of a vocabulary."""
    special = tuple(words.vocab[token] for token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]"))
    return SpecialTokens(words.vocab["[MASK]"], special, vocab_size=len(words.vocab))


def rows_of(texts: Sequence[str], words: WordPiece) -> Rows:
    """Token ids with [CLS] and [SEP], cut at LONGEST tokens."""
    start, end = words.vocab["[CLS]"], words.vocab["[SEP]"]
    cut = ([words.vocab[token] for token in words.tokenize(text)][: LONGEST - 2] for text in texts)
    return [torch.tensor([start, *ids, end]) for ids in cut]


def pad(rows: Rows) -> Tensor:
    """(rows, length), padded with 0."""
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=0)


def collate(rows: Rows, generator: torch.Generator) -> dict[str, Tensor]:
    """Pad and mask anew."""
    ids = pad(rows)
    inputs, labels = mask_tokens(ids, special_tokens(vocabulary()), generator, share=MASKED)
    return {"input_ids": inputs, "attention_mask": (ids != 0).long(), "labels": labels}


def loss(model: torch.nn.Module, batch: Any) -> LossTerms:
    """Cross-entropy summed over the predicted tokens."""
    chosen = batch["labels"] != IGNORE
    logits = model(batch["input_ids"], batch["attention_mask"], positions=chosen)
    return LossTerms(F.cross_entropy(logits, batch["labels"][chosen], reduction="sum"), chosen.sum())


def new_model(seed: int) -> MaskedLM:
    """The untrained model of a seed."""
    torch.manual_seed(seed)
    model = MaskedLM(Encoder(CONFIG)).eval()
    model.encoder.embeddings.token.weight.data.mul_(WIDER)
    return model


def trained(seed: int) -> MaskedLM:
    """The trained model of a seed, made where it is missing."""
    file, model = folder() / f"seed-{seed}.safetensors", new_model(seed)
    if file.exists():
        model.load_state_dict(load_file(file))
        return model
    rows = [row for texts in training_texts().values() for row in rows_of(texts, vocabulary())]
    # The head's bias starts where the frequencies are: short training should not go into learning them.
    counts = torch.bincount(torch.cat(rows), minlength=VOCABULARY).float()
    counts[list(special_tokens(vocabulary()).special)] = 0
    model.head.bias.data.copy_(((counts + 0.1) / (counts + 0.1).sum()).log())
    config = replace(TRAINING, seed=seed)
    place = file.with_suffix("")
    place.mkdir(parents=True, exist_ok=True)
    data = TrainingData(rows, collate, [len(row) for row in rows])
    history = train(model, loss, data, config, folder=place)
    part = file.with_suffix(".part")
    save_file(model.state_dict(), part)
    part.replace(file)
    print(f"seed {seed}: {len(rows)} messages, loss {history[-1]['loss']:.3f}", flush=True)
    return model.eval()


def main() -> None:
    """Train what is missing, measure, report."""
    from experiments.family_languages_measure import report
    from experiments.family_languages_release import release

    torch.set_num_threads(1)
    began = time.perf_counter()
    models = {seed: trained(seed) for seed in SEEDS}
    print(report(models, {seed: new_model(seed) for seed in SEEDS}, began))
    print(release(models[SEEDS[0]]))


if __name__ == "__main__":
    main()
