"""40% smaller, and what it cost: counts and arithmetic, nothing is trained.

Parameters are counted from configurations (BERT, DistilBERT, TinyBERT, and the models of the laptop), by
part, and for every number of layers, to show what halving the layers leaves. The table behind the 97% is
taken apart in experiments/distillation_sizes_glue.py. Training costs are products of printed numbers.

A count and a product are known the moment they are made, so these rules could not be written in ignorance of
their outcome. They were written so as to need no choice:

distilbert-glue: "holds here only" if every system's quoted score is the mean of its columns within rounding
(the table agrees with itself; the runs were not repeated); "cannot tell" if one is not.

distil-training-cost: nobody here can repeat 90 hours on 8 GPUs. "does not hold" if the work that RoBERTa's
authors describe (100,000 steps of 8,192 sequences of 512 tokens, BERT large's shape; Liu et al. 2019) cannot
be done by that many GPUs at their peak in that time; else "cannot tell".

The share of parameters is judged with latency and quality in experiments/distillation_headline.py.

Run: python -m experiments.distillation_sizes
"""

import time
from dataclasses import replace
from typing import Any

from course_utils import results
from course_utils.models.config import PRESETS, EncoderConfig
from course_utils.models.counting import count_parameters
from course_utils.models.flops import masked_lm_flops, training_flops
from experiments import distillation_sizes_glue as glue

NAME = "distillation_sizes"
Row = dict[str, Any]


def _encoder(name: str) -> EncoderConfig:
    config = PRESETS[name]
    assert isinstance(config, EncoderConfig)
    return config


BASE, LARGE, SMALL = map(_encoder, ("bert-base", "bert-large", "minilm-l6"))
# Model -> its configuration, and the millions of parameters that its authors say (None: ours).
MODELS: dict[str, tuple[EncoderConfig, float | None]] = {
    "BERT base": (BASE, 110),
    "DistilBERT": (replace(BASE, num_layers=6, type_vocab_size=0, pooler=False), 66),
    "BERT large": (LARGE, 340),
    "TinyBERT4": (replace(BASE, hidden_size=312, num_layers=4, intermediate_size=1200), 14.5),
    "TinyBERT6": (replace(BASE, num_layers=6), 67),
    "laptop, 6 layers": (replace(SMALL, pooler=False), None),
    "laptop, 3 layers": (replace(SMALL, num_layers=3, pooler=False), None),
    "laptop, 2 layers": (replace(SMALL, num_layers=2, pooler=False), None),
    "laptop, 4 narrow layers": (
        replace(SMALL, num_layers=4, hidden_size=192, num_heads=6, intermediate_size=768, pooler=False),
        None,
    ),
    "laptop, 2 narrow layers": (
        replace(SMALL, num_layers=2, hidden_size=192, num_heads=4, intermediate_size=576, pooler=False),
        None,
    ),
}
TABLES = ("token embeddings", "position embeddings", "segment embeddings")
# Who trained on what: model, number of GPUs, hours, what they were (Sanh et al. 2019; Liu et al. 2019).
RUNS = (
    ("DistilBERT", 8, 90, "V100, 16 GB"),
    ("RoBERTa large", 1024, 24, "V100, 32 GB"),
)
PEAK = 125e12  # floating-point operations a second of one V100 in half precision, by its data sheet
ROBERTA_STEPS, ROBERTA_BATCH, ROBERTA_LENGTH = 100_000, 8192, 512
ROBERTA = replace(LARGE, vocab_size=50265, type_vocab_size=1, pooler=False)
# Devlin et al. (2019), appendix A.2: 1,000,000 steps of 256 sequences, nine in ten of them 128 tokens long.
BERT_STEPS, BERT_BATCH, BERT_LENGTHS = 1_000_000, 256, {128: 0.9, 512: 0.1}
MASKED = 0.15


def parameter_row(model: str) -> Row:
    """A model's parameters: tables, layers, pooler, and the share of BERT base's."""
    config, said = MODELS[model]
    counts = count_parameters(config)
    tables = sum(counts.get(part, 0) for part in TABLES)
    bare = count_parameters(replace(config, pooler=False))["total"]
    layers = layer_size(config) * config.num_layers
    return {
        "part": "parameters",
        "model": model,
        "layers": config.num_layers,
        "hidden": config.hidden_size,
        "tables": tables,
        "one_layer": layer_size(config),
        "all_layers": layers,
        "pooler": counts.get("pooler", 0),
        "total": counts["total"],
        "without_pooler": bare,
        "said_millions": said,
        "megabytes": 4 * counts["total"] / 1e6,
        "smaller_than_base": 100 * (1 - counts["total"] / count_parameters(BASE)["total"]),
    }


def layer_size(config: EncoderConfig) -> int:
    """Parameters of one layer: what two layers have more than one.

    >>> layer_size(BASE)
    7087872
    """
    two, one = (count_parameters(replace(config, num_layers=n))["total"] for n in (2, 1))
    return two - one


def layers_rows() -> list[Row]:
    """For the base shape and the laptop's: what is left of the model with fewer and fewer layers."""
    rows = []
    for shape, config in (("BERT base", BASE), ("laptop", MODELS["laptop, 6 layers"][0])):
        whole = count_parameters(config)["total"]
        for layers in range(config.num_layers, -1, -1):
            left = whole - layer_size(config) * (config.num_layers - layers)
            rows.append(
                {
                    "part": "layers",
                    "shape": shape,
                    "layers": layers,
                    "parameters": left,
                    "left": 100 * left / whole,
                    "layers_left": 100 * layers / config.num_layers,
                }
            )
    return rows


def step_rows() -> list[Row]:
    """From BERT base to DistilBERT: what each of the three changes takes away."""
    steps = {
        "BERT base": BASE,
        "half of the layers": replace(BASE, num_layers=6),
        "no pooler": replace(BASE, num_layers=6, pooler=False),
        "no segments": MODELS["DistilBERT"][0],
    }
    whole, before, rows = count_parameters(BASE)["total"], None, []
    for change, config in steps.items():
        count = count_parameters(config)["total"]
        rows.append(
            {
                "part": "steps",
                "change": change,
                "parameters": count,
                "taken": 0 if before is None else before - count,
                "left": 100 * count / whole,
            }
        )
        before = count
    return rows


def pretraining_work(config: EncoderConfig, steps: float, batch: int, length: int) -> float:
    """Floating-point operations of a pretraining, by formula (matrix products, forward and backward)."""
    return steps * batch * training_flops(masked_lm_flops(config, length, round(MASKED * length)))


def cost_rows() -> list[Row]:
    """GPU-hours side by side, and what they would do at the rate that RoBERTa's authors must have had."""
    roberta = pretraining_work(ROBERTA, ROBERTA_STEPS, ROBERTA_BATCH, ROBERTA_LENGTH)
    bert = sum(
        pretraining_work(BASE, share * BERT_STEPS, BERT_BATCH, length)
        for length, share in BERT_LENGTHS.items()
    )
    hours = {model: gpus * each for model, gpus, each, _ in RUNS}
    rate = roberta / (3600 * hours["RoBERTa large"])
    rows = [
        {
            "part": "cost",
            "model": model,
            "gpus": gpus,
            "hours": each,
            "kind": kind,
            "gpu_hours": hours[model],
            "work_at_that_rate": rate * 3600 * hours[model],
        }
        for model, gpus, each, kind in RUNS
    ]
    return [
        *rows,
        {
            "part": "rate",
            "roberta_work": roberta,
            "bert_work": bert,
            "per_gpu_second": rate,
            "share_of_peak": rate / PEAK,
            "hours_ratio": hours["RoBERTa large"] / hours["DistilBERT"],
            "distil_over_bert": rate * 3600 * hours["DistilBERT"] / bert,
            "size_ratio": count_parameters(ROBERTA)["total"]
            / count_parameters(MODELS["DistilBERT"][0])["total"],
        },
    ]


def cost_claim(rows: list[Row]) -> dict[str, Any]:
    """The entry of distil-training-cost."""
    rate = next(row for row in rows if row["part"] == "rate")
    distil, roberta = (row["gpu_hours"] for row in rows if row["part"] == "cost")
    possible = rate["share_of_peak"] <= 1
    return {
        "verdict": "cannot tell" if possible else "does not hold",
        "estimate": rate["hours_ratio"],
        "interval": None,
        "unit": "times as many GPU-hours for RoBERTa as for DistilBERT, as printed (exact)",
        "seeds": 0,
        "sentence": (
            f"{distil:,} GPU-hours against {roberta:,}. RoBERTa's published steps would then have run at "
            f"{rate['per_gpu_second'] / 1e12:.0f} TFLOP/s a GPU, {100 * rate['share_of_peak']:.0f}% of the "
            f"peak: {'possible' if possible else 'impossible'}. At that rate DistilBERT's hours would do "
            f"{rate['distil_over_bert']:.1f} times the work of BERT base's own pretraining (1,000,000 "
            "steps), which they do not include. Neither training could be repeated here; and a RoBERTa of "
            f"{rate['size_ratio']:.1f} times DistilBERT's size makes the ratio no measure of what distilling "
            "saves."
        ),
    }


def main() -> None:
    started = time.perf_counter()
    costs = cost_rows()
    rows = [*map(parameter_row, MODELS), *layers_rows(), *step_rows(), *costs]
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=[*rows, *glue.system_rows(), *glue.task_rows(), *glue.average_rows()],
        seeds=[],
        seconds=time.perf_counter() - started,
        tolerance={"relative": 1e-6, "absolute": 0.0, "ignore": []},
        claims={"distilbert-glue": glue.claim(), "distil-training-cost": cost_claim(costs)},
    )


if __name__ == "__main__":
    main()
