"""BLiMP's minimal pairs (Warstadt et al. 2020): which of two sentences, alike but for one point of grammar,
does a model find more probable?

A masked LM has no probability of a sentence; its pseudo-log-likelihood takes the place: the sum over tokens
of log P(token | all others). Within a word the pieces to the right are masked as well, else a rare word of
many pieces looks likely because its parts betray each other (Kauf & Ivanova 2023).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from course_utils.contest.english.corpus import UNKNOWN, Corpus
from course_utils.contest.entrants import frame
from course_utils.contest.grammar import MASK, PAD
from course_utils.data.errors import DataError
from course_utils.data.hub_table import hub_rows
from course_utils.models.heads import MaskedLM

BLIMP = "nyu-mll/blimp"
# Agreement within the phrase or the clause, which a small model may learn.
AGREEMENT = (
    "anaphor_gender_agreement",
    "anaphor_number_agreement",
    "determiner_noun_agreement_1",
    "determiner_noun_agreement_2",
    "determiner_noun_agreement_irregular_1",
    "determiner_noun_agreement_irregular_2",
    "determiner_noun_agreement_with_adj_2",
    "determiner_noun_agreement_with_adj_irregular_1",
    "determiner_noun_agreement_with_adj_irregular_2",
    "determiner_noun_agreement_with_adjective_1",
    "distractor_agreement_relational_noun",
    "distractor_agreement_relative_clause",
    "irregular_plural_subject_verb_agreement_1",
    "irregular_plural_subject_verb_agreement_2",
    "regular_plural_subject_verb_agreement_1",
    "regular_plural_subject_verb_agreement_2",
)
OTHERS = (
    "adjunct_island",
    "animate_subject_passive",
    "animate_subject_trans",
    "causative",
    "complex_NP_island",
    "coordinate_structure_constraint_complex_left_branch",
    "coordinate_structure_constraint_object_extraction",
    "drop_argument",
    "ellipsis_n_bar_1",
    "ellipsis_n_bar_2",
    "existential_there_object_raising",
    "existential_there_quantifiers_1",
    "existential_there_quantifiers_2",
    "existential_there_subject_raising",
    "expletive_it_object_raising",
    "inchoative",
    "intransitive",
    "irregular_past_participle_adjectives",
    "irregular_past_participle_verbs",
    "left_branch_island_echo_question",
    "left_branch_island_simple_question",
    "matrix_question_npi_licensor_present",
    "npi_present_1",
    "npi_present_2",
    "only_npi_licensor_present",
    "only_npi_scope",
    "passive_1",
    "passive_2",
    "principle_A_c_command",
    "principle_A_case_1",
    "principle_A_case_2",
    "principle_A_domain_1",
    "principle_A_domain_2",
    "principle_A_domain_3",
    "principle_A_reconstruction",
    "sentential_negation_npi_licensor_present",
    "sentential_negation_npi_scope",
    "sentential_subject_island",
    "superlative_quantifiers_1",
    "superlative_quantifiers_2",
    "tough_vs_raising_1",
    "tough_vs_raising_2",
    "transitive",
    "wh_island",
    "wh_questions_object_gap",
    "wh_questions_subject_gap",
    "wh_questions_subject_gap_long_distance",
    "wh_vs_that_no_gap",
    "wh_vs_that_no_gap_long_distance",
    "wh_vs_that_with_gap",
    "wh_vs_that_with_gap_long_distance",
)
PARADIGMS = tuple(sorted((*AGREEMENT, *OTHERS)))


@dataclass(frozen=True)
class Pair:
    """One question: ids of the grammatical and of the ungrammatical sentence, without [CLS]."""

    paradigm: str
    good: tuple[int, ...]
    bad: tuple[int, ...]


def read_pairs(
    corpus: Corpus, *, each: int, longest: int, seed: int, hub_root: Path | None = None
) -> list[Pair]:
    """`each` pairs of every paradigm, drawn from those that fit into `longest` tokens and differ in tokens.

    Raises SourceUnavailable without a source, DataError where a paradigm has too few pairs that fit.
    """
    found = []
    for paradigm in PARADIGMS:
        rows = hub_rows(BLIMP, paradigm, "train", ("sentence_good", "sentence_bad"), hub_root)
        pairs = [
            Pair(paradigm, *(tuple(corpus.encode(row[f"sentence_{kind}"])) for kind in ("good", "bad")))
            for row in rows
        ]
        fitting = [
            pair for pair in pairs if max(len(pair.good), len(pair.bad)) <= longest and pair.good != pair.bad
        ]
        if len(fitting) < each:
            raise DataError(f"{BLIMP}, {paradigm}: only {len(fitting)} pairs of up to {longest} tokens")
        found += random.Random(seed).sample(fitting, each)
    return found


def accuracies(right: Sequence[bool], pairs: Sequence[Pair]) -> dict[str, float]:
    """Share of right answers in each paradigm, in their order."""
    of: dict[str, list[bool]] = {}
    for pair, is_right in zip(pairs, right, strict=True):
        of.setdefault(pair.paradigm, []).append(is_right)
    return {paradigm: sum(answers) / len(answers) for paradigm, answers in of.items()}


def mean_over(accuracy: dict[str, float], paradigms: Sequence[str]) -> float:
    """Mean accuracy over some of the paradigms, each counting the same."""
    return sum(accuracy[paradigm] for paradigm in paradigms) / len(paradigms)


def judge(model: MaskedLM, pairs: Sequence[Pair], inside: Tensor) -> list[bool]:
    """For each pair, whether the grammatical sentence has the higher pseudo-log-likelihood; a tie is wrong.

    inside: bool, (vocab,), which pieces go on with a word.
    """
    scores = pseudo_log_likelihoods(model, [s for pair in pairs for s in (pair.good, pair.bad)], inside)
    return [bool(good > bad) for good, bad in scores.view(-1, 2)]


def continues_word(corpus: Corpus) -> Tensor:
    """Which pieces go on with a word (##...), (vocab,)."""
    return torch.tensor([piece.startswith("##") for piece in corpus.wordpiece.vocab])


@torch.no_grad()
def pseudo_log_likelihoods(
    model: MaskedLM, sentences: Sequence[Sequence[int]], inside: Tensor, *, batch_size: int = 512
) -> Tensor:
    """Of each sentence, nats, (sentences,). Unknown words are seen, but not scored."""
    places = sorted(
        (len(ids), number, place)
        for number, ids in enumerate(sentences)
        for place in range(len(ids))
        if ids[place] != UNKNOWN
    )
    total = torch.zeros(len(sentences), dtype=torch.float64)
    for first in range(0, len(places), batch_size):
        part = places[first : first + batch_size]
        rows = [_hide(sentences[number], place, inside) for _, number, place in part]
        ids = torch.nn.utils.rnn.pad_sequence(rows, True, PAD)
        asked = torch.zeros(len(part), ids.shape[1] + 1, dtype=torch.bool)
        asked[range(len(part)), [place + 1 for *_, place in part]] = True
        log_p = model(frame(ids), attention_mask=frame(ids) != PAD, positions=asked).log_softmax(-1)
        answers = torch.tensor([sentences[number][place] for _, number, place in part])
        scored = log_p.gather(1, answers[:, None]).squeeze(1).double()
        total.index_add_(0, torch.tensor([number for _, number, _ in part]), scored)
    return total


def _hide(ids: Sequence[int], place: int, inside: Tensor) -> Tensor:
    """The sentence with the piece at `place`, and the rest of its word, masked."""
    row = torch.tensor(ids)
    end = place + 1
    while end < len(row) and inside[row[end]]:
        end += 1
    row[place:end] = MASK
    return row
