"""The list of a course's students, and whose submission a name stands for."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.grading import tables

MAX_NAME = 100  # characters


class RosterError(ValueError):
    """A list of students that cannot be used; the message says where it is wrong."""


@dataclass(frozen=True)
class Roster:
    """names: student -> full name. exact, loose: what else names a student, as it is written and folded."""

    names: Mapping[str, str] = field(default_factory=dict)
    exact: Mapping[str, str] = field(default_factory=dict)
    loose: Mapping[str, str] = field(default_factory=dict)

    def find(self, key: str) -> str | None:
        """The student that a key from a file's name stands for: as it is written before folded.

        >>> read_rows([{"student": "ann", "name": "Ann Lee", "email": "lee@example.org"}]).find("Ann_Lee")
        'ann'
        """
        return self.exact.get(key.strip()) or self.loose.get(folded(key))

    def stranger(self, key: str) -> str:
        """What somebody is filed under whom the list does not have: never the name of another.

        Cleaning makes "ann." and "ann" the same, so what was cleaned has a mark of its own.

        >>> Roster().stranger("ann"), Roster().stranger("ann.")
        ('ann', 'ann (e4e2b39f)')
        """
        name = plain(key)
        if name != key or name in self.names:
            return f"{name[:80]} ({hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]})"
        return name or "(no name)"


def read(path: Path) -> Roster:
    """Read a CSV with a column `student`, perhaps `name`, and further columns that also name a student.

    Further columns are e-mail addresses, ids of Canvas or Moodle, names of accounts.
    Raises RosterError if the column is missing, a student is empty or comes twice.
    """
    try:
        return read_rows(tables.read(path, "student"))
    except tables.TableError as error:
        raise RosterError(f"The roster {path} {error}") from error


def read_rows(rows: Iterable[Mapping[str, str]]) -> Roster:
    """The roster in rows as `read` takes them from a file."""
    names: dict[str, str] = {}
    called: dict[str, list[str]] = {}
    for line, row in enumerate(rows, start=2):
        student = plain(row.get("student", ""))
        if not student:
            raise RosterError(f"Line {line} of the roster has nothing in the column `student`.")
        if student in names:
            raise RosterError(f"Line {line} of the roster names {student} again: give each student one line.")
        names[student] = plain(row.get("name", "")) or student
        called[student] = list(row.values())
    return Roster(names, _naming(called, str.strip), _naming(called, folded))


def _naming(called: Mapping[str, list[str]], written: Callable[[str], str]) -> dict[str, str]:
    """What names one student alone, as it is written. What is somebody's id is nobody else's name.

    What two students share, such as a section, names neither.
    """
    ids = _claims((written(student), student) for student in called)
    others = _claims((written(value), student) for student, values in called.items() for value in values)
    return {key: min(who) for key, who in (others | ids).items() if key and len(who) == 1}


def _claims(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Key -> the students whom it names."""
    claims: dict[str, set[str]] = {}
    for key, student in pairs:
        claims.setdefault(key, set()).add(student)
    return claims


def folded(text: str) -> str:
    """A name as it is compared: without accents, case, and anything but letters and digits.

    >>> folded("Müller, Zoë") == folded("muller zoe")
    True
    """
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(character for character in bare.casefold() if character.isalnum())


def plain(text: str) -> str:
    """A name that is safe to show, to store and to call a file: one line, at most 100 characters, no slash.

    >>> plain("../ann\\x1b[31m\\n lee ")
    'ann [31m lee'
    """
    valid = text.encode("utf-8", "replace").decode("utf-8")
    line = "".join(c if c.isprintable() and c not in "/\\" else " " for c in valid)
    return " ".join(line.split())[:MAX_NAME].strip(" .")
