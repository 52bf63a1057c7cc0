"""Results files: written whole, read loudly, compared within what they state, carried by the package."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course_utils import paths, results, results_format
from course_utils.results import Results, ResultsError

ROOT = Path(__file__).parents[1]
ROWS = [{"domain": "movies", "size": 1, "loss": 0.5}, {"domain": "movies", "size": 2, "loss": 0.25}]
TOLERANCE = {"relative": 0.01, "absolute": 0.0, "ignore": ["seconds"]}
CLAIM = {
    "verdict": "holds",
    "estimate": 2.0,
    "interval": [1.5, 2.5],
    "unit": "tokens",
    "seeds": 3,
    "sentence": "It was 2.",
}


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """An empty checkout that `results` takes for its own."""
    monkeypatch.setattr(results, "project_root", lambda: tmp_path)
    monkeypatch.delenv(results.OUT_VARIABLE, raising=False)
    return tmp_path


def write(name="toy", **changes):
    arguments = {"command": "python -m experiments.toy", "rows": ROWS, "seeds": [0, 1], "seconds": 2.5}
    arguments |= {"tolerance": TOLERANCE, "claims": {"a-claim": CLAIM}} | changes
    return results.write(name, **arguments)


def test_what_is_written_is_what_is_read(checkout):
    path = write()
    assert path == checkout / "results" / "toy.json"
    found = results.load("toy")
    assert results.names() == ["toy"]
    assert (found.rows(), found.seeds, found.scale, found.seconds) == (ROWS, [0, 1], "laptop", 2.5)
    assert found.claims == {"a-claim": CLAIM}
    assert found.versions["python"] == ".".join(map(str, sys.version_info[:3]))


def test_two_writes_are_byte_identical_and_leave_nothing_else(checkout):
    first = write().read_bytes()
    assert write().read_bytes() == first
    assert os.listdir(checkout / "results") == ["toy.json"]


def test_a_failed_write_leaves_the_old_file(checkout):
    before = write().read_bytes()
    with pytest.raises(ResultsError):
        write(rows=[*ROWS, {"loss": float("nan")}])
    assert (checkout / "results" / "toy.json").read_bytes() == before
    assert os.listdir(checkout / "results") == ["toy.json"]


def test_floats_have_six_significant_digits(checkout):
    write(rows=[{"big": 1234567.891, "small": 1.23456789e-9, "count": 123456789}])
    assert results.load("toy").row() == {"big": 1234570.0, "small": 1.23457e-9, "count": 123456789}


def test_each_row_stands_on_its_own_line(checkout):
    lines = write().read_text(encoding="utf-8").splitlines()
    assert sum(line.strip().rstrip(",") == json.dumps(ROWS[1]) for line in lines) == 1


def test_the_machine_is_described_without_naming_it():
    words = results_format.machine()
    assert "CPU core" in words
    assert "memory" in words
    assert os.uname().nodename not in words
    assert "/" not in words


@pytest.mark.parametrize("folder", ["argument", "environment"])
def test_another_folder_can_be_chosen(checkout, monkeypatch, folder):
    other = checkout / "elsewhere"
    if folder == "environment":
        monkeypatch.setenv(results.OUT_VARIABLE, str(other))
    assert write(out=other if folder == "argument" else None) == other / "toy.json"


def test_writing_without_a_checkout_says_what_to_do(checkout, monkeypatch):
    monkeypatch.setattr(results, "project_root", lambda: None)
    with pytest.raises(ResultsError, match="set COURSE_RESULTS_DIR"):
        write()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": []}, "rows is empty"),
        ({"rows": [{}]}, "row 1 holds no value"),
        ({"rows": [{"loss": 1.0}, {"loss": None}]}, "row 2 holds no value"),
        ({"rows": [{"loss": float("nan")}]}, "not finite"),
        ({"rows": [{"loss": float("inf")}]}, "not finite"),
        ({"rows": [{"loss": object()}]}, r"builtins.object is not a JSON value; .*\.item\(\)"),
        ({"rows": [{"loss": {1: 2}}]}, "not a JSON value"),
        ({"command": " "}, "command is empty"),
        ({"seeds": [-1]}, "seeds must be integers"),
        ({"seconds": -1.0}, "seconds must be >= 0"),
        ({"tolerance": {}}, "tolerance must have"),
        ({"tolerance": TOLERANCE | {"relative": -1}}, "tolerance.relative must be a number >= 0"),
        ({"tolerance": TOLERANCE | {"ignore": "seconds"}}, "tolerance.ignore must be a list"),
        ({"claims": {"x": {}}}, "claims.x must have"),
        ({"claims": {"x": CLAIM | {"verdict": "true"}}}, "claims.x.verdict must be one of"),
        ({"claims": {"x": CLAIM | {"interval": [2, 1]}}}, "claims.x.interval must be"),
        ({"claims": {"x": CLAIM | {"estimate": "2"}}}, "claims.x.estimate must be"),
        ({"claims": {"x": CLAIM | {"seeds": [1]}}}, "claims.x.seeds must be"),
        ({"claims": {"x": CLAIM | {"sentence": ""}}}, "claims.x.sentence must be"),
        ({"name": "../toy"}, "small letters"),
    ],
)
def test_bad_content_is_refused_by_name(checkout, changes, message):
    with pytest.raises(ResultsError, match=message):
        write(**changes)
    assert not (checkout / "results").exists()


def test_unknown_names_list_what_there_is(checkout):
    write()
    with pytest.raises(
        FileNotFoundError, match=r"no results called 'other', only \['toy'\].*experiments\.other"
    ):
        results.load("other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "results/toy.json: not JSON"),
        ("[]", "results/toy.json: must hold an object"),
        ("{}", "results/toy.json: fields must be"),
    ],
)
def test_a_broken_file_is_named_with_the_remedy(checkout, text, message):
    write().write_text(text, encoding="utf-8")
    with pytest.raises(ResultsError, match=f"{message}.*run"):
        results.load("toy")


def test_a_renamed_file_is_noticed(checkout):
    path = write()
    path.rename(path.with_name("other.json"))
    with pytest.raises(ResultsError, match=r"results/other\.json: name is 'toy'"):
        results.load("other")


def test_rows_are_found_by_their_fields():
    found = Results("toy", ROWS)
    assert found.rows(domain="movies") == ROWS
    assert found.row(size=2) == ROWS[1]
    assert found.value("loss", size=1) == 0.5


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda found: found.row(length=3),
            r"no field \['length'\]; the fields are \['domain', 'loss', 'size'\]",
        ),
        (lambda found: found.rows(size=3), r"no row with \{'size': 3\}; there are \{'size': \[1, 2\]\}"),
        (lambda found: found.row(domain="movies"), r"2 rows with .*match \['loss', 'size'\] as well"),
        (
            lambda found: found.value("speed", size=1),
            "no field 'speed' in the row .*'domain', 'loss', 'size'",
        ),
    ],
)
def test_what_is_missing_or_ambiguous_is_a_key_error_that_lists_what_there_is(ask, message):
    with pytest.raises(KeyError, match=message):
        ask(Results("toy", ROWS))


def test_a_row_that_is_changed_by_a_reader_does_not_change_the_results():
    found = Results("toy", [{"size": 1}])
    found.row()["size"] = 9
    assert found.value("size") == 1


def changed(**changes):
    """Two results that differ in one row field or one claim field."""
    old = Results("toy", [ROWS[0] | {"seconds": 1.0}], tolerance=TOLERANCE, claims={"a": CLAIM, "b": CLAIM})
    row = old.table[0] | {key: changes[key] for key in changes if key in old.table[0]}
    claim = CLAIM | {key: changes[key] for key in changes if key in CLAIM}
    return results.compare(old, Results("toy", [row], claims={"a": claim, "b": CLAIM}))


def test_within_the_tolerance_two_runs_agree():
    assert changed() == []
    assert changed(loss=0.504, estimate=2.01, interval=[1.51, 2.5]) == []
    assert changed(seconds=99.0, sentence="It was 2.01.") == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"loss": 0.51}, "row 1: loss was 0.5, is 0.51"),
        ({"domain": "tweets"}, "row 1: domain was 'movies', is 'tweets'"),
        ({"size": True}, "row 1: size was 1, is True"),
        ({"verdict": "cannot tell"}, "claim a: verdict was 'holds', is 'cannot tell'"),
        ({"interval": None}, "claim a: interval was [1.5, 2.5], is None"),
        ({"interval": [1.0, 2.5]}, "claim a: interval was [1.5, 2.5], is [1.0, 2.5]"),
    ],
)
def test_each_difference_is_one_sentence(change, difference):
    assert changed(**change) == [difference]


def test_rows_fields_and_claims_that_come_or_go_are_differences():
    old = Results("toy", ROWS, claims={"a": CLAIM}, seeds=[0])
    new = Results("toy", [{"domain": "movies", "size": 1, "perplexity": 1.0}], seeds=[1])
    found = results.compare(old, new)
    assert "seeds was [0], is [1]" in found
    assert "there were 2 rows, there are 1" in found
    assert "row 1: field 'loss' is gone" in found
    assert "row 1: field 'perplexity' is new" in found
    assert "claim a: field 'verdict' is gone" in found


def test_an_ignored_claim_may_differ_in_its_numbers_but_not_in_its_verdict():
    tolerance = TOLERANCE | {"ignore": ["a"]}
    old = Results("toy", ROWS, tolerance=tolerance, claims={"a": CLAIM})
    faster = CLAIM | {"estimate": 9.0, "interval": [8.0, 10.0]}
    assert results.compare(old, Results("toy", ROWS, claims={"a": faster})) == []
    refuted = faster | {"verdict": "does not hold"}
    assert len(results.compare(old, Results("toy", ROWS, claims={"a": refuted}))) == 1


def test_every_results_file_of_the_course_can_be_read():
    assert paths.project_root() == ROOT, "run the tests in the checkout that is installed: pip install -e ."
    for name in results.names():
        python, flag, module = results.load(name).command.split()[:3]
        assert (python, flag) == ("python", "-m"), name
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), f"{name}: there is no {module}"


def test_the_installed_package_carries_the_results_and_the_weights(tmp_path, checkout):
    """A wheel built from a copy without .git, imported where no checkout is."""
    source, target = tmp_path / "source", tmp_path / "installed"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "LICENSE-text"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "course_utils", source / "course_utils", ignore=shutil.ignore_patterns("__pycache__")
    )
    write(out=source / "results")
    (source / "weights" / "toy").mkdir(parents=True)
    for name in ("model.safetensors", "config.json", "card.md"):
        (source / "weights" / "toy" / name).write_text(name)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True)
    shutil.rmtree(source)
    code = (
        "from course_utils import results; print(results.names(), results.load('toy').value('loss', size=2))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "['toy'] 0.25"
    bundled = target / "course_utils" / "bundled_weights" / "toy"
    assert sorted(file.name for file in bundled.iterdir()) == ["card.md", "config.json", "model.safetensors"]
