"""The frontier with made-up models, for the tests."""

import numpy as np

from course_utils.explorables import Explorable
from course_utils.explorables.frontier import Model, frontier

SETTINGS = ("torch, batch 1", "onnxruntime, batch 1")
FAMILIES = ("teacher", "<quantization>", "head pruning", "vocabulary", "distillation", "combination")


def models(count: int = 24, seed: int = 0) -> list[Model]:
    """Some run on both engines, some on one; ties in size and in what is kept are among them."""
    rng = np.random.default_rng(seed)
    made = [Model("teacher", "teacher", 91.5, 1.0, None, None, dict.fromkeys(SETTINGS, 8.25))]
    made.append(Model("at the limit", "combination", 10.0, 0.97, 0.96, 0.98, dict.fromkeys(SETTINGS, 5.0)))
    for number in range(count):
        kept = round(1.01 - rng.exponential(0.04), 3)
        times = {s: float(rng.lognormal(1, 1)) for s in SETTINGS if rng.random() < 0.7}
        made.append(
            Model(
                f"model {number} 😀",
                FAMILIES[1 + number % 5],
                float(np.round(rng.lognormal(2.5, 1), 1)) + 0.1,
                kept,
                *((kept - 0.013, kept + 0.009) if number % 4 else (None, None)),
                times or {SETTINGS[0]: 2.0},
            )
        )
    return made


def budgeted() -> Explorable:
    return frontier(models())
