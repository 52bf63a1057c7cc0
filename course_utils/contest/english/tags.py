"""Parts of speech from frozen states: what an encoder knows of words without a mask token in sight.

The sentences are those of the English Web Treebank (Silveira et al. 2014; Universal Dependencies). A linear
map from the state of each word's first piece to the word's tag is fitted to convergence, so that the result
depends on no learning rate. Nobody has practiced this.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from course_utils.contest.english.corpus import Corpus
from course_utils.contest.entrants import frame
from course_utils.contest.grammar import PAD
from course_utils.contest.measures import fit_linear
from course_utils.data.errors import DataError
from course_utils.data.hub_table import hub_rows
from course_utils.models import masks
from course_utils.models.encoder import Encoder

TREEBANK = ("universal-dependencies/universal_dependencies", "en_ewt")


@dataclass(frozen=True)
class Tagged:
    """Sentences as ids after [CLS], padded, (n, length); `starts`, the same shape: first pieces of words.

    tags: (words,), in reading order. words: the pieces of each.
    """

    ids: Tensor
    starts: Tensor
    tags: Tensor
    words: list[tuple[int, ...]]
    kinds: tuple[Hashable, ...]  # what the numbers in `tags` stand for


def read_tagged(
    corpus: Corpus,
    split: str,
    *,
    sentences: int,
    longest: int,
    kinds: tuple[Hashable, ...] | None = None,
    hub_root: Path | None = None,
) -> Tagged:
    """So many sentences of a split, drawn once for all, cut at `longest` tokens.

    kinds: the tags that count; by default all that occur. Words with other tags are read but not asked.
    Raises SourceUnavailable without a source, DataError where there are too few sentences.
    """
    rows = hub_rows(*TREEBANK, split, ("tokens", "upos"), hub_root)
    if len(rows) < sentences:
        raise DataError(f"{TREEBANK[0]}, {split}: {len(rows)} sentences, not {sentences}")
    chosen = random.Random(0).sample(rows, sentences)
    return encode_tagged(corpus, [(row["tokens"], row["upos"]) for row in chosen], longest, kinds)


def encode_tagged(
    corpus: Corpus,
    sentences: Sequence[tuple[Sequence[str], Sequence[Hashable]]],
    longest: int,
    kinds: tuple[Hashable, ...] | None = None,
) -> Tagged:
    """(words, tags) of each sentence to ids and numbers; a word that does not fit ends its sentence."""
    kinds = kinds or tuple(sorted({tag for _, tags in sentences for tag in tags}, key=str))
    rows, starts, asked, words = [], [], [], []
    for tokens, tags in sentences:
        ids: list[int] = []
        first: list[bool] = []
        for token, tag in zip(tokens, tags, strict=True):
            pieces = corpus.encode(token)
            if len(ids) + len(pieces) > longest:
                break
            known = tag in kinds and bool(pieces)
            ids += pieces
            first += [known, *[False] * (len(pieces) - 1)][: len(pieces)]
            if known:
                asked.append(kinds.index(tag))
                words.append(tuple(pieces))
        rows.append(frame(torch.tensor(ids, dtype=torch.long)))
        starts.append(torch.tensor([False, *first]))
    pad = nn.utils.rnn.pad_sequence
    return Tagged(pad(rows, True, PAD), pad(starts, True, False), torch.tensor(asked), words, kinds)


def probe_accuracy(encoder: Encoder, learning: Tagged, test: Tagged, *, causal: bool) -> float:
    """Share of the test words that a linear probe on the frozen encoder's last states tags right."""
    known, asked = (_states(encoder, of, causal) for of in (learning, test))
    mean, spread = known.mean(0), known.std(0) + 1e-6
    probe = fit_linear((known - mean) / spread, learning.tags, len(learning.kinds))
    with torch.no_grad():
        answers = probe((asked - mean) / spread).argmax(-1)
    return float((answers == test.tags).double().mean())


def frequent_tag_accuracy(learning: Tagged, test: Tagged) -> float:
    """Accuracy of each word's most frequent tag; of its first piece's, where the word is new."""
    by_word: defaultdict[Hashable, Counter[int]] = defaultdict(Counter)
    for word, tag in zip(learning.words, learning.tags.tolist(), strict=True):
        for key in (word, word[0], None):
            by_word[key][tag] += 1
    right = 0
    for word, tag in zip(test.words, test.tags.tolist(), strict=True):
        key = next(key for key in (word, word[0], None) if key in by_word)
        right += by_word[key].most_common(1)[0][0] == tag
    return right / len(test.words)


@torch.no_grad()
def _states(encoder: Encoder, of: Tagged, causal: bool) -> Tensor:
    """Last states of the words' first pieces, (words, hidden)."""
    mask = masks.causal(of.ids.shape[1]) if causal else None
    return encoder.eval()(of.ids, attention_mask=of.ids != PAD, mask=mask).last_hidden_state[of.starts]
