"""Family tree: who changed what in BERT, when, and at what size; filter the members, compare two."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.explorables.family import FEATURES, Member, members

# Column of each member in the drawing: decoders, encoder-decoders, BERT, and its descendants.
LANES = {
    **dict.fromkeys(("gpt", "gpt2"), 0),
    **dict.fromkeys(("transformer", "t5", "bart", "rag"), 1),
    "bert": 2,
    "roberta": 4,
    **dict.fromkeys(("longformer", "xlmr"), 5),
}
BERTS_CHILDREN = 3  # the column of all others
COLUMNS = 6
LARGEST_DOT = 26  # pixels across, for the member with the most parameters
# The filters, and what they are called in the page.
LABELS = {
    "shape": "Shape",
    "objective": "Objective",
    "sentences": "Sentence pairs",
    "masking": "Masking",
    "sharing": "Sharing",
    "attention": "Attention",
    "data": "Text",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LEDE = (
    "Each member is somebody else with a change. Press one to compare it with its parent; choose a feature "
    "or a size to see who has it. A dot's area is its number of parameters."
)


def family_tree(
    sizes: Sequence[Mapping[str, Any]],
    first: str = "bert",
    second: str = "albert",
    *,
    title: str = "The family, change by change",
) -> Explorable:
    """The members as a tree along time, with filters, and two of them side by side.

    sizes: one row a member, with id, parameters, layers, width, vocabulary, positions (0: no table of
    positions), as in results/family_sizes.json; other keys are left out. first, second: the ids to begin
    with. Raises ValueError when a member has no row, or an id is unknown.

    >>> rows = [{"id": m.id, "parameters": 10**8, "layers": 12, "width": 768, "vocabulary": 30522,
    ...          "positions": 512} for m in members()]
    >>> family_tree(rows).data["members"][2]["name"]
    'BERT'
    """
    by_id = {row["id"]: row for row in sizes}
    absent = [member.id for member in members() if member.id not in by_id]
    if absent:
        raise ValueError(f"sizes has no row for {absent}: give one row for each member of family.yml")
    unknown = [name for name in (first, second) if name not in by_id]
    if unknown:
        raise ValueError(f"no member is called {unknown}; there are {[member.id for member in members()]}")
    largest = max(by_id[member.id]["parameters"] for member in members())
    family = [_entry(member, by_id[member.id], largest) for member in members()]
    data = {"members": family, "labels": LABELS, "first": first, "second": second}
    return Explorable("family_tree", title, LEDE, data, _first_state(family))


def _entry(member: Member, size: Mapping[str, Any], largest: int) -> dict[str, Any]:
    """What the page knows of one member."""
    year, month = member.date.split("-")
    positions = f"{size['positions']:,} tokens" if size["positions"] else "no table of positions"
    return {
        "id": member.id,
        "name": member.name,
        "model": member.model,
        "date": f"{MONTHS[int(month) - 1]} {year}",
        "parents": list(member.parents),
        "change": member.change,
        **{feature: getattr(member, feature) for feature in FEATURES},
        "corpus": member.corpus,
        "vocabulary": f"{size['vocabulary']:,} ({member.tokens})",
        "layers": size["layers"],
        "width": size["width"],
        "positions": positions,
        "parameters": size["parameters"],
        "lane": LANES.get(member.id, BERTS_CHILDREN),
        "dot": round(max(6, LARGEST_DOT * sqrt(size["parameters"] / largest)), 1),
    }


def _first_state(family: Sequence[Mapping[str, Any]]) -> Html:
    return fill(
        asset("family_tree.html"),
        columns=COLUMNS,
        count=len(family),
        edges=join(_edges(family)),
        rows=join(_row(entry) for entry in family),
    )


def _edges(family: Sequence[Mapping[str, Any]]) -> list[Html]:
    """A line from each parent to its child; one unit is one cell of the drawing."""
    place = {entry["id"]: (entry["lane"], row) for row, entry in enumerate(family)}
    taken = set(place.values())
    lines = []
    for entry in family:
        for number, parent in enumerate(entry["parents"]):
            look = "cw-edge" if number == 0 else "cw-edge cw-second"
            path = _path(place[parent], place[entry["id"]], taken)
            lines.append(tag("path", d=path, class_=look, data_from=parent, data_to=entry["id"]))
    return lines


def _path(parent: tuple[int, int], child: tuple[int, int], taken: set[tuple[int, int]]) -> str:
    """Down the parent's column and then across; or across first, where that meets fewer other members.

    parent, child: (column, row), drawn at the middle of the cell. taken: the cells with a member.

    >>> _path((0, 0), (1, 2), set())
    'M0.5,0.5 V1.5 C0.5,2.1 1.5,1.9 1.5,2.5'
    """
    (a, top), (b, bottom) = parent, child
    met = [sum((column, row) in taken for row in range(top + 1, bottom)) for column in (a, b)]
    turn = top + 0.5 if met[1] < met[0] else bottom - 0.5  # where the line leaves the parent's column
    start, end = f"M{a + 0.5},{top + 0.5}", f"V{bottom + 0.5}"
    if a == b:
        return f"{start} {end}"
    bend = f"C{a + 0.5},{turn + 0.6} {b + 0.5},{turn + 0.4} {b + 0.5},{turn + 1}"
    return " ".join(
        [start, *([f"V{turn}"] if turn > top + 0.5 else []), bend, *([end] if met[1] < met[0] else [])]
    )


def _row(entry: Mapping[str, Any]) -> Html:
    """One member: its dot, its name (which the script turns into a button), when, how large, its change."""
    style = f"--lane: {entry['lane']}; --dot: {entry['dot']}px"
    return tag(
        "li",
        tag("span", class_="cw-dot", style=style, aria_hidden="true"),
        tag("span", entry["name"], class_="cw-name"),
        tag("span", f"{entry['date']}, {millions(entry['parameters'])}", class_="cw-when"),
        tag("span", entry["change"], class_="cw-change"),
        data_member=entry["id"],
    )


def millions(parameters: int) -> str:
    """A number of parameters as a reader takes it in.

    >>> millions(11_683_584)
    '12 M'
    """
    return f"{round(parameters / 1_000_000):,} M"
