"""Known wrong answers: each must fail its checks with a message that names the mistake.

They live beside an exercise's source, in NAME_mutants.py, as cells in the percent format:

    # %% merge-step: replaces across symbol borders
    # says: border between two symbols
    def merge_step(symbols, pair):
        ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from course_utils.grading.exercise import Exercise, ExerciseError, instructor_folder

_CELL = re.compile(r"^# %% (?P<task>[a-z0-9-]+): (?P<mistake>.+)\n# says: (?P<says>.+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One known wrong answer.

    task: whose answer it is. mistake: its name. says: a phrase that the failing check's message holds.
    source: the answer cell.
    """

    task: str
    mistake: str
    says: str
    source: str

    @property
    def slug(self) -> str:
        """A name fit for a file.

        >>> Mutant("merge-step", "drops the last symbol", "", "").slug
        'merge-step-drops-the-last-symbol'
        """
        return re.sub(r"[^a-z0-9]+", "-", f"{self.task} {self.mistake}".lower()).strip("-")


def parse(text: str) -> list[Mutant]:
    """The mutants in a file of that format; what stands before the first one is ignored.

    >>> parse("# %% f: adds\\n# says: a sum\\ndef f(x):\\n    return x + 1\\n")
    [Mutant(task='f', mistake='adds', says='a sum', source='def f(x):\\n    return x + 1')]
    """
    heads = list(_CELL.finditer(text))
    if len(heads) != text.count("# %%"):
        raise ExerciseError(
            "A mutant must begin with '# %% TASK: MISTAKE', then '# says: PHRASE' on the next line."
        )
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Mutant(head["task"], head["mistake"], head["says"], text[head.end() : end].strip())
        for head, end in zip(heads, ends, strict=True)
    ]


def load(exercise: Exercise) -> list[Mutant]:
    """An exercise's mutants. Raises ExerciseError if there is no file, or one is of an unknown task."""
    path = instructor_folder() / f"{exercise.name}_mutants.py"
    if not path.is_file():
        raise ExerciseError(f"{path.name} is missing: every exercise needs its known wrong answers.")
    found = parse(path.read_text(encoding="utf-8"))
    unknown = {mutant.task for mutant in found} - set(exercise.tasks())
    if unknown:
        raise ExerciseError(f"{path.name} has mutants of unknown tasks: {', '.join(sorted(unknown))}.")
    return found
