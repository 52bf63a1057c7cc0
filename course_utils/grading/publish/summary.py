"""What an instructor wants to know of a class: scores, hard checks, common mistakes, time, what to look at.

`of` counts, `page` writes HTML, `lines` writes text for a terminal. A suspicion is a reason to look, and
never changes a score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, quantiles

from course_utils.grading.exercise import Exercise, course, source
from course_utils.grading.fingerprints import UNANSWERED, Fingerprint, mistakes
from course_utils.grading.publish.pages import render
from course_utils.grading.publish.sheets import is_sandboxed, number, status
from course_utils.grading.publish.words import NO_SANDBOX, clean, exercise_title, task_titles
from course_utils.grading.records import GRADED, CheckResult, Final, Grade
from course_utils.grading.release import solution, stub
from course_utils.grading.similarity import Twins, twins

BINS = 5
MAX_MISTAKES = 15
UNKNOWN = "a mistake that is not among the known ones"


@dataclass(frozen=True)
class Summary:
    """A class at one exercise. `points` is what a right submission earns.

    statuses: what became of submissions -> students. scores: of graded submissions, sorted. bins: (lowest,
    highest, students) of equal ranges of the score. checks: (check, share that passed, students), hardest
    first. mistakes: (task, mistake, students), most common first. seconds, cpu_seconds: of each graded job.
    suspicions: student -> words. twins: students with the same answer. unprotected: graded without a sandbox.
    """

    points: int
    statuses: Mapping[str, int]
    scores: tuple[float, ...]
    bins: tuple[tuple[float, float, int], ...]
    checks: tuple[tuple[CheckResult, float, int], ...]
    mistakes: tuple[tuple[str, str, int], ...]
    seconds: tuple[float, ...]
    cpu_seconds: tuple[float, ...]
    suspicions: Mapping[str, tuple[str, ...]]
    twins: tuple[Twins, ...]
    unprotected: int


def of(exercise: Exercise, finals: Sequence[Final], known: Sequence[Fingerprint] = ()) -> Summary:
    """Count a class. known: `fingerprints.of_exercise`; without it all mistakes are unknown ones."""
    grades = {
        final.student: final.attempt.grade
        for final in finals
        if final.attempt and final.attempt.grade and final.attempt.grade.status == GRADED
    }
    scores = tuple(sorted(final.score for final in finals if final.student in grades))
    return Summary(
        exercise.points(),
        dict(Counter(map(status, finals)).most_common()),
        scores,
        tuple(_bins(scores, exercise.points())),
        tuple(_checks(list(grades.values()))),
        tuple(_common(exercise, known, list(grades.values()))),
        tuple(sorted(grade.seconds for grade in grades.values())),
        tuple(sorted(grade.cpu_seconds for grade in grades.values())),
        {
            final.student: final.attempt.grade.suspicions
            for final in finals
            if final.attempt and final.attempt.grade and final.attempt.grade.suspicions
        },
        tuple(_twins(exercise, finals)),
        sum(not is_sandboxed(final) for final in finals),
    )


def page(exercise: Exercise, found: Summary, names: Mapping[str, str]) -> str:
    """The summary as HTML. names: student -> full name."""
    return render(
        "summary.html",
        title=exercise_title(exercise),
        found=found,
        facts=list(facts(found)),
        titles=task_titles(exercise),
        names={student: clean(name, 200) for student, name in names.items()},
        suspicions={
            student: [clean(line, 500) for line in said] for student, said in found.suspicions.items()
        },
        no_sandbox=NO_SANDBOX if found.unprotected else "",
        number=number,
    )


def lines(exercise: Exercise, found: Summary) -> Iterator[str]:
    """The summary as text, for a terminal: what `page` holds, at most five rows of each table."""
    yield exercise_title(exercise)
    yield from (f"  {name}: {value}" for name, value in facts(found))
    for lowest, highest, students in found.bins:
        yield f"  {number(lowest):>5} to {number(highest):<5} {'#' * students} {students}"
    yield "Hardest checks"
    for check, share, students in found.checks[:5]:
        yield f"  {share:4.0%} of {students} pass {check.id} ({check.kind})"
    yield "Most common mistakes"
    yield from (f"  {students}x {task}: {mistake}" for task, mistake, students in found.mistakes[:5])
    yield "To look at" if found.suspicions or found.twins else "To look at: nothing"
    for student, said in found.suspicions.items():
        yield from (f"  {clean(student, 80)}: {clean(line, 200)}" for line in said)
    for group in found.twins:
        yield f"  same answer to {group.task}: {', '.join(clean(name, 80) for name in group.students)}"


def facts(found: Summary) -> Iterator[tuple[str, str]]:
    """The numbers of a class in words, (name, value)."""
    yield "Submissions", ", ".join(f"{count} {what}" for what, count in found.statuses.items()) or "none"
    if found.scores:
        low, middle, high = _quartiles(found.scores)
        yield "Mean", f"{mean(found.scores):.1f} of {found.points} points"
        yield "Median", f"{number(middle)} (the middle half: {number(low)} to {number(high)})"
        yield "Full points", f"{sum(score >= found.points for score in found.scores)} of {len(found.scores)}"
    if found.seconds:
        yield (
            "Time of a submission",
            f"median {_quartiles(found.seconds)[1]:.2f} s, longest {found.seconds[-1]:.1f} s",
        )
        yield (
            "Processor time",
            f"median {_quartiles(found.cpu_seconds)[1]:.2f} s, in all {sum(found.cpu_seconds):.0f} s",
        )
    if found.unprotected:
        yield "Without a sandbox", f"{found.unprotected}"


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return low, middle, high


def _bins(scores: Sequence[float], points: int) -> Iterator[tuple[float, float, int]]:
    """Equal ranges from 0 to the points; the last one holds bonus points too."""
    for place in range(BINS):
        lowest, highest = place * points / BINS, (place + 1) * points / BINS
        last = place == BINS - 1
        yield lowest, highest, sum(lowest <= score and (last or score < highest) for score in scores)


def _checks(grades: Sequence[Grade]) -> list[tuple[CheckResult, float, int]]:
    """Each check with the share of graded submissions that pass it, hardest first."""
    found: dict[str, list[CheckResult]] = {}
    for check in (check for grade in grades for check in grade.checks):
        found.setdefault(check.id, []).append(check)
    rows = [(own[0], sum(check.passed for check in own) / len(own), len(own)) for own in found.values()]
    return sorted(rows, key=lambda row: row[1])


def _common(
    exercise: Exercise, known: Sequence[Fingerprint], grades: Sequence[Grade]
) -> list[tuple[str, str, int]]:
    """Mistakes, most common first, then what names none. What may follow from an earlier task is left out."""
    needs = {task: set(header.get("needs", [])) for task, header in exercise.tasks().items()}
    counts: Counter[tuple[str, str]] = Counter()
    for grade in grades:
        found = mistakes(known, grade)
        counts.update(
            (task, mistake or UNKNOWN)
            for task, mistake in found.items()
            if needs.get(task, set()).isdisjoint(found)
        )
    rows = sorted(counts.most_common(), key=lambda row: row[0][1] in (UNANSWERED, UNKNOWN))
    return [(task, mistake, students) for (task, mistake), students in rows[:MAX_MISTAKES]]


def _twins(exercise: Exercise, finals: Sequence[Final]) -> list[Twins]:
    """Students with the same answer, which is neither the stub nor the published shape of the solution."""
    cells = [(source(cell), course(cell)["task"]) for cell in exercise.cells("answer")]
    known = [text for cell, task in cells for text in (stub(cell, task), solution(cell))]
    answers = {final.student: final.attempt.submission.answers for final in finals if final.attempt}
    return twins(answers, known)
