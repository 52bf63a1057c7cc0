"""The temperature explorable with made-up logits, for the tests."""

from course_utils.explorables import Explorable
from course_utils.explorables.temperature import Case, temperature_explorer

CASES = [
    Case(
        "A <new> car?",
        ["car", "truck", "carrot", "cat"],
        [7.5, 3.25, -4, 1],
        [1, 0.5, 0, 2],
        "truck",
        "carrot",
    ),
    Case("A sure one", ["yes", "perhaps", "no"], [60.0, 3.0, -40.0], [0.0, 0.0, 0.0], "perhaps", "no"),
]


def softener() -> Explorable:
    return temperature_explorer(CASES, temperature=1)
