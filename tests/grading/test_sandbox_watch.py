"""The watch where no control group helps: every descendant is seen, and memory that is shared counts once."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from course_utils.grading.sandbox import Limits
from course_utils.grading.sandbox.watch import Watch, tree

LIMITS = Limits(memory_mib=60, processes=40)
STARTED_BY_A_THREAD = """
import os, threading, time
def start():
    if os.fork() == 0:
        if os.fork() == 0:
            kept = os.urandom(MIB << 20)
            print('ready', flush=True)
            time.sleep(1e6)
        time.sleep(1e6)
    time.sleep(1e6)
threading.Thread(target=start).start()
"""
SHARED_BY_CHILDREN = """
import os, time
kept = os.urandom(MIB << 20)
for _ in range(5):
    if os.fork() == 0:
        time.sleep(1e6)
print('ready', flush=True)
time.sleep(1e6)
"""
LITTLE_IN_EACH_OF_MANY = """
import subprocess, sys, time
code = "import os; kept = os.urandom(MIB << 20); print('ready', flush=True); input()"
program = [sys.executable, '-c', code]
started = [subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)]
for process in started:
    process.stdout.readline()
print('ready', flush=True)
time.sleep(1e6)
"""
SHARED_MAPPING = """
import mmap, os, time
kept = mmap.mmap(-1, MIB << 20)
for start in range(0, MIB << 20, 4096):
    kept[start] = 1
for _ in range(5):
    if os.fork() == 0:
        kept[::4096]
        time.sleep(1e6)
time.sleep(0.2)
print('ready', flush=True)
time.sleep(1e6)
"""


@contextmanager
def running(source: str, mib: int) -> Iterator[Watch]:
    """A watch over a process that runs this source. It had 50 MiB before the watch began."""
    wait = "import os\nhad = os.urandom(50 << 20)\nprint('begun', flush=True)\ninput()\n"
    program = [sys.executable, "-c", wait + source.replace("MIB", str(mib))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "begun\n"
            watch = Watch(process.pid, LIMITS)
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "ready\n"
            yield watch
        finally:
            for descendant in reversed(list(tree(process.pid))):
                subprocess.run(["kill", "-9", str(descendant)], check=True)


@pytest.mark.parametrize(
    ("source", "mib", "says"),
    [
        (STARTED_BY_A_THREAD, 150, "memory"),
        (STARTED_BY_A_THREAD, 10, ""),
        (SHARED_BY_CHILDREN, 40, ""),
        (SHARED_BY_CHILDREN, 150, "memory"),
        (LITTLE_IN_EACH_OF_MANY, 40, "memory"),
        (LITTLE_IN_EACH_OF_MANY, 3, ""),
        (SHARED_MAPPING, 40, ""),
        (SHARED_MAPPING, 150, "memory"),
    ],
)
def test_memory_of_all_descendants_together(source: str, mib: int, says: str) -> None:
    with running(source, mib) as watch:
        assert watch() == says


def test_a_process_that_has_ended_uses_nothing() -> None:
    with subprocess.Popen(["sleep", "0"]) as process:
        process.wait()
        time.sleep(0.01)
        assert Watch(process.pid, LIMITS)() == ""
