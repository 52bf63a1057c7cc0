"""The process that opens what students handed in. It has limits on memory, processor and files.

It may die of what it reads; the caller then starts another, and that one file is invalid. Requests come
and replies go as JSON, never as pickles: whoever took over this process could send any.
"""

from __future__ import annotations

import codecs
import gc
import hashlib
import io
import json
import os
import re
import resource
import stat
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any, BinaryIO

from course_utils.grading.children import connection
from course_utils.grading.splice import take

MAX_PATH = 1000  # characters of a name in an archive
# Of Gradescope's index the lines of folders, and what says whose and of when they are. All else, which grows
# with each attempt, is what an autograder said.
_WANTED = re.compile(rb"\n(?:\S.*|  [\"']?:(?:submitters|created_at)\b.*(?:\n(?:  [ -].*|\r?)(?=\n|\Z))*)")


@dataclass(frozen=True)
class ReadLimits:
    """What reading one file may take.

    file_mib: the size of a file, unpacked. index_mib: of Gradescope's index, which is of the whole class.
    memory_mib: of the reading process, Python included. cpu_seconds, seconds: by the processor, and by the
    clock. members: files in an archive.
    """

    file_mib: int = 20
    index_mib: int = 256
    memory_mib: int = 1024
    cpu_seconds: int = 10
    seconds: float = 30
    members: int = 200_000


class RefusedError(Exception):
    """Why a file is no submission, in words for its student."""


def serve(requests: Connection, limits: ReadLimits) -> None:
    """Answer requests until there are no more: {"op": "read" | "list" | "index", ...} -> a reply."""
    mib = 2**20
    gc.disable()  # JSON makes no cycles, and looking for them in millions of objects takes minutes
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_mib * mib,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - a crash is told by the caller, for one file
    operations: dict[str, Callable[..., dict[str, Any]]]
    operations = {"read": read, "list": members, "index": index}
    while True:
        try:
            asked = json.loads(requests.recv_bytes())
        except EOFError:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + limits.cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        try:
            reply = operations[asked.pop("op")](limits=limits, **asked)
        except RefusedError as error:
            reply = {"reason": str(error)}
        requests.send_bytes(json.dumps(reply).encode())


def read(path: str, member: int | None, tasks: list[str], limits: ReadLimits) -> dict[str, Any]:
    """One submission: {"sha256", "exercise" (its own word for it), "answers", "problems", "reason"}."""
    content = _content(path, member, limits)
    reply = {"sha256": hashlib.sha256(content).hexdigest()}
    try:
        notebook = parse(content)
    except RefusedError as error:
        return {**reply, "reason": str(error)}
    taken = take(notebook, tasks)
    return {
        **reply,
        "exercise": _named_exercise(notebook),
        "answers": taken.answers,
        "problems": taken.problems,
    }


def members(path: str, limits: ReadLimits) -> dict[str, Any]:
    """The files of a zip archive: {"members": [[name, time as six numbers, why not or ""], ...]}."""
    found = _archive(path).infolist()
    if len(found) > limits.members:
        raise RefusedError(
            f"It holds {len(found):,} files, more than {limits.members:,}. Unpack it, and name the folder."
        )
    return {"members": [_row(entry) for entry in found]}


def _row(entry: zipfile.ZipInfo) -> list[Any]:
    """A file of an archive as it is listed. Of a name that is too long, only the folders at its beginning."""
    name, when = _valid(entry.filename), list(entry.date_time)
    if len(name) <= MAX_PATH:
        return [name, when, _member_problem(entry)]
    return [f"{name[:MAX_PATH]}/", when, f"A name in the archive is longer than {MAX_PATH:,} characters."]


def index(path: str, member: int | None, limits: ReadLimits) -> dict[str, Any]:
    """Gradescope's index: {"submitters": {folder: [ids, name, when]}}."""
    import yaml

    from course_utils.grading.intake_names import gradescope_submitters

    content = _index_lines(_content(path, member, replace(limits, file_mib=limits.index_mib)))
    try:
        # Safe as safe_load is, and eight times as fast.
        found = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return {"submitters": gradescope_submitters(found)}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RefusedError(f"Gradescope's index cannot be read: {error}") from error


def _index_lines(content: bytes) -> bytes:
    """The lines of Gradescope's index that `gradescope_submitters` needs.

    >>> _index_lines(b"submission_7:\\n  :submitters:\\n  - :sid: 42\\n  :history:\\n  - :score: 1")
    b'submission_7:\\n  :submitters:\\n  - :sid: 42'
    """
    first = io.BytesIO(content).readline().rstrip()
    return first + b"".join(_WANTED.findall(content))


def parse(content: bytes) -> dict[str, Any]:
    """A notebook from its bytes, of which only the list of cells is sure to be one.

    Raises RefusedError that says why it is none.
    """
    text = content.removeprefix(codecs.BOM_UTF8).strip()
    if not text:
        raise RefusedError("The file is empty.")
    if text[:100].lower().startswith((b"<!doctype html", b"<html")):
        raise RefusedError("It is a web page, not a notebook: download the .ipynb itself.")
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RefusedError(f"It is no text in UTF-8 (byte {error.start}).") from error
    except RecursionError as error:
        raise RefusedError("It is no notebook: its brackets are nested too deep.") from error
    except json.JSONDecodeError as error:
        where = f"It is no notebook, or one that is cut off or damaged at line {error.lineno:,}"
        raise RefusedError(f"{where}: download it again from where you work.") from error
    except ValueError as error:  # whole numbers of more than 4,300 digits
        raise RefusedError(f"It is no notebook: {_valid(str(error))[:200]}.") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise RefusedError("It is no notebook: it has no list of cells.")
    return notebook


def open_plain(path: str) -> BinaryIO:
    """Open a plain file, never through a link, never waiting for a pipe. Raises RefusedError otherwise."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise RefusedError(f"It cannot be opened: {error.strerror}.") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RefusedError("It is no plain file.")
    return os.fdopen(handle, "rb")


def _content(path: str, member: int | None, limits: ReadLimits) -> bytes:
    """The bytes of a file, or of the member at a place in an archive."""
    most = limits.file_mib * 2**20
    if member is None:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            content = file.read(most + 1) if size <= most else b""
    else:
        entry = _archive(path).infolist()[member]
        size = entry.file_size
        content = _unpacked(_archive(path), entry, most) if size <= most else b""
    if max(size, len(content)) > most:  # the second if it grew, or the archive lied
        raise RefusedError(f"It is larger than {limits.file_mib} MiB.")
    return content


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    """At most so many bytes of a member, and one more if there is more, whatever the archive says of it."""
    if problem := _member_problem(entry):
        raise RefusedError(problem)
    try:
        with archive.open(entry) as unpacking:
            return unpacking.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise RefusedError(f"It cannot be unpacked: {_valid(str(error))[:200]}.") from error


@lru_cache(maxsize=1)  # its list of files is long, and asked for once for each of them
def _archive(path: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(open_plain(path))
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, UnicodeDecodeError) as error:
        raise RefusedError(f"It is no zip archive: {_valid(str(error))[:200]}.") from error


def _member_problem(entry: zipfile.ZipInfo) -> str:
    """Why a member of an archive is refused; "" if it is not."""
    parts = entry.filename.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        return "Its name in the archive leads out of the folder."
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "It is no plain file, but a link or a device."
    if entry.flag_bits & 1:
        return "It is encrypted."
    return ""


def _named_exercise(notebook: dict[str, Any]) -> str:
    """The exercise that a notebook says it is, "" if it says nothing; no longer than a name can be."""
    metadata = notebook.get("metadata")
    meta = metadata.get("course") if isinstance(metadata, dict) else None
    name = meta.get("exercise") if isinstance(meta, dict) else None
    return name[:MAX_PATH] if isinstance(name, str) else ""


def _valid(text: str) -> str:
    """The text without halves of surrogate pairs, which no file and no terminal takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


if __name__ == "__main__":
    serve(connection(), ReadLimits(**json.loads(sys.argv[1])))
