"""The three parts of 40-60-97 and the verdict on all of them."""

import pytest

from experiments.distillation_headline import claim, rows_of
from experiments.distillation_sizes import parameter_row


def made_up(faster, judged, quiet=True):
    times = [
        {"length": n, "threads": 1, "faster": faster, "low": faster - 0.05, "high": faster + 0.05}
        for n in (32, 128)
    ]
    kept = {"retention": 0.98, "low": 0.975, "high": 0.985, "judged": judged, "arm_seeds": 10}
    size = parameter_row("DistilBERT")
    return claim(size, times, quiet, kept), rows_of(size, times, kept)


@pytest.mark.parametrize(
    ("faster", "judged", "quiet", "expected"),
    [
        (1.9, "kept", True, "holds here only"),
        (1.9, "not kept", True, "does not hold"),
        (1.9, "cannot tell", True, "cannot tell"),
        (1.9, "kept", False, "cannot tell"),
        (1.4, "kept", True, "does not hold"),
        (1.4, "kept", False, "cannot tell"),
        (1.62, "kept", True, "cannot tell"),
    ],
)
def test_verdicts(faster, judged, quiet, expected):
    made, rows = made_up(faster, judged, quiet)
    assert made["verdict"] == expected
    assert "39.4% fewer" in made["sentence"]
    assert ("other work" in made["sentence"]) is not quiet
    assert [row["part"] for row in rows] == ["size", "speed", "speed", "quality"]
