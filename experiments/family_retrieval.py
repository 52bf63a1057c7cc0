"""Answer from documents or from memory? For `realm-openqa`: `python -m experiments.family_retrieval`.

A corpus of facts of countries, one sentence each, and questions in other words (`data.country_facts`). In
each of five seeds, 40% of the countries are held out: no question about them is trained on. A third of the
wordings is held out too: both tests, of new countries and of facts asked for before, ask in new words.

All systems read the same frozen encoder (all-MiniLM-L6-v2, 6 layers of 384) and train small parts on the
same questions from the answers alone: nobody says which document has the answer.

  joint             retriever and reader by the marginal likelihood over the 4 best documents, end to end
  frozen retriever  the same, but no gradient reaches the retriever, only a temperature
  stale index       joint, with an index that is never refreshed
  weak start        joint, the retriever on means of token embeddings, not of last states
  bm25              as frozen, with the scores of BM25
  oracle            the reader with the one document that states the fact, in training and in the test
  closed book       no documents: a softmax over all answers. Same number of trained parameters as joint. It
                    learns from the same questions and from all documents with an answer masked, those of the
                    held-out countries included: it has read what the others look up
  closed book x 4   four times as many trained parameters
  most frequent     the most frequent answer of the training questions, and that of the relation asked for
  random            any answer of the corpus

An answer is right if its tokens are. Recall is that of the document that states the fact.

Written before the runs, and not changed after them:
  measure          accuracy on new countries, joint minus closed book x 4, paired by seed, t interval over
                   seeds
  holds here only  the whole interval is above 0.05, the smallest difference that would matter. Nothing better
                   can come out: nothing is pretrained with retrieval here, and the facts are of few kinds
  does not hold    the whole interval is below 0.05
  cannot tell      otherwise
Told beside it, corrected for three tests (Holm): joint minus frozen retriever, recall at 1 after minus before
joint training, joint minus bm25.

Runs lie in the cache folder, a file each; a call makes those that are missing (about 5 minutes on one core).
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from experiments import family_retrieval_models as models
from experiments import family_retrieval_setup as setup
from experiments.family_retrieval_report import write_report
from experiments.family_retrieval_setup import Asked

NAME = "family_retrieval"
SEEDS = range(5)
KS = (1, 2, 4, 8, 16)
LARGER = 4
OPEN: dict[str, dict[str, Any]] = {
    "joint": {},
    "frozen retriever": {"fixed": "dense"},
    "stale index": {"refresh": 0},
    "weak start": {"layer": "embeddings"},
    "bm25": {"fixed": "bm25"},
    "oracle": {"fixed": "oracle"},
}
CLOSED = {"closed book": 1, f"closed book x {LARGER}": LARGER}
SWEPT = ("joint", "frozen retriever", "bm25")
EXAMPLES = 6  # questions whose documents are kept


class Run(NamedTuple):
    """One system in one seed; "simple" are the baselines that learn nothing."""

    system: str
    seed: int

    @property
    def file(self) -> str:
        return f"{self.system.replace(' ', '-')}-{self.seed}.json"


RUNS = [Run(system, seed) for seed in SEEDS for system in (*OPEN, *CLOSED, "simple")]


@cache
def _drawn(seed: int) -> setup.Draw:
    return setup.draw(seed)


def asked_in(seed: int) -> dict[str, Asked]:
    """The two tests of a seed."""
    drawn = _drawn(seed)
    return {"new countries": drawn.new, "seen facts": drawn.seen}


def by_direction(values: np.ndarray, asked: Asked) -> dict[str, float]:
    """Means over all questions, those for a value, those for a country. values: (questions,)."""
    forward = asked.forward
    parts = {"all": values, "forward": values[forward], "inverse": values[~forward]}
    return {name: float(part.mean()) for name, part in parts.items()}


def right(predicted: Tensor, asked: Asked) -> dict[str, float]:
    """Accuracy by direction. predicted: (questions,), numbers of strings."""
    return by_direction((predicted == asked.answers).numpy(), asked)


def recall(scores: Tensor, asked: Asked) -> dict[str, dict[str, float]]:
    """Recall at 1 and 5 by direction. scores: (questions, documents)."""
    found = models.ranks(scores, asked.gold)
    return {f"recall at {k}": by_direction(found < k, asked) for k in (1, 5)}


def make_open(run: Run) -> dict[str, Any]:
    """Train an open book and test it, before and after."""
    options = dict(OPEN[run.system])
    refresh = options.pop("refresh", models.REFRESH)
    corpus, drawn = setup.corpus(), _drawn(run.seed)
    model = models.new_open_book(run.seed, **options)
    before = {name: models.all_scores(model, corpus, asked) for name, asked in asked_in(run.seed).items()}
    history = models.fit_open_book(model, corpus, drawn.train, run.seed, refresh)
    made: dict[str, Any] = {"losses": [line["loss"] for line in history], "tests": {}}
    read = 1 if model.fixed == "oracle" else models.K
    for name, asked in asked_in(run.seed).items():
        after = models.all_scores(model, corpus, asked)
        swept = KS if run.system in SWEPT and name == "new countries" else (read,)
        made["tests"][name] = {
            "k": read,
            "accuracy": {str(k): right(models.answers(model, corpus, asked, k), asked) for k in swept},
            "before": recall(before[name], asked),
            "after": recall(after, asked),
        }
        if run.system == "joint" and name == "new countries":
            made["examples"] = examples(before[name], after, asked)
    return made | {"trained": models.trainable(model)}


def examples(before: Tensor, after: Tensor, asked: Asked) -> list[dict[str, Any]]:
    """p(z|x) of the documents that are among the 4 best before or after, normalized over them.

    Of the questions whose own document gains most and, as many, loses most.
    """
    gain = models.ranks(before, asked.gold).clip(max=50) - models.ranks(after, asked.gold).clip(max=50)
    order = np.argsort(-gain, kind="stable")
    made = []
    for row in [*order[: EXAMPLES // 2].tolist(), *order[-(EXAMPLES // 2) :].tolist()]:
        near = [scores[row].topk(models.K).indices.tolist() for scores in (before, after)]
        shown = sorted({*near[0], *near[1], int(asked.gold[row])})
        made.append(
            {
                "question": asked.questions[row].text,
                "own": int(asked.gold[row]),
                "documents": shown,
                "before": before[row, shown].softmax(dim=-1).tolist(),
                "after": after[row, shown].softmax(dim=-1).tolist(),
            }
        )
    return made


def make_closed(run: Run) -> dict[str, Any]:
    """Train a closed book and test it."""
    drawn, cloze = _drawn(run.seed), setup.cloze()
    strings = torch.unique(torch.cat([cloze.answers, drawn.train.answers]))
    size = CLOSED[run.system] * models.trainable(models.new_open_book(run.seed))
    model = models.new_closed_book(run.seed, size, strings)
    history = models.fit_closed_book(model, models.Lesson(drawn.train, cloze), run.seed)
    cloze_right = (models.closed_answers(model, cloze.texts) == cloze.answers).float().mean()
    return {
        "losses": [line["loss"] for line in history],
        "cloze": float(cloze_right),
        "tests": {
            name: {"k": 0, "accuracy": {"0": right(models.closed_answers(model, asked.texts), asked)}}
            for name, asked in asked_in(run.seed).items()
        },
        "trained": models.trainable(model),
    }


def make_simple(run: Run) -> dict[str, Any]:
    """The baselines that learn nothing: accuracy by system and test."""
    train = _drawn(run.seed).train
    relation = lambda asked: [setup.corpus().documents[one.document].fact.relation for one in asked.questions]
    overall = Counter(train.answers.tolist()).most_common(1)[0][0]
    kinds = list(zip(relation(train), train.forward.tolist(), strict=True))
    own = {
        kind: Counter(a for a, k in zip(train.answers.tolist(), kinds, strict=True) if k == kind)
        for kind in set(kinds)
    }
    every = torch.unique(setup.cloze().answers)
    made: dict[str, Any] = {}
    for name, asked in asked_in(run.seed).items():
        told = zip(relation(asked), asked.forward.tolist(), strict=True)
        guesses = {
            "most frequent": torch.full_like(asked.answers, overall),
            "most frequent of the relation": torch.tensor([own[kind].most_common(1)[0][0] for kind in told]),
            "random": every[np.random.default_rng([run.seed, 9]).integers(len(every), size=len(asked.gold))],
        }
        made[name] = {system: right(guess, asked) for system, guess in guesses.items()}
    return {"simple": made}


def make(run: Run) -> dict[str, Any]:
    """Train and test one system in one seed."""
    began = time.process_time()
    kind = make_open if run.system in OPEN else make_closed if run.system in CLOSED else make_simple
    return kind(run) | {"cpu_seconds": time.process_time() - began}


def run_missing(runs: Sequence[Run], where: Path) -> Iterator[Run]:
    """Make and keep what has no file yet, and say so."""
    where.mkdir(parents=True, exist_ok=True)
    for run in runs:
        if (where / run.file).exists():
            continue
        text = json.dumps(make(run))
        part = where / f"{run.file}.{os.getpid()}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(where / run.file)
        yield run


def load_runs(where: Path) -> dict[str, list[dict[str, Any]]]:
    """System -> what its runs gave, in the order of the seeds."""
    systems = dict.fromkeys(run.system for run in RUNS)
    return {
        system: [json.loads((where / Run(system, seed).file).read_text(encoding="utf-8")) for seed in SEEDS]
        for system in systems
    }


def main() -> None:
    """Make the runs that are missing, then report."""
    torch.set_num_threads(1)
    for run in run_missing(RUNS, setup.folder()):
        print(run.file, flush=True)
    runs = load_runs(setup.folder())
    print(write_report(NAME, f"python -m experiments.{NAME}", runs, list(SEEDS)))


if __name__ == "__main__":
    main()
