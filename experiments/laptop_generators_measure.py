"""Measure the two models that `experiments.laptop_generators` trained, and release them.

Writes results/laptop_generators.json, and weights/causal_lm and weights/denoiser with their cards. What is
measured, and beside what, stands in that module's docstring.

Run: python -m experiments.laptop_generators_measure CAUSAL_LM_FOLDER DENOISER_FOLDER
"""

import math
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from course_utils import data, results
from course_utils.models.decoder import CausalLM
from course_utils.models.seq2seq import Seq2Seq, shift_right
from course_utils.models.weights import save
from course_utils.scale import Scale
from course_utils.stats import bootstrap_interval
from experiments import laptop_cards
from experiments.laptop_generators import (
    BLOCK,
    CAUSAL_LM,
    DENOISER,
    DOMAINS,
    END,
    FIRST_STEPS,
    LONGEST,
    MASK,
    RUNS,
    START,
    VOCABULARY,
    trained,
    training_texts,
    vocabulary,
)
from experiments.laptop_trigrams import Trigrams

NAME = "laptop_generators"
REVIEWS = 300  # of the film reviews' test half, each up to the model's 128 tokens
REPAIRED = 75  # sentences of each domain
SPANS = (1, 2, 3)  # tokens
DATA = (
    "the training half of the film reviews of Maas et al. 2011 (ACL) and the training sentences of the four "
    "rated sets (Hutto and Gilbert 2014)"
)
Row = dict[str, Any]
Shares = NDArray[np.float64]
Judged = tuple[float, float, float, int]  # span exact, rest copied, hidden tokens guessed, hidden tokens


class Blank(NamedTuple):
    """A sentence and the tokens [start, end) of it that are hidden."""

    ids: list[int]
    start: int
    end: int


def main(causal_folder: Path, denoiser_folder: Path, weights: Path = Path("weights")) -> None:
    """Measure both models, write the results, the weights and the cards."""
    began = time.perf_counter()
    causal, denoiser = trained("causal_lm", causal_folder), trained("denoiser", denoiser_folder)
    written, repaired = causal_rows(causal), denoiser_rows(denoiser)
    command = f"python -m experiments.{NAME}_measure causal_lm denoiser"
    results.write(
        NAME,
        command=command,
        rows=written + repaired,
        seeds=[RUNS["causal_lm"].seed],
        seconds=time.perf_counter() - began,
        tolerance={"relative": 0.02, "absolute": 0.01, "ignore": []},
    )
    release(causal, weights / "causal_lm", "A small causal language model", written, CAUSAL_NOTE)
    release(denoiser, weights / "denoiser", "A small denoiser", repaired, DENOISER_NOTE)


CAUSAL_NOTE = """`nats` is the mean surprise a token on test texts that neither model nor vocabulary saw, from
the first token of each text on; `perplexity` is its exponential; `bits_a_character` does not depend on the
vocabulary. The baselines were counted on the same training text. Brackets: 95% bootstrap intervals over
texts."""
DENOISER_NOTE = """One span of 1 to 3 tokens of a test sentence became one mask. `span_exact`: greedy decoding
wrote exactly the hidden tokens. `rest_copied`: everything before and after the span came back unchanged.
`span_tokens`: share of hidden tokens that are the model's first choice when those before are given.
Brackets: 95% bootstrap intervals over sentences."""


def test_texts(domain: str) -> list[str]:
    """White space made single spaces, as in training."""
    scale = Scale.FULL if domain == "imdb" else None
    texts = data.load(domain, split="test", scale=scale).shuffle(seed=0)["text"]
    return [" ".join(text.split()) for text in texts][: REVIEWS if domain == "imdb" else None]


def causal_rows(model: CausalLM) -> list[Row]:
    """Surprise of each model on each domain's test texts."""
    counts = Trigrams(stream(), VOCABULARY)
    frequencies = np.bincount(stream(), minlength=VOCABULARY) + 0.5
    models: dict[str, Callable[[list[int]], Shares]] = {
        "causal LM": lambda ids: causal_surprise(model, ids),
        "trigrams (Kneser-Ney)": lambda ids: trigram_surprise(counts, ids),
        "token frequencies": lambda ids: -np.log(frequencies / frequencies.sum())[ids],
    }
    rows = []
    for domain in (*DOMAINS, "imdb"):
        texts = [vocabulary().encode(f" {text}")[: BLOCK - 1] for text in test_texts(domain)]
        characters = [len(vocabulary().decode(ids)) for ids in texts]
        for name, surprise in models.items():
            table = [(surprise(ids).sum(), len(ids), n) for ids, n in zip(texts, characters, strict=True)]
            rows.append({"domain": domain, "model": name} | surprise_row(np.array(table)))
    return rows


@cache
def stream() -> NDArray[np.int64]:
    """All training texts, an end token before each."""
    return np.array([i for text in training_texts() for i in (END, *vocabulary().encode(f" {text}"))])


@torch.no_grad()
def causal_surprise(model: CausalLM, ids: list[int]) -> Shares:
    """-log p of each token of a text, in nats."""
    shares = model(torch.tensor([[END, *ids[:-1]]])).log_softmax(dim=-1)[0]
    return -shares[range(len(ids)), ids].double().numpy()


def trigram_surprise(counts: Trigrams, ids: list[int]) -> Shares:
    """The same for the trigrams; a text starts after two end tokens, of which only the last was counted."""
    padded = np.array([END, END, *ids])
    return -np.log(counts.probability(padded[:-2], padded[1:-1], padded[2:]))


def surprise_row(table: Shares) -> Row:
    """table: for each text nats, tokens, characters."""
    row: Row = {"texts": len(table), "tokens": int(table[:, 1].sum())}
    for name, column, unit in (("nats", 1, 1.0), ("bits_a_character", 2, math.log(2))):
        row |= interval(name, table, lambda t, c=column, u=unit: t[:, 0].sum() / t[:, c].sum() / u)
    return row | {"perplexity": math.exp(row["nats"])}


def denoiser_rows(model: Seq2Seq) -> list[Row]:
    """Repairs in each domain and in all, beside the most frequent span and the bare rest."""
    blanks = {domain: draw_blanks(domain) for domain in DOMAINS}
    best = frequent_spans()
    judges: dict[str, Callable[[Blank], Judged]] = {
        "denoiser": lambda blank: judge(model, blank),
        "most frequent span": lambda blank: judge_span(list(best[blank.end - blank.start]), blank),
        "nothing written": lambda blank: (0.0, 1.0, 0.0, blank.end - blank.start),
    }
    rows = []
    for name, one in judges.items():
        tables = {domain: np.array([one(b) for b in drawn], float) for domain, drawn in blanks.items()}
        for domain, table in {**tables, "all": np.concatenate(list(tables.values()))}.items():
            rows.append({"domain": domain, "model": name} | repair_row(table))
    return rows


def draw_blanks(domain: str) -> list[Blank]:
    """Sentences of at least 8 tokens with a span hidden, not at the very end; drawn with a fixed seed."""
    rng = np.random.default_rng(RUNS["denoiser"].seed)
    encoded = (vocabulary().encode(f" {text}") for text in test_texts(domain))
    fitting = [ids for ids in encoded if 8 <= len(ids) <= LONGEST][:REPAIRED]
    blanks = []
    for ids in fitting:
        length = int(rng.choice(SPANS))
        start = int(rng.integers(len(ids) - length))
        blanks.append(Blank(ids, start, start + length))
    return blanks


def frequent_spans() -> dict[int, tuple[int, ...]]:
    """The most frequent sequence of 1, 2 and 3 tokens of the training text."""
    ids = stream().tolist()
    shifted = [ids[n:] for n in range(max(SPANS))]
    return {n: Counter(zip(*shifted[:n], strict=False)).most_common(1)[0][0] for n in SPANS}


def hits(guess: list[int], blank: Blank) -> float:
    """How many hidden tokens are guessed in their places."""
    return float(sum(a == b for a, b in zip(guess, blank.ids[blank.start : blank.end], strict=True)))


def judge_span(guess: list[int], blank: Blank) -> Judged:
    """A guess that is put between an untouched rest."""
    found = hits(guess, blank)
    return float(found == len(guess)), 1.0, found, len(guess)


@torch.no_grad()
def judge(model: Seq2Seq, blank: Blank) -> Judged:
    """(span written exactly, rest copied exactly, hidden tokens guessed, hidden tokens)."""
    ids, start, end = blank
    source = torch.tensor([[START, *ids[:start], MASK, *ids[end:], END]])
    written = model.generate(source, BLOCK - 1)[0, 1:].tolist()
    written = written[: written.index(END)] if END in written else written
    tail = ids[end:]
    copied = written[:start] == ids[:start] and written[len(written) - len(tail) :] == tail
    exact = written == ids
    labels = torch.tensor([[*ids, END]])
    guess = model(source, shift_right(labels, DENOISER)).logits.argmax(dim=-1)[0].tolist()
    return float(exact), float(copied), hits(guess[start:end], blank), end - start


def repair_row(table: Shares) -> Row:
    """table: for each sentence, what `judge` gives."""
    row: Row = {"texts": len(table)}
    row |= interval("span_exact", table, lambda t: t[:, 0].mean())
    row |= interval("span_tokens", table, lambda t: t[:, 2].sum() / t[:, 3].sum())
    return row | interval("rest_copied", table, lambda t: t[:, 1].mean())


def interval(name: str, table: Shares, statistic: Callable[[Shares], float]) -> Row:
    """An estimate and the ends of its bootstrap interval over rows."""
    found = bootstrap_interval(table, statistic, rng=np.random.default_rng(0), resamples=1000)
    return {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}


def release(model: CausalLM | Seq2Seq, folder: Path, title: str, rows: list[Row], note: str) -> None:
    """Half-precision weights, config, vocabulary and card."""
    save(model.half(), folder)
    vocabulary().save(folder / "tokenizer.json")
    name, run = folder.name, RUNS[folder.name]
    seen = (FIRST_STEPS[name] + run.steps) * run.batch_size
    facts = {
        "Architecture": ARCHITECTURES[name],
        "Weights": f"{sum(p.numel() for p in model.parameters()):,}, in half precision",
        "Vocabulary": f"{VOCABULARY:,} byte-level BPE tokens, learnt from the training text",
        "Training text": DATA,
        "Training": f"{FIRST_STEPS[name] + run.steps:,} steps of {run.batch_size} examples, {seen:,} in all; "
        f"seed {run.seed}, float32 on one thread of a laptop-class CPU, no GPU",
        "Command": f"`python -m experiments.laptop_generators train {name} FOLDER` (see its docstring), "
        f"then `python -m experiments.{NAME}_measure CAUSAL_LM_FOLDER DENOISER_FOLDER`",
        **NOTES[name],
        "Limits": limits(name, rows),
        "Licence": "MIT, as the course",
    }
    laptop_cards.write(folder, title, facts, rows, note)


def limits(name: str, rows: list[Row]) -> str:
    """What the measurements say against the model."""
    found = {(row["domain"], row["model"]): row for row in rows}
    if name == "causal_lm":
        behind = [
            row["nats"] - found[domain, "trigrams (Kneser-Ney)"]["nats"]
            for (domain, model), row in found.items()
            if model == "causal LM"
        ]
        return (
            f"nats a token less those of trigram counts of the same text: {min(behind):+.2f} to "
            f"{max(behind):+.2f} over the domains; above 0 the counts are better"
        )
    row = found["all", "denoiser"]
    return (
        f"it wrote the hidden words exactly in {row['span_exact']:.1%} of the sentences, and left the rest "
        f"as it was in {row['rest_copied']:.0%}"
    )


ARCHITECTURES = {
    "causal_lm": f"GPT-2's, {CAUSAL_LM.num_layers} layers of width {CAUSAL_LM.hidden_size}, "
    f"{BLOCK} positions",
    "denoiser": f"BART's, {DENOISER.num_layers} + {DENOISER.num_decoder_layers} layers of width "
    f"{DENOISER.hidden_size}, {BLOCK} positions",
}
NOTES = {
    "causal_lm": {
        "Use": "`course_utils.released.continue_text`; film reviews in tone, and no source of facts"
    },
    "denoiser": {"Use": "`course_utils.released.reconstruct`; short English sentences, best about films"},
}

if __name__ == "__main__":
    typer.run(main)
