"""General distillation of three students in one run: `python -m experiments.distillation_general`.

Teacher: the small real BERT (6 layers of 384), which learnt from far more text than we have. One pass of it
over 10 million tokens teaches at once

  halved  3 layers of 384: the first, third and last of its layers, its embedding tables shared and frozen
  narrow  4 layers of 192, random; the teacher's tables behind a learnt map (start: their principal
          directions)
  quick   2 layers of 192 with a thin feed-forward, likewise

Loss: cosine of the last states and, layer by layer, the squared difference of states; no masked text. Chosen
by pilots of 40 steps on the halved student (cosine with the teacher on held-out sentences: 0.806 with the
states of all layers, 0.805 with the last alone, at the same cost; from layers 2, 4 and 6 0.806, from first,
third and last 0.810; at a rate of 1.5e-4 0.766). Masked text was left to `distillation_factorial`: its
teacher is another network, the course's masked LM, and each masked token costs a whole output layer.

Text: sentences of the film reviews of the hub's IMDb (its training fold; COURSE_HUB_ROOT
names a copy on disk) and, in the share 1 - FILMS, of files that `--general` names (.txt, .txt.xz, or folders
of them). Sentences that equal one of the rated film sentences are left out.

`--minutes` is CPU time: the run stops there, and the same command goes on from its last checkpoint with the
same numbers. The learning rate follows the tokens that are planned, not the minutes. `--report` writes
results/distillation_general.json from the lines so far, with the CPU time of all calls.
`python -m experiments.distillation_release` then puts `halved` and `quick` into weights/, where all further
studies take them from; `narrow` stays in the cache.
"""

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch

from course_utils import data, paths, results
from course_utils.data.hub_table import hub_column
from course_utils.distillation.corpus import TokenRows, joined, read_lines, sentences, token_rows, without
from course_utils.distillation.general import (
    Classroom,
    GeneralLoss,
    Pupil,
    Teacher,
    TimeIsUp,
    distil,
    load_classroom,
)
from course_utils.distillation.shipped import released_student
from course_utils.distillation.students import (
    fold_tables,
    from_layers,
    narrow_student,
    set_dropout,
    share_embeddings,
    spread,
)
from course_utils.finetuning.classifier import load_tokenizer
from course_utils.models.counting import count_parameters
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder
from course_utils.released import STUDENTS as RELEASED
from course_utils.training import TrainingConfig

NAME = "distillation_general"
TOKENS, FILMS = 10_000_000, 0.65
LONGEST, BATCH, HELD_OUT = 64, 64, 512
LOSS = GeneralLoss(cosine=1.0, states=1.0)
RATE = 7e-4
UNCLIPPED = 1e9  # a common bound on the norm would let one student's gradient shrink another's


def halved(teacher: Encoder) -> Encoder:
    """Half the layers, the tables shared."""
    student = from_layers(teacher, spread(teacher.config.num_layers, 3))
    share_embeddings(student, teacher)
    return student


def narrow(teacher: Encoder) -> Encoder:
    """Half the width."""
    return narrow_student(teacher, layers=4, width=192, heads=6, seed=0)


def quick(teacher: Encoder) -> Encoder:
    """Two thin layers: more than 9.4 times faster in a batch."""
    return narrow_student(teacher, layers=2, width=192, heads=4, seed=0, intermediate=576)


STUDENTS: dict[str, Callable[[Encoder], Encoder]] = {"halved": halved, "narrow": narrow, "quick": quick}


def folder() -> Path:
    """Where the run lies."""
    return paths.cache_dir() / "experiments" / NAME


def classroom() -> tuple[Classroom, Teacher]:
    """All students at their start, without dropout, and the teacher."""
    teacher = load_encoder(data.small_model_dir())
    teacher.pooler = None
    pupils = {name: Pupil(make(teacher), teacher) for name, make in STUDENTS.items()}
    room = Classroom(pupils)
    set_dropout(room, 0.0)
    return room, Teacher(teacher)


def training(rows: TokenRows) -> TrainingConfig:
    """One pass over the rows."""
    return TrainingConfig(
        steps=-(-len(rows) // BATCH),
        batch_size=BATCH,
        learning_rate=RATE,
        warmup=0.03,
        max_grad_norm=UNCLIPPED,
        seed=0,
        log_every=50,
        checkpoint_every=150,
    )


def text(tokens: int, general: list[Path]) -> tuple[TokenRows, TokenRows]:
    """Rows to learn from, and held-out ones; made once and kept beside the run."""
    design = [tokens, FILMS, LONGEST, HELD_OUT, [str(place) for place in general]]
    key = hashlib.sha256(json.dumps(design).encode()).hexdigest()[:12]
    file = folder() / f"rows-{key}.npz"
    if not file.exists():
        rows = _rows(tokens, general)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npz")
        np.savez(part, flat=rows.flat, starts=rows.starts)
        part.replace(file)
    with np.load(file) as kept:
        rows = TokenRows(kept["flat"], kept["starts"])
    order = np.random.default_rng(0).permutation(len(rows))
    return rows.chosen(order[HELD_OUT:]), rows.chosen(order[:HELD_OUT])


def _rows(tokens: int, general: list[Path]) -> TokenRows:
    """Film sentences and, where files are given, others."""
    tokenizer = load_tokenizer(data.small_model_dir() / "tokenizer.json", LONGEST)
    films = round(tokens * (FILMS if general else 1))
    parts = [token_rows(without(film_sentences(), held_out()), tokenizer, films)]
    if general:
        others = (piece for line in read_lines(general) for piece in sentences(line))
        parts.append(token_rows(without(others, held_out()), tokenizer, tokens - films))
    return joined(parts)


def film_sentences() -> Iterator[str]:
    """All sentences of the training fold's reviews, in an order drawn once."""
    reviews = hub_column("stanfordnlp/imdb", "plain_text", "train", "text")
    for number in np.random.default_rng(1).permutation(len(reviews)):
        yield from sentences(reviews[number])


@cache
def held_out() -> tuple[str, ...]:
    """What may not be read: every rated film sentence, whatever part of the task it is in."""
    return tuple(data.load("movies")["text"])


def student(name: str) -> Encoder:
    """A student with tables of its own and dropout for fine-tuning: released, or the last checkpoint's.

    Raises ValueError for an unknown name and FileNotFoundError while there is neither.
    """
    if name not in STUDENTS:
        raise ValueError(f"there is no student {name!r}; there are {', '.join(STUDENTS)}")
    if f"student_{name}" in RELEASED:
        return released_student(f"student_{name}").requires_grad_(True)
    return fold_tables(learning(name)).eval().requires_grad_(True)


def learning(name: str) -> Encoder:
    """A student of the last checkpoint, as it learns: with the teacher's tables, without dropout."""
    room, _ = classroom()
    load_classroom(room, folder() / "run")
    return room.pupils[name].encoder  # type: ignore


def main() -> None:
    """Distil for the minutes that are given."""
    parser = argparse.ArgumentParser(description="General distillation of three students in one run.")
    parser.add_argument("--general", type=Path, nargs="*", default=[], help="text files, or folders of them")
    parser.add_argument("--tokens", type=float, default=TOKENS, help="tokens planned: what the rate follows")
    parser.add_argument("--minutes", type=float, help="CPU minutes of this call (default: to the end)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="only report on what was done so far")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.report:
        print(report())
    else:
        run(round(given.tokens), given.general, given.minutes)


def run(tokens: int, files: list[Path], minutes: float | None) -> None:
    """Distil, or go on."""
    rows, held = text(tokens, files)
    room, teacher = classroom()
    config = training(rows)
    print(f"{len(rows):,} rows, {sum(rows.lengths):,} tokens, {config.steps:,} steps", flush=True)
    try:
        distil(
            room,
            teacher,
            rows,
            LOSS,
            config,
            folder=folder() / "run",
            minutes=minutes,
            held_out=held,
            tell=tell,
        )
    except TimeIsUp as end:
        print(end, flush=True)


def tell(figures: dict[str, float]) -> None:
    """A line of progress, also kept with the CPU time of this process."""
    words = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
    print(f"{time.process_time():.0f} CPU s  {words}", flush=True)
    line = {"process": os.getpid(), "cpu_seconds": time.process_time(), **figures}
    with (folder() / "progress.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def report() -> str:
    """Write results/distillation_general.json from the lines up to the last checkpoint, and return where.

    Raises FileNotFoundError before the first one.
    """
    lines = _lines(folder() / "run" / "metrics.jsonl")
    spent: dict[int, float] = {}  # process -> its CPU seconds; a stopped one did some steps again
    for line in _lines(folder() / "progress.jsonl"):
        spent[line["process"]] = max(spent.get(line["process"], 0.0), line["cpu_seconds"])
    rows = [{"part": "line", **line} for line in lines]
    teacher = load_encoder(data.small_model_dir())
    for name, make in STUDENTS.items():
        config = make(teacher).config
        rows.append(
            {
                "part": "student",
                "student": name,
                "layers": config.num_layers,
                "width": config.hidden_size,
                "parameters": count_parameters(config)["total"],
                "cosine": lines[-1][f"cosine_{name}"],
            }
        )
    rows.append(
        {
            "part": "cost",
            "steps": lines[-1]["step"],
            "sentences": lines[-1]["step"] * BATCH,
            "tokens_planned": TOKENS,
            "films": FILMS,
            "cpu_seconds": sum(spent.values()),
        }
    )
    path = results.write(
        NAME,
        command=f"python -m experiments.{NAME} --report",
        rows=rows,
        seeds=[0],
        seconds=sum(spent.values()),
        tolerance={"relative": 0.05, "absolute": 0.01, "ignore": ["cpu_seconds", "grad_norm"]},
    )
    return str(path)


def _lines(file: Path) -> list[dict[str, float]]:
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: run python -m experiments.{NAME} first")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
