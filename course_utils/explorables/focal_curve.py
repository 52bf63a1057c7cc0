"""Focal loss curve: loss and gradient against the probability of the right class, beside cross-entropy."""

import math
from collections.abc import Sequence

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

# Where the probability of the right class lies -> what an example there is called.
BANDS = ((0.0, 0.5, "wrong"), (0.5, 0.8, "right, not sure"), (0.8, 1.0, "easy"))
LARGEST_GAMMA = 5.0
TITLE = "What focal loss looks away from"
LEDE = (
    "Each curve is the loss of one example, or its gradient, against the probability given to the "
    "right class. Raise gamma: what is right already fades. Move alpha: the two classes part."
)


def focal_curve(
    counts: Sequence[int],
    *,
    gamma: float = 3.0,
    alpha: float = 0.2,
    source: str = "a model's test predictions",
    title: str = TITLE,
) -> Explorable:
    """Sliders for gamma, alpha and the probability; a chart; the shares of the loss by how hard examples are.

    counts: how many examples lie in each of equally wide bins of the probability of the right class, from 0
    to 1 (the rows "hardness" of results/finetuning_focal.json); a multiple of 10 bins. gamma, alpha: what the
    sliders begin with. source: what was counted, as the reader is told.
    Raises ValueError for counts that are none, or settings outside of the sliders.

    >>> made = focal_curve([0] * 5 + [1] * 5, gamma=2, alpha=0.25)
    >>> [row["share"] for row in shares(made.data["counts"], 0.0)]
    [0.0, 0.6, 0.4]
    """
    if len(counts) % 10 or not len(counts) or min(counts) < 0 or not sum(counts):
        raise ValueError("counts must be a multiple of 10 numbers, none below 0, not all 0")
    if not (0 <= gamma <= LARGEST_GAMMA and 0.05 <= alpha <= 0.95):
        raise ValueError(
            f"gamma must lie in 0..{LARGEST_GAMMA:g} and alpha in 0.05..0.95, got {gamma} and {alpha}"
        )
    whole = [int(count) for count in counts]
    data = {"counts": whole, "gamma": gamma, "alpha": alpha}
    body = fill(
        asset("focal_curve.html"),
        largest=f"{LARGEST_GAMMA:g}",
        examples=f"{sum(counts):,}",
        source=source,
        gamma=f"{gamma:g}",
        rows=_rows(whole, gamma),
    )
    return Explorable("focal_curve", title, LEDE, data, body, uses=("chart.js",))


def loss_and_gradient(p: float, gamma: float, weight: float = 1.0) -> tuple[float, float]:
    """Loss of an example whose right class has probability p in (0, 1], and the size of its gradient.

    The gradient is that by the logit of the right class: weight (1 - p)^gamma (1 - p - gamma p log p). It is
    negative there, pulling the logit up, and as large in sum on the others.

    >>> [round(x, 4) for x in loss_and_gradient(0.5, 0.0)], [round(x, 4) for x in loss_and_gradient(0.5, 2.0)]
    ([0.6931, 0.5], [0.1733, 0.2983])
    """
    fade = weight * (1 - p) ** gamma
    return -fade * math.log(p), fade * (1 - p - gamma * p * math.log(p))


def shares(counts: Sequence[int], gamma: float) -> list[dict[str, float]]:
    """For each band: its share of the examples and of the summed loss, with every bin at its middle.

    >>> [round(row["loss"], 2) for row in shares([1] * 10, 0.0)]
    [0.84, 0.14, 0.02]
    """
    bins = len(counts)
    losses = [n * loss_and_gradient((i + 0.5) / bins, gamma)[0] for i, n in enumerate(counts)]
    found = []
    for low, high, _ in BANDS:
        inside = slice(round(low * bins), round(high * bins))
        found.append({"share": sum(counts[inside]) / sum(counts), "loss": sum(losses[inside]) / sum(losses)})
    return found


def _rows(counts: Sequence[int], gamma: float) -> Html:
    """One row a band: examples, share of the cross-entropy, share of the focal loss."""
    rows = zip(BANDS, shares(counts, 0.0), shares(counts, gamma), strict=True)
    return join(
        tag(
            "tr",
            tag("th", f"{name}, {low:g} to {high:g}", scope="row"),
            *(
                tag("td", f"{share:.1%}", class_="cw-number")
                for share in (plain["share"], plain["loss"], focal["loss"])
            ),
        )
        for (low, high, name), plain, focal in rows
    )
