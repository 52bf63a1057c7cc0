"""Teach the small real encoder to fill in masks: all-MiniLM-L6-v2 was released without a masked-LM head.

A fresh head (dense, GELU, norm, output tied to the frozen embeddings) and low-rank adapters on every linear
map are trained by BERT's masked language modeling on the training sentences of the four rated sets and the
film reviews of Maas et al. 2011. Adapters and head together are a few MB; the encoder comes from its package.

The released weights come from two runs on one CPU thread:
  first   1,200 steps of this experiment as of commit bd98827: 15% of the tokens chosen, reviews cut every 62
          tokens, each rated sentence once, dropout 0.1, the head's bias started at zero
  second  900 steps of this version, from where the first run ended
A run without START begins anew, with the head's bias at the logarithm of the tokens' frequencies.

The film reviews come from the hub, or from a copy that COURSE_HUB_ROOT names.

Run: python -m experiments.laptop_masked_lm train FOLDER [--encoder random] [--steps N] [--start EARLIER]
     python -m experiments.laptop_masked_lm_measure FOLDER FIRST_FOLDER RANDOM_FOLDER
"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
import typer
from tokenizers import Tokenizer
from torch import Tensor

from course_utils import data
from course_utils.models.adapters import add_adapters
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM
from course_utils.models.weights import load_encoder
from course_utils.objectives import IGNORE, SpecialTokens
from course_utils.objectives.masked import mask_tokens
from course_utils.scale import Scale
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

DOMAINS = ("products", "movies", "editorials", "tweets")
TOKENS = SpecialTokens()  # bert-base-uncased
SENTENCE_ENDS = frozenset((1012, 999, 1029))  # . ! ?
RANK = 64
SCALE = 2.0 * RANK
LONGEST = 64  # tokens, with [CLS] and [SEP]: a review becomes rows of whole sentences
RATED_WEIGHT = 5  # how often a rated sentence is a row: the blanks to fill will be in such sentences
MASKED = 0.2  # BERT has 0.15; in a short training more predictions a sentence pay (Wettig et al. 2022)
CONFIG = TrainingConfig(
    steps=900, batch_size=32, learning_rate=1e-3, warmup=0.05, seed=2026, log_every=20, checkpoint_every=50
)

app = typer.Typer(add_completion=False)


@app.callback()
def main() -> None:
    """A masked-LM head for the small encoder."""


def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(data.small_model_dir() / "tokenizer.json"))


def pieces(texts: list[str]) -> list[Tensor]:
    """Token ids of each text with [CLS] and [SEP]; a text that is too long is cut into several rows.

    A row ends after a sentence where one ends in time.
    """
    tok = tokenizer()
    tok.no_truncation()
    tok.no_padding()
    room, rows = LONGEST - 2, []
    for encoding in tok.encode_batch(texts, add_special_tokens=False):
        ids = encoding.ids
        while ids:
            ends = [i + 1 for i in range(min(room, len(ids))) if ids[i] in SENTENCE_ENDS]
            cut = len(ids) if len(ids) <= room else (ends or [room])[-1]
            rows.append(torch.tensor([101, *ids[:cut], 102]))
            ids = ids[cut:]
    return rows


def rated_texts() -> list[str]:
    """The rated sets' training sentences."""
    return [t for name in DOMAINS for t in data.load(name, split="train")["text"]]


def training_rows() -> list[Tensor]:
    """The rated sets' training sentences, RATED_WEIGHT times, and the film reviews."""
    reviews = list(data.load("imdb", split="train", scale=Scale.FULL)["text"])
    return pieces(rated_texts()) * RATED_WEIGHT + pieces(reviews)


def log_frequencies(rows: list[Tensor]) -> Tensor:
    """The logarithm of each token's share of the training text, (vocab,); where the head's bias starts.

    Without it most of a short training goes into learning which tokens are frequent.
    """
    counts = torch.bincount(torch.cat(rows), minlength=TOKENS.vocab_size).float()
    counts[list(TOKENS.special)] = 0
    return ((counts + 0.1) / (counts + 0.1).sum()).log()


def collate(examples: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Pad to the longest and mask anew."""
    ids = torch.nn.utils.rnn.pad_sequence(examples, batch_first=True, padding_value=0)
    inputs, labels = mask_tokens(ids, TOKENS, generator, share=MASKED)
    return {"input_ids": inputs, "attention_mask": (ids != 0).long(), "labels": labels}


def loss(model: MaskedLM, batch: dict[str, Tensor]) -> LossTerms:
    """Cross-entropy summed over the predicted tokens."""
    labels = batch["labels"]
    predicted = labels != IGNORE
    logits = model(batch["input_ids"], batch["attention_mask"], positions=predicted)
    return LossTerms(F.cross_entropy(logits, labels[predicted], reduction="sum"), predicted.sum())


def new_model(encoder: str) -> MaskedLM:
    """The small encoder with adapters and a fresh head; "random" draws the encoder's weights anew.

    There is no dropout: no row of the reviews is seen twice.
    """
    torch.manual_seed(CONFIG.seed)
    pretrained = load_encoder(data.small_model_dir())
    base = Encoder(replace(pretrained.config, dropout=0.0, attention_dropout=0.0))
    if encoder == "pretrained":
        base.load_state_dict(pretrained.state_dict())
    model = MaskedLM(add_adapters(base, rank=RANK, scale=SCALE))
    model.head.requires_grad_(True)
    return model


@app.command("train")
def train_command(
    folder: Path, encoder: str = "pretrained", steps: int = CONFIG.steps, start: Path | None = None
) -> None:
    """Train in FOLDER; run again to go on. START: the folder of an earlier run whose end is the start."""
    examples = training_rows()
    training_data = TrainingData(examples, collate, lengths=[len(e) for e in examples])
    config = replace(CONFIG, steps=steps)
    began = time.perf_counter()
    model = new_model(encoder)
    if start:
        model.load_state_dict(state_of(start)["model"])
    else:
        model.head.bias.data.copy_(log_frequencies(examples))
    history = train(model, loss, training_data, config, folder=folder, progress=True)
    print(
        f"{len(examples)} pieces; loss {history[-1]['loss']:.3f}; {time.perf_counter() - began:.0f} s",
        file=sys.stderr,
    )


def trained(folder: Path, encoder: str) -> MaskedLM:
    """The model of a finished run."""
    state = state_of(folder)
    if state["step"] < CONFIG.steps:
        raise typer.BadParameter(
            f"{folder} stopped at step {state['step']} of {CONFIG.steps}: run train again"
        )
    model = new_model(encoder)
    model.load_state_dict(state["model"])
    return model.eval()


def state_of(folder: Path) -> dict[str, Any]:
    """What a run saved last."""
    if not (folder / "checkpoint.pt").is_file():
        raise typer.BadParameter(f"there is no run in {folder}: train one there, or name its folder")
    return torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)


if __name__ == "__main__":
    app()
