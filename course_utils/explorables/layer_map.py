"""Layer map: which layer of the teacher each layer of the student learns from, method by method, and how far
they are apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

Table = Sequence[Sequence[float | None]]  # [student layer][teacher layer], 0 is the embeddings

# What is compared -> how the reader is told. In the order of the menu.
KINDS = {
    "states": "Hidden states: squared error",
    "scores": "Attention scores: squared error",
    "summaries": "Sentence vectors: distance",
    "attention": "Attention: divergence, nats",
    "values": "Value relations: divergence, nats",
}
# Method -> its name, what it compares (or nothing), and what to see.
METHODS = {
    "soft": ("Soft targets", (), "Only the answers are compared. No layer is told what to do."),
    "patient": (
        "PKD, skip",
        ("summaries",),
        "Every layer but the last follows the teacher at even distances. The last is left to the answers.",
    ),
    "patient-last": (
        "PKD, last",
        ("summaries",),
        "Every layer but the last follows the teacher's last layers. The last is left to the answers.",
    ),
    "tiny": (
        "TinyBERT",
        ("states", "scores"),
        "Embeddings, states and attention scores follow the teacher at even distances, the last its last.",
    ),
    "minilm": (
        "MiniLM",
        ("attention", "values"),
        "Only the last layers are compared. The student is free in how it gets there.",
    ),
    "theseus": (
        "BERT-of-Theseus",
        (),
        "Nothing is compared. A student layer is trained to stand in for a whole module of the teacher.",
    ),
}
START = "start"
TITLE = "Who learns from whom"
LEDE = (
    "The teacher's layers are on the left, the student's on the right, embeddings at the bottom. Choose a "
    "method: lines join what it compares. The table tells how far every pair of layers is apart."
)


def layer_map(
    measured: Mapping[str, Mapping[str, Table]],
    *,
    method: str = "tiny",
    source: str = "trained on the task",
    title: str = TITLE,
) -> Explorable:
    """The map of each method, and the measured loss of every pair of layers, as it starts and when trained.

    measured: student ("start", or a method's name) -> kind -> table, as `distillation.pairs.pair_losses`
    and the rows "pairs" of results/distillation_layers.json have them; "start" must be there. method: shown
    first. source: what the trained students are, as the reader is told. Raises ValueError for names that are
    not known, and for tables of different or wrong sizes.

    >>> table = [[0.1, 0.5, 0.9], [0.7, 0.2, 0.4]]
    >>> made = layer_map({"start": {"states": table}})
    >>> made.data["methods"]["tiny"]["pairs"], made.data["tables"]["start"]["states"]["nearest"]
    ([[0, 0], [1, 2]], [0, 1])
    """
    student, teacher = _depths(measured)
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    methods = {
        key: {"name": name, "kinds": list(kinds), "note": note, "pairs": pairs_of(key, student, teacher)}
        for key, (name, kinds, note) in METHODS.items()
    }
    tables = {
        who: {kind: _prepared(table) for kind, table in kinds.items()} for who, kinds in measured.items()
    }
    data: dict[str, Any] = {
        "method": method,
        "methods": methods,
        "tables": tables,
        "kinds": KINDS,
        "source": source,
    }
    data |= {"student": student, "teacher": teacher}
    return Explorable("layer_map", title, LEDE, data, _first_state(data))


def pairs_of(method: str, student: int, teacher: int) -> list[list[int]]:
    """What a method joins, [student layer, teacher layer]; for BERT-of-Theseus the blocks of each module.

    Where the student's depth does not divide the teacher's, layers are spread as evenly as they can be.

    >>> pairs_of("patient", 3, 6), pairs_of("minilm", 3, 6), pairs_of("theseus", 1, 2)
    ([[1, 2], [2, 4]], [[3, 6]], [[1, 1], [1, 2]])
    """
    even = [[m, -(-m * teacher // student)] for m in range(1, student + 1)]
    if method == "tiny":
        return [[0, 0], *even]
    if method == "patient":
        return even[:-1]
    if method == "patient-last":
        return [[m, teacher - student + m] for m in range(1, student)]
    if method == "minilm":
        return [[student, teacher]]
    if method == "theseus":
        ends = [0, *(g for _, g in even)]
        return [[m, g] for m in range(1, student + 1) for g in range(ends[m - 1] + 1, ends[m] + 1)]
    return []


def _depths(measured: Mapping[str, Mapping[str, Table]]) -> tuple[int, int]:
    """Layers of student and teacher, without the embeddings."""
    if START not in measured:
        raise ValueError(f"measured must have {START!r}, the student as it begins, got {sorted(measured)}")
    unknown = set(measured) - {START, *METHODS} | {kind for one in measured.values() for kind in one} - set(
        KINDS
    )
    if unknown:
        raise ValueError(f"{sorted(unknown)}: students are {[START, *METHODS]}, kinds {list(KINDS)}")
    sizes = {(len(t), *{len(row) for row in t}) for one in measured.values() for t in one.values()}
    if len(sizes) != 1 or len(size := next(iter(sizes))) != 2 or not 2 <= size[0] <= size[1]:
        raise ValueError(
            "tables must all be (student layers + 1, teacher layers + 1), the student no deeper; got "
            f"{sorted(sizes)}"
        )
    return size[0] - 1, size[1] - 1


def _prepared(table: Table) -> dict[str, Any]:
    """Numbers, how they are written, and for each student layer the nearest teacher layer (or None)."""
    nearest = []
    for row in table:
        known = [(value, g) for g, value in enumerate(row) if value is not None]
        nearest.append(min(known)[1] if known else None)
    text = [["" if value is None else _written(value) for value in row] for row in table]
    return {"values": [list(row) for row in table], "text": text, "nearest": nearest}


def _written(value: float) -> str:
    """About two digits.

    >>> _written(0.0512), _written(0.512), _written(5.12), _written(51.2)
    ('0.051', '0.51', '5.1', '51')
    """
    digits = 0 if value >= 10 else 1 if value >= 1 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f}"


def _first_state(data: dict[str, Any]) -> Html:
    """The table of the chosen method's first kind at the start, and its pairs in words."""
    chosen = data["methods"][data["method"]]
    kinds = data["tables"][START]
    kind = next((one for one in chosen["kinds"] if one in kinds), next(iter(kinds)))
    table, pairs = kinds[kind], chosen["pairs"] if kind in chosen["kinds"] else []
    columns = join(tag("th", "emb." if g == 0 else g, scope="col", class_="cw-number")
                   for g in range(data["teacher"] + 1))  # fmt: skip
    rows = join(
        tag("tr", tag("th", "emb." if m == 0 else m, scope="row"), _cells(table, m, pairs))
        for m in reversed(range(data["student"] + 1))
    )
    return fill(
        asset("layer_map.html"),
        name=chosen["name"],
        note=chosen["note"],
        kind=KINDS[kind],
        columns=columns,
        rows=rows,
    )


def _cells(table: dict[str, Any], m: int, pairs: Sequence[Sequence[int]]) -> Html:
    """One row of the table: [ ] around what the method joins, * at the nearest."""
    cells = []
    for g, text in enumerate(table["text"][m]):
        joined, nearest = [m, g] in pairs, table["nearest"][m] == g and text != ""
        marks = f"cw-number{' cw-joined' if joined else ''}{' cw-nearest' if nearest else ''}"
        cells.append(tag("td", f"{text}{'*' if nearest else ''}", class_=marks))
    return join(cells)
