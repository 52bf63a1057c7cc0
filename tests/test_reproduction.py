"""Reproducing a results file: the command runs again, elsewhere, and every difference is named."""

import sys

import pytest
from typer.testing import CliRunner

from course_utils import cli, reproduction, results

EXPERIMENT = """
import sys
from course_utils import results
results.write("toy", command="python toy.py", rows=[{{"loss": {loss}}}], seeds=[0], seconds=1.0,
              tolerance={{"relative": 0.01, "absolute": 0.0, "ignore": []}})
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one experiment, toy.py, and its results: a loss of 0.5."""
    for module in (results, reproduction):
        monkeypatch.setattr(module, "project_root", lambda: tmp_path)
    monkeypatch.delenv(results.OUT_VARIABLE, raising=False)
    (tmp_path / "toy.py").write_text(EXPERIMENT.format(loss=0.5))
    results.write(
        "toy",
        command="python toy.py",
        rows=[{"loss": 0.5}],
        seeds=[0],
        seconds=1.0,
        tolerance={"relative": 0.01, "absolute": 0.0, "ignore": []},
    )
    return tmp_path


def course(*words):
    return CliRunner().invoke(cli.app, words)


def test_the_same_numbers_agree(checkout):
    before = (checkout / "results" / "toy.json").read_bytes()
    found = course("reproduce", "toy")
    assert (found.exit_code, found.output) == (0, "toy: agrees\n")
    assert (checkout / "results" / "toy.json").read_bytes() == before


def test_another_number_is_printed_and_fails(checkout):
    (checkout / "toy.py").write_text(EXPERIMENT.format(loss=0.6))
    found = course("reproduce", "toy")
    assert found.exit_code == 1
    assert "row 1: loss was 0.5, is 0.6" in found.output
    assert results.load("toy").value("loss") == 0.5


def test_keep_puts_the_new_files_in_place(checkout):
    beside = "import os; open(os.path.join(os.environ[results.OUT_VARIABLE], 'toy.npz'), 'w').write('x')"
    (checkout / "toy.py").write_text(f"{EXPERIMENT.format(loss=0.6)}\n{beside}\n")
    assert course("reproduce", "toy", "--keep").exit_code == 1
    assert results.load("toy").value("loss") == 0.6
    assert (checkout / "results" / "toy.npz").read_text() == "x"


@pytest.mark.parametrize(
    ("experiment", "message"),
    [("raise SystemExit(3)", "failed with exit status 3"), ("pass", "wrote no toy.json")],
)
def test_a_command_that_fails_is_not_an_agreement(checkout, experiment, message):
    (checkout / "toy.py").write_text(experiment)
    found = course("reproduce", "toy")
    assert found.exit_code == 2
    assert message in found.output


def test_the_command_runs_at_the_recorded_scale_with_this_python(checkout, monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "colab")
    seen = checkout / "seen"
    spy = (
        f"import os, sys; open({str(seen)!r}, 'w').write(os.environ['COURSE_SCALE'] + ' ' + sys.executable)\n"
    )
    (checkout / "toy.py").write_text(spy + EXPERIMENT.format(loss=0.5))
    assert reproduction.reproduce("toy") == []
    assert seen.read_text() == f"laptop {sys.executable}"


def test_without_a_checkout_it_says_so(checkout, monkeypatch):
    monkeypatch.setattr(reproduction, "project_root", lambda: None)
    found = course("reproduce", "toy")
    assert found.exit_code == 2
    assert "reproduced from a checkout" in found.output


def test_list_and_show_tell_what_there_is(checkout):
    assert "toy: 1 rows, 0 claims, laptop" in course("results", "list").output
    shown = course("results", "show", "toy").output
    assert "command: python toy.py" in shown
    assert '{"loss": 0.5}' in shown


@pytest.mark.parametrize(
    "words", [("results", "show", "other"), ("reproduce", "other"), ("reproduce", "../x")]
)
def test_a_wrong_name_is_one_message(checkout, words):
    found = course(*words)
    assert found.exit_code == 2
    assert "Traceback" not in found.output
