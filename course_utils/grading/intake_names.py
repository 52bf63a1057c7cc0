"""Whose file is it? What the names in downloads of learning platforms say.

| from | a submission lies at |
|---|---|
| Canvas | `leeann_LATE_1234_56789_notebook.ipynb`: user 1234 |
| Moodle | `Ann Lee_1234_assignsubmission_file/notebook.ipynb`, or `..._file_notebook.ipynb` |
| Gradescope | `submission_56789/notebook.ipynb`, with `submission_metadata.yml` beside the folders |
| GitHub Classroom | `assignment-account/notebook.ipynb`, each folder a Git checkout |
| anywhere else | `student/notebook.ipynb` or `student.ipynb` |

Students name their files, and often themselves. So the outermost name decides, which is the platform's:
what lies in a folder is its student's, whatever it is called; and the platform's id goes before a name that
people see. A file of Canvas's has no folder, and begins with a name that its user chose: each number that may
be the user's counts, and a file that may be two students' is neither's.
"""

from __future__ import annotations

import os.path
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from course_utils.grading.roster import Roster

CANVAS = re.compile(r"(?P<name>[^/]+?)(?:_LATE)?_\d+_\d+_", re.ASCII)
# A number before another may be the user's: a name may hold numbers, and so may what a student calls a file.
_CANVAS_ID = re.compile(r"_(\d+)(?=_\d+_)", re.ASCII)
_CANVAS_LATE = re.compile(r"_LATE_\d+_\d+_", re.ASCII)
MOODLE = re.compile(r"(?P<name>[^_/]+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_|\Z)", re.ASCII)
GRADESCOPE = re.compile(r"submission_\d+\Z", re.ASCII)
GRADESCOPE_INDEX = "submission_metadata.yml"
Submitters = Mapping[str, tuple[tuple[str, ...], str]]


@dataclass(frozen=True)
class Owner:
    """Who handed a file in. ids: what their platform calls them, the likeliest first.

    name: what people call them, which they may have chosen themselves. sole: the ids say so of any file; in
    a folder of loose files, one that is no notebook (a roster, a read-me) belongs to nobody.
    """

    ids: tuple[str, ...]
    name: str = ""
    sole: bool = True


def students(owners: Iterable[Owner], roster: Roster) -> dict[Owner, str]:
    """Each owner's student: the roster's, else whom it does not have, filed under the platform's id.

    Ids that name two students name neither: they are filed under "ann or bo". An id that the roster only has
    in another spelling, and a name, stand for a student only if nobody else's files are that student's; else
    whoever takes a name like another's would hand in for them. A name counts only where the roster has none
    of the platform's ids.
    """
    found = {owner: {known for key in owner.ids if (known := roster.find(key))} for owner in owners}
    one = {owner: min(known) for owner, known in found.items() if len(known) == 1}
    if not any(owner.name and known for owner, known in found.items()):
        named = {owner: roster.find(owner.name) for owner in found if not found[owner]}
        one |= {owner: student for owner, student in named.items() if student}
    claims = Counter(one.values())
    sure = {
        owner: student
        for owner, student in one.items()
        if claims[student] == 1 or any(roster.exact.get(key) == student for key in owner.ids)
    }
    return {owner: sure.get(owner) or roster.stranger(_id(owner, found[owner])) for owner in found}


def _id(owner: Owner, found: Collection[str]) -> str:
    """What an owner is filed under whose student is not sure. found: the students whom the ids name."""
    if not found:
        return owner.ids[0]
    return " or ".join(sorted(found) if len(found) > 1 else owner.ids)


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
    submitters: Submitters | None = None,
    assignment: str = "",
) -> Owner | None:
    """Who handed in the file at a path below the submissions; None if the instructor's pattern does not fit.

    own: the instructor's pattern, searched in the path. submitters: what Gradescope's index says, see there.
    assignment: the beginning that all of GitHub Classroom's folders share, see `shared_beginning`.

    >>> owner("Ann Lee_17_assignsubmission_file/lee_18_56_a.ipynb")
    Owner(ids=('17',), name='Ann Lee', sole=True)
    """
    if own:
        match = own.search(path)
        return Owner((match["student"],)) if match and match["student"] else None
    top, slash, _ = path.partition("/")
    moodle, canvas = MOODLE.match(top), None if slash else CANVAS.match(path)
    if found := moodle or canvas:
        # Of `ann_1_2_x_3_4_y`, 1 is the user; or the user's name is ann_1_2_x, and 3 is. It may hold Moodle's
        # words as well.
        ids = [moodle["id"]] if moodle else []
        ids += _CANVAS_ID.findall(path) if canvas else []
        return Owner(tuple(dict.fromkeys(ids)), found["name"])
    if slash and GRADESCOPE.match(top):
        return Owner(*(submitters or {}).get(top, ((top,), "")))
    if slash:
        return Owner((top.removeprefix(assignment),))
    return Owner((os.path.splitext(top)[0],), sole=False)


def packed_at_download(path: str) -> bool:
    """Whether the file is Canvas's or Moodle's, whose files bear the time at which a download was packed.

    See github.com/instructure/canvas-lms/issues/2219, and zip_writer.php in Moodle's archive_writer.
    """
    top, slash, _ = path.partition("/")
    return bool(MOODLE.match(top) or (not slash and CANVAS.match(path)))


def marked_late(path: str) -> bool:
    """Whether a file's name may hold Canvas's word that it came after the deadline; it does not say when.

    >>> marked_late("leeann_LATE_17_56789_a.ipynb"), marked_late("leeann_17_56789_LATE_1_2_a.ipynb")
    (True, True)
    """
    return "/" not in path and _CANVAS_LATE.search(path) is not None


def shared_beginning(folders: Collection[str]) -> str:
    """The assignment's name and a hyphen, with which GitHub Classroom begins every folder; "" if none.

    >>> shared_beginning(["bert-1-ann", "bert-1-anton"])
    'bert-1-'
    """
    words = [folder.split("-")[:-1] for folder in folders] if len(folders) > 1 else []
    common = [same[0] for same in takewhile(lambda same: len(set(same)) == 1, zip(*words, strict=False))]
    return "".join(f"{word}-" for word in common)


def gradescope_submitters(index: Any) -> dict[str, tuple[tuple[str, ...], str, float | None]]:
    """Folder -> (ids of its student, their name, when), from Gradescope's index. Odd entries are left out.

    >>> gradescope_submitters({"submission_7": {":submitters": [{":sid": "42", ":name": "Ann"}]}})
    {'submission_7': (('42',), 'Ann', None)}
    """
    found = {}
    for folder, entry in index.items() if isinstance(index, dict) else ():
        submitters = entry.get(":submitters") if isinstance(entry, dict) else None
        first = submitters[0] if isinstance(submitters, list) and submitters else None
        if isinstance(folder, str) and isinstance(first, dict):
            ids = tuple(str(first[key]) for key in (":sid", ":email") if first.get(key))
            made = entry.get(":created_at")
            when = made.timestamp() if hasattr(made, "timestamp") else None
            found[folder] = (ids or (folder,), str(first.get(":name") or ""), when)
    return found
