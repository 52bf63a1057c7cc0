"""Splits never change, keep groups together, and never show the same text twice."""

import random

from course_utils.data.splits import assign


def test_shares_are_70_10_20() -> None:
    groups = [str(number) for number in range(10_000)]
    found = assign(groups, groups, salt="x")
    assert [found.count(part) for part in ("train", "validation", "test")] == [7000, 1000, 2000]


def test_groups_and_equal_texts_stay_together() -> None:
    rng = random.Random(0)
    groups = [str(rng.randrange(300)) for _ in range(2000)]
    texts = [f"text {rng.randrange(4000)}" for _ in groups]
    found = assign(groups, texts, salt="x")
    for keys in (groups, texts):
        parts: dict[str, set[str]] = {}
        for key, part in zip(keys, found, strict=True):
            parts.setdefault(key, set()).add(part)
        assert all(len(part) == 1 for part in parts.values())


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [(str(number // 3), f"text {number % 170}") for number in range(200)]
    shuffled = random.Random(1).sample(rows, len(rows))
    by_row = dict(zip(rows, assign(*zip(*rows, strict=True), salt="x"), strict=True))
    assert by_row == dict(zip(shuffled, assign(*zip(*shuffled, strict=True), salt="x"), strict=True))


def test_the_salt_matters() -> None:
    groups = [str(number) for number in range(100)]
    assert assign(groups, groups, salt="a") != assign(groups, groups, salt="b")
