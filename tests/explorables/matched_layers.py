"""The layer map with made-up losses, for the tests: trained students are nearer to what they follow."""

from course_utils.explorables import Explorable
from course_utils.explorables.layer_map import KINDS, METHODS, layer_map, pairs_of

STUDENT, TEACHER = 3, 6
SCALES = {"states": 0.4, "scores": 11.0, "summaries": 0.031, "attention": 0.21, "values": 1.3}


def table(kind, followed=()):
    """Farther, the farther apart in depth; what is followed a fifth of that; no attention at 0."""
    first = 0 if kind in ("states", "summaries") else 1
    return [
        [
            None
            if min(m, g) < first
            else SCALES[kind] * (0.3 + abs(2.1 * m - g)) * (0.2 if [m, g] in followed else 1)
            for g in range(TEACHER + 1)
        ]
        for m in range(STUDENT + 1)
    ]


def measured():
    """At the start, and trained by some of the methods."""
    made = {"start": {kind: table(kind) for kind in KINDS}}
    for method in ("soft", "patient", "tiny", "minilm"):
        followed = pairs_of(method, STUDENT, TEACHER)
        own = METHODS[method][1]
        made[method] = {kind: table(kind, followed if kind in own else ()) for kind in KINDS}
    return made


def matched() -> Explorable:
    return layer_map(measured())
