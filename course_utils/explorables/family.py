"""The members of BERT's family: facts from `family.yml`, each with its sources, checked when read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from course_utils.explorables.base import ASSETS

LONGEST_CHANGE = 70  # characters: what fits beside the tree
# What a reader can filter by; each takes few values, spelled alike.
FEATURES = ("shape", "objective", "sentences", "masking", "sharing", "attention", "data")


@dataclass(frozen=True)
class Member:
    """One entry of `family.yml`, whose head explains the fields."""

    id: str
    name: str
    model: str
    date: str
    parents: tuple[str, ...]
    source: tuple[str, ...]
    change: str
    shape: str
    objective: str
    sentences: str
    masking: str
    sharing: str
    attention: str
    data: str
    corpus: str
    tokens: str
    said: int | None
    config: tuple[Mapping[str, Any], ...]


@cache
def members() -> tuple[Member, ...]:
    """All members, oldest first.

    >>> [member.name for member in members()][:3]
    ['Transformer', 'GPT', 'BERT']
    """
    return check(yaml.safe_load((ASSETS / "family.yml").read_text(encoding="utf-8")))


def check(entries: Sequence[Mapping[str, Any]]) -> tuple[Member, ...]:
    """Entries as members. Raises ValueError for a repeated id, a parent that does not come before its child,
    a member older than the one before it, or a change too long to stand beside the tree."""
    found: dict[str, Member] = {}
    latest = ""
    for entry in entries:
        lists = {key: tuple(entry[key]) for key in ("parents", "source", "config")}
        member = Member(**{**entry, **lists})
        strange = [parent for parent in member.parents if parent not in found]
        if member.id in found or strange or member.date < latest:
            raise ValueError(
                f"{member.id} ({member.date}): an id must be new, the parents {list(member.parents)} must "
                f"stand before it, and no member may be older than the one before, {latest}"
            )
        if len(member.change) > LONGEST_CHANGE:
            raise ValueError(f"{member.id}: say the change in {LONGEST_CHANGE} characters, not more")
        found[member.id], latest = member, member.date
    return tuple(found.values())
