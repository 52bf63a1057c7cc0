"""The runs of a contest: which there are, which are missing, and how one is made.

A run is one JSON file, written whole or not at all, in a folder of the contest's own: killing everything at
any time and starting again loses at most the runs that were under way. Each run has a process and a thread
to itself.
"""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from course_utils.contest.compute import Meter, flops_per_step, steps_for
from course_utils.contest.design import Contest, Design
from course_utils.contest.entrants import ENTRANTS, Batch, Entrant
from course_utils.contest.floors import beliefs, single_floor
from course_utils.contest.grammar import FormalLanguage, compile_grammar
from course_utils.contest.measures import Examination, baselines, examination, examine, floor
from course_utils.contest.models import Sizes, encoder_of, seeded
from course_utils.models.encoder import Encoder
from course_utils.training import TrainingConfig, TrainingData, train

UNTRAINED = "untrained"  # the encoder as it starts, through the same measures
COUNTS = "counts"  # what needs no network at all
_INSERTED = 16  # places beyond the text that [CLS] and inserted masks may take

Record = dict[str, Any]
Measuring = Callable[[Any, "Run"], Record]  # (design, run) -> everything that the run finds out


class RunError(RuntimeError):
    """Runs that do not fit together; the message says which and what to do."""


@dataclass(frozen=True)
class Run:
    """One run; `stage` is "tune" or "final"."""

    stage: str
    entrant: str
    seed: int
    learning_rate: float = 0.0  # 0 where nothing is trained

    @property
    def file(self) -> str:
        """Its file's name; final runs have one learning rate each, which is chosen and not a name."""
        rate = f"-{self.learning_rate:g}" if self.stage == "tune" else ""
        return f"{self.stage}-{self.entrant}-{self.seed}{rate}.json"


def tuning_runs(design: Contest) -> list[Run]:
    """Every entrant with every learning rate on the tuning seeds."""
    return [
        Run("tune", entrant, seed, rate)
        for seed in design.tuning_seeds
        for rate in design.training.learning_rates
        for entrant in design.entrants
    ]


def final_runs(design: Contest, folder: Path) -> list[Run]:
    """Every seed of every entrant at its chosen learning rate, and the baselines; by seed, so that a contest
    that is stopped early has whole seeds. Raises RunError while tuning runs are missing."""
    rates = {entrant: chosen_rate(design, folder, entrant) for entrant in design.entrants}
    entered = [Run("final", name, seed, rates[name]) for seed in design.seeds for name in design.entrants]
    return [Run("final", COUNTS, 0), *(Run("final", UNTRAINED, seed) for seed in design.seeds), *entered]


def chosen_rate(design: Contest, folder: Path, entrant: str) -> float:
    """The learning rate with the best mean primary measure over the tuning seeds."""
    runs = [run for run in tuning_runs(design) if run.entrant == entrant]
    scores: dict[float, list[float]] = {}
    for run in runs:
        measures = read(design, folder, run)["measures"]
        scores.setdefault(run.learning_rate, []).append(measures[design.primary])
    sign = 1 if design.measures[design.primary].better == "low" else -1
    return min(scores, key=lambda rate: sign * sum(scores[rate]))


def read(design: Contest, folder: Path, run: Run) -> Record:
    """The record of a run; RunError when it is missing or of another design."""
    path = folder / run.file
    if not path.is_file():
        raise RunError(f"{path} is missing; make it with: course contest run {design.name}")
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["design"] != design.fingerprint():
        raise RunError(f"{path} was made by another design; use another --folder, or move the old runs away")
    return record


def run_missing(
    design: Contest, folder: Path, jobs: int, measuring: Measuring | None = None
) -> Iterator[Run]:
    """Make every run that is not there yet, `jobs` at a time; yields each as it is done.

    measuring: what a run does, for a contest that is not about the formal language; it must be picklable.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stage in (lambda: tuning_runs(design), lambda: final_runs(design, folder)):
        runs = stage()
        for run in (run for run in runs if (folder / run.file).exists()):
            read(design, folder, run)
        missing = [run for run in runs if not (folder / run.file).exists()]
        if missing:
            yield from _in_processes(design, folder, missing, jobs, measuring)


def _in_processes(
    design: Contest, folder: Path, runs: list[Run], jobs: int, measuring: Measuring | None
) -> Iterator[Run]:
    """A new process for each run: nothing that one leaves behind reaches the next."""
    cheap = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if cheap else "spawn")
    if cheap:
        context.set_forkserver_preload([__name__])  # torch is imported once, not once a run
    os.environ["OMP_NUM_THREADS"] = "1"
    with context.Pool(jobs, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(partial(make, design, folder, measuring=measuring), runs)


def make(design: Contest, folder: Path, run: Run, *, measuring: Measuring | None = None) -> Run:
    """Make one run and write its file."""
    torch.set_num_threads(1)
    begun = time.process_time()
    found_by: Measuring = measuring or measure
    record = {"design": design.fingerprint(), **asdict(run), **found_by(design, run)}
    record["cpu_seconds"] = round(time.process_time() - begun, 1)
    partial_file = folder / f".{run.file}.{os.getpid()}"
    partial_file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    partial_file.replace(folder / run.file)
    return run


def measure(design: Design, run: Run) -> Record:
    """Everything that a run finds out."""
    language = compile_grammar()
    sizes = Sizes(language.process.vocab_size, design.length + _INSERTED)
    exam = _examination(design, language, run.stage)
    corpus = corpus_of(design, language, run.seed)
    if run.entrant == COUNTS:
        return {"floors": floors_of(language, exam), "baselines": baselines(exam, corpus)}
    if run.entrant == UNTRAINED:
        encoder = seeded(run.seed, lambda: Encoder(sizes.encoder()))
        return {"measures": examine(encoder, exam, design.budget, run.seed)}
    entrant = ENTRANTS[run.entrant]
    model, spent = pretrain(design, language, sizes, entrant, corpus, run)
    return {
        **spent,
        "own_task": own_task(entrant, model, language, exam.texts[: design.own_task_texts]),
        "measures": examine(encoder_of(model, sizes), exam, design.budget, run.seed, causal=entrant.causal),
    }


def floors_of(language: FormalLanguage, exam: Examination) -> dict[str, float]:
    """What no reader can know, nats a token: exact left to right, exact for each test text with two sides."""
    length = exam.texts.shape[1]
    chain = beliefs(language.process)
    return {
        "entropy_rate": chain.entropy_rate(),
        "next_token": float(chain.next_token_entropies(length).mean()),
        "single_token": single_floor(language.process, exam.texts).nats,
        "masked_token": floor(exam),
    }


def corpus_of(design: Design, language: FormalLanguage, seed: int) -> Tensor:
    """The texts that every entrant reads under this seed, (texts, length)."""
    generator = Generator().manual_seed(seed)
    return language.process.sample(design.training.corpus_texts, design.length, generator).ids


def pretrain(
    design: Design, language: FormalLanguage, sizes: Sizes, entrant: Entrant, corpus: Tensor, run: Run
) -> tuple[nn.Module, Record]:
    """A model trained for the design's compute, in evaluation mode, and what that took."""
    per_step = flops_per_step(entrant, sizes, language, corpus, design.training.batch_size, run.seed)
    share = design.training.tuning_share if run.stage == "tune" else 1.0
    steps = steps_for(share * design.training.gigaflops * 1e9, per_step)
    model = seeded(run.seed, lambda: entrant.build(sizes))
    meter = Meter(entrant, sizes)
    config = TrainingConfig(
        steps=steps,
        batch_size=design.training.batch_size,
        learning_rate=run.learning_rate,
        log_every=max(1, steps // 20),
        seed=run.seed,
    )
    history = train(model, meter, TrainingData(list(corpus), partial(_collate, entrant, language)), config)
    spent = {"steps": steps, "flops": meter.flops, "processed_tokens": meter.tokens}
    curve = [[line["step"], round(line["loss"], 5)] for line in history]
    return model.cpu().eval(), {**spent, "texts_read": steps * design.training.batch_size, "curve": curve}


@torch.no_grad()
def own_task(entrant: Entrant, model: nn.Module, language: FormalLanguage, texts: Tensor) -> Record | None:
    """Floor and excess of the entrant's own task on these texts, its noise drawn from a fixed seed."""
    batch = entrant.collate(list(texts), language.tokens, Generator().manual_seed(0))
    found = entrant.own_task(model, language, texts, batch)
    return None if found is None else found._asdict()


def _examination(design: Design, language: FormalLanguage, stage: str) -> Examination:
    seed = design.examination_seed if stage == "final" else design.tuning_examination_seed
    return examination(
        language, design.length, design.budget, test_texts=design.test_texts, cases=design.cases, seed=seed
    )


def _collate(entrant: Entrant, language: FormalLanguage, texts: list[Tensor], generator: Generator) -> Batch:
    return entrant.collate(texts, language.tokens, generator)
