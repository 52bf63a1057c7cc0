"""What the benchmark counts as the cost of a command: all of its processes, also those that outlive it."""

import subprocess
import sys

BURN = "import time; start = time.process_time()\nwhile time.process_time() - start < 0.4: pass"
# The child goes on when its parent has ended, as a sandbox does when bubblewrap's outer process has.
ORPHAN = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {BURN!r}])"
COST = """
import sys
from pathlib import Path
from benchmarks.grading_peers import cost
print(cost([[sys.executable, "-S", "-c", sys.argv[1]]], Path.cwd()).cpu)
"""


def test_the_time_of_a_process_that_outlives_its_parent_is_counted() -> None:
    command = [sys.executable, "-c", COST, ORPHAN]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) >= 0.4
