"""The grader's side of the forked kernels: one sandboxed parent, one kernel for each submission."""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from course_utils.grading.inside import frames
from course_utils.grading.inside.confine import WORK
from course_utils.grading.sandbox import cgroups, jail, leftovers
from course_utils.grading.sandbox.channel import Channel, Executed
from course_utils.grading.sandbox.outcomes import Limits, SandboxMissing
from course_utils.grading.sandbox.watch import Watch

_STARTUP_SECONDS = 300  # torch from a cold disk
_FORK_SECONDS = 30
_numbers = itertools.count()


def fresh_user() -> int | None:
    """A user id that nothing else on this machine has, where this process is root; else None, our own."""
    return 1_000_000_000 + (os.getpid() << 6) + next(_numbers) % 64 if os.getuid() == 0 else None


class ForkServer:
    """The sandboxed parent. Start it with `start`, end it with `close`.

    preimport: modules it imports, and cells: sources it compiles, once for all kernels. files: see `Grader`.
    """

    def __init__(
        self, preimport: Sequence[str], cells: Sequence[str], files: Mapping[str, Path], sandbox: bool
    ) -> None:
        self.preimport, self.cells, self.files, self.sandbox = preimport, cells, files, sandbox
        self.user = fresh_user() if sandbox else None

    def start(self) -> None:
        """Start and import. Raises SandboxMissing, or RuntimeError if an import fails."""
        self.control, theirs = socket.socketpair()
        program = [sys.executable, "-m", "course_utils.grading.inside.forkserver", str(theirs.fileno())]
        command = jail.command(program, self.files) if self.sandbox else program
        with tempfile.TemporaryFile() as errors:
            self.process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=None if self.sandbox else {**os.environ, **jail.environment()},
                start_new_session=True,  # Ctrl-C is for the grader, which ends this in its own time
            )
            theirs.close()
            self.control.settimeout(_STARTUP_SECONDS)
            answer = self._greet()
            errors.seek(0)
            said = errors.read(2000).decode("utf-8", errors="replace").strip()
        if "ready" not in answer:
            self.close()
            if "failed" in answer:
                raise RuntimeError(f"The sandbox could not import what it was asked to:\n{answer['failed']}")
            raise SandboxMissing(f"bubblewrap is installed but does not work here: {said or 'no message'}")

    def _greet(self) -> dict[str, Any]:
        """Tell it what to do, and read its answer; nothing if it is gone."""
        imports = {"preimport": self.preimport, "cells": self.cells}
        settings = {**imports, "user": self.user, "sandbox": self.sandbox}
        try:
            self.control.sendall(frames.pack(settings))
            return frames.read(self.control) or {}
        except (BrokenPipeError, ConnectionResetError):
            return {}

    def fork(self, limits: Limits) -> ForkedKernel:
        """A new kernel. Raises RuntimeError if the parent does not answer."""
        channel = Channel(limits.output_kib)
        folder = WORK if self.sandbox else tempfile.mkdtemp(prefix=leftovers.prefix())
        self._send_channel(channel, {"limits": dataclasses.asdict(limits), "folder": folder})
        kernel = ForkedKernel(self, channel, limits, None if self.sandbox else Path(folder))
        kernel.begin(_FORK_SECONDS)
        return kernel

    def _send_channel(self, channel: Channel, order: dict[str, Any]) -> None:
        """The order for a kernel, and its ends of the channel."""
        socket.send_fds(self.control, [b"+"], channel.theirs)
        for descriptor in channel.theirs:
            os.close(descriptor)
        self.control.sendall(frames.pack(order))

    def end_kernel(self) -> dict[str, Any]:
        """Have the parent end its kernel. Returns {"status": as of wait(2), "cpu": seconds}."""
        try:
            self.control.sendall(frames.pack("end"))
            answer = frames.read(self.control)
        except OSError:
            answer = None
        if not isinstance(answer, dict):
            self.close()
            raise RuntimeError("The sandbox ended, by no fault of the submission: grade it again.")
        return answer

    def is_alive(self) -> bool:
        """Whether it can fork another kernel."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the parent and with it everything in the sandbox."""
        self.control.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ForkedKernel:
    """One submission's kernel: `execute` cells, then `close` it. It never raises for what they do."""

    def __init__(self, server: ForkServer, channel: Channel, limits: Limits, folder: Path | None) -> None:
        self.server, self.channel, self.limits, self.folder = server, channel, limits, folder
        self.group = cgroups.Group([])
        self.cpu_seconds, self.ended = 0.0, ""

    def begin(self, seconds: float) -> None:
        """Wait until it is confined, and put it into its control group, before any cell runs."""
        process = self.channel.started(seconds)
        if process is None:
            said = self.channel.execute("", 1, lambda: "").outputs
            self.close()
            raise RuntimeError(f"A kernel could not be confined: {said}")
        self.group = cgroups.create(f"{leftovers.prefix()}{process}", self.limits)
        self.group.add(process)
        self.watch = Watch(process, self.limits)

    def _look(self) -> str:
        """The reason to end the kernel now, or ""."""
        return self.group.exceeded() or self.watch()

    def execute(self, code: str, seconds: float) -> Executed:
        """Run a cell for at most so many seconds; where `ended` is set, the kernel is gone."""
        done = self.channel.execute(code, seconds, self._look)
        if done.ended:
            self.ended = done.ended
            self.close()
            done = dataclasses.replace(done, ended=self.ended)
        return done

    def close(self) -> None:
        """End it, whatever it is doing, with all that it started. Twice does no harm."""
        if self.channel.closed:
            return
        used = self.server.end_kernel()
        self.cpu_seconds = used["cpu"]
        if self.ended == "kernel died":
            self.ended = self._cause(used["status"])
        self.channel.close()
        self.group.remove()
        if self.folder is not None:
            shutil.rmtree(self.folder)

    def _cause(self, status: int) -> str:
        """Why a kernel died that nobody here ended."""
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGXCPU)
        if killed and self.cpu_seconds >= self.limits.cpu_seconds - 0.5:
            return "time"
        return (killed and self.group.exceeded()) or "kernel died"
