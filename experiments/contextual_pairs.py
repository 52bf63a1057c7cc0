"""Does a word's vector change with the place of its sentence in a pair? For the claim `nsp-position-effect`.

Mickus et al. (2019) found that a word's vector in BERT depends on whether its sentence is the first or the
second of the pair, and blame next-sentence prediction, which gives the second sentence a segment embedding of
its own.
Putting a sentence second changes two things, and in a text a third: its positions, its segment ids, and
its neighbor. Attention does not know the order of its inputs, so here each is switched alone, by
position ids and segment ids, with everything else kept:

  position    the positions of the second sentence, the segment of the first, the same neighbor
  segment     the positions of the first sentence, the segment of the second, the same neighbor
  place       both: exactly the vectors of "[CLS] neighbor [SEP] sentence [SEP]"
  neighbor    first place, another unrelated neighbor
  all three   second place, another neighbor
  unrelated   the same word in another sentence: the yardstick

Distance: 1 - cosine between the two vectors of the word, a mean over its sentences; in units of the mean
distance between unrelated contexts. 60 words with five sentences each out of the film reviews, neighbors
drawn from other reviews. Every layer is measured, the last is judged.
The model, all-MiniLM-L6-v2, is not bert-base: it was distilled and then trained on sentences given one at a
time, with no next-sentence prediction in that training. At COURSE_SCALE=colab the same module measures
bert-base-uncased, which was pretrained with it. Embarrassing baseline: random weights (three draws).

Intervals: BCa bootstrap over words, of the ratio of means.

Verdict, fixed before the first run:
  change: `place` in units of `unrelated`; does it exceed 0.05, the least that would matter?
  cause:  `segment` minus `position`, in the same units; is it above 0?
  "does not hold" if the interval of the change lies below 0.05; "holds here only" if it lies above, and the
  interval of the cause above 0; else "cannot tell" (the vectors may change, but not through what
  next-sentence prediction adds, or that is not decided).

Run: python -m experiments.contextual_pairs
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from course_utils import results
from course_utils.analysis.reader import Reader
from course_utils.analysis.similarity import unit
from course_utils.data.senses import SenseSentence
from course_utils.stats import Interval
from experiments.contextual_common import (
    fields,
    over_words,
    review_sentences,
    said,
    whole_words,
    word_contexts,
)

NAME = "contextual_pairs"
DOMAIN = "movies"
WORDS, CONTEXTS = 60, 5
SEEDS = list(range(3))  # of the random weights
LEAST_CHANGE = 0.05
BATCH = 32


class Place(NamedTuple):
    """How the sentence with the word is presented."""

    positions: int  # 0: those of the first sentence, 1: those of the second
    segment: int
    neighbor: int  # which of its two neighbors it gets


BASE = Place(0, 0, 0)
SWITCHED = {
    "position": Place(1, 0, 0),
    "segment": Place(0, 1, 0),
    "place": Place(1, 1, 0),
    "neighbor": Place(0, 0, 1),
    "all three": Place(1, 1, 1),
}


class Item(NamedTuple):
    """A sentence as pieces, where its word stands among them, and two neighbors as pieces."""

    pieces: list[int]
    at: int
    neighbors: tuple[list[int], list[int]]


def arrange(item: Item, place: Place, cls: int, sep: int) -> dict[str, list[int]]:
    """Ids, positions and segments of "[CLS] sentence [SEP] neighbor [SEP]", placed as `place` says.

    The ids always come in this order; what the model takes for the order are the positions.
    """
    own, other = item.pieces, item.neighbors[place.neighbor]
    n, m = len(own) + 1, len(other) + 1  # with their [SEP]
    starts = (1, n + 1) if place.positions == 0 else (m + 1, 1)
    return {
        "input_ids": [cls, *own, sep, *other, sep],
        "position_ids": [0, *range(starts[0], starts[0] + n), *range(starts[1], starts[1] + m)],
        "token_type_ids": [0, *[place.segment] * n, *[1 - place.segment] * m],
    }


@torch.no_grad()
def word_states(reader: Reader, items: Sequence[Item], place: Place) -> np.ndarray:
    """The word's vector in each item at each layer: (items, layers + 1, hidden)."""
    cls, sep = reader.tokenizer.cls_token_id, reader.tokenizer.sep_token_id
    device = next(reader.encoder.parameters()).device
    order = sorted(range(len(items)), key=lambda row: len(items[row].pieces) + len(items[row].neighbors[0]))
    found = {}
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        made = [arrange(items[row], place, cls, sep) for row in rows]
        longest = max(len(one["input_ids"]) for one in made)
        inputs = {
            key: torch.tensor([one[key] + [0] * (longest - len(one[key])) for one in made], device=device)
            for key in made[0]
        }
        lengths = torch.tensor([len(one["input_ids"]) for one in made], device=device)
        real = torch.arange(longest, device=device)[None] < lengths[:, None]
        states = (
            torch.stack(reader.encoder(attention_mask=real, **inputs).hidden_states).float().cpu().numpy()
        )
        found |= {row: states[:, i, 1 + items[row].at] for i, row in enumerate(rows)}
    return np.stack([found[row] for row in range(len(items))])


def distances(reader: Reader, items: Sequence[Item]) -> dict[str, np.ndarray]:
    """For each switch, each word's mean distance at each layer: (words, layers).

    items: CONTEXTS in a row for each word.
    """
    by_word = lambda states: unit(states).reshape(-1, CONTEXTS, *states.shape[1:])
    base = by_word(word_states(reader, items, BASE))
    found = {
        name: 1 - np.einsum("wclh,wclh->wl", base, by_word(word_states(reader, items, place))) / CONTEXTS
        for name, place in SWITCHED.items()
    }
    total = np.square(base.sum(axis=1)).sum(axis=-1)
    found["unrelated"] = 1 - (total - CONTEXTS) / (CONTEXTS * (CONTEXTS - 1))
    return found


def ratio(found: dict[str, np.ndarray], name: str, layer: int, minus: str | None = None) -> Interval:
    """Mean distance in units of that between unrelated contexts; with `minus`, the difference of two."""
    above = found[name][:, layer] - (0 if minus is None else found[minus][:, layer])
    values = np.stack([above, found["unrelated"][:, layer]], axis=1)
    return over_words(values, statistic=lambda rows: rows[:, 0].mean() / rows[:, 1].mean())


def sample_items(reader: Reader, rng: np.random.Generator) -> list[Item]:
    """CONTEXTS items for each of WORDS random words; neighbors come from other reviews."""
    sentences = review_sentences(DOMAIN)
    contexts = word_contexts(sentences, whole_words(reader.tokenizer.get_vocab()), CONTEXTS, rng)
    group_of = {one.text: one.group for one in sentences}
    items = []
    for word in sorted(rng.choice(np.asarray(list(contexts)), WORDS, replace=False).tolist()):
        for sentence in contexts[word]:
            items.append(_item(reader, sentence, _neighbors(sentences, group_of[sentence.text], rng)))
    return items


def _neighbors(sentences: Sequence[Any], group: str, rng: np.random.Generator) -> list[str]:
    """Two random sentences of other reviews."""
    found: list[str] = []
    while len(found) < 2:
        one = sentences[rng.integers(len(sentences))]
        if one.group != group:
            found.append(one.text)
    return found


def _item(reader: Reader, sentence: SenseSentence, neighbors: Sequence[str]) -> Item:
    cut = reader.tokenizer([sentence.text, *neighbors], add_special_tokens=False, return_offsets_mapping=True)
    own, *others = cut["input_ids"]
    at = [start for start, _ in cut["offset_mapping"][0]].index(sentence.span[0])
    return Item(own, at, (others[0], others[1]))


def verdict(change: tuple[float, float], cause: tuple[float, float]) -> str:
    """The rule of the module's docstring, from two intervals.

    >>> verdict(change=(0.1, 0.2), cause=(0.01, 0.1))
    'holds here only'
    """
    if change[1] < LEAST_CHANGE:
        return "does not hold"
    return "holds here only" if change[0] > LEAST_CHANGE and cause[0] > 0 else "cannot tell"


def claim(found: dict[str, np.ndarray], draws: Sequence[dict[str, np.ndarray]], name: str) -> dict[str, Any]:
    """The entry of `nsp-position-effect`."""
    at = {switch: ratio(found, switch, -1) for switch in SWITCHED}
    cause = ratio(found, "segment", -1, minus="position")
    untrained = float(np.mean([ratio(draw, "place", -1).estimate for draw in draws]))
    change = at["place"]
    return {
        "verdict": verdict((change.low, change.high), (cause.low, cause.high)),
        "estimate": change.estimate,
        "interval": [change.low, change.high],
        "unit": "distance between first and second place, over that between unrelated contexts",
        "seeds": len(SEEDS),
        "sentence": (
            f"In {name} (not bert-base), a word's last vector moves by {said(change)} of the distance "
            f"between unrelated contexts when its sentence goes from first to second place, with the same "
            f"neighbor. Switched alone: positions {said(at['position'])}, segment ids "
            f"{said(at['segment'])}, another neighbor {said(at['neighbor'])}; segment minus position "
            f"{said(cause)}. With random weights the place moves it by {untrained:.2f}. The training that "
            f"we know of showed this model single sentences, so that what next-sentence prediction does to "
            f"bert-base is not tested here. (Seeds are draws of the random weights.)"
        ),
    }


def distance_rows(system: str, found: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """One row for each switch and layer."""
    layers = range(found["unrelated"].shape[1])
    return [
        {
            "part": "distance",
            "system": system,
            "switch": switch,
            "layer": layer,
            "distance": float(found[switch][:, layer].mean()),
            **fields("ratio", ratio(found, switch, layer)),
        }
        for switch in SWITCHED
        for layer in layers
    ]


def main() -> None:
    started = time.perf_counter()
    reader = Reader.pretrained()
    items = sample_items(reader, np.random.default_rng(0))
    found = distances(reader, items)
    draws = [distances(reader.untrained(seed), items) for seed in SEEDS]
    mean_draw = {name: np.mean([draw[name] for draw in draws], axis=0) for name in draws[0]}
    cause = {
        "part": "cause",
        **fields("segment_minus_position", ratio(found, "segment", -1, minus="position")),
    }
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=[*distance_rows("encoder", found), *distance_rows("random weights", mean_draw), cause],
        seeds=SEEDS,
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.02, "absolute": 0.005, "ignore": []},
        claims={"nsp-position-effect": claim(found, draws, reader.name)},
    )


if __name__ == "__main__":
    main()
