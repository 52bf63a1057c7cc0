"""What every entrant is asked after pretraining on English, whatever it was trained on.

- `tags`: share of words whose part of speech a linear probe reads off the frozen states.
- `tuned_nats`: a masked-LM head trained on a few texts, and the encoder with it; mean nats of the masked
  tokens of new texts.
- `pairs`, `agreement`: with the tuned encoder, the share of BLiMP's minimal pairs where the grammatical
  sentence has the higher pseudo-log-likelihood: over all 67 paradigms, and over the 16 on agreement.
- `reviews_tuned`, `reviews_probe`: sentiment of review sentences, by fine-tuning and by a linear probe.

`tuned_nats` and the minimal pairs lean towards objectives that have practiced masked prediction.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor

from course_utils.contest import tasks
from course_utils.contest.english import ngrams, pairs, reviews, tags
from course_utils.contest.english.corpus import Corpus
from course_utils.contest.english.pairs import AGREEMENT, PARADIGMS, Pair
from course_utils.contest.english.reviews import Labeled, ReviewTask
from course_utils.contest.english.tags import Tagged
from course_utils.contest.entrants import frame
from course_utils.contest.grammar import MASK
from course_utils.contest.measures import Budget, fit_head
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM


@dataclass(frozen=True)
class Examination:
    """The questions: the same for all entrants and all their seeds."""

    language: Corpus
    tuning_texts: Tensor  # (texts, length), to learn a masked-LM head from
    texts: Tensor  # (test texts, length)
    hidden: Tensor  # bool, (test texts, length), which tokens are masked
    tagged: tuple[Tagged, Tagged]  # to learn from, and to be tested on
    pairs: list[Pair]
    reviews: tuple[Labeled, Labeled] | None


def examination(
    corpus: Corpus,
    budget: Budget,
    *,
    test_texts: int,
    tagged_sentences: int,
    final: bool,
    pairs_each: int,
    review_task: ReviewTask,
    hub_root: Path | None = None,
) -> Examination:
    """The final questions, or those that choose a learning rate: `tags` alone, of other sentences."""
    length = corpus.held_out.shape[1]
    learning, texts = corpus.held_out[: budget.texts + test_texts].long().split([budget.texts, test_texts])
    known = tags.read_tagged(corpus, "train", sentences=tagged_sentences, longest=length, hub_root=hub_root)
    asked = tags.read_tagged(
        corpus,
        "test" if final else "validation",
        sentences=tagged_sentences,
        longest=length,
        kinds=known.kinds,
        hub_root=hub_root,
    )
    chosen = torch.rand(texts.shape, generator=Generator().manual_seed(0)) < tasks.SHARE
    return Examination(
        language=corpus,
        tuning_texts=learning,
        texts=texts,
        hidden=chosen & corpus.tokens.corruptible(texts),
        tagged=(known, asked),
        pairs=pairs.read_pairs(corpus, each=pairs_each, longest=length, seed=0, hub_root=hub_root)
        if final
        else [],
        reviews=reviews.read_reviews(corpus, review_task, length) if final else None,
    )


def examine(
    encoder: Encoder, exam: Examination, budget: Budget, task: ReviewTask, seed: int, *, causal: bool = False
) -> dict[str, dict[str, float]]:
    """`measures` by name, and `paradigms`: accuracy in each; the encoder is left as it is.

    causal: whether the probed states may look back only, as a causal LM learnt to; what is trained along
    looks both ways.
    """
    measures = {"tags": tags.probe_accuracy(encoder, *exam.tagged, causal=causal)}
    if exam.reviews is None:
        return {"measures": measures}
    tuned = fit_head(encoder, exam, budget, seed, frozen=False)
    inside = pairs.continues_word(exam.language)
    accuracy = pairs.accuracies(pairs.judge(tuned, exam.pairs, inside), exam.pairs)
    return {
        "measures": measures
        | {
            "tuned_nats": masked_nats(tuned, exam),
            "pairs": pairs.mean_over(accuracy, PARADIGMS),
            "agreement": pairs.mean_over(accuracy, AGREEMENT),
            "reviews_tuned": reviews.tuned_accuracy(encoder, exam.reviews, task, seed),
            "reviews_probe": reviews.probe_accuracy(encoder, exam.reviews, causal=causal),
        },
        "paradigms": accuracy,
    }


@torch.no_grad()
def masked_nats(model: MaskedLM, exam: Examination) -> float:
    """Mean nats of the masked tokens."""
    inputs = frame(exam.texts.masked_fill(exam.hidden, MASK))
    logits = model(inputs, positions=F.pad(exam.hidden, (1, 0)))
    return float(F.cross_entropy(logits.double(), exam.texts[exam.hidden]))


def baselines(exam: Examination, texts: Tensor) -> dict[str, dict[str, float]]:
    """What needs no network, by its name: the measures that it can answer.

    texts: what an entrant may read, (texts, length).
    """
    tokens = exam.language.tokens
    counts = ngrams.count(texts, tokens)
    nats = {"uniform": ngrams.uniform_nats(tokens), **ngrams.masked_nats(counts, exam.texts, exam.hidden)}
    right = [counts.log_probability(pair.good) > counts.log_probability(pair.bad) for pair in exam.pairs]
    accuracy = pairs.accuracies(right, exam.pairs)
    assert exam.reviews is not None
    return {
        **{name: {"tuned_nats": value} for name, value in nats.items()},
        "trigram": {
            "pairs": pairs.mean_over(accuracy, PARADIGMS),
            "agreement": pairs.mean_over(accuracy, AGREEMENT),
        },
        "frequent tag": {"tags": tags.frequent_tag_accuracy(*exam.tagged)},
        "bag of words": {"reviews": reviews.bag_of_words_accuracy(exam.reviews, tokens.vocab_size)},
    }
