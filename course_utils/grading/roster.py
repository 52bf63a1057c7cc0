"""The list of a course's students, and whose submission a name stands for."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAX_NAME = 100  # characters


class RosterError(ValueError):
    """A list of students that cannot be used; the message says where it is wrong."""


@dataclass(frozen=True)
class Roster:
    """names: student -> full name. aliases: whatever else names a student, folded -> the student."""

    names: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def student(self, key: str) -> str:
        """The student that a key from a file's name stands for; the key itself where the list has none.

        >>> read_rows([{"student": "ann", "name": "Ann Lee", "email": "lee@example.org"}]).student("Ann_Lee")
        'ann'
        """
        return self.aliases.get(folded(key)) or plain(key)


def read(path: Path) -> Roster:
    """Read a CSV with a column `student`, perhaps `name`, and further columns that also name a student.

    Further columns are e-mail addresses, ids of Canvas or Moodle, names of accounts.
    Raises RosterError if the column is missing, a student is empty or comes twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle, restkey="_rest"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RosterError(f"The roster {path} cannot be read: {error}. Save it as CSV in UTF-8.") from error
    return read_rows([{key: value or "" for key, value in row.items() if key != "_rest"} for row in rows])


def read_rows(rows: Iterable[Mapping[str, str]]) -> Roster:
    """The roster in rows as `read` takes them from a file."""
    names: dict[str, str] = {}
    claims: dict[str, set[str]] = {}
    for line, row in enumerate(rows, start=2):
        student = plain(row.get("student", ""))
        if not student:
            raise RosterError(f"Line {line} of the roster has nothing in the column `student`.")
        if student in names:
            raise RosterError(f"Line {line} of the roster names {student} again: give each student one line.")
        names[student] = plain(row.get("name", "")) or student
        for value in row.values():
            claims.setdefault(folded(value), set()).add(student)
    claims.pop("", None)  # what two students share, such as a section, names neither
    aliases = {alias: min(who) for alias, who in claims.items() if len(who) == 1}
    return Roster(names, aliases | {folded(student): student for student in names})


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
