"""A cell whose value nobody can know before, to catch a display that shows something else.

It is a tripwire and not a wall: what protects the score is that expected values are not in the sandbox.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Canary:
    """source: the cell. shown: what IPython shows for it, as plain text."""

    source: str
    shown: str

    @classmethod
    def fresh(cls) -> Canary:
        """One with new numbers."""
        word, left, right = secrets.token_hex(8), secrets.randbelow(10**9), secrets.randbelow(10**9)
        return cls(f"('{word[:8]}' '{word[8:]}', [{left} * {right}])", f"('{word}', [{left * right}])")

    def is_dead(self, outputs: Sequence[dict[str, Any]]) -> bool:
        """Whether something else was shown. What background threads print, or an error, proves nothing.

        >>> Canary("1 * 2", "2").is_dead([{"output_type": "execute_result", "data": {"text/plain": "3"}}])
        True
        """
        kinds = [output["output_type"] for output in outputs]
        texts = [output["data"].get("text/plain") for output in outputs if "data" in output]
        return "error" not in kinds and texts != [self.shown]
