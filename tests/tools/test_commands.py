"""The commands that README.md gives are the ones that exist, and CI runs them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_two_commands_are_targets_of_make() -> None:
    for target in ("book", "test"):
        assert re.search(rf"^make {target}\b", README, re.MULTILINE)
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)


def test_the_plain_commands_are_the_ones_behind_make() -> None:
    scripts = re.findall(r"python3? (tools/\w+\.py)", README)
    assert sorted(scripts) == ["tools/book.py", "tools/check.py", "tools/setup.py"]
    for script in scripts:
        assert (ROOT / script).is_file()
        assert script in MAKEFILE


def test_ci_runs_both_commands() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert "make book" in lines
    assert "make test" in lines
    assert "set -euo pipefail" in lines
