"""Confine this process as a forked kernel is confined, then become the given program.

python -m course_utils.grading.inside.launch JSON-SETTINGS PROGRAM ARGUMENT...
"""

import json
import os
import sys

from course_utils.grading.inside import confine

SPARE_MIB = 8192  # address space, not memory: what torch's libraries map before the first line of a cell


def main(settings: str, *command: str) -> None:
    """settings: {"limits": ..., "user": ..., "sockets": a folder for the kernel's sockets}."""
    given = json.loads(settings)
    confine.first_to_be_killed()
    confine.own_namespaces()  # the right to mount is for mounts that this process owns
    if given["user"] is not None:  # an ordinary user's pid namespace is bubblewrap's, and so is its /proc
        confine.own_proc()
    confine.keep_device_times()
    confine.hide_machine()
    confine.private_folders(given["limits"]["disk_mib"], given["user"], given["sockets"])
    confine.enter(confine.WORK)
    confine.confine(given["limits"], given["user"], SPARE_MIB, loopback=True)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
