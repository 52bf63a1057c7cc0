"""The cache on disk: whole folders of checked files, or nothing.

A bundle is fetched into a temporary folder beside its final place, every file is compared with its
pinned sha256, and the folder is renamed in one step. A process that is killed in the middle leaves
nothing that a later one would take for complete, and a lock lets only one process fetch at a time.
"""

import hashlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from course_utils.data.errors import SourceUnavailable
from course_utils.paths import cache_dir

log = logging.getLogger("course_utils.data")


@dataclass(frozen=True)
class PinnedFile:
    """A file that is known by content: its name, its size in bytes and its sha256 in hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """One way to get a bundle: ``fetch(folder)`` puts the files there or raises SourceUnavailable."""

    name: str
    fetch: Callable[[Path], None]


@dataclass(frozen=True)
class Bundle:
    """Files that belong together; ``name`` is their folder in the cache and carries the version."""

    name: str
    title: str
    files: tuple[PinnedFile, ...]

    def folder(self) -> Path:
        """Where the bundle lives in the cache, whether it is there yet or not."""
        return cache_dir() / self.name

    def is_complete(self) -> bool:
        """True when every file is there with its pinned size (contents were checked on arrival)."""
        folder = self.folder()
        return all(_size(folder / file.name) == file.size for file in self.files)


def ensure(bundle: Bundle, sources: Sequence[Source]) -> Path:
    """The folder that holds ``bundle``, fetched from the first of ``sources`` that delivers.

    Idempotent: a complete bundle is not touched. Raises SourceUnavailable, naming what each source
    said, when none delivers.
    """
    if not bundle.is_complete():
        with FileLock(cache_dir() / f"{bundle.name}.lock"):
            if not bundle.is_complete():
                _fetch(bundle, sources)
    return bundle.folder()


def sha256_of(path: Path) -> str:
    """The sha256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_content(path: Path, sha256: str) -> None:
    """Raise SourceUnavailable unless the file is the one that is pinned."""
    if sha256_of(path) != sha256:
        raise SourceUnavailable(f"its {path.name} is not the file that this course pins (sha256 differs)")


def _fetch(bundle: Bundle, sources: Sequence[Source]) -> None:
    _remove_leftovers(bundle)
    failures = []
    for source in sources:
        try:
            _fetch_from(bundle, source)
            return
        except SourceUnavailable as problem:
            log.info("%s did not deliver: %s", source.name, problem)
            failures.append(f"{source.name}: {problem}")
    raise SourceUnavailable(
        f"{bundle.title} could not be fetched ({'; '.join(failures)}): "
        "connect this machine to the network, or to a package index that has it, and try again"
    )


def _fetch_from(bundle: Bundle, source: Source) -> None:
    log.info("fetching %s from %s ...", bundle.title, source.name)
    start = time.monotonic()
    place = Path(tempfile.mkdtemp(prefix=f"{bundle.name}.partial-", dir=cache_dir()))
    try:
        source.fetch(place)
        _check(bundle, place)
        place.chmod(0o755)
        place.rename(bundle.folder())
    except OSError as problem:
        raise SourceUnavailable(f"it could not be written to {cache_dir()} ({problem})") from problem
    finally:
        shutil.rmtree(place, ignore_errors=True)
    log.info("%s is ready after %.1f s", bundle.title, time.monotonic() - start)


def _check(bundle: Bundle, folder: Path) -> None:
    for file in bundle.files:
        path = folder / file.name
        if _size(path) is None:
            raise SourceUnavailable(f"it holds no {file.name}")
        check_content(path, file.sha256)


def _remove_leftovers(bundle: Bundle) -> None:
    for path in cache_dir().glob(f"{bundle.name}.partial-*"):
        shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(bundle.folder(), ignore_errors=True)


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None
