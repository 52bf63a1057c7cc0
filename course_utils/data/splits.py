"""A split into train, validation and test that never changes and never leaks.

Rows of one group (a review, an article, a game) stay together, and so do groups that share a text,
so that no sentence is both trained on and tested on.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

TEST_PERCENT = 20
VALIDATION_PERCENT = 10


def assign(groups: Sequence[str], texts: Sequence[str], salt: str) -> list[str]:
    """For each row "train", "validation" or "test": 70, 10 and 20% of the rows, up to one cluster.

    Clusters of groups are put in the order of the sha256 of ``salt`` and their smallest group, and
    fill test, then validation, then train. The result depends on nothing else: not on a random
    generator, nor on the order of the rows.

    >>> assign(["a", "a", "b", "c"], ["one", "two", "three", "two"], salt="demo")
    ['test', 'test', 'train', 'test']
    """
    cluster_of = _clusters(groups, texts)
    clusters = [cluster_of[group] for group in groups]
    split_of = assign_sizes(Counter(clusters), salt)
    return [split_of[cluster] for cluster in clusters]


def assign_sizes(sizes: Mapping[str, int], salt: str) -> dict[str, str]:
    """The same rule for clusters that are known by name and number of rows: name -> split."""
    rows = sum(sizes.values())
    split_of: dict[str, str] = {}
    done = 0
    for cluster in sorted(sizes, key=lambda name: hashlib.sha256(f"{salt}/{name}".encode()).digest()):
        split_of[cluster] = _split_at(done, rows)
        done += sizes[cluster]
    return split_of


def _split_at(done: int, rows: int) -> str:
    """The split of the cluster that starts after ``done`` of all ``rows``."""
    if 100 * done < TEST_PERCENT * rows:
        return "test"
    return "validation" if 100 * done < (TEST_PERCENT + VALIDATION_PERCENT) * rows else "train"


def _clusters(groups: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """Group -> the smallest group of its cluster, by union-find over shared texts."""
    parent = {group: group for group in groups}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    first_with: dict[str, str] = {}
    for group, text in zip(groups, texts, strict=True):
        low, high = sorted((root(group), root(first_with.setdefault(text, group))))
        parent[high] = low
    return {group: root(group) for group in parent}
