"""Take away from this process what student code must not have; what it starts inherits that.

Python 3.11 has no os.unshare and no mount, so this calls the C library. Sources: namespaces(7),
capabilities(7), prctl(2), mount(2), getrlimit(2).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Mapping
from typing import Any

from course_utils.grading.inside import seccomp

NEW_MOUNTS, NEW_IPC, NEW_PIDS = 0x00020000, 0x08000000, 0x20000000
_NO_SUID, _NO_DEVICES, _NO_EXECUTION, _READ_ONLY = 2, 4, 8, 1  # mount(2)
_PDEATHSIG, _DUMPABLE, _DROP_BOUNDING, _SUBREAPER, _NO_NEW_PRIVS, _AMBIENT = 1, 4, 24, 36, 38, 47  # prctl(2)
_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION = 0x20080522  # capset(2), version 3: two words for each set
_REMOUNT, _BIND, _KEPT = 32, 4096, _NO_SUID | _NO_EXECUTION  # mount(2)
# Where bubblewrap shows the machine's own devices, whose times anybody who may write to them may set.
DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "pts")
MIB = 1 << 20

WORK = "/scratch"  # where student code works; not /tmp, below which the course itself may be installed
FILES = "/course/files"
NOTHING = "/course/nothing"  # an empty folder

_libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> None:
    """Call a function of the C library that returns 0. Raises OSError with its name if it does not."""
    converted = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(_libc, name)(*converted):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def own_namespaces() -> None:
    """Own mounts and own System V objects. Process ids are for the parent to unshare, before the fork."""
    call("unshare", NEW_MOUNTS | NEW_IPC)


def keep_device_times() -> None:
    """No code can note anything in the times of a device. It is read and written as before.

    Bubblewrap's own read-only mounts of a device cannot be opened.
    """
    for device in (f"/dev/{name}" for name in DEVICES):
        flags = _REMOUNT | _BIND | _READ_ONLY | os.statvfs(device).f_flag & _KEPT
        call("mount", b"none", device.encode(), None, flags, None)


def private_folders(disk_mib: int, user: int | None, *more: str) -> None:
    """Empty folders in memory, of limited size, that belong to the user: to work in, to share memory."""
    owner = f"uid={os.getuid() if user is None else user},gid={os.getgid() if user is None else user}"
    for folder in (WORK, "/dev/shm", *more):
        options = f"size={disk_mib}m,nr_inodes=4096,mode=0700,{owner}"
        _mount("tmpfs", folder, _NO_SUID | _NO_DEVICES, options)


def own_proc() -> None:
    """A /proc that shows the processes of this process's own pid namespace, and cannot be written."""
    _mount("proc", "/proc", _NO_SUID | _NO_DEVICES | _NO_EXECUTION | _READ_ONLY, None)


def hide_machine() -> None:
    """Cover what /proc shows of the machine: its counters outlive a run, and could tell the next one of it.

    The processor's abilities stay to be seen. Libraries choose their code by them, and complain, into the
    output of a right answer, where they find none. Devices must have been seen to before.
    """
    with os.scandir("/proc") as entries:
        for entry in entries:
            is_process = entry.name.isdigit() or entry.is_symlink()  # links lead to the process that asks
            if not is_process and entry.name != "cpuinfo":
                cover = NOTHING if entry.is_dir(follow_symlinks=False) else os.devnull
                call("mount", cover.encode(), entry.path.encode(), None, _BIND, None)


def _mount(kind: str, folder: str, flags: int, options: str | None) -> None:
    call("mount", kind.encode(), folder.encode(), kind.encode(), flags, options and options.encode())


def enter(folder: str) -> None:
    """Work in this folder, and find the exercise's files there."""
    os.chdir(folder)
    if os.path.isdir(FILES):
        for name in os.listdir(FILES):
            os.symlink(os.path.join(FILES, name), name)


def first_to_be_killed() -> None:
    """Where the machine runs out of memory, the kernel's choice falls on this process."""
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")


def limit(limits: Mapping[str, Any], user: int | None, spare_mib: int = 0) -> None:
    """Set this process's resource limits.

    limits: the fields of `Limits`. spare_mib: address space for libraries that are yet to be loaded;
    what is mapped now is not counted.
    """
    space = _mapped() + (limits["memory_mib"] + spare_mib) * MIB
    for name, value in {
        "RLIMIT_AS": space,
        "RLIMIT_NOFILE": limits["open_files"],
        "RLIMIT_FSIZE": limits["file_mib"] * MIB,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NICE": 0,
        "RLIMIT_RTPRIO": 0,
    }.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    # Since Linux 5.14 the limit on processes counts those of one user namespace, not all of a user.
    if user is not None or _linux() >= (5, 14):
        resource.setrlimit(resource.RLIMIT_NPROC, (limits["processes"],) * 2)
    seconds = max(1, int(limits["cpu_seconds"]))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))  # the hard limit kills, whatever is ignored


def _linux() -> tuple[int, int]:
    """The kernel's version."""
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int(minor)


def _mapped() -> int:
    """Bytes of address space that this process has mapped."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def give_up_privileges(user: int | None) -> None:
    """No capability, none to be had by any program, and nothing that root owns.

    user: the user and group id to take where this process is root; None keeps the own.
    """
    for capability in range(64):
        if _libc.prctl(_DROP_BOUNDING, ctypes.c_ulong(capability), 0, 0, 0):
            break  # past the last one that this kernel knows, or already without the right to
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    _libc.prctl(_AMBIENT, ctypes.c_ulong(_AMBIENT_CLEAR_ALL), 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    call("capset", ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))
    call("prctl", _NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", _DUMPABLE, 1, 0, 0, 0)  # as after an exec, so that /proc/self can be read


def reap_orphans() -> None:
    """Descendants whose parent ended become children of this process."""
    call("prctl", _SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Be killed when the parent ends. A change of the user id clears this: call it after."""
    call("prctl", _PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def confine(limits: Mapping[str, Any], user: int | None, spare_mib: int = 0, loopback: bool = False) -> None:
    """Everything that needs no namespace, in the one order that works. loopback: see `seccomp.program`."""
    limit(limits, user, spare_mib)
    give_up_privileges(user)
    die_with_parent()
    seccomp.install(loopback)
