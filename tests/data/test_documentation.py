"""Documentation as text: read from source, cut into passages, split by module, without any import."""

import sys
from pathlib import Path

import pytest

from course_utils.data import SourceUnavailable
from course_utils.data.documentation import Passage, documentation, passages, plain

DOCSTRING = """
    Fit a straight line to some points.

    The line is the one with the smallest squared error. See :func:`~demo.fit.other`.

    Parameters
    ----------
    x : array of shape (n,)
        The places at which ``y`` was measured.

        A second paragraph that is not the description of it.
    y : array
        Yes.
    order : {'up', 'down'}
        Whether the values are sorted before the fit.

    Returns
    -------
    slope : float
        How steep the line that was found is.

    Raises
    ------
    ValueError
        If there are fewer than two points.

    Notes
    -----
    The sums are accumulated in double precision.

    .. math:: y = a x + b

    References
    ----------
    Somebody and somebody else, in a book that is long.

    Examples
    --------
    >>> fit([1, 2], [2, 4])
    2.0
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An importable package whose import would fail."""
    root = tmp_path / "demo_docs"
    (root / "tests").mkdir(parents=True)
    broken = 'raise RuntimeError("imported")\n'
    (root / "__init__.py").write_text(f'"""A package to show how lines are fitted."""\n{broken}')
    (root / "fit.py").write_text(f'def fit(x, y):\n    """{DOCSTRING}"""\n{broken}')
    (root / "more.py").write_text('class A:\n    """Fit a straight line to some points."""\n')
    (root / "tests" / "helpers.py").write_text('"""This text of a test is not documentation."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    return root


def test_a_docstring_is_cut_at_its_headings():
    assert list(passages(DOCSTRING)) == [
        ("summary", "Fit a straight line to some points."),
        ("description", "The line is the one with the smallest squared error. See demo.fit.other."),
        ("parameters", "The places at which y was measured."),
        ("parameters", "Whether the values are sorted before the fit."),
        ("returns", "How steep the line that was found is."),
        ("raises", "If there are fewer than two points."),
        ("notes", "The sums are accumulated in double precision."),
    ]


def test_a_package_is_read_without_being_imported_and_each_text_counts_once(package):
    found = documentation(["demo_docs"])
    assert [p.module for p in found if p.section == "summary"] == ["demo_docs", "demo_docs.fit"]
    assert len({p.text for p in found}) == len(found)
    assert "demo_docs" not in sys.modules


def test_no_text_is_in_both_splits_and_a_module_is_whole(package):
    text = "The very same sentence in all of the modules."
    for number in range(40):
        (package / f"part{number}.py").write_text(
            f'"""{text}"""\n\n\nclass B:\n    """Thing {number} of it all."""\n'
        )
    found = documentation(["demo_docs"])
    assert {p.split for p in found} == {"train", "test"}
    assert [p.split for p in found if p.text == text] == ["train"]
    groups = {split: {p.group for p in found if p.split == split} for split in ("train", "test")}
    assert not groups["train"] & groups["test"]
    assert 0.05 < len(groups["test"]) / 42 < 0.5


def test_a_package_that_is_not_there_is_one_sentence():
    with pytest.raises(SourceUnavailable, match="no package 'no_such_package' to read"):
        documentation(["no_such_package"])


@pytest.mark.parametrize(
    "text",
    [
        ">>> print(the, sum, of, it, all)",
        ".. versionadded:: 1.2 of this package here",
        "too short",
        "The formula is \\frac{a}{b} as everybody knows.",
        "1 2 3 4 5 6 7 8 9 and 10 11 12",
        "Größe und Länge von allem hier",
        "    | a | b | table of some other words",
    ],
)
def test_what_is_not_prose_is_left_out(text):
    assert plain(text) == ""


def test_the_documentation_of_a_real_package_is_prose():
    found = [p for p in documentation(["scipy"]) if p.module.startswith("scipy.stats")]
    assert len(found) > 500
    assert {p.group for p in found} == {"scipy.stats"}
    assert {"summary", "parameters", "returns", "notes"} <= {p.section for p in found}
    assert all(len(p.text.split()) >= 5 and "\n" not in p.text and "`" not in p.text for p in found)


def test_the_split_goes_by_the_first_level_below_the_package():
    deep, flat = (Passage("a", module, "notes", "") for module in ("a.b.c.d", "a.b"))
    assert deep.group == flat.group == "a.b"
    assert deep.split == flat.split
