"""The primer's table of compressed models, recounted: `python -m experiments.compression_primer` (a second).

Rogers et al. (2020) list 16 compressed models with how many times smaller and faster they are and how much of
BERT's performance they keep (experiments/compression_primer.yml). Nothing is run here:

  row      the table, and the same compression counted by us where the shape is public: BERT base's parameters
           over the model's, with all embeddings and for the layers alone; for int8 the bits. They agree
           where ours rounds to the printed figure or is within NEAR of it
  reading  for DistilBERT, which its authors call 40% smaller and 97% as good, and the table x2.5 and 90%:
           every reading that we could think of, and whether it gives the printed figure when rounded to it

A reading that gives the figure is consistent with it; it does not prove that the figure was made so.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from course_utils import results
from course_utils.models.config import PRESETS, EncoderConfig
from course_utils.models.counting import count_parameters
from experiments import distillation_sizes_glue as glue
from experiments.distillation_sizes import BASE, MODELS

NAME = "compression_primer"
TABLE = Path(__file__).with_suffix(".yml")
Row = dict[str, Any]


def _base(layers: int) -> EncoderConfig:
    return replace(BASE, num_layers=layers)


def _preset(name: str) -> EncoderConfig:
    config = PRESETS[name]
    assert isinstance(config, EncoderConfig)
    return config


# Row of the table -> its shape, where the paper or its release says it.
SHAPES: dict[str, EncoderConfig] = {
    "DistilBERT": MODELS["DistilBERT"][0],
    "BERT6-PKD": _base(6),
    "BERT3-PKD": _base(3),
    "Aguilar2019": _base(6),
    "TinyBERT": MODELS["TinyBERT4"][0],
    "BERT-of-Theseus": _base(6),
    "ALBERT-base": _preset("albert-base"),
    "ALBERT-xxlarge": _preset("albert-xxlarge"),
}
NEAR = 0.05  # of our count: some papers count poolers and heads, some do not
BITS = {"Q8BERT": 8}  # of each weight, for 32
SMALLER = 0.40  # what DistilBERT's authors say was taken away
# Jiao et al. (2020), table 1, average of GLUE's test sets: a DistilBERT of four layers beside its teacher.
FOUR_LAYERS, THEIR_TEACHER = 71.9, 79.5


def table() -> dict[str, Row]:
    """Method -> compression, performance, speedup, model, as printed."""
    return yaml.safe_load(TABLE.read_text(encoding="utf-8"))


def table_rows() -> Iterator[Row]:
    """The table, with our count beside its own."""
    for method, said in table().items():
        counted = counts(method)
        ours = counted["with_embeddings"] if counted else None
        off = None if ours is None else said["compression"] / ours - 1
        agrees = off is not None and (rounds_to(ours, said["compression"]) or abs(off) <= NEAR)
        yield {
            "part": "row",
            "method": method,
            **said,
            "with_embeddings": ours,
            "layers_alone": counted["layers_alone"] if counted else None,
            "off": off,
            "agrees": agrees if counted else None,
        }


def counts(method: str) -> dict[str, float] | None:
    """How many times smaller than BERT base; None where the shape is not public or no plain encoder."""
    if method in BITS:
        return {"with_embeddings": 32 / BITS[method], "layers_alone": 32 / BITS[method]}
    if method not in SHAPES:
        return None
    whole, alone = (parameters(BASE), parameters(SHAPES[method]))
    return {key: whole[key] / alone[key] for key in whole}


def parameters(config: EncoderConfig) -> dict[str, int]:
    """All parameters, and those of the layers alone."""
    found = count_parameters(config)
    outside = sum(n for part, n in found.items() if "embedding" in part or part == "pooler")
    norm = 2 * (config.embedding_size or config.hidden_size)  # the embeddings' own
    return {"with_embeddings": found["total"], "layers_alone": found["total"] - outside - norm}


def rounds_to(value: float | None, printed: float) -> bool:
    """Whether a value is printed like this, at as many decimals as the printed one has.

    >>> rounds_to(1.649, 1.6), rounds_to(2.09, 2), rounds_to(1.65, 2.5)
    (True, True, False)
    """
    if value is None:
        return False
    digits = str(printed).rstrip("0").partition(".")[2]
    return abs(value - printed) <= 0.5 * 10 ** -len(digits) + 1e-9


def sizes() -> dict[str, float]:
    """Readings of "40% smaller" as a factor."""
    whole, left = parameters(BASE), parameters(MODELS["DistilBERT"][0])
    said_whole, said_left = (MODELS[name][1] for name in ("BERT base", "DistilBERT"))
    assert said_whole is not None
    assert said_left is not None
    return {
        "all parameters": whole["with_embeddings"] / left["with_embeddings"],
        "the parameters that the authors name": said_whole / said_left,
        "40% taken away": 1 / (1 - SMALLER),
        "40% left": 1 / SMALLER,
        "the layers alone": whole["layers_alone"] / left["layers_alone"],
        "all of BERT base over DistilBERT's layers": whole["with_embeddings"] / left["layers_alone"],
        "a DistilBERT of four layers": whole["with_embeddings"] / parameters(_base(4))["with_embeddings"],
    }


def qualities() -> dict[str, float]:
    """Readings of how much is kept, in percent."""
    tasks = {row["task"]: row for row in glue.task_rows()}
    above = [row["kept_above_guessing"] for task, row in tasks.items() if row["guessing"] is not None]
    without = [
        row["kept_above_guessing"]
        for task, row in tasks.items()
        if row["guessing"] is not None and task != "WNLI"
    ]
    averages = {row["way"]: row["kept"] for row in glue.average_rows()}
    worst = min(tasks.values(), key=lambda row: row["kept"])
    return {
        **averages,
        "mean of the shares above guessing": sum(above) / len(above),
        "mean of the shares above guessing without WNLI": sum(without) / len(without),
        f"the worst task, {worst['task']}": worst["kept"],
        "a DistilBERT of four layers (Jiao et al. 2020)": 100 * FOUR_LAYERS / THEIR_TEACHER,
    }


def reading_rows() -> Iterator[Row]:
    """Every reading of either figure, and whether it gives what is printed."""
    said = table()["DistilBERT"]
    for figure, readings in (("compression", sizes()), ("performance", qualities())):
        for reading, value in readings.items():
            yield {
                "part": "reading",
                "figure": figure,
                "printed": said[figure],
                "reading": reading,
                "value": value,
                "gives_it": rounds_to(value, said[figure]),
            }


def conclusion(rows: list[Row]) -> Mapping[str, Any]:
    """How many rows agree with our count, and which readings are left for DistilBERT's."""
    counted = [row for row in rows if row["part"] == "row" and row["agrees"] is not None]
    left = {
        figure: [row["reading"] for row in rows if row.get("figure") == figure and row["gives_it"]]
        for figure in ("compression", "performance")
    }
    return {
        "part": "conclusion",
        "counted": len(counted),
        "agree": sum(row["agrees"] for row in counted),
        "disagree": [row["method"] for row in counted if not row["agrees"]],
        "same_shape_elsewhere": table()["BERT6-PKD"]["compression"],
        "compression_readings": left["compression"],
        "performance_readings": left["performance"],
    }


def main() -> None:
    """Count and write."""
    began = time.perf_counter()
    rows: list[Row] = [*table_rows(), *reading_rows()]
    rows.append(dict(conclusion(rows)))
    print(
        results.write(
            NAME,
            command=f"python -m experiments.{NAME}",
            rows=rows,
            seeds=[],
            seconds=time.perf_counter() - began,
            tolerance={"relative": 1e-6, "absolute": 0.0, "ignore": []},
        )
    )


if __name__ == "__main__":
    main()
