"""Starts Jupyter's own kernel in the sandbox: a kernel provisioner for jupyter_client.

A kernelspec asks for it by its entry point's name:

    "metadata": {"kernel_provisioner": {"provisioner_name": "course-sandbox",
                                        "config": {"limits": {...}, "files": {...}}}}

The kernel has no network, so it talks over sockets in a folder of its own that exists in memory only. The
client finds them below /proc/PID/root, and so nothing is shared with, or left on, the machine's disks.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import stat
import tempfile
import time
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.launcher import launch_kernel
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict

from course_utils.grading.sandbox import jail
from course_utils.grading.sandbox.forked import fresh_user
from course_utils.grading.sandbox.outcomes import Limits, SandboxMissing
from course_utils.grading.sandbox.watch import tree

NAME = "course-sandbox"  # of the entry point
_CONNECTION = "/course/connection.json"
_SOCKETS = f"{jail.SOCKETS}/kernel"  # "-1" to "-5" are added for the channels
_STARTUP_SECONDS = 60


class SandboxProvisioner(LocalProvisioner):
    """A local kernel process in bubblewrap. limits: fields of `Limits`. files: name -> host path."""

    limits = Dict(config=True)
    files = Dict(config=True)
    root_process = 0  # the first process in the sandbox, as numbered out here

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the transport; then as for any local kernel."""
        assert self.parent is not None
        self.parent.transport, self.parent.ip = "ipc", _SOCKETS
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel and wait for its sockets, which exist before any cell runs."""
        assert self.parent is not None
        host_file = self.parent.connection_file
        with open(host_file, "rb") as connection, tempfile.TemporaryFile() as said:
            heard, speak = os.pipe()
            data = ["--info-fd", str(speak), "--die-with-parent"]
            data += ["--perms", "0444", "--ro-bind-data", str(connection.fileno()), _CONNECTION]
            inside = [_CONNECTION if word == host_file else word for word in cmd]
            command = jail.command(self._confined(inside), self._paths(), *data)
            given = {**self._scrub_kwargs(kwargs), "stderr": said}
            self.process = launch_kernel(command, pass_fds=[connection.fileno(), speak], **given)
            os.close(speak)
            self.pid = self.pgid = self.process.pid
            self.root_process = await self._first_process(heard)
            ready = await self._process_with_sockets()
            if ready is None:
                self.process.kill()
                self.process.wait()
                said.seek(0)
                reason = said.read(2000).decode(errors="replace").strip() or "no message"
                raise SandboxMissing(f"bubblewrap is installed but does not work here: {reason}")
        return {**self.connection_info, "ip": f"/proc/{ready}/root{_SOCKETS}"}

    def _paths(self) -> dict[str, Path]:
        return {name: Path(path) for name, path in self.files.items()}

    def _confined(self, command: list[str]) -> list[str]:
        """The command behind the program that takes all privileges away."""
        limits = self.limits or dataclasses.asdict(Limits())
        settings = {"limits": limits, "user": fresh_user(), "sockets": jail.SOCKETS}
        launch = [command[0], "-m", "course_utils.grading.inside.launch"]
        return [*launch, json.dumps(settings), *command]

    async def _first_process(self, heard: int) -> int:
        """What bubblewrap says the first process of its pid namespace is; 0 if it failed."""
        with os.fdopen(heard, encoding="ascii") as file:
            text = await asyncio.to_thread(file.read)
        return int(json.loads(text)["child-pid"]) if text.strip() else 0

    async def _process_with_sockets(self) -> int | None:
        """The process id below which all sockets are found; None if the kernel ended or is too slow."""
        deadline = time.monotonic() + _STARTUP_SECONDS
        ports = [value for name, value in self.connection_info.items() if name.endswith("_port")]
        names = [f"{_SOCKETS}-{port}" for port in ports]
        while self.root_process and time.monotonic() < deadline and await self.poll() is None:
            for process in tree(self.root_process):
                if all(_is_socket(f"/proc/{process}/root{name}") for name in names):
                    return process
            await asyncio.sleep(0.01)
        return None


def _is_socket(path: str) -> bool:
    """Whether there is a socket, itself and not by a link."""
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False
