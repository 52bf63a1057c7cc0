"""What a window loses: `python -m experiments.family_longformer` (about three CPU minutes).

1 "lookup": a task whose answer stands at a known distance. A text of 48 random tokens holds one marked token
  that stands `distance` tokens before the end; the last token must say which of 8 it was. Encoders of two
  layers, trained from nothing, see by full attention; a window of 4 to either side; 4 steps of 4 tokens; the
  one in the first layer and the other in the second; a window with the first token global. Every model is
  trained on all distances, four seeds each. Two layers carry a token over the sum of two windows and no
  farther, so that `reachable` is known beforehand, and guessing gets 1 in 8. An interval is Student's over
  seeds.

2 "reading": the course's masked-LM model reads the first 256 tokens of 24 editorials, 15% of the tokens
  masked, through windows that it was not trained with, with and without a global [CLS], whose projections are
  copies. Measured on the masked tokens, against the same model with full attention and the same masks: share
  guessed right, loss in nats, and the cosine between the last states of the two. An interval is a bootstrap
  over texts.

Expected, and written before the runs: in 1 every reachable distance above 0.9 and every other one with an
interval that holds 1/8; in 2 no expectation. No claim is judged here.

Trained models' accuracies lie in the cache folder, a file each; a call trains those that are missing.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from scipy import stats as scipy_stats
from torch import Generator, Tensor

from course_utils import data, paths, results
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.longformer import with_local_attention
from course_utils.released import MASK, load_released
from course_utils.stats import bootstrap_interval

NAME = "family_longformer"
SEEDS = (0, 1, 2, 3)
LENGTH, VALUES = 48, 8
DISTANCES = (6, 8, 12, 20, 30, 32, 40)
STEPS, BATCH, RATE = 300, 32, 5e-3
TEST_EACH = 256  # texts for each distance
RADII = (1, 2, 4, 8, 16, 32, 64, 128)
TEXTS, TOKENS, SHARE = 24, 256, 0.15
Row = results.Row


@dataclass(frozen=True)
class Way:
    """How the two layers of a model see; radius 0 means everything."""

    name: str
    radius: int = 4
    dilations: tuple[int, int] = (1, 1)
    global_first: int = 0

    def reaches(self, distance: int) -> bool:
        """Whether two layers can carry a token over this distance."""
        if not self.radius or self.global_first:
            return True
        steps = range(-self.radius, self.radius + 1)
        first, second = self.dilations
        return any(a * first + b * second == distance for a, b in product(steps, steps))


WAYS = (
    Way("full", radius=0),
    Way("window"),
    Way("dilated", dilations=(4, 4)),
    Way("window, then dilated", dilations=(1, 4)),
    Way("window + global", global_first=1),
)


def main() -> None:
    """Both parts, printed and written to results/family_longformer.json."""
    parser = argparse.ArgumentParser(description="What a window loses.")
    parser.add_argument("--out", type=Path, help="folder for the results file; default is results/")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    began = time.perf_counter()
    rows = [row for way in WAYS for row in lookup(way)] + reading()
    for row in rows:
        print("; ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - began,
        tolerance={"relative": 0, "absolute": 0.1, "ignore": ["low", "high"]},
        out=chosen.out,
    )


def lookup(way: Way) -> list[Row]:
    """Accuracy at every distance, a model for each seed."""
    accuracies = np.array([run(way, seed) for seed in SEEDS])
    print(f"{way.name}: {accuracies.mean(axis=0).round(2)}", flush=True)
    return [
        {"what": "lookup", "way": way.name, "distance": distance, "reachable": way.reaches(distance)}
        | interval_over_seeds(accuracies[:, index])
        for index, distance in enumerate(DISTANCES)
    ]


def run(way: Way, seed: int) -> list[float]:
    """Accuracy at every distance of one model, kept in a file of the cache folder once it is trained."""
    file = paths.cache_dir() / "experiments" / NAME / f"{way.name} {seed} {STEPS}.json"
    if not file.exists():
        found = [*accuracy_by_distance(trained(way, seed))]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found))
    return list(json.loads(file.read_text()))


def interval_over_seeds(values: np.ndarray) -> Row:
    """Mean and Student's 95% interval, cut to what an accuracy can be."""
    half = scipy_stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    mean = float(values.mean())
    return {
        "accuracy": mean,
        "low": max(0.0, mean - half),
        "high": min(1.0, mean + half),
        "seeds": len(values),
        "chance": 1 / VALUES,
    }


def new_model(way: Way, seed: int) -> Encoder:
    """An encoder of two thin layers; the same weights for all ways but for the global projections."""
    config = EncoderConfig(
        vocab_size=2 * VALUES + 2,
        hidden_size=32,
        num_layers=2,
        num_heads=2,
        intermediate_size=64,
        max_positions=LENGTH,
        dropout=0.0,
        attention_dropout=0.0,
        initializer_range=0.15,  # 0.02 is for wide layers: so thin ones would pass on next to nothing
        pooler=False,
    )
    torch.manual_seed(seed)
    full = Encoder(config)
    if not way.radius:
        return full
    return with_local_attention(full, way.radius, dilation=way.dilations, global_first=way.global_first)


def draw(distances: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Texts with a marked token at these distances from the end, and which one it is.

    Ids below VALUES are plain tokens, the next VALUES their marked forms; then the first token and the last.
    """
    ids = torch.randint(VALUES, (len(distances), LENGTH), generator=generator)
    ids[:, 0], ids[:, -1] = 2 * VALUES, 2 * VALUES + 1
    answers = torch.randint(VALUES, (len(distances),), generator=generator)
    ids[torch.arange(len(distances)), LENGTH - 1 - distances] = VALUES + answers
    return ids, answers


def answer_logits(model: Encoder, ids: Tensor) -> Tensor:
    """Scores of the VALUES answers from the last token's state and the tokens' own embeddings."""
    return model(ids).last_hidden_state[:, -1] @ model.embeddings.token.weight[:VALUES].T


def trained(way: Way, seed: int) -> Encoder:
    """A model after STEPS steps; texts and order depend on the seed alone."""
    model, generator = new_model(way, seed), Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS)
    choices = torch.tensor(DISTANCES)
    for _ in range(STEPS):
        picked = choices[torch.randint(len(choices), (BATCH,), generator=generator)]
        ids, answers = draw(picked, generator)
        optimizer.zero_grad()
        F.cross_entropy(answer_logits(model, ids), answers).backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy_by_distance(model: Encoder) -> Iterator[float]:
    """Share of right answers at each of DISTANCES, on texts of their own."""
    generator = Generator().manual_seed(10_000)
    for distance in DISTANCES:
        ids, answers = draw(torch.full((TEST_EACH,), distance), generator)
        yield (answer_logits(model, ids).argmax(dim=1) == answers).float().mean().item()


def pieces() -> Tensor:
    """The first TOKENS tokens of TEXTS editorials that have as many, (texts, tokens)."""
    tokenizer = load_released("masked_lm").tokenizer
    cls, sep = (tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
    articles: dict[str, list[str]] = {}
    for row in data.load("editorials"):
        articles.setdefault(row["group"], []).append(row["text"])
    texts = [tokenizer.encode(" ".join(part), add_special_tokens=False).ids for part in articles.values()]
    rows = [[cls, *ids[: TOKENS - 2], sep] for ids in texts if len(ids) >= TOKENS - 2]
    if len(rows) < TEXTS:
        raise ValueError(f"{len(rows)} editorials have {TOKENS} tokens, {TEXTS} are needed")
    return torch.tensor(rows[:: len(rows) // TEXTS][:TEXTS])


def reading() -> list[Row]:
    """The masked-LM model through windows."""
    released, ids = load_released("masked_lm"), pieces()
    chosen = torch.rand(ids.shape, generator=Generator().manual_seed(0)) < SHARE
    chosen[:, [0, -1]] = False
    masked = ids.masked_fill(chosen, released.tokenizer.token_to_id(MASK))
    full = released.model.encoder
    reference, base = measured(full, None, masked, ids, chosen)
    rows = [reading_row("full", 0, base, base)]
    for global_first, radius in product((0, 1), RADII):
        local = with_local_attention(full, radius, global_first=global_first).eval()
        _, found = measured(local, reference, masked, ids, chosen)
        rows.append(reading_row("window + global" if global_first else "window", radius, found, base))
    return rows


@torch.no_grad()
def measured(
    encoder: Encoder, reference: Tensor | None, masked: Tensor, ids: Tensor, chosen: Tensor
) -> tuple[Tensor, np.ndarray]:
    """Last states, and for each text the masked tokens' accuracy, loss, and all tokens' mean cosine."""
    model = load_released("masked_lm").model
    states = torch.cat([encoder(part).last_hidden_state for part in masked.split(4)])
    cosine = torch.ones(len(ids)) if reference is None else F.cosine_similarity(states, reference, dim=-1)
    numbers = []
    for row in range(len(ids)):
        logits = model.head(states[row][chosen[row]], model.encoder.embeddings.token.weight)
        right = ids[row][chosen[row]]
        hits = (logits.argmax(dim=-1) == right).float().mean()
        numbers.append([hits.item(), F.cross_entropy(logits, right).item(), cosine[row].mean().item()])
    return states, np.array(numbers)


def reading_row(way: str, radius: int, found: np.ndarray, base: np.ndarray) -> Row:
    """Means over texts, and intervals of the differences from full attention."""
    row: Row = {"what": "reading", "way": way, "radius": radius, "texts": len(found)}
    for index, name in enumerate(("accuracy", "loss", "cosine")):
        change = found[:, index] - base[:, index]
        interval = bootstrap_interval(change, rng=np.random.default_rng(0)) if change.any() else None
        row |= {
            name: float(found[:, index].mean()),
            f"{name}_change": float(change.mean()),
            f"{name}_change_low": interval.low if interval else 0.0,
            f"{name}_change_high": interval.high if interval else 0.0,
        }
    return row


if __name__ == "__main__":
    main()
