"""Two small models of the course's own: one that continues a text, one that repairs it.

  causal_lm  4 layers of 192, GPT-2's architecture and objective
  denoiser   3 + 3 layers of 192, BART's architecture; it reads a text with its sentences in random order and
             spans of Poisson length (30% of the tokens) replaced by one mask each, and writes the original

Both read a byte-level BPE vocabulary of 6,000 tokens, learnt by the course's own trainer from the training
text: the film reviews of Maas et al. 2011 (their training half) and the rated sets' training sentences.

Measured on test texts that neither the models nor the vocabulary saw:
  causal_lm  nats a token and bits a character, beside token frequencies and a trigram model with absolute
             discounting (interpolated Kneser-Ney) of the same training text
  denoiser   one span of 1 to 3 tokens of a sentence becomes one mask: is the span written again exactly, and
             is the rest copied exactly; beside the most frequent span of that length
The intervals cover texts (bootstrap); each run has one seed, as it is the artifact that is measured.

The released weights come from these runs on one CPU thread:
  causal_lm  2,000 steps; the linear schedule was shortened to this length on the way, from 3,600
  denoiser   1,900 steps, shortened from 4,000; then 500 steps from there (of a schedule of 600), with the
             settings below and the next seed
A run without START begins anew.

The film reviews come from the hub, or from a copy that COURSE_HUB_ROOT names.

Run: python -m experiments.laptop_generators train causal_lm FOLDER [--steps N] [--start EARLIER]
     python -m experiments.laptop_generators train denoiser FOLDER [--steps N] [--start EARLIER]
     python -m experiments.laptop_generators_measure CAUSAL_LM_FOLDER DENOISER_FOLDER
"""

import random
import re
import sys
import time
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
import typer
from torch import Generator, Tensor, nn

from course_utils import data
from course_utils.models.config import DecoderConfig, Seq2SeqConfig
from course_utils.models.decoder import CausalLM
from course_utils.models.seq2seq import Seq2Seq, shift_right
from course_utils.objectives import IGNORE, SpecialTokens
from course_utils.objectives.causal import causal_lm
from course_utils.objectives.denoising import sentence_permutation, text_infilling
from course_utils.scale import Scale
from course_utils.subword import BPE, count_words, train_bpe
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train
from course_utils.training.batches import Batch

DOMAINS = ("products", "movies", "editorials", "tweets")
SPECIAL = ("<s>", "<pad>", "</s>", "<mask>")  # BART's, with its ids 0 to 2
START, PAD, END, MASK = range(4)
VOCABULARY = 6000
BLOCK = 128  # tokens that the causal model sees at once
LONGEST = 60  # tokens of a text that the denoiser repairs: two or three sentences
SHORTEST = 12  # so that many texts are one sentence, as the reader's will be
TOKENS = SpecialTokens(mask=MASK, special=(START, PAD, END), vocab_size=VOCABULARY)

CAUSAL_LM = DecoderConfig(
    vocab_size=VOCABULARY,
    hidden_size=192,
    num_layers=4,
    num_heads=6,
    intermediate_size=768,
    max_positions=BLOCK,
    dropout=0.0,  # the training is about one pass over the text
    attention_dropout=0.0,
)
DENOISER = Seq2SeqConfig(
    vocab_size=VOCABULARY,
    hidden_size=192,
    num_layers=3,
    num_decoder_layers=3,
    num_heads=6,
    intermediate_size=768,
    max_positions=BLOCK,
    dropout=0.0,
    attention_dropout=0.0,
    pad_token_id=PAD,
    eos_token_id=END,
    decoder_start_token_id=END,
)
RUNS = {
    "causal_lm": TrainingConfig(
        steps=2000,
        batch_size=16,
        learning_rate=2e-3,
        warmup=0.05,
        betas=(0.9, 0.98),
        seed=2026,
        log_every=20,
        checkpoint_every=100,
    ),
    "denoiser": TrainingConfig(
        steps=500,
        batch_size=32,
        learning_rate=1e-3,
        warmup=0.05,
        betas=(0.9, 0.98),
        seed=2026,
        log_every=20,
        checkpoint_every=100,
    ),
}

FIRST_STEPS = {"causal_lm": 0, "denoiser": 1900}  # of the run that START names

app = typer.Typer(add_completion=False)


@app.callback()
def main() -> None:
    """Small models of the course's own."""


@app.command("train")
def train_command(name: str, folder: Path, steps: int = 0, start: Path | None = None) -> None:
    """Train NAME (causal_lm or denoiser) in FOLDER; run again to go on.

    START: the folder of an earlier run whose end is the start; the order of the text is then another one.
    """
    config = replace(RUNS[name], steps=steps or RUNS[name].steps)
    model = new_model(name)
    if start:
        config = replace(config, seed=config.seed + 1)
        model.load_state_dict(state_of(start)["model"])
    material, loss = (blocks(), causal_loss) if name == "causal_lm" else (repairs(), denoiser_loss)
    began = time.process_time()
    history = train(model, loss, material, config, folder=folder, progress=True)
    print(
        f"{len(material.examples)} examples; loss {history[-1]['loss']:.3f}; "
        f"{time.process_time() - began:.0f} CPU s",
        file=sys.stderr,
    )


def new_model(name: str) -> CausalLM | Seq2Seq:
    """The untrained model; the seed of its run draws its weights."""
    torch.manual_seed(RUNS[name].seed)
    return CausalLM(CAUSAL_LM) if name == "causal_lm" else Seq2Seq(DENOISER)


@cache
def training_texts() -> tuple[str, ...]:
    """The rated sets' training sentences and the film reviews, white space made single spaces."""
    rated = [t for name in DOMAINS for t in data.load(name, split="train")["text"]]
    reviews = data.load("imdb", split="train", scale=Scale.FULL)["text"]
    return tuple(" ".join(text.split()) for text in chain(rated, reviews))


@cache
def vocabulary() -> BPE:
    """Learnt from words that occur three times or more; a word carries the space before it."""
    counts = count_words((f" {text}" for text in training_texts()), "byte_level")
    frequent = {word: count for word, count in counts.items() if count >= 3}
    return train_bpe(frequent, vocab_size=VOCABULARY, splitter="byte_level", special_tokens=SPECIAL)


def sentences(text: str) -> list[str]:
    """A text cut after . ! ? that a capital follows; a rough rule is enough for noise.

    >>> sentences("It ends. Well, badly! ok. Why?")
    ['It ends.', 'Well, badly! ok.', 'Why?']
    """
    return re.split(r"(?<=[.!?]) (?=[\"'(]?[A-Z])", text)


def blocks() -> TrainingData:
    """All texts in random order, an end token before each, cut into blocks of one length."""
    bpe, texts = vocabulary(), list(training_texts())
    random.Random(RUNS["causal_lm"].seed).shuffle(texts)
    stream = torch.tensor([i for text in texts for i in (END, *bpe.encode(f" {text}"))])
    rows = stream[: len(stream) // BLOCK * BLOCK].view(-1, BLOCK)
    return TrainingData(rows, lambda examples, _: causal_lm(torch.stack(examples))._asdict())


def causal_loss(model: nn.Module, batch: Batch) -> LossTerms:
    """Cross-entropy summed over all tokens."""
    labels = batch["labels"]
    logits = model(batch["input_ids"])
    return LossTerms(F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum"), labels.numel())


def repairs() -> TrainingData:
    """Whole sentences in a row, up to a length drawn for each example between SHORTEST and LONGEST."""
    bpe, rng = vocabulary(), random.Random(RUNS["denoiser"].seed)
    examples: list[tuple[Tensor, Tensor]] = []
    for text in training_texts():
        rows: list[list[int]] = []
        room = rng.randint(SHORTEST, LONGEST)
        for sentence in sentences(text):
            ids = bpe.encode(f" {sentence}")[:LONGEST]
            if rows and sum(map(len, rows)) + len(ids) > room:
                examples.append(with_starts(rows))
                rows, room = [], rng.randint(SHORTEST, LONGEST)
            rows.append(ids)
        examples.append(with_starts(rows))
    return TrainingData(examples, collate_repairs, lengths=[len(ids) for ids, _ in examples])


def with_starts(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    """The tokens of some sentences as one row, and where each sentence starts."""
    starts = [position == 0 for row in rows for position in range(len(row))]
    return torch.tensor([i for row in rows for i in row]), torch.tensor(starts)


def corrupt(ids: Tensor, starts: Tensor, generator: Generator) -> Tensor:
    """BART's noise: sentences in random order, then spans as masks. Returns what the encoder reads."""
    shuffled = sentence_permutation(ids, starts, generator).input_ids
    return text_infilling(shuffled, TOKENS, generator).input_ids


def collate_repairs(examples: list[tuple[Tensor, Tensor]], generator: Generator) -> dict[str, Tensor]:
    """Noise drawn anew; <s> text </s> to read, text </s> to write."""
    border = torch.tensor([START]), torch.tensor([END])
    sources = [torch.cat([border[0], corrupt(i, s, generator), border[1]]) for i, s in examples]
    targets = [torch.cat([ids, border[1]]) for ids, _ in examples]
    inputs = nn.utils.rnn.pad_sequence(sources, batch_first=True, padding_value=PAD)
    labels = nn.utils.rnn.pad_sequence(targets, batch_first=True, padding_value=IGNORE)
    return {"input_ids": inputs, "attention_mask": (inputs != PAD).long(), "labels": labels}


def denoiser_loss(model: nn.Module, batch: Batch) -> LossTerms:
    """Cross-entropy summed over the tokens of the original."""
    labels = batch["labels"]
    logits = model(batch["input_ids"], shift_right(labels, DENOISER), batch["attention_mask"]).logits
    total = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORE, reduction="sum")
    return LossTerms(total, (labels != IGNORE).sum())


def state_of(folder: Path) -> dict[str, Any]:
    """What a run saved last."""
    if not (folder / "checkpoint.pt").is_file():
        raise typer.BadParameter(f"there is no run in {folder}: train one there, or name its folder")
    return torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)


def trained(name: str, folder: Path) -> CausalLM | Seq2Seq:
    """The model of a finished run."""
    state = state_of(folder)
    if state["step"] < RUNS[name].steps:
        raise typer.BadParameter(
            f"{folder} stopped at step {state['step']} of {RUNS[name].steps}: run train again"
        )
    model = new_model(name)
    model.load_state_dict(state["model"])
    return model.eval()


if __name__ == "__main__":
    app()
