"""The runs of the contest on English: the corpus is prepared once, each run reads it and its seed.

Which runs there are, how they are resumed and where they are kept is as in world (a).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from torch import Generator, Tensor, nn

from course_utils.contest.compute import Meter, flops_per_step, steps_for
from course_utils.contest.english import corpus as corpora
from course_utils.contest.english import text
from course_utils.contest.english.corpus import Corpus
from course_utils.contest.english.design import EnglishDesign
from course_utils.contest.english.measures import Examination, baselines, examination, examine
from course_utils.contest.entrants import ENTRANTS, Batch, Entrant
from course_utils.contest.models import encoder_of, seeded
from course_utils.contest.runs import COUNTS, UNTRAINED, Record, Run, RunError, make
from course_utils.contest.runs import run_missing as run_missing_of
from course_utils.models.encoder import Encoder
from course_utils.training import TrainingConfig, TrainingData, train

CORPUS = "corpus"  # the folder, within that of the runs


def run_missing(design: EnglishDesign, folder: Path, jobs: int, source: Path | None = None) -> Iterator[Run]:
    """Prepare the corpus where there is none yet, then make every run that is missing.

    source: a folder of text files; None for WikiText from the hub. It is read only to prepare the corpus.
    Raises DataError or SourceUnavailable where it cannot be, RunError where the runs have another corpus.
    """
    prepare(design, folder, source)
    measuring, counts = partial(measure, folder=folder), Run("final", COUNTS, 0)
    if not (
        folder / counts.file
    ).exists():  # it reads every source: one that is missing shows before hours pass
        yield make(design, folder, counts, measuring=measuring)
    yield from run_missing_of(design, folder, jobs, measuring)


def prepare(design: EnglishDesign, folder: Path, source: Path | None) -> None:
    """Write FOLDER/corpus unless it is there; RunError if it was made of other files than `source` has."""
    place = folder / CORPUS
    if not (place / "about.json").exists():
        lines = text.read_hub() if source is None else text.read_folder(source)
        corpora.save(corpora.prepare(lines, design.corpus), design.corpus, place)
    found = corpora.load(design.corpus, place)
    given = found.files if source is None else tuple(text.read_folder(source))
    if given != found.files:
        raise RunError(
            f"{place} was made from {', '.join(found.files)}, not from {', '.join(given)}; "
            "use another --folder"
        )


def measure(design: EnglishDesign, run: Run, *, folder: Path) -> Record:
    """Everything that a run finds out, and the hash of what it read."""
    corpus = corpora.load(design.corpus, folder / CORPUS)
    about = corpus.about()
    exam = examination(
        corpus,
        design.budget,
        test_texts=design.test_texts,
        tagged_sentences=design.tagged_sentences,
        final=run.stage == "final",
        pairs_each=design.pairs_each,
        review_task=design.reviews,
    )
    if run.entrant == COUNTS:
        read = corpus.drawn(design.seeds[0], design.training.corpus_texts)
        return {"corpus": about["hash"], "about": about, "baselines": baselines(exam, read)}
    return {"corpus": about["hash"], **_trained(design, corpus, exam, run)}


def _trained(design: EnglishDesign, corpus: Corpus, exam: Examination, run: Run) -> Record:
    """What the run's encoder can do, and what it cost to train it."""
    if run.entrant == UNTRAINED:
        encoder = seeded(run.seed, lambda: Encoder(design.sizes.encoder()))
        return dict(examine(encoder, exam, design.budget, design.reviews, run.seed))
    entrant = ENTRANTS[run.entrant]
    model, spent = pretrain(design, corpus, entrant, run)
    encoder = encoder_of(model, design.sizes)
    found = examine(encoder, exam, design.budget, design.reviews, run.seed, causal=entrant.causal)
    return {**spent, "own_task": None, **found}


def pretrain(design: EnglishDesign, corpus: Corpus, entrant: Entrant, run: Run) -> tuple[nn.Module, Record]:
    """A model trained for the design's compute, in evaluation mode, and what that took."""
    training = design.training
    texts = corpus.drawn(run.seed, training.corpus_texts)
    per_step = flops_per_step(entrant, design.sizes, corpus, texts, training.batch_size, run.seed)
    share = training.tuning_share if run.stage == "tune" else 1.0
    steps = steps_for(share * training.gigaflops * 1e9, per_step)
    model = seeded(run.seed, lambda: entrant.build(design.sizes))
    meter = Meter(entrant, design.sizes)
    config = TrainingConfig(
        steps=steps,
        batch_size=training.batch_size,
        learning_rate=run.learning_rate,
        log_every=max(1, steps // 20),
        seed=run.seed,
    )
    history = train(model, meter, TrainingData(list(texts), partial(_collate, entrant, corpus)), config)
    spent = {"steps": steps, "flops": meter.flops, "processed_tokens": meter.tokens}
    curve = [[line["step"], round(line["loss"], 5)] for line in history]
    return model.cpu().eval(), {**spent, "texts_read": steps * training.batch_size, "curve": curve}


def _collate(entrant: Entrant, corpus: Corpus, texts: list[Tensor], generator: Generator) -> Batch:
    return entrant.collate(texts, corpus.tokens, generator)
