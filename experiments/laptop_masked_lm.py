"""Teach the small real encoder to fill in masks: all-MiniLM-L6-v2 was released without a masked-LM head.

A fresh head (dense, GELU, norm, output tied to the frozen embeddings) and low-rank adapters on every linear
map are trained by BERT's masked language modeling on the training sentences
of the four rated sets and the film reviews of Maas et al. 2011. Adapters and head together are a few MB;
the encoder comes from its package.

Measured on the held-out sentences of the four sets: 15% of the tokens of each sentence become [MASK], and
the model's first guess, and its first five, are held against the token that stood there. Beside it:
  unigram   the most frequent tokens of the training text, whatever the sentence
  random    the same head and adapters, trained just as long, on an encoder of the same shape with random
  weights
The interval covers sentences (bootstrap); the run has one seed, as it is the artifact that is measured.

No results and no weights are recorded yet. The film reviews come from the hub, or from a copy that
COURSE_HUB_ROOT names.

Run: python -m experiments.laptop_masked_lm train FOLDER [--encoder random] [--steps N]   (resumes)
     python -m experiments.laptop_masked_lm measure FOLDER RANDOM_FOLDER
"""

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
import typer
from tokenizers import Tokenizer
from torch import Tensor

from course_utils import data, results
from course_utils.models.adapters import add_adapters, save_adapted
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM
from course_utils.models.weights import load_encoder
from course_utils.objectives import IGNORE, SpecialTokens
from course_utils.objectives.masked import choose_tokens, mask_tokens
from course_utils.scale import Scale
from course_utils.stats import bootstrap_interval
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

NAME = "laptop_masked_lm"
DOMAINS = ("products", "movies", "editorials", "tweets")
TOKENS = SpecialTokens()  # bert-base-uncased
RANK = 64
LONGEST = (
    64  # tokens, with [CLS] and [SEP]: the rated sentences are shorter, long reviews are cut into pieces
)
CONFIG = TrainingConfig(
    steps=1200, batch_size=32, learning_rate=1e-3, warmup=0.05, seed=2026, log_every=20, checkpoint_every=50
)

app = typer.Typer(add_completion=False)


def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(data.small_model_dir() / "tokenizer.json"))


def pieces(texts: list[str]) -> list[Tensor]:
    """Token ids of each text with [CLS] and [SEP]; a text that is too long is cut into several."""
    tok = tokenizer()
    tok.no_truncation()
    tok.no_padding()
    room = LONGEST - 2
    ids = [e.ids for e in tok.encode_batch(texts, add_special_tokens=False)]
    return [torch.tensor([101, *row[i : i + room], 102]) for row in ids for i in range(0, len(row), room)]


def training_texts() -> list[str]:
    """The rated sets' training sentences, and the film reviews."""
    rated = [t for name in DOMAINS for t in data.load(name, split="train")["text"]]
    return rated + list(data.load("imdb", split="train", scale=Scale.FULL)["text"])


def collate(examples: list[Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Pad to the longest and mask anew."""
    ids = torch.nn.utils.rnn.pad_sequence(examples, batch_first=True, padding_value=0)
    inputs, labels = mask_tokens(ids, TOKENS, generator)
    return {"input_ids": inputs, "attention_mask": (ids != 0).long(), "labels": labels}


def loss(model: MaskedLM, batch: dict[str, Tensor]) -> LossTerms:
    """Cross-entropy summed over the predicted tokens."""
    labels = batch["labels"]
    predicted = labels != IGNORE
    logits = model(batch["input_ids"], batch["attention_mask"], positions=predicted)
    return LossTerms(F.cross_entropy(logits, labels[predicted], reduction="sum"), predicted.sum())


def new_model(encoder: str) -> MaskedLM:
    """The small encoder with adapters and a fresh head; "random" draws the encoder's weights anew."""
    torch.manual_seed(CONFIG.seed)
    pretrained = load_encoder(data.small_model_dir())
    base = pretrained if encoder == "pretrained" else Encoder(pretrained.config)
    model = MaskedLM(add_adapters(base, rank=RANK, scale=2.0 * RANK))
    model.head.requires_grad_(True)
    return model


@app.command("train")
def train_command(folder: Path, encoder: str = "pretrained", steps: int = CONFIG.steps) -> None:
    """Train in FOLDER; run again to go on."""
    examples = pieces(training_texts())
    training_data = TrainingData(examples, collate, lengths=[len(e) for e in examples])
    config = TrainingConfig(**(CONFIG.__dict__ | {"steps": steps}))
    began = time.perf_counter()
    history = train(new_model(encoder), loss, training_data, config, folder=folder, progress=True)
    print(
        f"{len(examples)} pieces; loss {history[-1]['loss']:.3f}; {time.perf_counter() - began:.0f} s",
        file=sys.stderr,
    )


@app.command("measure")
def measure_command(folder: Path, random_folder: Path, weights: Path = Path("weights/masked_lm")) -> None:
    """Measure the model trained in FOLDER beside its baselines, and write its weights."""
    began = time.perf_counter()
    model, control = (trained(f, e) for f, e in ((folder, "pretrained"), (random_folder, "random")))
    rows = []
    for domain in DOMAINS:
        inputs, labels = held_out(domain)
        guesses = {
            "adapters and head on the small encoder": top_tokens(model, inputs, labels),
            "the same on random weights": top_tokens(control, inputs, labels),
            "most frequent tokens": unigram(inputs),
        }
        rows += [score(domain, name, guess, labels) for name, guess in guesses.items()]
    save_adapted(model, weights / "model.safetensors")
    results.write(
        NAME,
        command=f"python -m experiments.{NAME} measure {folder.name} {random_folder.name}",
        rows=rows,
        seeds=[CONFIG.seed],
        seconds=time.perf_counter() - began,
        tolerance={"relative": 0.02, "absolute": 0.005, "ignore": []},
    )


def trained(folder: Path, encoder: str) -> MaskedLM:
    """The model of a finished run."""
    state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    if state["step"] < CONFIG.steps:
        raise typer.BadParameter(
            f"{folder} stopped at step {state['step']} of {CONFIG.steps}: run train again"
        )
    model = new_model(encoder)
    model.load_state_dict(state["model"])
    return model.eval()


def held_out(domain: str) -> tuple[list[Tensor], list[Tensor]]:
    """Each test sentence with 15% of its tokens (at least one) made [MASK], and the labels."""
    generator = torch.Generator().manual_seed(CONFIG.seed)
    inputs, labels = [], []
    for ids in pieces(list(data.load(domain, split="test")["text"])):
        can = TOKENS.corruptible(ids)
        if not can.any():
            continue
        chosen = choose_tokens(can, 0.15, generator)
        if not chosen.any():
            chosen[torch.multinomial(can.float(), 1, generator=generator)] = True
        inputs.append(torch.where(chosen, TOKENS.mask, ids))
        labels.append(torch.where(chosen, ids, IGNORE))
    return inputs, labels


@torch.no_grad()
def top_tokens(model: MaskedLM, inputs: list[Tensor], labels: list[Tensor], k: int = 5) -> list[Tensor]:
    """The model's k best tokens for each predicted position: for each sentence (positions, k)."""
    guesses = []
    for ids, wanted in zip(inputs, labels, strict=True):
        logits = model(ids[None], positions=(wanted != IGNORE)[None])
        guesses.append(logits.topk(k).indices)
    return guesses


def unigram(inputs: list[Tensor], k: int = 5) -> list[Tensor]:
    """The k most frequent tokens of the training text, for every position that is masked."""
    counts = Counter(i for ids in pieces(training_texts()) for i in ids[1:-1].tolist())
    best = torch.tensor([token for token, _ in counts.most_common(k)])
    return [best.expand(int((ids == TOKENS.mask).sum()), k) for ids in inputs]


def score(domain: str, model: str, guesses: list[Tensor], labels: list[Tensor]) -> dict[str, object]:
    """Share of tokens that are the first guess, or among five, with intervals over sentences."""
    wanted = [row[row != IGNORE] for row in labels]
    row: dict[str, object] = {"domain": domain, "model": model, "tokens": sum(len(w) for w in wanted)}
    for k in (1, 5):
        hits = [int((g[:, :k] == w[:, None]).any(dim=1).sum()) for g, w in zip(guesses, wanted, strict=True)]
        table = np.array([(h, len(w)) for h, w in zip(hits, wanted, strict=True)], float)
        found = bootstrap_interval(
            table, lambda t: t[:, 0].sum() / t[:, 1].sum(), rng=np.random.default_rng(0), resamples=1000
        )
        row |= {f"top{k}": found.estimate, f"top{k}_low": found.low, f"top{k}_high": found.high}
    return row


if __name__ == "__main__":
    app()
