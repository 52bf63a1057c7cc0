"""The sandboxed parent: imports everything once, then forks a kernel for each submission.

    python -m course_utils.grading.inside.forkserver CONTROL-FD

It takes settings and orders from a socket that only the grader holds, and never reads what a kernel wrote.
A forked kernel has a process id space, mounts and IPC objects of its own, a private /tmp, limits, and no
privilege; when it ends, everything that it started ends with it, since it is the init of its space.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import socket
import sys
import traceback
from typing import Any, NoReturn

from course_utils.grading.inside import confine, frames, seccomp
from course_utils.grading.inside import shell as shells


def main(control: socket.socket) -> None:
    """Import and compile, say so, then serve until the grader closes its end."""
    settings = frames.read(control)
    if settings is None:
        return
    if settings["sandbox"]:
        confine.own_namespaces()  # the right to mount is for mounts that this process owns
        confine.keep_device_times()
    try:
        for name in settings["preimport"]:
            importlib.import_module(name)
        if "numpy" in sys.modules:
            importlib.import_module("numpy.random")  # NumPy itself would import it in every kernel anew
        shell = shells.make()
        shell.prepared = {source: shell.compiled(source) for source in settings["cells"]}
    except Exception:
        control.sendall(frames.pack({"failed": traceback.format_exc(limit=-3)}))
        return
    seccomp.assembled()
    gc.collect()
    gc.freeze()  # the collector then does not touch, and so not copy, what is shared
    control.sendall(frames.pack({"ready": True}))
    while (received := _order(control)) is not None:
        keeper = os.fork()
        if keeper == 0:
            keep(control, shell, settings, *received)
        for descriptor in received[1]:
            os.close(descriptor)
        os.waitpid(keeper, 0)


def _order(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next order and the descriptors that came with it; None when the grader is gone."""
    first, descriptors, _, _ = socket.recv_fds(control, 1, 3)
    if not first:
        return None
    return frames.read(control), list(descriptors)


def keep(
    control: socket.socket,
    shell: shells.Shell,
    settings: dict[str, Any],
    order: dict[str, Any],
    channels: list[int],
) -> NoReturn:
    """Fork one kernel on the three channels; when the grader says a word, end it and tell what it used.

    This is a process of its own since a process can make a pid namespace for its children only once.
    """
    try:
        confine.call("unshare", confine.NEW_PIDS) if settings["sandbox"] else confine.reap_orphans()
        child = os.fork()
        if child == 0:
            control.close()
            become_kernel(shell, settings, order, channels)
        for descriptor in channels:
            os.close(descriptor)
        frames.read(control)  # "end", or the grader is gone: both mean the same
        os.kill(child, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
        if not settings["sandbox"]:
            _kill_descendants()
        control.sendall(frames.pack({"status": status, "cpu": used.ru_utime + used.ru_stime}))
    finally:
        os._exit(0)


def become_kernel(
    shell: shells.Shell, settings: dict[str, Any], order: dict[str, Any], channels: list[int]
) -> NoReturn:
    """In the child: take the channels, drop everything else, run cells until the grader is done."""
    code = 1
    try:
        channel = _take(channels)
        os.setsid()  # a signal to "my group" must not reach the parent
        confine.first_to_be_killed()
        if settings["sandbox"]:
            confine.own_namespaces()
            confine.own_proc()
            confine.hide_machine()
            confine.private_folders(order["limits"]["disk_mib"], settings["user"])
        confine.enter(order["folder"])
        confine.confine(order["limits"], settings["user"])
        _fresh_randomness()
        channel.sendall(frames.pack("ready"))
        work(shell, channel)
        code = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(code)


def work(shell: shells.Shell, channel: socket.socket) -> None:
    """Run cells as they come, until the grader closes its end.

    Each reply repeats the request's token, so that the grader can tell a reply from what the code wrote.
    """
    own = os.getpid()
    while (request := frames.read(channel)) is not None:
        outputs = shells.run(shell, request["code"])
        if os.getpid() != own:  # the cell forked, and this is the copy
            os._exit(0)
        channel.sendall(frames.pack({"token": request["token"], "outputs": outputs}))


def _take(channels: list[int]) -> socket.socket:
    """Put the channels in place: the socket, standard output, standard error. Nothing else stays open."""
    messages, output, errors = channels
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    kept = os.dup2(messages, 3, inheritable=False) if messages != 3 else 3
    os.closerange(4, 1 << 16)
    return socket.socket(fileno=kept)


def _fresh_randomness() -> None:
    """No two kernels may draw the same numbers. `random` sees to that itself, NumPy does not."""
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def _kill_descendants() -> None:
    """End what a kernel left behind where no pid namespace does it: all of it is ours, as its reaper."""
    while True:
        try:
            with open("/proc/thread-self/children", encoding="ascii") as file:
                for child in file.read().split():
                    os.kill(int(child), signal.SIGKILL)
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
