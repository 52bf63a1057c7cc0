"""Whose file is it? What the names in downloads of learning platforms say.

| from | a submission lies at |
|---|---|
| Canvas | `leeann_LATE_1234_56789_notebook.ipynb`: user 1234 |
| Moodle | `Ann Lee_1234_assignsubmission_file/notebook.ipynb` |
| Gradescope | `submission_56789/notebook.ipynb`, with `submission_metadata.yml` beside the folders |
| GitHub Classroom | `assignment-account/notebook.ipynb`, each folder a Git checkout |
| anywhere else | `student/notebook.ipynb` or `student.ipynb` |
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from course_utils.grading.roster import Roster

CANVAS = re.compile(r"(?P<name>[^_/]+)(?:_LATE)?_(?P<id>\d+)_\d+_[^/]*\Z")
MOODLE = re.compile(r"(?P<name>[^/]+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?\Z")
GRADESCOPE = re.compile(r"(?P<id>submission_\d+)\Z")
GRADESCOPE_INDEX = "submission_metadata.yml"


@dataclass(frozen=True)
class Owner:
    """Who handed a file in. keys: names for them, the best first. sole: the name says so of any file.

    In a folder of loose files, a file that is no notebook (a roster, a read-me) belongs to nobody.
    """

    keys: tuple[str, ...]
    sole: bool = True

    def student(self, roster: Roster) -> str:
        """The roster's student, else the best name."""
        known = (roster.student(key) for key in self.keys)
        return next((student for student in known if student in roster.names), roster.student(self.keys[0]))


class NamesError(ValueError):
    """A pattern for names that cannot be used."""


def pattern(text: str) -> re.Pattern[str]:
    """A pattern of the instructor's own. Raises NamesError unless it is one, with a group `student`."""
    try:
        made = re.compile(text)
    except re.error as error:
        raise NamesError(f"The pattern {text!r} is no regular expression: {error}.") from error
    if "student" not in made.groupindex:
        raise NamesError(f"The pattern {text!r} needs a group (?P<student>...) for the student's name.")
    return made


def owner(
    path: str,
    *,
    own: re.Pattern[str] | None = None,
    submitters: Mapping[str, tuple[str, ...]] | None = None,
    assignment: str = "",
) -> Owner | None:
    """Who handed in the file at a path below the submissions; None if the instructor's pattern does not fit.

    own: the instructor's pattern, searched in the path. submitters: what Gradescope's index says, see there.
    assignment: the beginning that all of GitHub Classroom's folders share, see `shared_beginning`.

    >>> owner("Ann Lee_17_assignsubmission_file/a.ipynb").keys
    ('17', 'Ann Lee')
    """
    if own:
        match = own.search(path)
        return Owner((match["student"],)) if match and match["student"] else None
    folder, _, _ = path.rpartition("/")
    top = path.partition("/")[0]
    if folder and (found := MOODLE.match(top)):
        return Owner((found["id"], found["name"]))
    if folder and (found := GRADESCOPE.match(top)):
        return Owner((submitters or {}).get(top, (top,)))
    if found := CANVAS.match(path.rpartition("/")[2]):
        return Owner((found["id"], found["name"]))
    if folder:
        return Owner((top.removeprefix(assignment),))
    return Owner((os.path.splitext(path)[0],), sole=False)


def shared_beginning(folders: Collection[str]) -> str:
    """The assignment's name and a hyphen, with which GitHub Classroom begins every folder; "" if none.

    >>> shared_beginning(["bert-1-ann", "bert-1-anton"])
    'bert-1-'
    """
    words = [folder.split("-")[:-1] for folder in folders] if len(folders) > 1 else []
    common = [same[0] for same in takewhile(lambda same: len(set(same)) == 1, zip(*words, strict=False))]
    return "".join(f"{word}-" for word in common)


def gradescope_submitters(index: Any) -> dict[str, tuple[tuple[str, ...], float | None]]:
    """Folder -> (names of its student, when), from Gradescope's index. Entries that are odd are left out.

    >>> gradescope_submitters({"submission_7": {":submitters": [{":sid": "42", ":name": "Ann"}]}})
    {'submission_7': (('42', 'Ann'), None)}
    """
    found = {}
    for folder, entry in index.items() if isinstance(index, dict) else ():
        submitters = entry.get(":submitters") if isinstance(entry, dict) else None
        first = submitters[0] if isinstance(submitters, list) and submitters else None
        if isinstance(folder, str) and isinstance(first, dict):
            keys = [first.get(name) for name in (":sid", ":email", ":name")]
            made = entry.get(":created_at")
            when = made.timestamp() if hasattr(made, "timestamp") else None
            found[folder] = (tuple(str(key) for key in keys if key), when)
    return {folder: row for folder, row in found.items() if row[0]}
