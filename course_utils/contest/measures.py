"""What every entrant can be asked after pretraining, whatever it was trained on.

Each measure has an exact answer to compare with, and the same small budget for everyone:

- `probe_kl`: a linear map from the states to the grammar's hidden memory (which subjects wait for their
  verbs; which brackets are open). No mask token is involved, so nobody has practice.
- `frozen_kl`, `tuned_kl`: a masked-LM head trained on a few texts, with the encoder frozen or trained along;
  KL divergence from the true conditional at masked places of new texts.
- `agreement`: with the tuned encoder, the number of a masked verb whose subject is behind a noun of the
  other number. `closing`: the type of a masked closing bracket. Chance is 1/2 in both.
"""

import copy
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn

from course_utils.contest import tasks
from course_utils.contest.cases import Cases, agreement_cases, closing_cases
from course_utils.contest.entrants import ENTRANTS, Batch, Entrant, frame
from course_utils.contest.grammar import MASK, FormalLanguage
from course_utils.contest.language import divergence, entropy
from course_utils.contest.vocabulary import Lesson, Vocabulary
from course_utils.models import masks
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM
from course_utils.objectives import IGNORE
from course_utils.training import TrainingConfig, TrainingData, train


@dataclass(frozen=True)
class Budget:
    """What a measure may learn from; the same for every entrant."""

    texts: int = 1024
    steps: int = 128
    batch_size: int = 32
    learning_rate: float = 2e-3  # of the tuned encoder and its head
    frozen_learning_rate: float = 1e-2  # of the head alone
    probe_texts: int = 256


@dataclass(frozen=True)
class Examination:
    """The questions, drawn once from a seed: the same for all entrants and all their seeds."""

    language: FormalLanguage
    tuning_texts: Tensor  # (texts, length)
    probe_labels: Tensor  # (probe texts, length, 2), the true memory classes
    texts: Tensor  # (test texts, length)
    hidden: Tensor  # bool, (test texts, length), which tokens are masked
    truth: Tensor  # (masked, vocab), the exact conditionals there
    memory: tuple[Tensor, Tensor]  # exact posteriors of both memories, (test texts, length, classes)
    agreement: Cases
    closing: Cases


def examination(
    language: FormalLanguage, length: int, budget: Budget, *, test_texts: int, cases: int, seed: int
) -> Examination:
    """Draw the questions. cases: how many verbs, and how many brackets, are asked."""
    generator = Generator().manual_seed(seed)
    process = language.process
    learning = process.sample(budget.texts, length, generator)
    test = process.sample(test_texts, length, generator)
    hidden = torch.rand(test.ids.shape, generator=generator) < tasks.SHARE
    posterior = process.state_posterior(process.observed(test.ids))
    classes = memory_classes(language)
    probed = learning.states[: budget.probe_texts]
    return Examination(
        language=language,
        tuning_texts=learning.ids,
        probe_labels=torch.stack([of_state[probed] for of_state in classes], dim=-1),
        texts=test.ids,
        hidden=hidden,
        truth=process.conditionals(process.observed(test.ids, hidden))[hidden],
        memory=(_by_class(posterior, classes[0]), _by_class(posterior, classes[1])),
        agreement=agreement_cases(language, length, cases, generator),
        closing=closing_cases(language, length, cases, generator),
    )


def memory_classes(language: FormalLanguage) -> tuple[Tensor, Tensor]:
    """For each state, a number for its waiting subjects, and one for its open brackets; both (states,)."""
    found = []
    for part in ("subjects", "brackets"):
        values = [getattr(configuration, part) for configuration in language.configurations]
        names = sorted(set(values))
        found.append(torch.tensor([names.index(value) for value in values]))
    return found[0], found[1]


def examine(
    encoder: Encoder, exam: Examination, budget: Budget, seed: int, *, causal: bool = False
) -> dict[str, float]:
    """All common measures of a pretrained encoder, by name; the encoder itself is left as it is.

    causal: whether the probed states may look back only, as a causal LM learnt to; a masked-LM head always
    gets an encoder that looks both ways.
    """
    frozen = fit_head(encoder, exam, budget, seed, frozen=True)
    tuned = fit_head(encoder, exam, budget, seed, frozen=False)
    return {
        "probe_kl": probe_kl(encoder, exam, causal=causal),
        "frozen_kl": masked_kl(frozen, exam),
        "tuned_kl": masked_kl(tuned, exam),
        "agreement": accuracy(tuned, exam.agreement),
        "closing": accuracy(tuned, exam.closing),
    }


def fit_head(encoder: Encoder, exam: Lesson, budget: Budget, seed: int, *, frozen: bool) -> MaskedLM:
    """A copy of the encoder under a new masked-LM head, trained on the few texts of the examination."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = MaskedLM(copy.deepcopy(encoder))
    model.encoder.requires_grad_(not frozen)
    entrant = ENTRANTS["mlm_mask"]
    data = TrainingData(list(exam.tuning_texts), partial(_collate, entrant, exam.language))
    config = TrainingConfig(
        steps=budget.steps,
        batch_size=budget.batch_size,
        learning_rate=budget.frozen_learning_rate if frozen else budget.learning_rate,
        log_every=budget.steps,
        seed=seed,
    )
    train(model, entrant.loss, data, config)
    return model.eval()


@torch.no_grad()
def masked_kl(model: MaskedLM, exam: Examination) -> float:
    """Mean KL divergence of the head's answer from the true conditional at the masked places, nats."""
    inputs = frame(exam.texts.masked_fill(exam.hidden, MASK))
    logits = model(inputs, positions=F.pad(exam.hidden, (1, 0)))
    return float(divergence(exam.truth, logits.double().log_softmax(-1)).mean())


@torch.no_grad()
def accuracy(model: MaskedLM, cases: Cases) -> float:
    """Share of the cases where the right words get more probability than the wrong ones."""
    logits = model(frame(cases.texts), positions=F.pad(cases.asked, (1, 0)))
    probability = logits.double().softmax(-1)
    right = (probability * cases.right).sum(-1)
    wrong = (probability * cases.wrong).sum(-1)
    return float((right > wrong).double().mean())


def probe_kl(encoder: Encoder, exam: Examination, *, causal: bool = False) -> float:
    """KL from the exact posterior of the grammar's memory to a linear probe's answer, nats a token.

    Summed over the two memories. The probe sees the true classes of a few texts, not the posterior.
    """
    learning = _states(encoder, exam.tuning_texts[: len(exam.probe_labels)], causal)
    test = _states(encoder, exam.texts, causal)
    mean, spread = learning.mean(0), learning.std(0) + 1e-6
    total = 0.0
    for part, posterior in enumerate(exam.memory):
        labels = exam.probe_labels[..., part].flatten()
        probe = fit_linear((learning - mean) / spread, labels, posterior.shape[-1])
        with torch.no_grad():
            log_q = probe((test - mean) / spread).double().log_softmax(-1)
        total += float(divergence(posterior.flatten(0, 1), log_q).mean())
    return total


def fit_linear(features: Tensor, labels: Tensor, classes: int, *, penalty: float = 1e-3) -> nn.Linear:
    """Multinomial logistic regression to convergence: the result depends on no seed and no learning rate.

    features: (n, size), standardized; labels: (n,). penalty: on the mean squared weight's sum, which keeps
    the optimum finite.
    """
    probe = nn.Linear(features.shape[1], classes)
    nn.init.zeros_(probe.weight)
    nn.init.zeros_(probe.bias)
    optimizer = torch.optim.LBFGS(probe.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(probe(features), labels) + penalty * probe.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return probe


def baselines(exam: Examination, corpus: Tensor) -> dict[str, dict[str, float]]:
    """What needs no network: uniform guessing, and the counts of single words and of pairs of neighbors.

    corpus: (texts, length), the texts that an entrant reads. Each gives `masked_kl`, nats; "bigram" answers
    with counts of (left neighbor, word), where the left neighbor is masked too with the unigram.
    """
    vocab = exam.language.process.vocab_size
    ordinary = torch.zeros(vocab, dtype=torch.float64)
    ordinary[exam.language.tokens.ordinary()] = 1.0
    unigram = torch.bincount(corpus.flatten(), minlength=vocab).double() + ordinary
    pairs = torch.zeros(vocab, vocab, dtype=torch.float64)
    left, right = corpus[:, :-1].flatten(), corpus[:, 1:].flatten()
    pairs.index_put_((left, right), torch.ones((), dtype=torch.float64), accumulate=True)
    unigram /= unigram.sum()
    bigram = (pairs + unigram) / (pairs.sum(-1, keepdim=True) + 1)
    seen = F.pad(exam.texts.masked_fill(exam.hidden, MASK), (1, 0), value=MASK)[:, :-1][exam.hidden]
    answers = {
        "uniform": (ordinary / ordinary.sum()).expand(len(seen), -1),
        "unigram": unigram.expand(len(seen), -1),
        "bigram": torch.where((seen == MASK)[:, None], unigram, bigram[seen]),
    }
    return {name: {"masked_kl": float(divergence(exam.truth, q.log()).mean())} for name, q in answers.items()}


def floor(exam: Examination) -> float:
    """Cross-entropy at the masked places of a reader that knows the grammar, nats."""
    return float(entropy(exam.truth).mean())


@torch.no_grad()
def _states(encoder: Encoder, texts: Tensor, causal: bool) -> Tensor:
    """Last states of every token but [CLS], (texts * length, hidden)."""
    ids = frame(texts)
    mask = masks.causal(ids.shape[1]) if causal else None
    return encoder.eval()(ids, mask=mask).last_hidden_state[:, 1:].flatten(0, 1)


def _by_class(posterior: Tensor, of_state: Tensor) -> Tensor:
    """(batch, length, states) summed into (batch, length, classes)."""
    classes = F.one_hot(of_state, int(of_state.max()) + 1).double()
    return posterior @ classes


def _collate(entrant: Entrant, language: Vocabulary, texts: list[Tensor], generator: Generator) -> Batch:
    batch = entrant.collate(texts, language.tokens, generator)
    if not (batch["labels"] != IGNORE).any():
        raise ValueError("no token of the batch was chosen; use a larger batch")
    return batch
