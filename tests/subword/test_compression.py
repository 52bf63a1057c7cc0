"""Gage's example, and that compression loses nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.subword import compress, expand


def test_gages_example_step_by_step():
    assert compress("aaabdaaabac", "ZYXW") == [
        ("ZabdZabac", {"Z": "aa"}),
        ("ZYdZYac", {"Z": "aa", "Y": "ab"}),
        ("XdXac", {"Z": "aa", "Y": "ab", "X": "ZY"}),
    ]


@settings(max_examples=200)
@given(st.text("abc", max_size=40), st.integers(0, 6))
def test_what_is_compressed_expands_again(text, spare):
    steps = compress(text, "ZYXWVU"[:spare])
    assert len(steps) <= spare
    for shorter, table in steps:
        assert expand(shorter, table) == text
    lengths = [len(text), *(len(shorter) for shorter, _ in steps)]
    assert lengths == sorted(set(lengths), reverse=True)


@pytest.mark.parametrize("spare", ["a", "ZZ", ["ZY"]])
def test_bad_spare_symbols_are_refused(spare):
    with pytest.raises(ValueError, match="different single characters"):
        compress("abab", spare)
