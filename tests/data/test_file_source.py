"""A reader's own file: what is good is loaded whole, what is bad is named with file, row and remedy."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from course_utils.data import DataError, load_file
from course_utils.data.columns import NAMES

ROWS = [("A fine day", 1), ("A grey, wet day", 0), ('They call it "fun"', 1)]
CSV = 'text,label\nA fine day,1\n"A grey, wet day",0\n"They call it ""fun""",1\n'
TSV = 'text\tlabel\nA fine day\t1\nA grey, wet day\t0\n"They call it ""fun"""\t1\n'
JSONL = (
    '{"text": "A fine day", "label": 1}\n{"text": "A grey, wet day", "label": 0}\n\n'
    '{"text": "They call it \\"fun\\"", "label": 1}\n'
)


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def put_parquet(folder: Path, **columns: list[Any]) -> Path:
    path = folder / "mine.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.csv", CSV),
        ("mine.CSV", CSV),
        ("mine.tsv", TSV),
        ("mine.jsonl", JSONL),
        ("mine.csv", CSV.replace("\n", "\r\n")),
        ("mine.jsonl", JSONL.replace("\n", "\r\n")),
        ("mine.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("mine.jsonl", b"\xef\xbb\xbf" + JSONL.encode()),
        ("mine.csv", CSV.rstrip("\n")),
        ("mine.csv", CSV + "\n\n"),
    ],
)
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str, content: str | bytes) -> None:
    found = load_file(put(tmp_path, name, content))
    assert tuple(found.column_names) == NAMES
    assert list(zip(found["text"], found["label"], strict=True)) == ROWS
    assert set(found["domain"]) == {"mine"}
    assert set(found["rating"]) == {None}


def test_parquet_gives_the_same_rows(tmp_path: Path) -> None:
    texts, labels = zip(*ROWS, strict=True)
    for kind in (pa.int8(), pa.float64(), pa.string()):
        path = put_parquet(tmp_path, text=list(texts), label=pa.array(labels).cast(kind))
        found = load_file(path)
        assert list(zip(found["text"], found["label"], strict=True)) == ROWS


def test_columns_can_have_other_names(tmp_path: Path) -> None:
    content = "game,review,stars,mood,part\na,Good fun,4.5,good,train\na,Too short,2,bad,test\n"
    found = load_file(
        put(tmp_path, "x.csv", content),
        text="review",
        label="mood",
        rating="stars",
        split="part",
        group="game",
        labels=["bad", "good"],
        domain="games",
    )
    assert found.to_dict() == {
        "text": ["Good fun", "Too short"],
        "label": [1, 0],
        "rating": [4.5, 2.0],
        "domain": ["games", "games"],
        "split": ["train", "test"],
        "id": ["2", "3"],
        "group": ["a", "a"],
    }


def test_words_for_labels_and_texts_with_line_breaks(tmp_path: Path) -> None:
    found = load_file(put(tmp_path, "x.csv", 'text,label\n"one\ntwo, three",Positive\nfour,negative\n'))
    assert found["text"] == ["one\ntwo, three", "four"]
    assert found["label"] == [1, 0]
    assert found["id"] == ["2", "4"]  # the line that each row starts on


def test_another_encoding_can_be_named(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", "text,label\ncafé,1\n".encode("cp1252"))
    assert load_file(path, encoding="cp1252")["text"] == ["café"]
    path = put(tmp_path, "y.csv", "text,label\ncafé,1\n".encode("utf-16"))
    assert load_file(path, encoding="utf-16")["text"] == ["café"]


def test_rows_without_a_split_column_are_split_by_group(tmp_path: Path) -> None:
    lines = "".join(f"text {number},{number % 2},{number // 5}\n" for number in range(200))
    found = load_file(put(tmp_path, "x.csv", "text,label,game\n" + lines), group="game")
    parts: dict[str, set[str]] = {}
    for row in found:
        parts.setdefault(row["group"], set()).add(row["split"])
    assert all(len(part) == 1 for part in parts.values())
    assert set(found["split"]) == {"train", "validation", "test"}


BAD = {
    "missing column": (
        "x.csv",
        "review,label\na,1\n",
        "line 1: there is no column 'text' among 'review', 'label'",
        "text='review'",
    ),
    "a column twice": (
        "x.csv",
        "text,text,label\na,b,1\n",
        "line 1: the column 'text' is there twice",
        "rename",
    ),
    "empty file": ("x.csv", "", "the file is empty", "a line for every text"),
    "only a byte order mark": ("x.jsonl", b"\xef\xbb\xbf\r\n", "the file is empty", "a line for every text"),
    "only a header": ("x.csv", "text,label\n", "a header but no rows", "a line for every text"),
    "wrong encoding": (
        "x.csv",
        b"text,label\nok,1\ncaf\xe9,0\n",
        "line 3: byte 0xe9 is not valid utf-8",
        "encoding='cp1252'",
    ),
    "utf-16": (
        "x.csv",
        "text,label\nok,1\n".encode("utf-16"),
        "line 1: byte 0xff is not valid utf-8",
        "save the file as UTF-8",
    ),
    "comma in a text": (
        "x.csv",
        "text,label\nok,1\nwell, no,0\n",
        "line 3: it has 3 fields where the header has 2",
        "double quotes",
    ),
    "two texts in one row": (
        "x.tsv",
        "text\tlabel\none\ttwo\t1\n",
        "line 2: it has 3 fields where the header has 2",
        "one text a line",
    ),
    "too few fields": ("x.csv", "text,label\nok,1\nonly text\n", "line 3: it has 1 fields", "fill in"),
    "an open quote": (
        "x.csv",
        'text,label\nok,1\n"never closed,1\nnext,0\n',
        "line 3: a quoted field is broken",
        "is written",
    ),
    "a swallowed row": (
        "x.csv",
        'text,label\nok,1\n"first,1\nsecond,0\nthird",0\n',
        "line 3: two texts in one row",
        "close the quote",
    ),
    "unknown label": (
        "x.csv",
        "text,label\nok,1\nhm,maybe\n",
        "line 3: unknown label 'maybe'",
        "labels=['bad', 'good']",
    ),
    "a fractional label": ("x.csv", "text,label\nok,1.5\n", "line 2: unknown label '1.5'", "whole number"),
    "a negative label": ("x.csv", "text,label\nok,-1\n", "line 2: unknown label '-1'", "whole number"),
    "no label": (
        "x.csv",
        "text,label\nok,1\nhm,\n",
        "line 3: 'label' holds no label",
        "fill it in, or remove the row",
    ),
    "nan label": (
        "x.csv",
        "text,label\nok,NaN\n",
        "line 2: 'label' holds no label",
        "fill it in, or remove the row",
    ),
    "no text": (
        "x.csv",
        "text,label\nok,1\n  ,0\n",
        "line 3: 'text' holds no text",
        "fill it in, or remove the row",
    ),
    "not json": (
        "x.jsonl",
        '{"text": "a", "label": 1}\n{text: b}\n',
        "line 2: not one JSON object",
        "one object a line",
    ),
    "two objects in one line": (
        "x.jsonl",
        '{"text": "a", "label": 1} {"text": "b", "label": 0}\n',
        "line 1: not one JSON object (Extra data",
        "one object a line",
    ),
    "two texts in one object": (
        "x.jsonl",
        '{"text": "a", "text": "b", "label": 0}\n',
        "line 1: 'text' is there twice",
        "keep one",
    ),
    "a list of texts": (
        "x.jsonl",
        '{"text": ["a", "b"], "label": 0}\n',
        "line 1: 'text' holds 2 values",
        "its own row",
    ),
    "a number for a text": (
        "x.jsonl",
        '{"text": 5, "label": 0}\n',
        "line 1: 'text' holds 5, which is no text",
        "quotes",
    ),
    "a later object without text": (
        "x.jsonl",
        '{"text": "a", "label": 1}\n{"label": 1}\n',
        "line 2: 'text' holds no text",
        "fill it in",
    ),
    "not an object": ("x.jsonl", '["a", 1]\n', "line 1: not a JSON object", '{"text": ..., "label": ...}'),
    "unknown kind": ("x.xlsx", "PK", "its name must end in .csv, .tsv, .jsonl or .parquet", ".csv"),
    "not parquet": ("x.parquet", "text,label\n", "not a Parquet file", "use CSV"),
}


@pytest.mark.parametrize(("name", "content", "what", "remedy"), BAD.values(), ids=BAD)
def test_bad_input_is_named_with_file_row_and_remedy(
    tmp_path: Path, name: str, content: str | bytes, what: str, remedy: str
) -> None:
    path = put(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        load_file(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert what in message
    assert remedy in message


def test_bad_parquet_rows_are_numbered(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 2: 'label' holds no label"):
        load_file(put_parquet(tmp_path, text=["a", "b"], label=[1.0, float("nan")]))
    with pytest.raises(DataError, match="row 1: 'text' holds 2 values"):
        load_file(put_parquet(tmp_path, text=[["a", "b"]], label=[1]))
    with pytest.raises(DataError, match="a header but no rows"):
        load_file(put_parquet(tmp_path, text=pa.array([], pa.string()), label=pa.array([], pa.int64())))


def test_bad_further_columns_are_named_too(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", "text,label,stars,part,game\nok,1,nan,dev,\n")
    for option, message in {
        "rating": "line 2: 'stars' holds 'nan'; write a number",
        "split": "line 2: unknown split 'dev'; the splits are train, validation, test",
        "group": "line 2: 'game' is empty",
    }.items():
        column = {"rating": "stars", "split": "part", "group": "game"}[option]
        with pytest.raises(DataError, match=re.escape(message)):
            load_file(path, **{option: column})


def test_labels_that_are_not_among_the_named_classes(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", "text,label\nok,good\nhm,1\n")
    with pytest.raises(DataError, match="line 3: unknown label '1'; the labels are bad, good"):
        load_file(path, labels=["bad", "good"])


def test_a_missing_file_and_an_unknown_encoding(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_file(tmp_path / "gone.csv")
    with pytest.raises(DataError, match="there is no encoding 'latin-99'"):
        load_file(put(tmp_path, "x.csv", CSV), encoding="latin-99")


def test_a_text_of_a_megabyte_is_no_problem(tmp_path: Path) -> None:
    long = "word " * 200_000
    assert load_file(put(tmp_path, "x.csv", f"text,label\n{long},1\n"))[0]["text"] == long
