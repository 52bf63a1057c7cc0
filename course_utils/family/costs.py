"""What ALBERT's two changes cost and save at a real vocabulary: parameters, memory and time of a step.

Time is process time on one thread, the four models in turn, so that a busy machine slows all alike. Memory is
what the step has allocated at its peak: weights, gradients, Adam's two moments and activations. BERT base's
own counts stand beside, exact and without a run.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch.profiler import ProfilerActivity, profile

from course_utils.models.config import PRESETS, EncoderConfig
from course_utils.models.counting import count_parameters
from course_utils.models.encoder import Encoder
from course_utils.models.flops import masked_lm_flops, training_flops
from course_utils.models.heads import MaskedLM

MEASURED = EncoderConfig(
    vocab_size=30000,
    hidden_size=256,
    num_layers=6,
    num_heads=4,
    intermediate_size=1024,
    max_positions=64,
    type_vocab_size=0,
    pooler=False,
    dropout=0.0,
    attention_dropout=0.0,
)
COUNTED = replace(PRESETS["albert-base"], embedding_size=None, share_layers=False)  # type: ignore[call-arg]
NARROW = {"measured": 64, "counted": 128}  # of 256 and 768 features
ROWS, LENGTH, PREDICTED = 8, 64, 10
ROUNDS = 5

Row = dict[str, Any]
Step = Callable[[], None]


def two_by_two(config: Any, narrow: int) -> dict[str, Any]:
    """The four models, named as the arms of albert.yml."""
    return {
        "bert": config,
        "factorized": replace(config, embedding_size=narrow),
        "shared": replace(config, share_layers=True),
        "both": replace(config, embedding_size=narrow, share_layers=True),
    }


def new_step(config: EncoderConfig) -> Step:
    """A function that makes one training step of a new masked LM on random tokens."""
    torch.manual_seed(0)
    model = MaskedLM(Encoder(config))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    ids = torch.randint(1, config.vocab_size, (ROWS, LENGTH))
    asked = (torch.arange(LENGTH) < PREDICTED).expand(ROWS, -1)

    def step() -> None:
        F.cross_entropy(model(ids, positions=asked), ids[asked]).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def peak_bytes(config: EncoderConfig) -> int:
    """The most bytes that a model and two of its steps have allocated at once."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        step = new_step(config)
        step()
        step()
    assert record.profiler is not None
    events = [event for event in record.profiler.kineto_results.events() if event.name() == "[memory]"]
    changes = [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]
    return int(np.cumsum([0, *changes]).max())


def step_seconds(configs: dict[str, EncoderConfig], rounds: int) -> dict[str, list[float]]:
    """Process seconds of a step of each model, `rounds` times in turn; the first steps are not timed."""
    steps = {name: new_step(config) for name, config in configs.items()}
    for step in steps.values():
        step()
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            begun = time.process_time()
            step()
            found[name].append(time.process_time() - begun)
    return found


def measure() -> list[Row]:
    """A row of kind "cost" for each of the four models, in the order of the study's arms."""
    torch.set_num_threads(1)
    configs = two_by_two(MEASURED, NARROW["measured"])
    seconds = step_seconds(configs, ROUNDS)
    counted = two_by_two(COUNTED, NARROW["counted"])
    return [
        {
            "kind": "cost",
            "arm": name,
            "parameters": count_parameters(config)["total"],
            "peak_megabytes": peak_bytes(config) / 1e6,
            "train_seconds": float(np.median(seconds[name])),
            "seconds_low": min(seconds[name]),
            "seconds_high": max(seconds[name]),
            "gigaflops": training_flops(ROWS * masked_lm_flops(config, LENGTH, PREDICTED)) / 1e9,
            "base_parameters": count_parameters(counted[name])["total"],
        }
        for name, config in configs.items()
    ]


def rows(folder: Path) -> list[Row]:
    """The rows, measured once and kept beside the runs."""
    kept = folder / "costs.json"
    if not kept.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(measure()), encoding="utf-8")
    found: list[Row] = json.loads(kept.read_text(encoding="utf-8"))
    return found
