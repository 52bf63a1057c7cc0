"""The bubblewrap command: what a sandboxed process can see, and what it is started with.

It sees the system's libraries, Python with its packages, and of this package no more than what runs in
here: all read-only. It does not see the rest of the course, whose functions solve its exercises, nor the
exercises' sources, results, a gradebook, a home folder, other processes, or a network.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import course_utils
from course_utils.grading.inside.confine import FILES, NOTHING, WORK
from course_utils.grading.sandbox.outcomes import SandboxMissing
from course_utils.paths import project_root

SOCKETS = "/course/sockets"
# What the parent needs to give each kernel its own namespaces and an unprivileged user; kernels keep none.
CAPABILITIES = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL", "CAP_DAC_OVERRIDE")
SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# The sandbox's own part of this package.
INSIDE = ("__init__.py", "grading/__init__.py", "grading/inside")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "fonts")
MISSING = (
    "Grading needs bubblewrap, which is not installed here: install it (Debian, Ubuntu: apt install "
    "bubblewrap), or pass --unsafe-no-sandbox on a machine of your own, for code that you trust."
)


def environment() -> dict[str, str]:
    """All variables that a sandboxed process has; none comes from the grader's own."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": WORK,
        "TMPDIR": WORK,
        "USER": "student",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(package().parent),
        "PYTHONHASHSEED": "0",  # verdicts must not hang on the order of a set
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": f"{WORK}/.ipython",
        "MPLCONFIGDIR": f"{WORK}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        # One thread: a pool of threads does not survive a fork, and submissions share the cores.
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }


def package() -> Path:
    """Where this package is."""
    return Path(course_utils.__file__).resolve().parent


def command(program: Sequence[str], files: Mapping[str, Path], *options: str) -> list[str]:
    """The command that runs a program in the sandbox.

    files: name -> what is found under this name in FILES. options: further ones for bubblewrap.
    Raises SandboxMissing where bubblewrap is not installed or would show the course's sources, ValueError for
    a name that is a path.
    """
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        raise SandboxMissing(MISSING)
    spaces = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if os.getuid() != 0:
        spaces.append("--unshare-user")
    rights = ["--cap-drop", "ALL", *(word for name in CAPABILITIES for word in ("--cap-add", name))]
    variables = [word for pair in environment().items() for word in ("--setenv", *pair)]
    start = ["--new-session", "--hostname", "sandbox", "--clearenv", *variables, "--chdir", "/"]
    sealed = [word for place in ("/dev", *_copies(), "/") for word in ("--remount-ro", place)]
    return [bubblewrap, *spaces, *rights, *start, *_view(files), *options, *sealed, "--", *program]


def _view(files: Mapping[str, Path]) -> Iterator[str]:
    """The options that make up the file system."""
    bound = [*_system(), *_python(), *_given(files)]
    _refuse_to_show_the_course(name for _, name in bound)
    links = [(os.readlink(name), name) for name in SYSTEM if os.path.islink(name)]
    folders = {FILES, NOTHING, SOCKETS} | {str(p) for _, name in bound for p in Path(name).parents}
    folders |= {str(p) for copy in _copies() for p in Path(copy).parents}
    if not any(folder == "/tmp" or folder.startswith("/tmp/") for folder in folders):
        links.append((WORK, "/tmp"))
    for folder in sorted(folders - {"/"}):
        yield from ("--perms", "0755", "--dir", folder)
    for source, name in bound:
        yield from ("--ro-bind", str(source), name)
    yield from _own()
    for target, name in links:
        yield from ("--symlink", target, name)
    # Packages insist on a temporary folder when imported; each kernel covers this one by its own.
    yield from ("--perms", "0700", "--tmpfs", WORK)
    yield from ("--proc", "/proc", "--dev", "/dev")


def _refuse_to_show_the_course(places: Iterable[str]) -> None:
    """Raises SandboxMissing where student code would see the checkout, and so every solution."""
    root = project_root()
    shown = next((place for place in places if root and root.is_relative_to(place)), None)
    if shown:
        raise SandboxMissing(
            f"The course lies in {root}, and the sandbox shows all of {shown} to students' code, solutions "
            "too: move the course, to /srv for example."
        )


def _system() -> Iterator[tuple[Path, str]]:
    """The system's programs and libraries, and the few settings that they read."""
    names = ["/usr", *(name for name in SYSTEM if os.path.isdir(name) and not os.path.islink(name))]
    names += [f"/etc/{name}" for name in SETTINGS if os.path.exists(f"/etc/{name}")]
    yield from ((Path(name).resolve() if name != "/usr" else Path(name), name) for name in names)


def _python() -> Iterator[tuple[Path, str]]:
    """Python and its packages, where they are not part of the system's own tree."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_prefix).resolve()}
    outside = sorted(prefix for prefix in prefixes if not prefix.is_relative_to("/usr"))
    yield from ((prefix, str(prefix)) for prefix in outside if prefix != Path("/"))


def _own() -> Iterator[str]:
    """The options for the sandbox's part of this package, alone, wherever a copy of it is installed."""
    for copy in _copies():
        yield from ("--perms", "0755", "--tmpfs", copy)
    yield from ("--perms", "0755", "--dir", f"{package()}/grading")
    for name in INSIDE:
        yield from ("--ro-bind", str(package() / name), f"{package()}/{name}")


def _copies() -> list[str]:
    """Every folder that Python may take for this package, this one among them."""
    found = {os.path.join(os.path.abspath(place), package().name) for place in sys.path}
    return sorted({str(package()), *filter(os.path.isdir, found)})


def _given(files: Mapping[str, Path]) -> Iterator[tuple[Path, str]]:
    """What an exercise lets the code read."""
    for name, path in files.items():
        if name in ("", ".", "..") or "/" in name:
            raise ValueError(f"The file name {name!r} is a path: give a plain name, such as data.csv.")
        yield path.resolve(strict=True), f"{FILES}/{name}"
