"""What `benchmarks.long_attention` runs: attention patterns and encoders as calls, their time and memory."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from course_utils.models import masks
from course_utils.models.config import PRESETS, EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.layers import attention_weights
from course_utils.models.local_attention import local_attention
from course_utils.models.longformer import LocalEncoder

HEADS, HEAD_SIZE = 4, 32
POSITIONS = 4096  # of the whole encoder
SHORTEST = 0.02  # CPU seconds: a shorter point is run several times over
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
Row = dict[str, Any]
Work = Callable[[], object]


@dataclass(frozen=True)
class Pattern:
    """Who sees whom; radius 0 means everyone."""

    name: str
    radius: int = 0
    dilation: int = 1
    num_global: int = 0

    @property
    def is_local(self) -> bool:
        """Whether the cost should grow with the length alone."""
        return self.name not in ("matrix", "fused")


PATTERNS = (
    Pattern("matrix", radius=32),
    Pattern("fused"),
    Pattern("window", radius=32),
    Pattern("wide window", radius=128),
    Pattern("dilated", radius=32, dilation=4),
    Pattern("window + global", radius=32, num_global=4),
)


@dataclass
class Point:
    """One thing to measure."""

    what: str  # "attention" or "model"
    pattern: Pattern
    length: int
    direction: str
    work: Work

    def key(self) -> Row:
        """What its row says first."""
        return {
            "what": self.what,
            "pattern": self.pattern.name,
            "radius": self.pattern.radius,
            "dilation": self.pattern.dilation,
            "global": self.pattern.num_global,
            "length": self.length,
            "direction": self.direction,
        }


def attention_work(pattern: Pattern, length: int, direction: str) -> Work:
    """A call that attends once, or attends and goes back."""
    generator = torch.Generator().manual_seed(length)
    inputs = [torch.randn(1, HEADS, length, HEAD_SIZE, generator=generator) for _ in range(3)]
    mask = masks.sliding_window(length, pattern.radius) if pattern.name == "matrix" else None
    attend = partial(ATTENDS.get(pattern.name, attend_locally), pattern, mask)
    if direction == "forward":
        return torch.no_grad()(lambda: attend(*inputs))
    weights = torch.randn(inputs[0].shape, generator=generator)
    leaves = [x.requires_grad_() for x in inputs]
    return lambda: torch.autograd.grad((attend(*leaves) * weights).sum(), leaves)


def attend_by_matrix(_: Pattern, mask: Tensor, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The window as a mask on the matrix of all scores."""
    return attention_weights(query, key, mask, scale=HEAD_SIZE**-0.5) @ value


def attend_fused(_: Pattern, __: None, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """All pairs, by torch's kernel."""
    return F.scaled_dot_product_attention(query, key, value)


def attend_locally(pattern: Pattern, _: None, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The pattern; its global tokens are the first ones."""
    window = partial(local_attention, query, key, value, pattern.radius, dilation=pattern.dilation)
    count = pattern.num_global
    if not count:
        return window()
    visible = (torch.arange(query.shape[2]) >= count)[None]
    shared = (key[:, :, :count], value[:, :, :count], torch.ones(1, count, dtype=torch.bool))
    answers = F.scaled_dot_product_attention(query[:, :, :count], key, value)
    return torch.cat([answers, window(visible=visible, shared=shared)[:, :, count:]], dim=2)


ATTENDS: dict[str, Callable[..., Tensor]] = {"matrix": attend_by_matrix, "fused": attend_fused}


def model_work(pattern: Pattern, ids: Tensor) -> Work:
    """A call that encodes the text, with random weights."""
    config = PRESETS["minilm-l6"]
    assert isinstance(config, EncoderConfig)
    config = EncoderConfig(**vars(config) | {"max_positions": POSITIONS})
    torch.manual_seed(0)
    model: Encoder = Encoder(config)
    if pattern.is_local:
        model = LocalEncoder(
            config, pattern.radius, dilation=pattern.dilation, global_first=pattern.num_global
        )
    model.eval()
    return torch.no_grad()(lambda: model(ids).last_hidden_state)


def peak_memory(work: Work) -> int:
    """The most bytes that were allocated at once during the call, beyond what was there before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        kept = work()
    assert kept is not None
    assert record.profiler is not None
    events = [event for event in record.profiler.kineto_results.events() if event.name() == "[memory]"]
    changes = [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]
    return int(np.cumsum([0, *changes]).max())


def rise(work: Work) -> int:
    """By how many bytes the call raised this process's resident memory at its peak (Linux only)."""
    CLEAR.write_text("5")  # the peak so far is the imports', and hides a smaller one
    before = status_bytes("VmRSS")
    work()
    return status_bytes("VmHWM") - before


def status_bytes(field: str) -> int:
    """A number of /proc/self/status, which is kept for each program: getrusage's is the parent's at first."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def timed_rounds(works: Sequence[Work], rounds: int) -> list[list[float]]:
    """CPU seconds of every call in every round; each round begins at another one."""
    repeats = [1 + int(SHORTEST / max(cpu_seconds(work, 1), SHORTEST / 100)) for work in works]
    taken: list[list[float]] = [[] for _ in works]
    for turn in range(rounds):
        first = turn * len(works) // rounds
        for index in (*range(first, len(works)), *range(first)):
            taken[index].append(cpu_seconds(works[index], repeats[index]))
    return taken


def cpu_seconds(work: Work, repeats: int) -> float:
    """Mean CPU seconds of a call."""
    began = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - began) / repeats


def named(name: str) -> Pattern:
    """The pattern of this name."""
    return next(pattern for pattern in PATTERNS if pattern.name == name)
