"""The release of two students of general distillation: `python -m experiments.distillation_release`.

Reads the last checkpoint of experiments/distillation_general.py and its results file; writes
weights/student_halved and weights/student_quick, each with its card, without the teacher's tables.
"""

from pathlib import Path

from course_utils import data, results
from course_utils.distillation.shipped import WEIGHTS, save_student
from course_utils.models.weights import load_encoder
from course_utils.paths import project_root
from course_utils.released import STUDENTS
from experiments import distillation_general as general
from experiments import laptop_cards

TITLES = {
    "halved": "Half of the layers of all-MiniLM-L6-v2",
    "quick": "Two thin layers after all-MiniLM-L6-v2",
}
NOTE = (
    "The cosine of its last hidden states (of a thin student: mapped to the teacher's width) with the\n"
    "teacher's, mean over held-out sentences, before rounding. What it is worth when fine-tuned is in\n"
    "`results/distillation_controls.json`."
)


def release(name: str, weights: Path) -> Path:
    """Write one student and its card; returns its folder."""
    place = weights / f"student_{name}"
    save_student(general.learning(name), load_encoder(data.small_model_dir()), place)
    table = results.load(general.NAME)
    row, cost = table.row(part="student", student=name), table.row(part="cost")
    facts = {
        "Use": f'`course_utils.distillation.shipped.released_student("student_{name}")`',
        "Architecture": f"{row['layers']} layers of {row['width']}; {row['parameters']:,} parameters with "
        f"the teacher's embedding tables; {(place / WEIGHTS).stat().st_size:,} bytes without these",
        "Teacher": "all-MiniLM-L6-v2 (Apache-2.0), 6 layers of 384",
        "Training text": f"{cost['sentences']:,} sentences; {cost['films']:.0%} of the tokens: film reviews "
        "(IMDb's training fold), the rest: novels and Wikipedia; no labels, no rated film sentence",
        "Training": f"{cost['steps']:,} steps of {general.BATCH} sentences, seed 0, together with the other "
        "students; loss: cosine of the last states and squared differences of all matched states",
        "Command": f"`python -m experiments.{general.NAME} --general FILES`, then this module's",
        "Licence": "MIT, as the course",
    }
    laptop_cards.write(place, TITLES[name], facts, [{"student": name, "cosine": row["cosine"]}], NOTE)
    return place


def main() -> None:
    """Release both. Raises FileNotFoundError outside a checkout."""
    root = project_root()
    if root is None:
        raise FileNotFoundError("a model is released into a checkout of the course, and there is none")
    for name in STUDENTS:
        print(release(name.removeprefix("student_"), root / "weights"))


if __name__ == "__main__":
    main()
