"""How large the members of BERT's family are, counted from their configurations, and what papers say of them.

Two parts. `family`: one row a member of course_utils/explorables/family.yml, with parameters in all and by
part, layers, width, vocabulary and longest text. Output layers are the embedding matrix and count once; heads
for one task are left out. A member of several networks is the sum of them. `said`: ALBERT's four sizes and
the two of BERT as the ALBERT paper has them, for the claim.

albert-sizes: "ALBERT has 12, 18, 60 and 235 million parameters from base to xxlarge, where BERT has 108 and
334 million." The rule is that of bert-sizes (experiments/bert_sizes.py), which was there first: each model is
counted in three ways (the encoder alone; with the pooler; with the heads of pretraining too), and a size is
as exact as its zeros at the end allow. Verdict: "holds" if every way of counting rounds to the number said
for all six models; "holds here only" if each model has a way that does; else "does not hold".

Run: python -m experiments.family_sizes
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from course_utils import results
from course_utils.explorables.family import Member, members
from course_utils.models.config import PRESETS, EncoderConfig, Seq2SeqConfig, TransformerConfig
from course_utils.models.counting import count_parameters
from experiments.bert_sizes import MILLION, WAYS, row, verdict

NAME = "family_sizes"
# What the ALBERT paper says, in millions (Lan et al. 2020, table 1).
SAID = [
    ("albert-base", 12),
    ("albert-large", 18),
    ("albert-xlarge", 60),
    ("albert-xxlarge", 235),
    ("bert-base", 108),
    ("bert-large", 334),
]
REALM_VECTOR = 128  # REALM projects both sides of the retriever to so many features (Guu et al. 2020)


def network(entry: Mapping[str, Any]) -> TransformerConfig:
    """The configuration of one network of a member: a preset, and the fields that differ from it.

    >>> network({"preset": "bert-base", "vocab_size": 31090}).vocab_size
    31090
    """
    changes = {key: value for key, value in entry.items() if key not in ("preset", "as")}
    return replace(PRESETS[entry["preset"]], **changes)


def beside(member: Member) -> dict[str, int]:
    """Parameters that a member has beside the networks of its configuration."""
    if member.id == "longformer":  # queries, keys and values of global attention, once more in each layer
        config = network(member.config[0])
        return {"global attention": config.num_layers * 3 * config.hidden_size * (config.hidden_size + 1)}
    if member.id == "realm":  # each side of the retriever: a projection and a norm
        width = network(member.config[0]).hidden_size
        return {"retriever's projections": 2 * ((width + 1) * REALM_VECTOR + 2 * REALM_VECTOR)}
    return {}


def parts(member: Member) -> dict[str, int]:
    """Parameters by part, summed over the networks of a member, then what stands beside them."""
    table: dict[str, int] = {}
    for entry in member.config:
        for part, number in count_parameters(network(entry)).items():
            if part != "total":
                table[part] = table.get(part, 0) + number
    return {**table, **beside(member)}


def layers(config: TransformerConfig) -> int:
    """Blocks of a network that a text passes, those of the decoder included."""
    return config.num_layers + (config.num_decoder_layers if isinstance(config, Seq2SeqConfig) else 0)


def family_row(member: Member) -> dict[str, Any]:
    """One row of the table; layers, width, vocabulary and positions are those of the last network."""
    config = network(member.config[-1])
    counted = parts(member)
    return {
        "part": "family",
        "id": member.id,
        "name": member.name,
        "model": member.model,
        "networks": len(member.config),
        "parameters": sum(counted.values()),
        "token_embeddings": counted["token embeddings"],
        "by_part": counted,
        "layers": layers(config),
        "shared": isinstance(config, EncoderConfig) and config.share_layers,
        "width": config.hidden_size,
        "vocabulary": config.vocab_size,
        "positions": config.max_positions,
        "said_millions": member.said,
    }


def claim(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry of albert-sizes: rows as `experiments.bert_sizes.row` makes them, in the order of SAID."""
    agreements = [[one[f"{way.replace(' ', '_')}_agrees"] for way in WAYS] for one in rows]
    largest = next(one for one in rows if one["model"] == "albert-xxlarge")
    return {
        "verdict": verdict(agreements),
        "estimate": largest["with_pooler"] / MILLION,
        "interval": None,
        "unit": "million parameters in albert-xxlarge with its pooler (exact)",
        "seeds": 0,
        "sentence": sentence(rows),
    }


def sentence(rows: list[dict[str, Any]]) -> str:
    """What each model comes to, with its pooler, and whether some way of counting gives the number said."""
    said = ", ".join(f"{one['model']} {one['with_pooler']:,} ({one['said_millions']}M)" for one in rows)
    never = [
        one["model"]
        for one in rows
        if all(one[f"{way.replace(' ', '_')}_agrees"] != "rounded" for way in WAYS)
    ]
    end = "Each has a way of counting that rounds to it" if not never else no_way(rows, never)
    return f"With the pooler, and what the paper says: {said}. {end}."


def no_way(rows: list[dict[str, Any]], never: list[str]) -> str:
    """The models that no way of counting brings to the number said, with the one that is cut off."""
    cut = [
        one["model"]
        for one in rows
        if one["model"] in never and any(one[f"{way.replace(' ', '_')}_agrees"] == "cut off" for way in WAYS)
    ]
    words = f"No way of counting rounds to the number said for {' and '.join(never)}"
    return f"{words} ({' and '.join(cut)}: cut off instead of rounded)" if cut else words


def main() -> None:
    started = time.perf_counter()
    said = [row(model, "lan2020", millions) for model, millions in SAID]
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=[*map(family_row, members()), *({"part": "said", **one} for one in said)],
        seeds=[],
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.0, "absolute": 0.0, "ignore": []},
        claims={"albert-sizes": claim(said)},
    )


if __name__ == "__main__":
    main()
