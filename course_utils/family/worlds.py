"""The languages of the studies, and what every arm is asked after training.

All studies are in the contest's formal language with less nesting (`grammar` in a study's file): a masked
LM passes from the frequencies of words to grammar within a third of the budget there, so that what is
compared is learning and not waiting for it to begin. The answers are exact, as in the contest.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn

from course_utils.contest import measures as contest_measures
from course_utils.contest.cases import Cases
from course_utils.contest.entrants import frame
from course_utils.contest.grammar import LEXICON, MASK, FormalLanguage, Grammar, compile_grammar
from course_utils.contest.language import divergence, entropy
from course_utils.contest.measures import Examination, examination, fit_linear, memory_classes
from course_utils.family.design import Study
from course_utils.family.pairs import PairModel, best_guess, frame_pair, spoil
from course_utils.family.spans import CHOICES, Choice, choose, frame_both
from course_utils.family.spelling import spell
from course_utils.models.encoder import Encoder

Measures = dict[str, float]
Reader = Callable[[Tensor, Tensor], Tensor]  # texts with masks, where they are asked -> logits (asked, vocab)

_PAIR_SEED = 2027  # of the pairs that NSP is examined on


class World:
    """The formal language of a study, and the examination of a masked LM by its own head."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.language: FormalLanguage = compile_grammar(make_grammar(study.grammar))
        self.exam = cache(self._exam)

    def corpus(self, texts: int, seed: int) -> Tensor:
        """The texts that every arm of this seed reads, (texts, length); fewer are the first of more."""
        generator = Generator().manual_seed(seed)
        drawn = self.language.process.sample(max(texts, self.study.texts_read), self.study.length, generator)
        return drawn.ids[:texts]

    def measure(self, model: nn.Module, stage: str, seed: int) -> Measures:
        """Everything that the study asks of a trained model; seed: of whatever learns in the examination."""
        return read_measures(reader(model), self.exam(stage))

    def untrained(self, model: nn.Module, seed: int) -> Measures:
        """The same for a model as it starts."""
        return self.measure(model, "final", seed)

    def baselines(self, corpus: Tensor) -> dict[str, Measures]:
        """What needs no training: the floor (nats), and counts of the same texts."""
        exam = self.exam("final")
        counts = contest_measures.baselines(exam, corpus)
        return {"floor": {"masked_nats": contest_measures.floor(exam)}, **counts}

    def _exam(self, stage: str) -> Examination:
        study = self.study
        seed = study.examination_seed if stage == "final" else study.tuning_examination_seed
        return examination(
            self.language,
            study.length,
            study.budget,
            test_texts=study.test_texts,
            cases=study.cases,
            seed=seed,
        )


class PairWorld(World):
    """The same language read as pairs of halves; the examined texts are right pairs."""

    def measure(self, model: nn.Module, stage: str, seed: int) -> Measures:
        """As for any masked LM, and how often the pair head is right."""
        found = super().measure(model, stage, seed)
        pairs, is_wrong = self._pairs()
        with torch.no_grad():
            _, logits = model(frame_pair(pairs), torch.zeros(len(pairs), pairs.shape[1] + 2).bool())
        return found | {"pair_accuracy": _share(logits.argmax(-1).bool() == is_wrong)}

    def baselines(self, corpus: Tensor) -> dict[str, Measures]:
        """With how often somebody who knows the grammar is right about pairs."""
        pairs, is_wrong = self._pairs()
        known = _share(best_guess(self.language.process, pairs) == is_wrong)
        return super().baselines(corpus) | {"grammar": {"pair_accuracy": known}}

    def _pairs(self) -> tuple[Tensor, Tensor]:
        generator = Generator().manual_seed(_PAIR_SEED)
        return spoil(self.exam("final").texts, "other", generator)


class TunedWorld(World):
    """The same language for encoders that have no masked-LM head: all get a new one, trained on few texts."""

    def measure(self, model: nn.Module, stage: str, seed: int) -> Measures:
        """Chapter 4's `tuned_kl` and its like: encoder and new head trained on the examination's texts."""
        exam, encoder = self.exam(stage), model.encoder
        tuned = contest_measures.fit_head(encoder, exam, self.study.budget, seed, frozen=False)  # type: ignore[arg-type]
        found = read_measures(reader(tuned), exam)
        found["tuned_kl"] = found.pop("masked_kl")
        return found | {"probe_kl": contest_measures.probe_kl(encoder, exam)}  # type: ignore[arg-type]


def make_grammar(fields: dict[str, Any]) -> Grammar:
    """The contest's grammar with these fields; `words` keeps so many words of each class, the most frequent.

    >>> make_grammar({"words": 2}).lexicon["noun s"]
    ('dog', 'walk')
    """
    words = fields.get("words")
    rest = {name: value for name, value in fields.items() if name != "words"}
    return Grammar(lexicon={name: of_class[:words] for name, of_class in LEXICON.items()}, **rest)


class SpelledWorld(World):
    """The language in pieces; asked are masks of every kind, and the grammar's memory."""

    def __init__(self, study: Study) -> None:
        super().__init__(study)
        self.language = spell(self.language)
        self.spelled = cache(self._spelled)

    def measure(self, model: nn.Module, stage: str, seed: int) -> Measures:
        """`kl_tokens`, `kl_words`, `kl_spans`: distance from the exact answer under each kind of mask; and
        `probe_kl`, for which nothing is masked."""
        exam = self.spelled(stage)
        found = {}
        with torch.no_grad():
            for choice in CHOICES:
                hidden, truth = exam.hidden[choice], exam.truth[choice]
                inputs = frame_both(exam.texts.masked_fill(hidden, MASK))
                log_q = model(inputs, F.pad(hidden, (1, 1)))[0].double().log_softmax(-1)
                found[f"kl_{choice}"] = float(divergence(truth, log_q).mean())
        return found | {"probe_kl": self._probe(model, exam)}

    def baselines(self, corpus: Tensor) -> dict[str, Measures]:
        """The floor under each kind of mask (nats), and how far the frequencies of pieces are from it."""
        exam, vocab = self.spelled("final"), self.language.process.vocab_size
        ordinary = torch.zeros(vocab, dtype=torch.float64)
        ordinary[self.language.tokens.ordinary()] = 1.0
        counts = torch.bincount(corpus.flatten(), minlength=vocab).double() + ordinary
        log_q = (counts / counts.sum()).log()
        floors = {f"nats_{choice}": float(entropy(truth).mean()) for choice, truth in exam.truth.items()}
        unigram = {
            f"kl_{choice}": float(divergence(truth, log_q.expand_as(truth)).mean())
            for choice, truth in exam.truth.items()
        }
        return {"floor": floors, "unigram": unigram}

    def _probe(self, model: nn.Module, exam: "SpelledExam") -> float:
        """As the contest's `probe_kl`: a linear map from the states to what the grammar remembers."""
        encoder: Encoder = model.encoder  # type: ignore[assignment]
        learning, test = (_states(encoder, texts) for texts in (exam.probed, exam.texts))
        mean, spread = learning.mean(0), learning.std(0) + 1e-6
        total = 0.0
        for labels, posterior in zip(exam.memory, exam.posterior, strict=True):
            probe = fit_linear((learning - mean) / spread, labels.flatten(), posterior.shape[-1])
            with torch.no_grad():
                log_q = probe((test - mean) / spread).double().log_softmax(-1)
            total += float(divergence(posterior.flatten(0, 1), log_q).mean())
        return total

    def _spelled(self, stage: str) -> "SpelledExam":
        study, process = self.study, self.language.process
        seed = study.examination_seed if stage == "final" else study.tuning_examination_seed
        generator = Generator().manual_seed(seed)
        probed = process.sample(study.budget.probe_texts, study.length, generator)
        texts = process.sample(study.test_texts, study.length, generator).ids
        hidden = {choice: choose(texts, choice, generator) for choice in CHOICES}
        truth = {c: process.conditionals(process.observed(texts, h))[h] for c, h in hidden.items()}
        states = process.state_posterior(process.observed(texts))
        classes = memory_classes(self.language)
        memory = [of_state[probed.states] for of_state in classes]
        posterior = [states @ F.one_hot(of_state).double() for of_state in classes]
        return SpelledExam(texts, hidden, truth, probed.ids, memory, posterior)


class SpelledExam(NamedTuple):
    """The questions in pieces, the same for all arms and seeds."""

    texts: Tensor  # (texts, length)
    hidden: dict[Choice, Tensor]  # bool, (texts, length)
    truth: dict[Choice, Tensor]  # (hidden, vocab), exact
    probed: Tensor  # texts that the probes learn from
    memory: list[Tensor]  # true classes of their pieces, for each of the two memories
    posterior: list[Tensor]  # of the classes in `texts`, exact: (texts, length, classes)


@torch.no_grad()
def _states(encoder: Encoder, texts: Tensor) -> Tensor:
    """Last states of every piece, without the frame; (texts * length, hidden)."""
    return encoder.eval()(frame_both(texts)).last_hidden_state[:, 1:-1].flatten(0, 1)


WORLDS: dict[str, type[World]] = {
    "formal": World,
    "pairs": PairWorld,
    "tuned": TunedWorld,
    "spelled": SpelledWorld,
}
"""By the name that a study calls them by."""


def reader(model: nn.Module) -> Reader:
    """How a model with a head of its own answers masks in bare texts, framed as in its training."""
    if isinstance(model, PairModel):
        return lambda texts, asked: model(frame_pair(texts), frame_pair(asked.long()) == 1)[0]
    return lambda texts, asked: model(frame(texts), positions=F.pad(asked, (1, 0)))


@torch.no_grad()
def read_measures(read: Reader, exam: Examination) -> Measures:
    """Distance from the exact answer at masked places, and the two kinds of cases."""
    log_q = read(exam.texts.masked_fill(exam.hidden, MASK), exam.hidden).double().log_softmax(-1)
    return {
        "masked_kl": float(divergence(exam.truth, log_q).mean()),
        "agreement": _answered(read, exam.agreement),
        "closing": _answered(read, exam.closing),
    }


def _answered(read: Reader, cases: Cases) -> float:
    """Share of the cases where the right words get more probability than the wrong ones."""
    p = read(cases.texts, cases.asked).double().softmax(-1)
    return _share((p * cases.right).sum(-1) > (p * cases.wrong).sum(-1))


def _share(flags: Tensor) -> float:
    return float(flags.double().mean())


def make_world(study: Study) -> World:
    """The world of a study; KeyError lists the names there are."""
    if study.world not in WORLDS:
        raise KeyError(f"there is no world '{study.world}', only {sorted(WORLDS)}")
    return WORLDS[study.world](study)
