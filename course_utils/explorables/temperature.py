"""Temperature: what a teacher says of one case, softened, beside a student; the numbers of the soft loss."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

# The slider goes in eighths of a doubling: 2 ** (place / 8 - 2), from 0.25 to 64.
PLACES, PER_DOUBLING, LOWEST = 64, 8, -2
TITLE = "What the teacher knows besides the answer"
LEDE = (
    "Bars are what a teacher and a student say of one case. Raise the temperature: behind the answer appear "
    "the wrong ones, and some are far less wrong than others."
)


class Case(NamedTuple):
    """One case, such as a sentence, and the logits of teacher and student for each class.

    near, far: two wrong classes to compare, such as "truck" and "carrot" where the answer is "car".
    """

    text: str
    classes: Sequence[str]
    teacher: Sequence[float]
    student: Sequence[float]
    near: str
    far: str


def temperature_explorer(
    cases: Sequence[Case], *, temperature: float = 1.0, title: str = TITLE
) -> Explorable:
    """A slider for the temperature, a choice of cases, probabilities as bars, and the numbers of the loss.

    temperature: what the slider begins with, moved to its nearest place. Raises ValueError for no case, for
    logits that are too many, too few or not finite, and for a class to compare that is not there.

    >>> case = Case("a car?", ["car", "truck", "carrot"], [9, 4, -2], [1, 0, 0], "truck", "carrot")
    >>> temperature_explorer([case], temperature=2).data["place"]
    24
    """
    if not cases:
        raise ValueError("there is no case to show: give at least one")
    for case in cases:
        _check(case)
    if temperature <= 0:
        raise ValueError(f"the temperature must be above 0, got {temperature}")
    place = min(PLACES, max(0, round(PER_DOUBLING * (math.log2(temperature) - LOWEST))))
    data = {"cases": [case._asdict() for case in cases], "place": place}
    first = cases[0]
    body = fill(
        asset("temperature.html"),
        places=PLACES,
        choices=join(tag("option", case.text, value=n) for n, case in enumerate(cases)),
        text=first.text,
        temperature=f"{temperature_at(place):.2f}",
        rows=_rows(first, temperature_at(place)),
    )
    return Explorable("temperature", title, LEDE, data, body)


def temperature_at(place: int) -> float:
    """The temperature at a place of the slider.

    >>> temperature_at(0), temperature_at(16), temperature_at(64)
    (0.25, 1.0, 64.0)
    """
    return 2 ** (place / PER_DOUBLING + LOWEST)


def soften(logits: Sequence[float], temperature: float) -> list[float]:
    """softmax(logits / T).

    >>> [round(p, 3) for p in soften([0.0, 2.0], 2.0)]
    [0.269, 0.731]
    """
    top = max(logits)
    odds = [math.exp((z - top) / temperature) for z in logits]
    return [part / sum(odds) for part in odds]


def measure(teacher: Sequence[float], student: Sequence[float], temperature: float) -> dict[str, float]:
    """What the soft loss is made of at one temperature.

    entropy: of the teacher, in nats. divergence: KL(teacher || student), in nats. gradient: length of its
    gradient by the student's logits, (q - p) / T. scaled: the same after the loss is multiplied by T squared.
    """
    p, q = soften(teacher, temperature), soften(student, temperature)
    gradient = math.dist(q, p) / temperature
    return {
        "entropy": -sum(x * math.log(x) for x in p if x > 0),
        "divergence": sum(x * (math.log(x) - math.log(y)) for x, y in zip(p, q, strict=True) if x > 0),
        "gradient": gradient,
        "scaled": gradient * temperature**2,
    }


def _rows(case: Case, temperature: float) -> Html:
    """One row a class, the teacher's favorite first."""
    p, q = soften(case.teacher, temperature), soften(case.student, temperature)
    order = sorted(range(len(p)), key=lambda i: -case.teacher[i])
    return join(
        tag(
            "tr",
            tag("th", case.classes[i], scope="row"),
            tag("td", f"{case.teacher[i]:.2f}", class_="cw-number"),
            _bar(p[i], "cw-teacher"),
            _bar(q[i], "cw-student"),
        )
        for i in order
    )


def _bar(share: float, look: str) -> Html:
    """A cell with a bar and the number beside it."""
    bar = tag("span", class_=f"cw-bar {look}", style=f"width: {100 * share:.1f}%", aria_hidden="true")
    number = tag("span", shown(share), class_="cw-share")
    return tag("td", tag("span", tag("span", bar, class_="cw-rail"), number, class_="cw-cell"))


def shown(share: float) -> str:
    """A probability as the reader sees it.

    >>> shown(0.51234), shown(0.0000123)
    ('0.512', '0.000012')
    """
    if share >= 0.001:
        return f"{share:.3f}"
    return f"{share:.6f}" if share >= 1e-6 else "< 0.000001"


def _check(case: Case) -> None:
    sizes = {len(case.classes), len(case.teacher), len(case.student)}
    if len(sizes) != 1 or len(case.classes) < 3:
        raise ValueError(f"{case.text!r}: at least 3 classes need as many logits of both, got {sizes}")
    if not all(map(math.isfinite, [*case.teacher, *case.student])):
        raise ValueError(f"{case.text!r}: every logit must be finite")
    if not {case.near, case.far} <= set(case.classes):
        raise ValueError(f"{case.text!r}: {case.near!r} and {case.far!r} must be among the classes")
