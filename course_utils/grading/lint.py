"""Refuse checks that cannot be trusted: no value, a verdict, a guessable value, an unstable one.

A check must show one short value that depends on the answer alone. Two runs in kernels with different
hash seeds find values that depend on addresses, unseeded randomness or the order of a set; a clock is
found in the code, since two runs may fall on one day. No cell may call an answer without the time limit:
an endless loop in it would hang the notebook. A check must not lean on one of the other kind, since the
grader runs visible and hidden ones apart. No hidden check may show one value twice in DRAWS draws of its
inputs, so that a guess seldom passes. `survivors` then tries the known wrong answers.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from course_utils.grading import mutants, trial
from course_utils.grading.execute import execute
from course_utils.grading.exercise import CHECK_KINDS, Exercise, ExerciseError, course, source
from course_utils.grading.hidden import Solution
from course_utils.grading.release import notebook_of, solution
from course_utils.grading.trial import Shown

_WORDS = re.compile(r"\b(?:True|False|None)\b")
LONG_FLOAT = re.compile(r"\d\.\d{7,}|\d\.\d*e-\d")
MAX_CHARACTERS = 400
MIN_DISTINCT = 4
GUARDS = {"check", "in_time"}  # what the set-up defines to call a function with a time limit
SEEDS = (0, 1, 2)  # students that wrong answers are tried for
# Students whose hidden values must all differ. One value for an eighth of all students would come twice among
# so many in 96 of 100 cases, and so would some value where any two students agree with a chance of 0.4%.
DRAWS = 40
CLOCKS = {
    "time",
    "time_ns",
    "perf_counter",
    "monotonic",
    "process_time",
    "now",
    "utcnow",
    "today",
    "localtime",
}
CLOCK_MODULES = {"time", "datetime", "date"}
UNORDERED = {
    "Counter",
    "defaultdict",
    "OrderedDict",
    "frozenset",
    "set",
    "dict_keys",
    "dict_values",
    "dict_items",
}


def lint(exercise: Exercise, seed: int = 0) -> list[str]:
    """Everything wrong with an exercise's checks, in words; [] if nothing is. Runs it in two kernels.

    seed: what the hidden checks draw their inputs from.
    """
    checks = {course(cell)["id"]: source(cell) for cell in exercise.cells(*CHECK_KINDS)}
    found = [f"{name}: {line}" for name, text in checks.items() for line in source_problems(text)]
    found += unguarded_cells(exercise)
    for cell in exercise.cells("seed", "given"):
        found += [f"{course(cell)['id']}: {line}" for line in clock_problems(ast.parse(source(cell)))]
    if found:
        return found
    notebook = notebook_of(exercise, solved=True, hidden_seed=seed)
    first, second = execute(notebook, hash_seed=1), execute(notebook, hash_seed=2)
    for name in checks:
        found += [f"{name}: {line}" for line in output_problems(first[name])]
        if _values(first[name]) != _values(second[name]):
            found.append(
                f"{name}: two runs differ; sort sets, seed random numbers, show no time and no address"
            )
    if found:
        return found
    together = {name: _values(first[name])[0] for name in checks}
    with Solution(exercise) as solution:
        return list(leaning(solution, together, seed)) or list(repeating(exercise, solution))


def leaning(solution: Solution, together: Mapping[str, str], seed: int) -> Iterator[str]:
    """Checks that need those of the other kind. together: check id -> its value where all of them run."""
    hint = "the grader runs visible and hidden checks apart, so put what both need into a given cell"
    try:
        apart = solution.outputs(seed)
    except ExerciseError as error:
        yield f"{error} ({hint})"
        return
    for name, value in together.items():
        if apart[name]["text/plain"] != value:
            yield f"{name}: it shows another value without the checks of the other kind; {hint}"


def repeating(exercise: Exercise, solution: Solution) -> Iterator[str]:
    """Hidden checks that show one value to two of DRAWS students, or to one of them what proves little."""
    try:
        draws = [solution.outputs(seed) for seed in range(DRAWS)]
    except ExerciseError as error:
        yield f"{error} (a hidden check must work for every seed)"
        return
    for name in [course(cell)["id"] for cell in exercise.cells("hidden-check")]:
        shown = Counter(draw[name]["text/plain"] for draw in draws)
        value, times = shown.most_common(1)[0]
        if times > 1:
            yield (
                f"{name}: {DRAWS} students see {len(shown)} different values, and {times} of them {value}; "
                "a guess may pass, so draw more from student_seed, or show more of the result"
            )
        problems = [line for value in shown for line in value_problems(value)]
        yield from (f"{name}: {line}" for line in problems[:1])


def source_problems(text: str) -> Iterator[str]:
    """What can be seen in a check's code.

    >>> list(source_problems("assert f(1) == 2"))
    ['it asserts; show the value instead, so that nbval compares it', 'its last line shows no value']
    """
    tree = ast.parse(text)
    if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        yield "it asserts; show the value instead, so that nbval compares it"
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or text.rstrip().endswith(";"):
        yield "its last line shows no value"
    elif isinstance(last.value, (ast.Constant, ast.Compare, ast.BoolOp)):
        yield "its last line shows a constant or a verdict; show the value that the answer returned"
    yield from clock_problems(tree)


def clock_problems(tree: ast.AST) -> Iterator[str]:
    """Where code reads a clock.

    >>> list(clock_problems(ast.parse("date.today().year")))
    ['it reads a clock (date.today): its value changes from day to day; write the time down as data']
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value
            name = owner.id if isinstance(owner, ast.Name) else owner
            if name in CLOCK_MODULES:
                yield (
                    f"it reads a clock ({name}.{node.attr}): its value changes from day to day; "
                    "write the time down as data"
                )


def unguarded_cells(exercise: Exercise) -> Iterator[str]:
    """The given cells and checks that call an answer without the time limit."""
    answers = [ast.parse(solution(source(cell))) for cell in exercise.cells("answer")]
    functions = {node.name for tree in answers for node in tree.body if isinstance(node, ast.FunctionDef)}
    for cell in exercise.cells("given", *CHECK_KINDS):
        for name in unguarded(source(cell), functions):
            yield (
                f"{course(cell)['id']}: it uses {name} without a time limit, and a loop that never ends "
                f"would hang the notebook; write in_time(lambda: ...{name}(...)...)"
            )


def unguarded(text: str, functions: Collection[str]) -> list[str]:
    """The given functions that code uses outside a lambda handed to `check` or `in_time`, sorted.

    >>> unguarded("check('name', lambda: f(1))\\nin_time(g(2))", {"f", "g"})
    ['g']
    """
    nodes = list(ast.walk(ast.parse(text)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    guards = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in GUARDS]
    late = [argument for call in guards for argument in call.args if isinstance(argument, ast.Lambda)]
    safe = {id(node) for argument in late for node in ast.walk(argument)}
    names = [node for node in nodes if isinstance(node, ast.Name) and node.id in functions]
    return sorted({node.id for node in names if id(node) not in safe})


def output_problems(outputs: list[dict[str, Any]]) -> Iterator[str]:
    """What can be seen in a check's outputs."""
    values = _values(outputs)
    if len(outputs) != 1 or len(values) != 1:
        yield "it must show exactly one value and print nothing"
        return
    yield from value_problems(values[0])


def value_problems(value: str) -> Iterator[str]:
    """What can be seen in a value that a check shows.

    >>> [line[:24] for line in value_problems("1.5e-17")]
    ['it shows 1.5e-17: round ']
    """
    if value in ("True", "False", "None", ""):
        yield f"it shows {value or 'nothing'}: a verdict, which any answer may hit by chance"
    elif len(set(_WORDS.sub(_one_letter, value)) - set("[](){}, '")) < MIN_DISTINCT:
        yield f"it shows {value}, which is easy to guess; show a richer value"
    if LONG_FLOAT.search(value):
        yield f"it shows {value}: round to at most 6 decimals, far above the noise of floats"
    if shows_unordered(value):
        yield f"it shows {value}, whose order a right answer need not share; show sorted(...) instead"
    if len(value) > MAX_CHARACTERS:
        yield f"it shows {len(value)} characters; show at most {MAX_CHARACTERS}"


def shows_unordered(value: str) -> bool:
    """Whether a shown value holds a dictionary or a set, which two right answers may fill in other orders.

    >>> shows_unordered("[{'a': 1, 'b': 2}]"), shows_unordered("['{a}', (1, 2)]")
    (True, False)
    """
    try:
        nodes = list(ast.walk(ast.parse(value, mode="eval")))
    except SyntaxError:  # not written as Python writes a value, so nothing is known about it
        return False
    calls = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return bool(calls & UNORDERED) or any(isinstance(node, ast.Dict | ast.Set) for node in nodes)


def survivors(exercise: Exercise) -> list[str]:
    """Known wrong answers that pass, and checks that an empty stub passes.

    A wrong answer must fail a public and a hidden check of its task, the latter for each of several students.
    Runs every known wrong answer several times: seconds to a few minutes.
    """
    known = mutants.load(exercise)
    notebooks = {f"solution {seed}": trial.of_solution(exercise, seed) for seed in SEEDS}
    notebooks["stub"] = trial.of_stub(exercise, SEEDS[0])
    for mutant in known:
        notebooks[f"{mutant.slug} {SEEDS[0]}"] = trial.of_mutant(exercise, mutant, SEEDS[0])
        for seed in SEEDS[1:]:  # public checks are the same for every student
            hidden_only = trial.of_mutant(exercise, mutant, seed, {"hidden-check"})
            notebooks[f"{mutant.slug} {seed}"] = hidden_only
    shown = trial.run(notebooks)
    right = {seed: shown[f"solution {seed}"] for seed in SEEDS}
    found = list(_passed_by_stub(exercise, shown["stub"], right[SEEDS[0]]))
    for mutant in known:
        for seed in SEEDS:
            said = shown[f"{mutant.slug} {seed}"]
            found += _survives(exercise, mutant, trial.failed(exercise, mutant.task, said, right[seed]), seed)
    return found


def _survives(
    exercise: Exercise, mutant: mutants.Mutant, failed: Collection[str], seed: int
) -> Iterator[str]:
    """The kinds of checks that a wrong answer passes all of; public ones ran for the first seed only."""
    for kind in ("public-check", "hidden-check") if seed == SEEDS[0] else ("hidden-check",):
        if not any(course(cell)["id"] in failed for cell in exercise.cells(kind)):
            yield (
                f"{mutant.task}: the known wrong answer {mutant.mistake!r} passes every {kind} "
                f"(seed {seed}); add one that it fails"
            )


def _passed_by_stub(
    exercise: Exercise, stub: Mapping[str, Shown], right: Mapping[str, Shown]
) -> Iterator[str]:
    for task in exercise.tasks():
        failed = trial.failed(exercise, task, stub, right)
        for cell in exercise.cells(*CHECK_KINDS):
            if course(cell)["task"] == task and course(cell)["id"] not in failed:
                yield f"{course(cell)['id']}: an unanswered notebook passes it; show what the answer returned"


def _one_letter(word: re.Match[str]) -> str:
    """True, False and None say one thing each, however many letters they have."""
    return word[0][0]


def _values(outputs: list[dict[str, Any]]) -> list[str]:
    """The text of each shown value."""
    return ["".join(output["data"].get("text/plain", "")) for output in outputs if "data" in output]
