"""Mask patterns: who sees whom in full, window, dilated, global and causal attention, and what it costs."""

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

# Pattern -> what a reader sees, and which knobs change it.
PATTERNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "full": ("full (BERT)", ()),
    "causal": ("causal (GPT)", ()),
    "window": ("sliding window", ("radius",)),
    "dilated": ("dilated window", ("radius", "dilation")),
    "global": ("window + global (Longformer)", ("radius", "count")),
    "causal window": ("causal window", ("radius",)),
}
# Knob -> label, smallest and largest value.
KNOBS = {
    "length": ("Length of the text", 4, 48),
    "radius": ("Radius: steps to either side", 0, 16),
    "dilation": ("Dilation: tokens in a step", 1, 6),
    "count": ("Global tokens, the first ones", 0, 6),
    "layers": ("Layers", 1, 12),
}
LEDE = (
    "A row is a token that looks, a column one that may be seen. Each filled square is a score that has to "
    "be computed; the cost of full attention is the whole square."
)


def mask_patterns(
    pattern: str = "global",
    *,
    length: int = 24,
    radius: int = 2,
    dilation: int = 2,
    count: int = 1,
    layers: int = 2,
    row: int | None = None,
    title: str = "Who sees whom, and what it costs",
) -> Explorable:
    """A grid of all pairs for a pattern of `PATTERNS`, its cost, and what one token sees after some layers.

    length, radius, dilation, count (of global tokens) and layers lie within `KNOBS`. row: the token whose
    view is shown first, counted from 0; default: the middle one. Raises ValueError for what is out of range.

    >>> mask_patterns("window", length=10, radius=1).data["pattern"]
    'window'
    """
    values = {"length": length, "radius": radius, "dilation": dilation, "count": count, "layers": layers}
    if pattern not in PATTERNS:
        raise ValueError(f"pattern must be one of {', '.join(PATTERNS)}, got {pattern!r}")
    for name, value in values.items():
        _, low, high = KNOBS[name]
        if not low <= value <= high:
            raise ValueError(f"{name} must lie in {low}..{high}, got {value}")
    row = length // 2 if row is None else row
    if not 0 <= row < length:
        raise ValueError(f"row must be a token, 0..{length - 1}, got {row}")
    data = {
        "pattern": pattern,
        "patterns": [[key, label, list(knobs)] for key, (label, knobs) in PATTERNS.items()],
        "knobs": [[key, *knob] for key, knob in KNOBS.items()],
        "values": values,
        "row": row,
    }
    return Explorable("mask_patterns", title, LEDE, data, _first_state(pattern, values, row))


def pattern_grid(pattern: str, values: dict[str, int]) -> list[list[bool]]:
    """Whether token i (row) sees token j, as `course_utils.models.masks` has it.

    >>> sizes = {"length": 3, "radius": 1, "dilation": 1, "count": 0}
    >>> [sum(row) for row in pattern_grid("window", sizes)]
    [2, 3, 2]
    """
    length, radius, count = values["length"], values["radius"], values["count"]
    dilation = values["dilation"] if pattern == "dilated" else 1

    def sees(i: int, j: int) -> bool:
        if pattern == "full":
            return True
        if pattern == "causal":
            return j <= i
        near = abs(i - j) <= radius * dilation and (i - j) % dilation == 0
        if pattern == "causal window":
            return near and j <= i
        return near or (pattern == "global" and (i < count or j < count))

    return [[sees(i, j) for j in range(length)] for i in range(length)]


def reach(grid: list[list[bool]], row: int, layers: int) -> list[bool]:
    """Which tokens can have changed the state of token `row` after so many layers.

    A token's own state passes on by the residual connection, so that it always counts.

    >>> reach(pattern_grid("window", {"length": 5, "radius": 1, "dilation": 1, "count": 0}), 0, 2)
    [True, True, True, False, False]
    """
    seen = [i == row for i in range(len(grid))]
    for _ in range(layers):
        seen = [was or any(seen[i] and grid[i][j] for i in range(len(grid))) for j, was in enumerate(seen)]
    return seen


def _first_state(pattern: str, values: dict[str, int], row: int) -> Html:
    grid = pattern_grid(pattern, values)
    length, pairs = len(grid), sum(map(sum, grid))
    return fill(
        asset("mask_patterns.html"),
        rows=join(_row(grid, i, row) for i in range(length)),
        length=length,
        pairs=f"{pairs:,}",
        square=f"{length * length:,}",
        share=f"{100 * pairs / length**2:.1f}%",
        reached=sum(reach(grid, row, values["layers"])),
        story=f"{PATTERNS[pattern][0].capitalize()}: token {row} sees {sum(grid[row])} of {length} tokens.",
    )


def _row(grid: list[list[bool]], i: int, chosen: int) -> Html:
    """One line of squares; the script draws them finer."""
    kinds = ("cw-seen" if sees else "cw-unseen" for sees in grid[i])
    look = "cw-line cw-chosen" if i == chosen else "cw-line"
    return tag("span", *(tag("i", class_=kind) for kind in kinds), class_=look)
