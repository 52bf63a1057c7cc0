"""Make `.venv` ready: the pinned requirements, this package, the data. Run it as often as you like.

    python3 tools/setup.py

Only the standard library is used, and only syntax that every Python 3.6 or newer reads, so that
an old Python gets the sentence below that says it is too old, and not a syntax error. A step
that is done is not done again; a step that was cut off is done again from its start.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "setup.stamp"  # fingerprint of what is installed; written last
OLDEST = (3, 11)
GIGABYTES_NEEDED = 4
GIGABYTE = 1024**3
OFFLINE_SIGNS = (
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Max retries exceeded",
    "Connection refused",
    "Network is unreachable",
    "Name or service not known",
    "Temporary failure in name resolution",
    "ProxyError",
    "(from versions: none)",  # what pip says of every package when it found no index at all
)
FULL_SIGNS = ("No space left on device", "Errno 28", "Disk quota exceeded")


class SetupError(Exception):
    """What stopped the set-up, and what to do about it, in one sentence."""


def bin_path(name):
    """A program inside .venv: .venv/bin/NAME, or .venv\\Scripts\\NAME.exe on Windows."""
    return VENV / (f"Scripts/{name}.exe" if os.name == "nt" else f"bin/{name}")


def say(text):
    print(f"[setup] {text}", flush=True)


# ---------------------------------------------------------------- checks before anything is written
def check_python(version):
    """Raise SetupError when `version` (a tuple like sys.version_info) is older than OLDEST."""
    if tuple(version[:2]) >= OLDEST:
        return
    newer = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    raise SetupError(
        f"Python {version[0]}.{version[1]} is too old, the course needs {OLDEST[0]}.{OLDEST[1]} or newer: "
        f"run `make book PYTHON={newer[0] if newer else '/path/to/a/newer/python3'}`."
    )


def check_disk(free_bytes):
    """Raise SetupError when less is free than the packages, the data and the book need."""
    if free_bytes < GIGABYTES_NEEDED * GIGABYTE:
        raise SetupError(
            f"The disk is nearly full ({free_bytes / GIGABYTE:.1f} GB free at {ROOT}, the course needs "
            f"{GIGABYTES_NEEDED} GB): free some space, then run the same command again."
        )


def explain_pip(stderr):
    """One sentence on why pip failed, from what it wrote to standard error."""
    if any(sign in stderr for sign in FULL_SIGNS):
        return f"The disk is full: free at least {GIGABYTES_NEEDED} GB, then run the same command again."
    if any(sign in stderr for sign in OFFLINE_SIGNS):
        return (
            "The package registry is out of reach: check the network (and PIP_INDEX_URL or HTTPS_PROXY, "
            "where a mirror or a proxy is used), then run the same command again."
        )
    return "pip failed for the reason in its last lines: fix it, then run the same command again."


# ---------------------------------------------------------------- the environment
def venv_version():
    """(major, minor) of a working .venv that has pip, else None."""
    code = "import pip, sys; print(sys.version_info[0], sys.version_info[1])"
    try:
        out = subprocess.check_output([str(bin_path("python")), "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(int(part) for part in out.split())


def keep_venv():
    """True when .venv works and nobody asked for another Python (`make book PYTHON=...`)."""
    version = venv_version()
    asked = bool(os.environ.get("PYTHON"))
    return version is not None and version >= OLDEST and (not asked or version == sys.version_info[:2])


def make_venv():
    """Create .venv with this Python. Debian's may lack `ensurepip`: then its own pip installs pip."""
    check_python(sys.version_info)
    say(f"creating .venv with Python {sys.version_info[0]}.{sys.version_info[1]}")
    venv = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if importlib.util.find_spec("ensurepip"):
        run(venv)
    else:
        run([*venv, "--without-pip"])
        pip("--python", str(bin_path("python")), "install", "pip", python=sys.executable)


def run(command):
    """Run a command and show its output. Raise SetupError when it fails."""
    if subprocess.call(command, cwd=str(ROOT)) != 0:
        shown = " ".join(command)
        raise SetupError(
            f"`{shown}` failed for the reason in its last lines: fix it, then run the same command again."
        )


def pip(*arguments, python=None):
    """Run pip. Its progress goes straight to the screen; its errors too, and they are explained."""
    command = [str(python or bin_path("python")), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    process = subprocess.Popen(
        [*command, *arguments],
        cwd=str(ROOT),
        stderr=subprocess.PIPE,
        universal_newlines=True,  # what Python 3.6 calls `text`
    )
    seen = []
    for line in process.stderr:
        sys.stderr.write(line)
        seen.append(line)
    if process.wait() != 0:
        raise SetupError(explain_pip("".join(seen)))


def fingerprint():
    """A hash of all that decides what is installed: requirements, the package's metadata, Python."""
    digest = hashlib.sha256(repr(venv_version()).encode())
    for name in ("requirements.txt", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def install():
    """Install what requirements.txt pins, then this checkout, unless the stamp says it is done."""
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        say("packages are up to date")
        return
    if not STAMP.exists():
        check_disk(shutil.disk_usage(str(ROOT)).free)
    say("installing requirements.txt into .venv (some minutes the first time)")
    # seqeval comes as an old source distribution, which an old pip would build in the old way, and fail.
    pip("install", "--use-pep517", "--requirement", "requirements.txt")
    pip("install", "--no-build-isolation", "--no-deps", "--quiet", "--editable", ".")
    STAMP.write_text(wanted)


def fetch_data():
    """Fetch the data and the small model into the cache folder; what is there is only checked."""
    say("fetching the data and the small model")
    run([str(bin_path("course")), "data", "fetch"])


def main():
    try:
        if not keep_venv():
            make_venv()
        install()
        fetch_data()
    except SetupError as problem:
        sys.exit(f"[setup] {problem}")
    except KeyboardInterrupt:
        sys.exit("\n[setup] Stopped: run the same command again to continue.")


if __name__ == "__main__":
    main()
