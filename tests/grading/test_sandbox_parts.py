"""The command, the control groups, the canary and the comparison, each without a sandbox."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from attack_table import HIDDEN_WORD, RIGHT, spliced

from course_utils.grading import nbval_cells
from course_utils.grading.exercise import CHECK_KINDS, Cell, course
from course_utils.grading.sandbox import Limits, SandboxMissing, cgroups, jail, leftovers
from course_utils.grading.sandbox.canary import Canary
from course_utils.grading.sandbox.channel import Executed
from course_utils.grading.sandbox.grader import official
from course_utils.grading.sandbox.judge import MOST_CHARACTERS, outcomes, plain


def result(text: str) -> dict[str, Any]:
    return {
        "output_type": "execute_result",
        "data": {"text/plain": text},
        "metadata": {},
        "execution_count": 1,
    }


def checks() -> list[Cell]:
    return [cell for cell in spliced(RIGHT)["cells"] if course(cell)["kind"] in CHECK_KINDS]


def test_without_bubblewrap_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SandboxMissing, match="apt install bubblewrap") as caught:
        jail.command(["true"], {})
    assert str(caught.value).count(".") == 1


def test_the_sandbox_sees_no_more_than_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/bwrap")
    data = tmp_path / "data.csv"
    data.touch()
    command = jail.command(["true"], {"data.csv": data})
    bound = {command[i + 2]: command[i + 1] for i, word in enumerate(command) if word == "--ro-bind"}
    assert bound["/course/files/data.csv"] == str(data.resolve())
    assert not {"--bind", "--dev-bind", "--share-net"} & set(command)
    project = jail.package().parent
    seen = [Path(name) for name in bound]
    for hidden in ("exercises", "results", "weights", "tests"):
        assert not any((project / hidden).is_relative_to(name) for name in seen), hidden
    assert {"--unshare-net", "--unshare-pid", "--unshare-ipc", "--clearenv"} <= set(command)
    with pytest.raises(ValueError, match="is a path"):
        jail.command(["true"], {"../data.csv": data})


def test_a_checkout_that_the_sandbox_would_show_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In /usr/src/app, say, where many Docker images have their programs."""
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/bwrap")
    monkeypatch.setattr(jail, "project_root", lambda: Path("/usr/src/app"))
    with pytest.raises(SandboxMissing, match="shows all of /usr to students' code, solutions too: move"):
        jail.command(["true"], {})


@pytest.mark.parametrize("version", [1, 2])
def test_control_groups_of_both_versions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: int
) -> None:
    """On an ordinary folder, which lacks the files that a kernel makes: no group, and nothing is left."""
    own = tmp_path / "self"
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(cgroups, "SELF", own)
    if version == 1:
        own.write_text("4:memory:/mine\n8:pids:/\n0::/\n")
        (tmp_path / "memory" / "mine").mkdir(parents=True)
        (tmp_path / "pids").mkdir()
    else:
        own.write_text("0::/above/mine\n")
        (tmp_path / "above" / "mine").mkdir(parents=True)
        (tmp_path / "cgroup.controllers").touch()
    tried = []
    monkeypatch.setattr(cgroups, "_usable", lambda controls: tried.append(controls) or False)
    assert cgroups.create("one", Limits(memory_mib=1)).controls == []
    folders = [str(controls[0].folder.relative_to(tmp_path)) for controls in tried]
    assert folders == (["memory/mine/one", "pids/one"] if version == 1 else ["above/one", "above/mine/one"])
    limits = [value for controls in tried for control in controls for value in control.limit.values()]
    assert str(1 << 20) in limits
    assert str(Limits().processes) in limits


def test_a_group_says_what_was_exceeded(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("oom 1\noom_kill 0\n")
    (tmp_path / "pids.events").write_text("max 0\n")
    group = cgroups.Group(cgroups._version_2(tmp_path, Limits()))
    assert group.exceeded() == ""
    (tmp_path / "pids.events").write_text("max 3\n")
    assert group.exceeded() == "processes"
    (tmp_path / "memory.events").write_text("oom 1\noom_kill 1\n")
    assert group.exceeded() == "memory"


def test_an_unwritable_group_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "self"
    own.write_text("4:memory:/missing\n")
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(cgroups, "SELF", own)
    assert cgroups.create("one", Limits()).controls == []


def test_nbval_compares_by_cell_id() -> None:
    shown = {"double-word": [result("'wordword'")], "double-random": [result("'other'")]}
    assert nbval_cells.compare(checks(), shown) == {"double-word": True, "double-random": False}
    assert nbval_cells.compare(checks(), {}) == {}
    extra = {"double-word": [result("'wordword'"), {"output_type": "stream", "name": "stdout", "text": "x"}]}
    assert nbval_cells.compare(checks(), extra) == {"double-word": False}
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
    assert nbval_cells.compare(checks(), {"double-word": [result("'wordword'"), error]}) == {
        "double-word": False
    }
    assert nbval_cells.compare(checks(), {"double-word": [result("x\n" * 10**6)]}) == {"double-word": False}


def test_long_values_are_compared_to_their_ends() -> None:
    """What nbval is given is cut, on both sides."""
    right = "x" * 5000
    check = {**checks()[0], "outputs": [result(right)]}
    name = course(check)["id"]
    (cut,) = nbval_cells._as_run(check)["outputs"]
    cut_text = cut["data"]["text/plain"]
    assert len(cut_text) < len(right)
    others = [f"{right[:-1]}y", f"{right[:4000]}... (5000 characters)", cut_text, right[:4000]]
    assert nbval_cells.compare([check], {name: [result(right)]}) == {name: True}
    for other in others:
        assert nbval_cells.compare([check], {name: [result(other)]}) == {name: False}, other[4000:]


def test_a_canary_dies_of_another_value_alone() -> None:
    canary = Canary.fresh()
    assert canary.source != Canary.fresh().source
    assert repr(eval(canary.source)) == canary.shown
    assert not canary.is_dead(
        [result(canary.shown), {"output_type": "stream", "name": "stdout", "text": "x"}]
    )
    assert canary.is_dead([])
    assert canary.is_dead([result("'wordword'")])


def test_tampering_takes_every_check_and_hidden_outputs_stay_hidden() -> None:
    code = official(spliced(RIGHT))
    secret = f"'{HIDDEN_WORD * 2}'"
    ran = {cell["id"]: Executed([]) for cell in code}
    ran["double-word"], ran["double-random"] = Executed([result("'wordword'")]), Executed([result(secret)])
    equal = {"double-word": True, "double-random": True}
    assert all(outcome.passed for outcome in outcomes(code, ran, equal, "", False).values())
    for ended, canary in (("forged result", False), ("", True)):
        found = outcomes(code, ran, equal, ended, canary)
        assert {found[name].reason for name in equal} == {ended or "display hijacked"}
    wrong = outcomes(code, ran, {}, "", False)
    assert wrong["double-random"].message == "Other words."
    assert wrong["double-word"].message == "Your value:  'wordword'\nRight value: 'wordword'"


def test_a_right_value_stands_on_one_line_so_that_it_can_be_replaced() -> None:
    (check, *_) = checks()
    long = {**check, "outputs": [result("[1,\n 2]")]}
    found = outcomes([long], {check["id"]: Executed([result("[1]")])}, {}, "", False)
    assert found[check["id"]].message == "Your value:  [1]\nRight value: [1, 2]"


def test_an_unfit_notebook_is_refused() -> None:
    notebook = spliced(RIGHT)
    notebook["cells"][-1]["outputs"] = []
    with pytest.raises(ValueError, match="no expected output to compare with: double-random"):
        official(notebook)
    notebook = spliced(RIGHT)
    notebook["cells"][-1]["id"] = "double-word"
    with pytest.raises(ValueError, match="must be unique, these are not: double-word"):
        official(notebook)


def test_messages_are_plain_and_short() -> None:
    assert plain("a\x1b[1;31mb\x00\x9b") == "ab"
    assert len(plain("x" * 10**5)) == MOST_CHARACTERS


def test_the_grader_cannot_put_itself_into_a_group() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        cgroups.Group([]).add(0)


def test_a_process_that_has_ended_needs_no_group() -> None:
    """A kernel's short-lived helpers end between being listed and being put into its group."""
    group = cgroups.create(f"{leftovers.prefix()}ended", Limits())
    try:
        with subprocess.Popen(["true"]) as ended:
            pass
        group.add(ended.pid)
        with subprocess.Popen(["sleep", "60"]) as alive:
            group.add(alive.pid)
            members = [(control.folder / "cgroup.procs").read_text().split() for control in group.controls]
            alive.kill()
    finally:
        group.remove()
    assert all(numbers == [str(alive.pid)] for numbers in members)
