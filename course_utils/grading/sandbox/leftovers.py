"""What a grader that was killed could not clear away: control groups and folders. The next grader does it.

Both carry the number of the process that made them in their names, course-PID-..., and are touched only
where no process has that number any more. A number that was given to another process keeps them for a while.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from course_utils.grading.sandbox import cgroups

_NAME = re.compile(r"course-(\d+)-")


def prefix() -> str:
    """What the names of this process's groups and folders begin with."""
    return f"course-{os.getpid()}-"


def reap() -> None:
    """Remove what dead graders left behind; what cannot be removed stays."""
    for place in cgroups.places():
        # A session may have groups of its own, so look beside this one's, too.
        for group in {*_found(place), *_found(place.parent, "*")}:
            if _is_dead(group.name):
                _remove_group(group)
    for folder in _found(Path(tempfile.gettempdir())):
        with suppress(FileNotFoundError):  # another grader was faster
            if _is_dead(folder.name) and folder.lstat().st_uid == os.geteuid():
                shutil.rmtree(folder, ignore_errors=True)  # follows no links


def _found(place: Path, *below: str) -> list[Path]:
    """What is named like ours. The module glob forgives a folder that vanishes, Path.glob does not."""
    return [Path(name) for name in glob.glob(os.path.join(glob.escape(str(place)), *below, "course-*"))]


def _is_dead(name: str) -> bool:
    """Whether a name carries the number of a process that does not exist."""
    found = _NAME.match(name)
    if found is None:
        return False
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):  # somebody else's; no number of a process
        return False
    return False


def _remove_group(group: Path) -> None:
    """Remove a group and those in it. The kernel refuses where a process is left in one."""
    for folder, _, _ in os.walk(group, topdown=False):
        with suppress(OSError):
            os.rmdir(folder)
