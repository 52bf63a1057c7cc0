"""What of a grade counts: late days, public checks without hidden ones, which of several attempts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from course_utils.grading.records import WITHOUT_SCORE, Attempt, public_beside_hidden

DAY = 86_400
KEEP = ("best", "last")


@dataclass(frozen=True)
class Policy:
    """An instructor's settings for one exercise.

    deadline: ISO date and time with its UTC offset ("2026-03-01T23:59+01:00"), "" for none.
    free_days: late days that cost nothing. penalty: share of the exercise's points taken off for each
    further day. max_days: an attempt later than this earns nothing; None for no limit.
    grace_minutes: a delay that is no delay. keep: which attempt counts, "best" or "last".
    public_needs_hidden: a task's public checks earn points only if one of its hidden checks passed.
    """

    deadline: str = ""
    free_days: int = 0
    penalty: float = 0.1
    max_days: int | None = None
    grace_minutes: float = 0
    keep: str = "best"
    public_needs_hidden: bool = True

    def __post_init__(self) -> None:
        """Raises ValueError that names the setting that is wrong."""
        if self.keep not in KEEP:
            raise ValueError(f"keep must be one of {', '.join(KEEP)}, got {self.keep!r}.")
        if not 0 <= self.penalty <= 1:
            raise ValueError(f"penalty is a share from 0 to 1, got {self.penalty}.")
        if min(self.free_days, self.grace_minutes, self.max_days or 0) < 0:
            raise ValueError("free_days, max_days and grace_minutes must not be negative.")
        if self.deadline and not _is_moment(self.deadline):
            raise ValueError(
                f"The deadline {self.deadline!r} needs a date, a time and a UTC offset: "
                "2027-03-01T23:59+01:00."
            )

    def as_json(self) -> dict[str, Any]:
        """The settings as a dictionary; Policy(**...) reads it back."""
        return asdict(self)

    def counted(self, attempt: Attempt) -> Attempt:
        """The attempt with the points that count. What was graded stays in the gradebook as it is."""
        if attempt.grade is None or not self.public_needs_hidden:
            return attempt
        checks = public_beside_hidden(attempt.grade.checks)
        return replace(attempt, grade=replace(attempt.grade, checks=checks))

    def days_late(self, submitted: float | None) -> int:
        """Begun days after the deadline; 0 without a deadline, or where nobody knows the time.

        >>> Policy(deadline="1970-01-02T00:00+00:00").days_late(86_400 + 1)
        1
        """
        if not self.deadline or submitted is None:
            return 0
        over = submitted - datetime.fromisoformat(self.deadline).timestamp()
        return max(0, math.ceil((over - 60 * self.grace_minutes) / DAY))

    def charged_days(self, submitted: float | None) -> int:
        """Late days that cost points: those beyond the free ones."""
        return max(0, self.days_late(submitted) - self.free_days)

    def deduction(self, attempt: Attempt) -> float:
        """Points that lateness takes off an attempt; never more than it earned."""
        if attempt.grade is None:
            return 0.0
        earned = attempt.grade.earned
        late = self.days_late(attempt.submission.submitted)
        if self.max_days is not None and late > self.max_days:
            return float(earned)
        days = self.charged_days(attempt.submission.submitted)
        return min(float(earned), days * self.penalty * attempt.grade.points)


def _is_moment(text: str) -> bool:
    """Whether it is an ISO date and time with a UTC offset."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def counting(attempts: Sequence[Attempt], policy: Policy) -> Attempt | None:
    """The attempt that counts: the best graded one after its deduction (the earlier of equals), or the last.

    An invalid submission is an attempt that earns nothing. One over which the grader failed has no grade yet.
    None where there is no attempt.
    """
    ordered = sorted(attempts, key=lambda attempt: attempt.number)
    graded = [attempt for attempt in ordered if attempt.status not in WITHOUT_SCORE]
    if not graded or policy.keep == "last":
        return ordered[-1] if ordered else None
    return max(graded, key=lambda attempt: _kept(attempt, policy))


def _kept(attempt: Attempt, policy: Policy) -> float:
    """Points of an attempt after its deduction."""
    return (attempt.grade.earned if attempt.grade else 0) - policy.deduction(attempt)
