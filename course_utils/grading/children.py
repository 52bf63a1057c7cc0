"""Start a module of our own as a process that speaks with this one over a pair of sockets.

Unlike multiprocessing's, such a process does not run the main program again, wherever it came from.
When this process dies, the other's next read ends, and it goes too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

READY = b"ready"
START_SECONDS = 120  # a busy machine takes long to import torch


class ChildError(RuntimeError):
    """A process of ours that did not start: nothing that a student did."""


class Child:
    """One process. module: what it runs; its last argument is the number of its socket, see `connection`."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._module = module
        self.connection, theirs = Pipe()
        command = [sys.executable, "-m", module, *arguments, str(theirs.fileno())]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()

    def wait_ready(self) -> Child:
        """Wait until it has imported what it needs. Raises ChildError if it does not say so."""
        try:
            ready = self.connection.poll(START_SECONDS) and self.connection.recv_bytes() == READY
        except (EOFError, OSError):
            ready = False
        if not ready:
            self.stop()
            raise ChildError(f"{self._module} did not start; its own words are above.")
        return self

    def stop(self, patience: float = 0.0) -> None:
        """End it, whatever it does. patience: seconds to end by itself, so that it ends its own processes."""
        self.connection.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self.process.kill()
        self.process.wait()


def connection() -> Connection:
    """In such a process: its end of the pair, after telling that it is ready."""
    pipe: Connection = Connection(int(sys.argv[-1]))
    pipe.send_bytes(READY)
    return pipe
