"""The reference: Jupyter's own kernel, a new one in its own sandbox for each submission."""

from __future__ import annotations

import dataclasses
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from course_utils.grading.sandbox import cgroups, jail, leftovers
from course_utils.grading.sandbox.channel import Ended, Executed, Output, checked, clean
from course_utils.grading.sandbox.outcomes import Limits
from course_utils.grading.sandbox.provisioner import NAME
from course_utils.grading.sandbox.watch import Watch, cpu_seconds, tree

_ARGUMENTS = ["-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
_PROVISIONER = "course_utils.grading.sandbox.provisioner:SandboxProvisioner"
_SECONDS_TO_READY = 60
_LONGEST_MESSAGE = 16 << 20  # bytes; a longer one cuts the connection
_MOST_WAITING = 10  # messages


class _Specs(KernelSpecManager):
    """Knows one kernel."""

    spec: KernelSpec

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The one."""
        return self.spec


class ReferenceKernel:
    """One submission's ipykernel: `execute` cells, then `close` it. It never raises for what they do."""

    def __init__(self, limits: Limits, files: Mapping[str, Path], sandbox: bool) -> None:
        self.limits, self.ended, self.cpu_seconds, self.left = limits, "", 0.0, limits.output_kib * 1024
        self.sandbox, self.closed = sandbox, False
        # As in pyproject.toml; here it is known too where the package was installed before it said so.
        factory = KernelProvisionerFactory.instance()
        factory.provisioners.setdefault(NAME, EntryPoint(NAME, _PROVISIONER, factory.GROUP_NAME))
        specs = _Specs()
        specs.spec = _spec(limits, files, sandbox)
        self.folder = tempfile.mkdtemp(prefix=leftovers.prefix())  # for the file that holds the sockets' key
        file, options = f"{self.folder}/kernel.json", {"kernel_spec_manager": specs, "context": _context()}
        self.manager = KernelManager(kernel_name=NAME, connection_file=file, **options)
        self.group, self.watch, self.client = cgroups.Group([]), Watch(0, limits), self.manager.client()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        """Start the process, put it into its control group, and wait until it answers."""
        environment = {**os.environ, **({} if self.sandbox else jail.environment())}
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.manager.start_kernel(env=environment, **streams)
        process = self._first_process()
        if self.sandbox:
            self.group = cgroups.create(f"{leftovers.prefix()}{process}", self.limits)
            self._join_group(process)
        self.watch = Watch(process, self.limits)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=_SECONDS_TO_READY)

    def _join_group(self, process: int) -> None:
        """Put a process and its descendants into the group, until none has started another meanwhile."""
        members: set[int] = set()
        while started := set(tree(process)) - members:
            for member in started:
                self.group.add(member)
            members |= started

    def _first_process(self) -> int:
        """The first process in the sandbox; the kernel itself where there is none."""
        provisioner: Any = self.manager.provisioner
        return provisioner.root_process if self.sandbox else provisioner.pid

    def execute(self, code: str, seconds: float) -> Executed:
        """Run a cell for at most so many seconds; where `ended` is set, the kernel is gone."""
        outputs: list[Output] = []
        try:
            self._collect(self.client.execute(code, store_history=False, allow_stdin=False), seconds, outputs)
        except Ended as end:
            self.ended = str(end)
            if self.ended == "kernel died":
                self.ended = self.group.exceeded() or self.ended
            self.close()
        return Executed(outputs, self.ended)

    def _collect(self, request: str, seconds: float, outputs: list[Output]) -> None:
        """Read what the kernel publishes for this request, until it is idle. Raises Ended."""
        deadline, looked = time.monotonic() + seconds, time.monotonic()
        while True:
            if (now := time.monotonic()) > deadline:
                raise Ended("time")
            message = self._message()
            if message is None or now - looked > 0.1:
                looked = now
                self._look()
            if message is None or message.request != request:
                continue
            if message.idle:
                return
            # A traceback may be long by no fault of its cell, of an endless recursion, say; a second one is.
            known = {output["output_type"] for output in outputs}
            self.left -= message.size if message.kind != "error" or "error" in known else 0
            if self.left < 0:
                raise Ended("output")
            outputs += message.outputs

    def _message(self) -> Published | None:
        """The next published message, None if there is none now. Raises Ended if it is no message."""
        try:
            return published(self.client.get_iopub_msg(timeout=0.05))
        except queue.Empty:
            return None
        except Exception as error:  # whatever jupyter_client makes of bytes that the code wrote
            raise Ended("forged result") from error

    def _look(self) -> None:
        """Raises Ended if the kernel is gone or uses too much."""
        if not self.manager.is_alive():
            raise Ended("kernel died")
        reason = self.group.exceeded() or self.watch()
        if reason:
            raise Ended(reason)

    def close(self) -> None:
        """End it with all that it started. Twice does no harm."""
        if self.closed:
            return
        self.closed = True
        self.cpu_seconds = cpu_seconds(self.watch.process)
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)
        shutil.rmtree(self.folder)
        self.group.remove()


def _spec(limits: Limits, files: Mapping[str, Path], sandbox: bool) -> KernelSpec:
    """This Python's ipykernel, started by our provisioner."""
    config = {
        "limits": dataclasses.asdict(limits),
        "files": {name: str(path.resolve()) for name, path in files.items()},
    }
    ours = {"kernel_provisioner": {"provisioner_name": NAME, "config": config}}
    return KernelSpec(
        argv=[sys.executable, *_ARGUMENTS],
        display_name="Python in a sandbox",
        language="python",
        metadata=ours if sandbox else {},
    )


def _context() -> zmq.Context[Any]:
    """Sockets that take no more than is wanted, and never look a second time at a path in the sandbox."""
    context: zmq.Context[Any] = zmq.Context()
    context.setsockopt(zmq.MAXMSGSIZE, _LONGEST_MESSAGE)
    context.setsockopt(zmq.RCVHWM, _MOST_WAITING)
    context.setsockopt(zmq.RECONNECT_IVL, -1)
    context.setsockopt(zmq.LINGER, 0)
    return context


@dataclasses.dataclass(frozen=True)
class Published:
    """What matters of a message.

    request: the one that it belongs to, if any. idle: whether it was the last for that one. size: characters
    that it brings, 0 for an echo of the cell. outputs: what it adds to the cell's.
    """

    request: Any
    kind: str
    idle: bool
    size: int
    outputs: list[Output]


def published(message: Any) -> Published:
    """A message of the kernel, which may hold anything. Raises Ended for one that is ill-typed."""
    match message:
        case {"parent_header": dict(parent), "msg_type": str(kind), "content": dict(content)}:
            idle = kind == "status" and content.get("execution_state") == "idle"
            size = len(repr(content)) if kind != "execute_input" else 0
            return Published(parent.get("msg_id"), kind, idle, size, _output(kind, content))
    raise Ended("forged result")


def _output(kind: str, content: dict[str, Any]) -> list[Output]:
    """What a message adds to the outputs, rebuilt from fields of the right types alone. Raises Ended."""
    match kind, content:
        case "stream", {"name": "stdout" | "stderr" as name, "text": str(text)}:
            return [{"output_type": "stream", "name": name, "text": clean(text)}]
        case (("execute_result" | "display_data" | "error"), _):
            return [checked({**content, "type": kind})]
    return []
