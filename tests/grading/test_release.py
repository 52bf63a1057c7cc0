"""The student's notebook holds what is meant for students, with the solution's values stored."""

import tiny_exercise

from course_utils.grading import release
from course_utils.grading.exercise import Notebook, course, dump_notebook, parse, source

EXERCISE = parse("tiny", tiny_exercise.notebook())


def kinds(notebook: Notebook) -> list[str]:
    return [course(cell)["kind"] for cell in notebook["cells"]]


def by_id(notebook: Notebook, name: str) -> dict:
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def test_student_gets_no_hidden_check_no_seed_and_no_note() -> None:
    student = release.student(EXERCISE, {"double-word": "'wordword'"})
    assert kinds(student) == ["title", "setup", "reference", "task", "answer", "public-check", "help"]
    assert "return word + word" not in dump_notebook(student)


def test_what_all_students_have_in_common_tells_no_hidden_check_and_no_solution() -> None:
    """It is compiled where student code can read it."""
    shared = release.shared_sources(EXERCISE)
    student = release.notebook_of(EXERCISE, solved=False)["cells"]
    code = {source(cell) for cell in student if cell["cell_type"] == "code"}
    assert set(shared) == code - {source(cell) for cell in student if course(cell)["kind"] == "answer"}
    hidden = [source(cell) for cell in EXERCISE.cells("hidden-check", "seed", "answer")]
    assert not any(text in shared for text in hidden)


def test_stored_output_has_a_count_or_nbval_would_compare_nothing() -> None:
    check = by_id(release.student(EXERCISE, {"double-word": "'wordword'"}), "double-word")
    assert check["execution_count"] > 0
    assert check["outputs"][0]["data"] == {"text/plain": ["'wordword'"]}


def test_only_answers_can_be_edited() -> None:
    student = release.student(EXERCISE, {"double-word": "'wordword'"})
    assert [c["id"] for c in student["cells"] if c["metadata"]["editable"]] == ["double-answer"]


def test_references_come_from_running_the_solution() -> None:
    assert release.references(EXERCISE) == {"double-word": "'wordword'"}


def test_reference_cell_is_code_that_holds_the_values() -> None:
    space: dict = {}
    exec(release.reference_source({"a": "['x',\n 'y']", "b": '"it\'s"'}), space)
    assert space["REFERENCE"] == {"a": "['x', 'y']", "b": '"it\'s"'}


def test_headers_count_the_points_of_both_kinds_of_checks() -> None:
    student = release.student(EXERCISE, {"double-word": "'wordword'"})
    assert "1 task · about 3 minutes · 3 points" in by_id(student, "title")["source"]
    head = by_id(student, "double")["source"]
    assert "Difficulty 1 of 5 · importance 2 of 5 · about 3 minutes · 3 points: 2 for" in head
    assert head.startswith("## Task 1\n\n*")
    assert head.endswith("\n\nDo it.")


def test_hidden_checks_come_with_their_seed() -> None:
    notebook = release.notebook_of(EXERCISE, solved=True, hidden_seed=7)
    assert by_id(notebook, "seed")["source"] == "import random\n\nstudent_seed = 7"
    assert "hidden-check" in kinds(notebook)
    assert "note" not in kinds(notebook)


def test_the_source_is_left_as_it_was() -> None:
    before = dump_notebook(EXERCISE.notebook)
    release.student(EXERCISE, {"double-word": "'wordword'"})
    assert dump_notebook(EXERCISE.notebook) == before


def test_a_stub_keeps_the_indentation_of_each_solution() -> None:
    inner = "    ### BEGIN SOLUTION\n    a = 1\n    ### END SOLUTION"
    outer = "### BEGIN SOLUTION\nc = 3\n### END SOLUTION"
    assert release.stub(f"if x:\n{inner}\nb = 2\n{outer}", "t").splitlines() == [
        "if x:",
        '    raise NotImplementedError("t: your code goes here")',
        "b = 2",
        'raise NotImplementedError("t: your code goes here")',
    ]
