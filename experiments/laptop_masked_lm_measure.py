"""Measure the masked LM that `experiments.laptop_masked_lm` trained, and release it.

On the held-out sentences of the four sets 15% of the tokens of each sentence are chosen, and the model's
first guess, and its first five, are held against the token that stood there. Two settings: all chosen tokens
are [MASK]; or, as in BERT's training, 80% are, 10% are random and 10% are left as they are, which leaves a
tenth of the answers visible. The models:
  adapted    adapters and head on the small encoder: what is released
  first run  the same model after the first run
  random     the same head and adapters after the same first run, on an encoder of the same shape with random
             weights
  unigram    the most frequent tokens of the training text, whatever the sentence
The interval covers sentences (bootstrap); the run has one seed, as it is the artifact that is measured.

Writes results/laptop_masked_lm.json, and weights/masked_lm with its card.

Run: python -m experiments.laptop_masked_lm_measure FOLDER FIRST_FOLDER RANDOM_FOLDER
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

from course_utils import data, results
from course_utils.models.adapters import save_adapted
from course_utils.models.heads import MaskedLM
from course_utils.objectives import IGNORE
from course_utils.objectives.masked import choose_tokens, corrupt
from course_utils.stats import bootstrap_interval
from experiments import laptop_cards
from experiments.laptop_masked_lm import (
    CONFIG,
    DOMAINS,
    RANK,
    SCALE,
    TOKENS,
    log_frequencies,
    pieces,
    trained,
    training_rows,
)

NAME = "laptop_masked_lm"
SETTINGS = ("[MASK]", "80/10/10")


def main(
    folder: Path, first_folder: Path, random_folder: Path, weights: Path = Path("weights/masked_lm")
) -> None:
    """Measure the model trained in FOLDER beside its baselines; write the results, its weights and card."""
    began = time.perf_counter()
    model = trained(folder, "pretrained")
    others = {"first run": trained(first_folder, "pretrained"), "random": trained(random_folder, "random")}
    rows = measured(model, others, best=most_frequent())
    save_adapted(model, weights / "model.safetensors")
    shape = {"encoder": "all-MiniLM-L6-v2", "rank": RANK, "scale": SCALE}
    (weights / "config.json").write_text(json.dumps(shape, indent=2) + "\n")
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}_measure second first random",
        rows=rows,
        seeds=[CONFIG.seed],
        seconds=time.perf_counter() - began,
        tolerance={"relative": 0.02, "absolute": 0.005, "ignore": []},
    )
    laptop_cards.write(weights, "A masked-LM head for all-MiniLM-L6-v2", facts(model), rows, CARD_NOTE)


def measured(model: MaskedLM, others: dict[str, MaskedLM], best: Tensor) -> list[dict[str, Any]]:
    """A row for each setting, model and domain, and one for all domains together."""
    rows = []
    for setting in SETTINGS:
        models = {"adapted": model} | (others if setting == "[MASK]" else {})
        sentences = {domain: held_out(domain, setting) for domain in DOMAINS}
        outcomes = {
            name: {domain: hits(top_tokens(m, *test), test[1]) for domain, test in sentences.items()}
            for name, m in models.items()
        }
        outcomes["unigram"] = {
            domain: hits([best.expand(int((row != IGNORE).sum()), -1) for row in labels], labels)
            for domain, (_, labels) in sentences.items()
        }
        for name, tables in outcomes.items():
            for domain, table in {**tables, "all": np.concatenate(list(tables.values()))}.items():
                rows.append({"setting": setting, "domain": domain, "model": name, **shares(table)})
    return rows


def held_out(domain: str, setting: str) -> tuple[list[Tensor], list[Tensor]]:
    """Each test sentence with 15% of its tokens (at least one) chosen, and the labels.

    The choice is the same in both settings. A sentence without an ordinary token is left out.
    """
    generator, noise = (torch.Generator().manual_seed(CONFIG.seed + n) for n in (0, 1))
    inputs, labels = [], []
    for ids in pieces(list(data.load(domain, split="test")["text"])):
        can = TOKENS.corruptible(ids)
        if not can.any():
            continue
        chosen = choose_tokens(can, 0.15, generator)
        if not chosen.any():
            chosen[torch.multinomial(can.float(), 1, generator=generator)] = True
        masked = torch.where(chosen, TOKENS.mask, ids)
        inputs.append(masked if setting == "[MASK]" else corrupt(ids, chosen, TOKENS, noise).input_ids)
        labels.append(torch.where(chosen, ids, IGNORE))
    return inputs, labels


@torch.no_grad()
def top_tokens(model: MaskedLM, inputs: list[Tensor], labels: list[Tensor], k: int = 5) -> list[Tensor]:
    """The model's k best tokens for each predicted position: for each sentence (positions, k)."""
    guesses: dict[int, Tensor] = {}
    order = sorted(range(len(inputs)), key=lambda i: len(inputs[i]))
    for start in range(0, len(order), 32):
        batch = order[start : start + 32]
        ids = torch.nn.utils.rnn.pad_sequence([inputs[i] for i in batch], batch_first=True)
        wanted = torch.nn.utils.rnn.pad_sequence(
            [labels[i] for i in batch], batch_first=True, padding_value=IGNORE
        )
        predicted = wanted != IGNORE
        best = model(ids, (ids != 0).long(), positions=predicted).topk(k).indices
        guesses |= dict(zip(batch, best.split(predicted.sum(dim=1).tolist()), strict=True))
    return [guesses[i] for i in range(len(inputs))]


def most_frequent(k: int = 5) -> Tensor:
    """The k most frequent tokens of the training text, (k,)."""
    return log_frequencies(training_rows()).topk(k).indices


def hits(guesses: list[Tensor], labels: list[Tensor]) -> NDArray[np.float64]:
    """For each sentence: tokens guessed first, tokens among all guesses, tokens."""
    rows = []
    for guess, row in zip(guesses, labels, strict=True):
        found = guess == row[row != IGNORE][:, None]
        rows.append((int(found[:, 0].sum()), int(found.any(dim=1).sum()), len(found)))
    return np.array(rows, float)


def shares(table: NDArray[np.float64]) -> dict[str, Any]:
    """Share of tokens that are the first guess, or among five, with intervals over sentences."""
    row: dict[str, Any] = {"tokens": int(table[:, 2].sum())}
    for column, name in enumerate(("top1", "top5")):
        found = bootstrap_interval(
            table[:, [column, 2]],
            lambda t: t[:, 0].sum() / t[:, 1].sum(),
            rng=np.random.default_rng(0),
            resamples=1000,
        )
        row |= {name: found.estimate, f"{name}_low": found.low, f"{name}_high": found.high}
    return row


CARD_NOTE = """Share of the held-out tokens that are the model's first guess (`top1`) or among its first five
(`top5`). In the setting [MASK] every chosen token is masked; in 80/10/10 a tenth of the chosen tokens is left
visible. `first run`: after 1,200 of all steps; `random`: the same 1,200 steps on an encoder with random
weights; `unigram`: the most frequent tokens. Brackets: 95% bootstrap intervals over sentences."""


def facts(model: MaskedLM) -> dict[str, str]:
    """What the card says beside the numbers."""
    trained_weights = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {
        "Use": "`course_utils.released.fill_mask`; lower-cased English, best on reviews and tweets",
        "Architecture": f"adapters of rank {RANK} on every linear map of all-MiniLM-L6-v2, and BERT's head",
        "Weights": f"{trained_weights:,} in half precision; the encoder itself comes from its own package",
        "Vocabulary": "the encoder's: bert-base-uncased, 30,522 pieces; its tokenizer.json comes with it",
        "Training text": "the training half of the film reviews of Maas et al. 2011 (ACL) and the training "
        "sentences of the four rated sets (Hutto and Gilbert 2014)",
        "Training": f"1,200 steps, then {CONFIG.steps} with a better recipe, of {CONFIG.batch_size} rows; "
        f"seed {CONFIG.seed}, float32 on one thread of a laptop-class CPU, no GPU",
        "Command": f"`python -m experiments.{NAME} train second --start first` (its docstring has both runs)",
        "Licence": "MIT, as the course; the encoder: Apache-2.0",
    }


if __name__ == "__main__":
    typer.run(main)
