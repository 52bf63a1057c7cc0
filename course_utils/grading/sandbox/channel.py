"""The grader's end of a forked kernel: its messages and its output, read under limits."""

from __future__ import annotations

import os
import secrets
import selectors
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from course_utils.grading.inside import frames

Output = dict[str, Any]
_CREDENTIALS = struct.Struct("3i")  # struct ucred: process, user, group
_STREAMS = ("stdout", "stderr")
_MOST_OUTPUTS = 200  # of one cell
TICK = 0.05  # seconds between two looks at what a running cell uses


@dataclass(frozen=True)
class Executed:
    """One cell's run: its outputs in the notebook format, and why the kernel cannot go on, if so."""

    outputs: list[Output] = field(default_factory=list)
    ended: str = ""


class Channel:
    """A socket for messages and two pipes for output; nothing that comes in is trusted.

    output_kib: of output, in all, before the kernel counts as flooding.
    """

    def __init__(self, output_kib: int) -> None:
        self.left, self.closed = output_kib * 1024, False
        self.socket, inner = socket.socketpair()
        # Before anything is sent: a message that was sent earlier comes without its sender's number.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        readers, writers = zip(os.pipe(), os.pipe(), strict=True)
        self.theirs = [inner.detach(), *writers]
        self.pipes = dict(zip(readers, _STREAMS, strict=True))
        self.frames = frames.Frames(most=2 * self.left + (64 << 10))  # JSON may need two bytes for one
        self.selector = selectors.DefaultSelector()
        for end in (self.socket, *readers):
            os.set_blocking(end if isinstance(end, int) else end.fileno(), False)
            self.selector.register(end, selectors.EVENT_READ)

    def started(self, seconds: float) -> int | None:
        """Wait for the kernel's first word. Returns its process id as seen from here, None if none came.

        It is sent before any student code runs.
        """
        self.socket.settimeout(seconds)
        try:
            data, extra, _, _ = self.socket.recvmsg(64, socket.CMSG_SPACE(_CREDENTIALS.size))
            if frames.Frames(most=64).feed(data) != ["ready"]:
                return None
            return int(_CREDENTIALS.unpack(extra[0][2])[0]) or None
        except (OSError, frames.BadFrame):
            return None
        finally:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
            self.socket.setblocking(False)

    def execute(self, code: str, seconds: float, watch: Callable[[], str]) -> Executed:
        """Have the kernel run a cell; read until its reply, or until something is wrong.

        watch: called now and then while the cell runs; returns a reason to end it, or "".
        """
        token, shown = secrets.token_hex(8), dict.fromkeys(_STREAMS, b"")
        pending = frames.pack({"token": token, "code": code})
        now = time.monotonic()
        deadline, next_look = now + seconds, now + TICK
        try:
            while (now := time.monotonic()) < deadline:
                if now >= next_look:
                    next_look = now + TICK
                    _end_if(watch())
                pending = self._send(pending)
                self.selector.select(0.001 if pending else min(next_look, deadline) - now)
                if replies := self._receive(shown):
                    return Executed(_streams(shown) + _outputs(replies, token))
            raise Ended("time")
        except Ended as end:
            return Executed(_streams(shown), ended=str(end))

    def _send(self, data: bytes) -> bytes:
        """Send what can be sent; returns the rest. A dead kernel is noticed when reading."""
        try:
            return data[self.socket.send(data) :] if data else data
        except BlockingIOError:
            return data
        except OSError:
            return b""

    def _receive(self, shown: dict[str, bytes]) -> list[Any]:
        """Read all there is now: output into `shown`, messages into the result. Raises Ended."""
        try:
            found: list[Any] = []
            while data := self._read(self.socket.fileno()):
                found += self.frames.feed(data)
                _end_if("forged result" if len(found) > 1 else "")
            alive = data is None
        except frames.TooLong:
            raise Ended("output") from None
        except frames.BadFrame:
            raise Ended("forged result") from None
        for pipe, name in self.pipes.items():
            while data := self._read(pipe):
                self.left -= len(data)
                if self.left < 0:
                    raise Ended("output")
                shown[name] += data
        if not alive:
            raise Ended("kernel died")
        return found

    def _read(self, descriptor: int) -> bytes | None:
        """Up to 64 KiB; b"" at the end, None if there is nothing now."""
        try:
            return os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        """Close this side."""
        self.closed = True
        self.selector.close()
        self.socket.close()
        for pipe in self.pipes:
            os.close(pipe)


class Ended(Exception):  # noqa: N818 - control flow: the kernel cannot go on, and this is why
    """Why a kernel cannot go on."""


def _end_if(reason: str) -> None:
    """Raise Ended where there is a reason."""
    if reason:
        raise Ended(reason)


def _streams(shown: dict[str, bytes]) -> list[Output]:
    """What was printed, as outputs."""
    return [
        {"output_type": "stream", "name": name, "text": text.decode("utf-8", errors="replace")}
        for name, text in shown.items()
        if text
    ]


def _outputs(replies: list[Any], token: str) -> list[Output]:
    """The outputs in a cell's one reply. Raises Ended if there is more than that, or something else."""
    match replies:
        case [{"token": given, "outputs": list(found)}] if given == token:
            _end_if("output" if len(found) > _MOST_OUTPUTS else "")
            return [checked(output) for output in found]
    raise Ended("forged result")


def checked(output: Any) -> Output:
    """One output, rebuilt from fields of the right types alone. Raises Ended for anything else."""
    match output:
        case {"type": "execute_result" | "display_data" as kind, "data": dict(data)}:
            count = {"execution_count": None} if kind == "execute_result" else {}
            values = {clean(name): clean(value) for name, value in data.items()}
            return {"output_type": kind, "data": values, "metadata": {}} | count
        case {"type": "error", "ename": str(name), "evalue": str(value), "traceback": list(lines)}:
            text = {"ename": clean(name), "evalue": clean(value), "traceback": [clean(v) for v in lines]}
            return {"output_type": "error"} | text
    raise Ended("forged result")


def clean(value: Any) -> str:
    """A text that can be stored: half of a surrogate pair is no character. Other values as their repr."""
    text = value if isinstance(value, str) else repr(value)
    return text.encode("utf-8", errors="replace").decode("utf-8")
