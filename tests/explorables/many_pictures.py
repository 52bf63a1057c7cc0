"""Pictures of a made-up cloud, for the tests."""

import numpy as np

from course_utils.explorables import Explorable
from course_utils.explorables.projection import Cloud, Picture, projection_explorer

COUNT = 24


def cloud(name: str, *, known: bool = True, seed: int = 0) -> Cloud:
    rng = np.random.default_rng(seed)
    pictures = [
        Picture(perplexity, one, rng.normal(size=(COUNT, 2)), rng.integers(0, 9, COUNT))
        for perplexity in (5, 30)
        for one in (0, 1, 2)
    ]
    labels = [("films", "tweets 😀")[i % 2] for i in range(COUNT)] if known else None
    return Cloud(name, rng.integers(0, 9, COUNT), pictures, labels)


def projected() -> Explorable:
    return projection_explorer([cloud("sentences"), cloud("one Gaussian", known=False, seed=1)])
