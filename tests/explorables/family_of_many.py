"""The family tree with made-up sizes, for the tests."""

from course_utils.explorables import Explorable, family_tree
from course_utils.explorables.family import members

SIZES = [
    {
        "id": member.id,
        "parameters": (number + 1) * 10_000_000,
        "layers": 12,
        "width": 768,
        "vocabulary": 30522,
        "positions": 512 if number else 0,
        "unknown": "left out",
    }
    for number, member in enumerate(members())
]


def tree() -> Explorable:
    return family_tree(SIZES)
