"""How many parameters BERT and its relatives have, counted from their configurations, and what papers say.

bert-sizes: "BERT base has 110 million parameters, large has 340 million." The paper does not say what it
counted, so each model is counted in three ways: the encoder alone; with the pooler; with the heads of
pretraining too, where the output matrix is the embedding matrix and counts once.

A size in a paper is taken to be as exact as its zeros at the end allow: 340M is 335M up to 345M, 66M is 65.5M
up to 66.5M. Verdict: "holds" if every way of counting agrees with the claim for both models; "holds here
only" if each model has a way that agrees, and a way that does not is among them; else "does not hold".
A count is known the moment it is made, so this rule was not written before its outcome could be known. It was
written to need no choice of a way of counting.

The other models are compared in the same manner, without a verdict.

Run: python -m experiments.bert_sizes
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from course_utils import results
from course_utils.models.config import PRESETS, EncoderConfig, TransformerConfig
from course_utils.models.counting import build, count_parameters
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM, NextSentenceHead

NAME = "bert_sizes"
MILLION = 1_000_000
# Model -> what is said of it: the paper's key in the bibliography, millions of parameters.
SAID = [
    ("bert-base", "devlin2019", 110),
    ("bert-large", "devlin2019", 340),
    ("bert-base", "lan2020", 108),
    ("bert-large", "lan2020", 334),
    ("albert-base", "lan2020", 12),
    ("albert-large", "lan2020", 18),
    ("albert-xlarge", "lan2020", 60),
    ("albert-xxlarge", "lan2020", 235),
    ("distilbert-base", "sanh2019", 66),
    ("gpt2", "radford2019", 117),
]
WAYS = ("encoder", "with pooler", "with heads")


def total(config: TransformerConfig) -> int:
    """All parameters of the model that a config describes."""
    return count_parameters(config)["total"]


def heads_total(config: EncoderConfig) -> int:
    """The encoder with its heads of pretraining: masked LM and, if there is a pooler, sentences.

    >>> heads_total(PRESETS["bert-base"])
    110106428
    """
    model = build(config, device="meta")
    assert isinstance(model, Encoder)
    sentence = count_parameters(NextSentenceHead(config))["total"] if config.pooler else 0
    return count_parameters(MaskedLM(model))["total"] + sentence


def ways(config: TransformerConfig) -> dict[str, int | None]:
    """The count in each of the `WAYS`; None where the model has no such part. A decoder has one way only."""
    if not isinstance(config, EncoderConfig):
        return {"encoder": total(config), "with pooler": None, "with heads": None}
    bare = total(replace(config, pooler=False))
    return {
        "encoder": bare,
        "with pooler": total(config) if config.pooler else None,
        "with heads": heads_total(config),
    }


def unit_of(millions: int) -> int:
    """The last place of a rounded number that is not zero, in parameters.

    >>> unit_of(340), unit_of(66)
    (10000000, 1000000)
    """
    unit = MILLION
    while millions % 10 == 0:
        millions, unit = millions // 10, unit * 10
    return unit


def agreement(count: int | None, millions: int) -> str:
    """How a count becomes the number said: "rounded", "cut off", or "no".

    >>> agreement(335_141_888, 340), agreement(108_891_648, 108), agreement(124_439_808, 117)
    ('rounded', 'cut off', 'no')
    """
    if count is None:
        return "no such part"
    unit, said = unit_of(millions), millions * MILLION
    if (count + unit // 2) // unit * unit == said:
        return "rounded"
    return "cut off" if count // unit * unit == said else "no"


def row(model: str, source: str, millions: int) -> dict[str, Any]:
    """One row of results: what is said, each count, and which of them agree."""
    counts = ways(PRESETS[model])
    return {
        "model": model,
        "source": source,
        "said_millions": millions,
        **{way.replace(" ", "_"): counts[way] for way in WAYS},
        **{f"{way.replace(' ', '_')}_agrees": agreement(counts[way], millions) for way in WAYS},
    }


def verdict(agreements: Sequence[Sequence[str]]) -> str:
    """agreements: for each model, one for each way of counting; cutting off is not rounding."""
    rounded = [[one == "rounded" for one in model] for model in agreements]
    if all(map(all, rounded)):
        return "holds"
    return "holds here only" if all(map(any, rounded)) else "does not hold"


def claim(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The entry of bert-sizes."""
    agreements = [[one[f"{way.replace(' ', '_')}_agrees"] for way in WAYS] for one in rows]
    return {
        "verdict": verdict(agreements),
        "estimate": rows[-1]["with_pooler"] / MILLION,
        "interval": None,
        "unit": f"million parameters in {rows[-1]['model']} with its pooler (exact)",
        "seeds": 0,
        "sentence": " ".join(map(sentence, rows)),
    }


def sentence(one: dict[str, Any]) -> str:
    """One model's counts in words, and which of them come to the number said."""
    bare, pooled, full = (one[way.replace(" ", "_")] for way in WAYS)
    right = [way for way in WAYS if one[f"{way.replace(' ', '_')}_agrees"] == "rounded"]
    where = "however it is counted" if len(right) == len(WAYS) else f"only {' or '.join(right)}"
    return (
        f"{one['model']} has {bare:,} parameters without the pooler, {pooled:,} with it, {full:,} with the "
        f"heads of pretraining. Rounded to its last place that is not zero this is "
        f"{one['said_millions']}M {where if right else 'in no way'}."
    )


def main() -> None:
    started = time.perf_counter()
    rows = [row(*said) for said in SAID]
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=[],
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.0, "absolute": 0.0, "ignore": []},
        claims={"bert-sizes": claim([one for one in rows if one["source"] == "devlin2019"])},
    )


if __name__ == "__main__":
    main()
