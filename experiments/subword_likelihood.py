"""What does a likelihood criterion do to a WordPiece vocabulary? Measured for the claim `wordpiece-likelihood`.

One training loop over word pieces, four rules for the pair (a, b) to merge next:
  frequency   the most frequent pair: count(ab)
  score       count(ab) / (count(a) count(b)), as textbooks give it; with a minimum count(ab) of 1, 5 and 20
  gain        the exact rise of the training text's log-likelihood under a unigram model of pieces
and two vocabularies that would embarrass them: single characters, and characters plus the most frequent words.
The `tokenizers` library's own WordPiece trainer is trained on the same words.

Every vocabulary has 8,000 entries (where its rule finds that many) and encodes by greedy longest match. On held-out text:
pieces a word, the share of the vocabulary that is used, and bits a character under the unigram model of the
training pieces: the very likelihood that the criterion is said to raise.

Seeds: random splits of the 23,700 sentences, 80% to train. Intervals: corrected for their overlap.

Verdict, fixed before the run. The claim is that WordPiece merges what raises the likelihood most, not the most frequent pair.
  library: over all seeds, at least 95% of the library's new entries are the frequency rule's, and at most half are
           those of the score without a minimum count.
  likelihood: the score without a minimum count gives more bits a character on the training text than frequency
           does: the interval of the difference lies above 0.
"does not hold" if both; "holds" if neither, and the score stops at a threshold; "cannot tell" otherwise.
(What Google trained BERT's vocabulary with was never released, so only public trainers can be tested.)

Run: python -m experiments.subword_likelihood
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from course_utils import results
from experiments.subword_common import (
    DOMAINS,
    corrected_interval,
    mean_and_interval,
    random_split,
    review_sentences,
    word_counts,
)

NAME = "subword_likelihood"
SEEDS = list(range(5))
SIZE = 8_000
MIN_COUNTS = (1, 5, 20)
SCORE_THRESHOLDS = (1e-3, 1e-4, 1e-5)
GAIN_THRESHOLDS = (1000.0, 300.0, 100.0)  # nats

# A rule maps (pair counts, left counts, right counts, total) to scores; the highest is merged.
Rule = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int], np.ndarray]


def frequency(
    pair: np.ndarray, left: np.ndarray, right: np.ndarray, same: np.ndarray, total: int
) -> np.ndarray:
    """count(ab)."""
    return pair.astype(float)


def score(pair: np.ndarray, left: np.ndarray, right: np.ndarray, same: np.ndarray, total: int) -> np.ndarray:
    """count(ab) / (count(a) count(b))."""
    return pair / (left * right)


def gain(pair: np.ndarray, left: np.ndarray, right: np.ndarray, same: np.ndarray, total: int) -> np.ndarray:
    """Rise of sum(c log c) - N log N, the unigram log-likelihood of the pieces, in nats.

    same: where a and b are one symbol, which then loses two occurrences a merge (an upper bound inside runs).
    """
    after_left = np.where(same, np.maximum(left - 2 * pair, 0), left - pair)
    after_right = np.where(same, 0, right - pair)
    before_right = np.where(same, 0, right)
    after = _nlogn(after_left) + _nlogn(after_right) + _nlogn(pair) - _nlogn(total - pair)
    return after - (_nlogn(left) + _nlogn(before_right) - _nlogn(np.asarray(total)))


def _nlogn(count: np.ndarray) -> np.ndarray:
    return count * np.log(np.maximum(count, 1))


@dataclass
class Step:
    """One merge: the new piece, how often its pair stood in the text then, and what the rule gave it."""

    piece: str
    count: int
    score: float


class Pieces:
    """Words cut into pieces, and the counts that the rules ask for, kept up to date through merges."""

    def __init__(self, words: Mapping[str, int]) -> None:
        cuts = {word: [word[0], *(f"##{letter}" for letter in word[1:])] for word in words}
        self.names = sorted({piece for cut in cuts.values() for piece in cut})
        ids = {piece: number for number, piece in enumerate(self.names)}
        self.words = [[ids[piece] for piece in cuts[word]] for word in words]
        self.weights = list(words.values())
        self.counts: list[int] = [0] * len(self.names)
        self.rows: dict[tuple[int, int], int] = {}
        self.pairs = np.zeros((1024, 3), np.int64)  # left, right, count
        self.where: dict[int, set[int]] = defaultdict(set)
        for number, word in enumerate(self.words):
            self._count(number, word, 1)

    def _count(self, number: int, word: list[int], sign: int) -> None:
        weight = sign * self.weights[number]
        for piece in word:
            self.counts[piece] += weight
        for pair in _adjacent(word):
            row = self._row(pair)
            self.pairs[row, 2] += weight
            if sign > 0:
                self.where[row].add(number)

    def _row(self, pair: tuple[int, int]) -> int:
        if pair not in self.rows:
            self.rows[pair] = len(self.rows)
            if len(self.rows) > len(self.pairs):
                self.pairs = np.concatenate([self.pairs, np.zeros_like(self.pairs)])
            self.pairs[self.rows[pair], :2] = pair
        return self.rows[pair]

    def best(self, rule: Rule, min_count: int) -> tuple[int, float] | None:
        """Row and score of the best pair, the smallest pair of ids among equals; None when no pair is left."""
        table = self.pairs[: len(self.rows)]
        rows = np.flatnonzero(table[:, 2] >= min_count)
        if not len(rows):
            return None
        counts = np.array(self.counts)
        left, right, pair = table[rows].T
        scores = rule(pair, counts[left], counts[right], left == right, int(counts.sum()))
        top = rows[scores == scores.max()]
        row = min(top.tolist(), key=lambda number: tuple(table[number, :2]))
        return row, float(scores.max())

    def merge(self, row: int) -> str:
        """Make one piece of a pair in every word, and return its name."""
        left, right, _ = self.pairs[row].tolist()
        self.names.append(self.names[left] + self.names[right].removeprefix("##"))
        self.counts.append(0)
        for number in self.where.pop(row, set()):
            word = self.words[number]
            merged = _replace(word, left, right, len(self.names) - 1)
            if len(merged) < len(word):
                self._count(number, word, -1)
                self._count(number, merged, 1)
                self.words[number] = merged
        return self.names[-1]


def _adjacent(word: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Neighbors; a run such as aaa has (a, a) twice, as the library counts it."""
    return zip(word[:-1], word[1:], strict=True)


def _replace(word: list[int], left: int, right: int, new: int) -> list[int]:
    """Every (left, right) from the left, made into one.

    >>> _replace([1, 2, 1, 2, 3], 1, 2, 9)
    [9, 9, 3]
    """
    out: list[int] = []
    for piece in word:
        if piece == right and out and out[-1] == left:
            out[-1] = new
        else:
            out.append(piece)
    return out


def train(
    words: Mapping[str, int], rule: Rule, size: int, min_count: int = 1, threshold: float = -np.inf
) -> tuple[list[str], list[Step]]:
    """Merge until the vocabulary has `size` entries, no pair is left, or the best score is below `threshold`.

    words: word -> count. Returns the vocabulary, alphabet first, and the merges.

    >>> words = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    >>> [step.piece for step in train(words, frequency, size=9)[1]]
    ['##ug', '##un']
    >>> [step.piece for step in train(words, score, size=9)[1]]
    ['##gs', 'hu']
    """
    state, steps = Pieces(words), []
    while len(state.names) < size:
        found = state.best(rule, min_count)
        if found is None or found[1] < threshold:
            break
        count = int(state.pairs[found[0], 2])
        steps.append(Step(state.merge(found[0]), count, found[1]))
    # Two different pairs can spell the same piece; a vocabulary holds it once.
    return list(dict.fromkeys(state.names)), steps


def library_vocabulary(words: Mapping[str, int], size: int) -> list[str]:
    """What the `tokenizers` WordPiece trainer makes of the same words, without special tokens."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(vocab_size=size, show_progress=False, special_tokens=[])
    tokenizer.train_from_iterator((" ".join([word] * count) for word, count in words.items()), trainer)
    return list(tokenizer.get_vocab())


def top_words(words: Mapping[str, int], size: int) -> list[str]:
    """The characters, then the most frequent words, up to `size` entries."""
    alphabet = Pieces(words).names
    by_count = sorted(words, key=lambda word: (-words[word], word))
    return list(dict.fromkeys([*alphabet, *by_count]))[:size]


def cut(word: str, vocab: set[str]) -> list[str]:
    """Greedy longest match; ["[UNK]"] if the word cannot be spelled.

    >>> cut("hugs", {"hu", "##g", "##s", "##gs"})
    ['hu', '##gs']
    """
    pieces, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        end = next((end for end in range(len(word), start, -1) if mark + word[start:end] in vocab), None)
        if end is None:
            return ["[UNK]"]
        pieces.append(mark + word[start:end])
        start = end
    return pieces


def count_pieces(words: Mapping[str, int], vocab: set[str]) -> Counter[str]:
    """How often each piece stands in the text; words that cannot be spelled count as [UNK]."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for piece in cut(word, vocab):
            counts[piece] += count
    return counts


def bits_per_character(
    counts: Mapping[str, int], model: Mapping[str, int], vocab: set[str], characters: int
) -> float:
    """Cost of the pieces under add-one unigram probabilities from `model`, by characters of text; [UNK] is left out."""
    total = sum(model[piece] for piece in vocab if piece in model) + len(vocab)
    cost = -sum(
        count * np.log2((model.get(piece, 0) + 1) / total)
        for piece, count in counts.items()
        if piece in vocab
    )
    return float(cost / characters)


def spelled_characters(words: Mapping[str, int], alphabet: set[str]) -> int:
    """Characters of the words that the alphabet can spell."""
    return sum(len(word) * count for word, count in words.items() if cut(word, alphabet) != ["[UNK]"])


def measure(
    vocab: Sequence[str], train_words: Mapping[str, int], test_words: Mapping[str, int]
) -> dict[str, float]:
    """How one vocabulary does: size, pieces a word, share used, bits a character on both texts."""
    entries = set(vocab)
    learned, held_out = count_pieces(train_words, entries), count_pieces(test_words, entries)
    return {
        "size": len(entries),
        "fertility": held_out.total() / sum(test_words.values()),
        "used": sum(piece in held_out for piece in entries) / len(entries),
        "bits_train": bits_per_character(learned, learned, entries, spelled_characters(train_words, entries)),
        "bits": bits_per_character(held_out, learned, entries, spelled_characters(test_words, entries)),
    }


def vocabularies(words: Mapping[str, int], size: int) -> dict[str, tuple[list[str], list[Step]]]:
    """Name -> (vocabulary, merges) for every rule, the library and the two baselines."""
    made = {"frequency": train(words, frequency, size)}
    made |= {f"score, minimum count {n}": train(words, score, size, n) for n in MIN_COUNTS}
    made["likelihood gain"] = train(words, gain, size, threshold=0.0)
    made["tokenizers library"] = (library_vocabulary(words, size), [])
    made["characters"] = (top_words(words, len(Pieces(words).names)), [])
    made["characters and top words"] = (top_words(words, size), [])
    return made


def share_of(ours: Iterable[str], theirs: Iterable[str], alphabet: set[str]) -> float:
    """Share of their new entries, those beyond the alphabet, that ours has too."""
    new = set(theirs) - alphabet
    return len(new & set(ours)) / len(new) if new else 0.0


def preferences(steps: Sequence[Step]) -> dict[str, float]:
    """What a rule likes: how frequent its pairs are, how long its pieces get, whether its score falls steadily."""
    counts = [step.count for step in steps]
    scores = [step.score for step in steps]
    return {
        "median_count_first_100": float(np.median(counts[:100])),
        "median_count": float(np.median(counts)),
        "length_first_1000": float(np.mean([len(step.piece.removeprefix("##")) for step in steps[:1000]])),
        "score_rises": float(np.mean(np.diff(scores) > 0)),
        "last_score": scores[-1],
    }


def one_seed(texts: Sequence[str], seed: int) -> dict[str, dict[str, Any]]:
    """Train and measure everything on one split: vocabulary name -> scores."""
    train_texts, test_texts = random_split(texts, np.random.default_rng(seed))
    train_words, test_words = word_counts(train_texts), word_counts(test_texts)
    made = vocabularies(train_words, SIZE)
    alphabet = set(Pieces(train_words).names)
    scores: dict[str, dict[str, Any]] = {}
    for name, (vocab, steps) in made.items():
        scores[name] = measure(vocab, train_words, test_words)
        scores[name]["shared_with_frequency"] = share_of(made["frequency"][0], vocab, alphabet)
        scores[name]["shared_with_library"] = share_of(made["tokenizers library"][0], vocab, alphabet)
        scores[name]["library_has"] = share_of(vocab, made["tokenizers library"][0], alphabet)
        if steps:
            scores[name] |= {**preferences(steps), "first": " ".join(step.piece for step in steps[:10])}
    return scores


def threshold_rows(words: Mapping[str, int]) -> list[dict[str, Any]]:
    """How many merges come before the best score, or the exact gain, first falls below a threshold, on one split."""
    settings = [("score", score, n, limit) for n in MIN_COUNTS for limit in SCORE_THRESHOLDS]
    settings += [("likelihood gain", gain, 1, limit) for limit in GAIN_THRESHOLDS]
    rows = []
    for rule, function, min_count, limit in settings:
        vocab, steps = train(words, function, SIZE, min_count, limit)
        row = {
            "part": "threshold",
            "rule": rule,
            "min_count": min_count,
            "threshold": limit,
            "merges": len(steps),
        }
        rows.append({**row, "stopped_by": "threshold" if len(vocab) < SIZE else "size"})
    return rows


def summarize(per_seed: Sequence[dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row a vocabulary: the mean of each score over the splits, and its interval."""
    rows = []
    for name, first in per_seed[0].items():
        row: dict[str, Any] = {"part": "vocabulary", "rule": name}
        for key in first:
            values = [one[name][key] for one in per_seed]
            row |= {"first": values[0]} if key == "first" else mean_and_interval(key, values)
        rows.append(row)
    return rows


def verdict(library_is_frequency: float, library_is_score: float, extra_bits_low: float, stops: bool) -> str:
    """The rule of the module's docstring.

    >>> verdict(library_is_frequency=0.99, library_is_score=0.1, extra_bits_low=0.5, stops=True)
    'does not hold'
    """
    library, likelihood = library_is_frequency >= 0.95 and library_is_score <= 0.5, extra_bits_low > 0
    if library and likelihood:
        return "does not hold"
    return "holds" if stops and not library and not likelihood else "cannot tell"


def claim(rows: Sequence[dict[str, Any]], extra_bits: Sequence[float]) -> dict[str, Any]:
    """The entry for `wordpiece-likelihood`."""
    by_rule = {row["rule"]: row for row in rows if row["part"] == "vocabulary"}
    often, rare = by_rule["frequency"], by_rule["score, minimum count 1"]
    library = by_rule["tokenizers library"]
    stops = any(row["stopped_by"] == "threshold" for row in rows if row["part"] == "threshold")
    low, high = corrected_interval(extra_bits)
    return {
        "verdict": verdict(library["shared_with_frequency_low"], rare["library_has_high"], low, stops),
        "estimate": float(np.mean(extra_bits)),
        "interval": [low, high],
        "unit": "bits a character on the training text, score minus frequency (above 0: the score gives the lower likelihood)",
        "seeds": len(SEEDS),
        "sentence": (
            f"The library's WordPiece trainer merges by frequency: {library['shared_with_frequency']:.1%} of its new entries are "
            f"those of plain frequency merging, {rare['library_has']:.1%} those of the score. With {SIZE:,} entries the score "
            f"costs {rare['fertility']:.2f} pieces a word on held-out text without a minimum count, frequency "
            f"{often['fertility']:.2f}, single characters {by_rule['characters']['fertility']:.2f}; and it makes the text less likely, not "
            f"more: {rare['bits_train']:.2f} against {often['bits_train']:.2f} bits a character."
        ),
    }


def main() -> None:
    started = time.perf_counter()
    texts = [text for domain in DOMAINS for text in review_sentences(domain)]
    per_seed = [one_seed(texts, seed) for seed in SEEDS]
    rows = summarize(per_seed)
    rows += threshold_rows(word_counts(random_split(texts, np.random.default_rng(SEEDS[0]))[0]))
    extra = [one["score, minimum count 1"]["bits_train"] - one["frequency"]["bits_train"] for one in per_seed]
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=SEEDS,
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.01, "absolute": 0.005, "ignore": []},
        claims={"wordpiece-likelihood": claim(rows, extra)},
    )


if __name__ == "__main__":
    main()
