"""Frontier: compressed models by size, time and what they keep, within a budget that the reader sets."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

# What the sliders stop at; None is no limit.
MEGABYTES = (0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, None)
MILLISECONDS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, None)
ALL = "all families"
TITLE = "Under this budget, what do I lose?"
LEDE = (
    "Each mark is a model: its size on disk, and the share of the teacher's accuracy that it keeps. Set a "
    "limit for size and time. What does not fit fades; the line joins the models that no other beats in both."
)


class Model(NamedTuple):
    """One model. milliseconds: setting (such as "torch, batch 1, ...") -> time of one batch.

    kept, low, high: the share of the teacher's accuracy and its interval (None where there is none).
    """

    name: str
    family: str
    megabytes: float
    kept: float
    low: float | None
    high: float | None
    milliseconds: Mapping[str, float]


def frontier(
    models: Sequence[Model],
    *,
    megabytes: float | None = 10,
    milliseconds: float | None = 5,
    title: str = TITLE,
) -> Explorable:
    """Limits of size and time, a choice of engine and family; a chart, and a table of what fits.

    Models that were not timed under the chosen setting are left out: times compare on one engine only.
    megabytes, milliseconds: what the sliders begin with. Raises ValueError for no model, two of one name, a
    size or time that is not above 0, an interval that leaves its estimate out, or limits not on the sliders.

    >>> models = [Model("whole", "teacher", 90, 1, None, None, {"torch": 9}), Model("small", "cut", 8, 0.9,
    ...     0.88, 0.92, {"torch": 3})]
    >>> within(models, "torch", ALL, 10, 5)["best"]
    'small'
    """
    _check(models)
    if megabytes not in MEGABYTES or milliseconds not in MILLISECONDS:
        raise ValueError(f"limits must be on the sliders: {MEGABYTES} MB, {MILLISECONDS} ms")
    settings = list(dict.fromkeys(s for model in models for s in model.milliseconds))
    families = [ALL, *dict.fromkeys(model.family for model in models)]
    data: dict[str, Any] = {
        "models": [model._asdict() | {"milliseconds": dict(model.milliseconds)} for model in models],
        "settings": settings,
        "families": families,
        "limits": {"megabytes": MEGABYTES, "milliseconds": MILLISECONDS},
        "start": [MEGABYTES.index(megabytes), MILLISECONDS.index(milliseconds)],
    }
    found = within(models, settings[0], ALL, megabytes, milliseconds)
    body = fill(
        asset("frontier.html"),
        sizes=len(MEGABYTES) - 1,
        times=len(MILLISECONDS) - 1,
        settings=join(tag("option", s, value=n) for n, s in enumerate(settings)),
        families=join(tag("option", f, value=n) for n, f in enumerate(families)),
        caption=caption(found, settings[0], megabytes, milliseconds),
        rows=_rows(models, settings[0], found["fitting"]),
    )
    return Explorable("frontier", title, LEDE, data, body, uses=("chart.js",))


def within(
    models: Sequence[Model],
    setting: str,
    family: str,
    megabytes: float | None,
    milliseconds: float | None,
) -> dict[str, Any]:
    """What a budget allows.

    timed: how many models of the family were timed under the setting. fitting: names within both limits, the
    best first (what is kept, then the smaller). best: its name, or None. lost: the share of the teacher's
    accuracy that the best loses, with lost_low and lost_high. front: names of those that no other fitting
    model beats in size and accuracy at once, smallest first.
    """
    timed = [m for m in models if setting in m.milliseconds and family in (ALL, m.family)]
    fits = [
        m
        for m in timed
        if (megabytes is None or m.megabytes <= megabytes)
        and (milliseconds is None or m.milliseconds[setting] <= milliseconds)
    ]
    fits.sort(key=lambda m: (-m.kept, m.megabytes))
    front: list[Model] = []
    for model in sorted(fits, key=lambda m: (m.megabytes, -m.kept)):
        if not front or model.kept > front[-1].kept:
            front.append(model)
    best = fits[0] if fits else None
    sure = best is not None and best.low is not None and best.high is not None
    return {
        "timed": len(timed),
        "fitting": [m.name for m in fits],
        "best": best.name if best else None,
        "lost": 1 - best.kept if best else None,
        "lost_low": 1 - best.high if sure else None,  # type: ignore[union-attr, operator]
        "lost_high": 1 - best.low if sure else None,  # type: ignore[union-attr, operator]
        "front": [m.name for m in front],
    }


def caption(
    found: Mapping[str, Any], setting: str, megabytes: float | None, milliseconds: float | None
) -> str:
    """What the table lists."""
    limits = [f"{limit:g} {unit}" for limit, unit in ((megabytes, "MB"), (milliseconds, "ms")) if limit]
    under = f"under {' and '.join(limits)}" if limits else "without a limit"
    return f"{len(found['fitting'])} of {found['timed']} models ({setting}), {under}; the best first"


def _rows(models: Sequence[Model], setting: str, names: Sequence[str]) -> Html:
    """One row a model: family, size, time, what is kept."""
    by_name = {model.name: model for model in models}
    return join(
        tag(
            "tr",
            tag("th", model.name, scope="row"),
            tag("td", model.family),
            tag("td", _short(model.megabytes), class_="cw-number"),
            tag("td", _short(model.milliseconds[setting]), class_="cw-number"),
            tag("td", _kept(model), class_="cw-number"),
        )
        for model in map(by_name.__getitem__, names)
    )


def _kept(model: Model) -> str:
    """A share in percent with its interval."""
    if model.low is None or model.high is None:
        return f"{100 * model.kept:.1f}"
    return f"{100 * model.kept:.1f} [{100 * model.low:.1f}, {100 * model.high:.1f}]"


def _short(value: float) -> str:
    """Size or time, about three digits.

    >>> _short(0.4567), _short(4.567), _short(45.67), _short(456.7)
    ('0.46', '4.57', '45.7', '457')
    """
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _check(models: Sequence[Model]) -> None:
    names = [model.name for model in models]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"give at least one model, each with a name of its own; got {names}")
    for m in models:
        if not m.milliseconds or not min(m.megabytes, m.kept, *m.milliseconds.values()) > 0:
            raise ValueError(f"{m.name!r}: size, times (at least one) and what is kept must be above 0")
        ends = (m.low, m.high)
        if ends != (None, None) and (None in ends or not m.low <= m.kept <= m.high):  # type: ignore[operator]
            raise ValueError(f"{m.name!r}: the interval {ends} must hold {m.kept}, or be None on both sides")
