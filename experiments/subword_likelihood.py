"""What does a likelihood criterion do to a WordPiece vocabulary? For the claim `wordpiece-likelihood`.

One training loop over word pieces, three rules for the pair (a, b) to merge next:
  frequency   the most frequent pair: count(ab)
  score       count(ab) / (count(a) count(b)), as textbooks give it; minimum count(ab) of 1, 5 and 20
  gain        the exact rise of the training text's log-likelihood under a unigram model of pieces
and two vocabularies that would embarrass them: single characters, and characters plus the most frequent
words. The `tokenizers` library's own WordPiece trainer is trained on the same words.

Every vocabulary has 8,000 entries (where its rule finds that many) and encodes by greedy longest match. On
held-out text: pieces a word, the share of the vocabulary that is used, and bits a character under the
unigram model of the training pieces: the very likelihood that the criterion is said to raise.

Seeds: random splits of the 23,703 sentences, 80% to train. Intervals: corrected for their overlap.

Of Google's own trainer, which made BERT's vocabulary and was never released, nothing can be said. The claim
is tested on what is shipped and taught in its name: that WordPiece merges what raises the likelihood most,
not the most frequent pair, and stops at a size or when the gain gets too small.
Verdict, fixed before the run:
  library:    over all seeds, at least 95% of the library's new entries are the frequency rule's, and at
              most half are those of the score without a minimum count.
  likelihood: the score without a minimum count gives more bits a character on the training text than
              frequency does: the interval of the difference lies above 0.
"does not hold" if both; "holds" if neither, and the score stops at a threshold; "cannot tell" otherwise.
(The exact gain, the literal reading of the claim, is measured too, but no library and no textbook merges by
it, so that the rule does not look at it.)

Run: python -m experiments.subword_likelihood
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from experiments.subword_rules import Pieces, Step, cut, frequency, gain, score, train

NAME = "subword_likelihood"
SEEDS = list(range(5))
SIZE = 8_000
MIN_COUNTS = (1, 5, 20)
SCORE_THRESHOLDS = (1e-3, 1e-4, 1e-5)
GAIN_THRESHOLDS = (1000.0, 300.0, 100.0)  # nats
SHARES = ("used", "shared_with_frequency", "shared_with_library", "library_has", "score_rises")


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
    """Cost of the pieces under add-one unigram probabilities from `model`, without what is [UNK]."""
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
    """What a rule likes: frequent pairs or rare, long pieces or short, and whether its score falls."""
    counts = [step.count for step in steps]
    scores = [step.score for step in steps]
    return {
        "median_count_first_100": float(np.median(counts[:100])),
        "median_count": float(np.median(counts)),
        "length_first_1000": float(np.mean([len(step.piece.removeprefix("##")) for step in steps[:1000]])),
        "score_rises": float(np.mean(np.diff(scores) > 0)),
        "last_score": scores[-1],
    }


def one_seed(texts: Sequence[str], seed: int) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Train and measure everything on one split: vocabulary name -> scores, and the rows of thresholds."""
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
    return scores, threshold_rows(made)


def threshold_rows(made: Mapping[str, tuple[list[str], list[Step]]]) -> list[dict[str, Any]]:
    """How many merges come before the best score, or the exact gain, first falls below a threshold."""
    settings = [("score", n, limit) for n in MIN_COUNTS for limit in SCORE_THRESHOLDS]
    settings += [("likelihood gain", 1, limit) for limit in GAIN_THRESHOLDS]
    rows = []
    for rule, min_count, limit in settings:
        name = f"score, minimum count {min_count}" if rule == "score" else rule
        steps = made[name][1]
        below = next((place for place, step in enumerate(steps) if step.score < limit), None)
        row = {"part": "threshold", "rule": rule, "min_count": min_count, "threshold": limit}
        row |= {"merges": len(steps) if below is None else below}
        rows.append({**row, "stopped_by": "size" if below is None else "threshold"})
    return rows


def summarize(per_seed: Sequence[dict[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row a vocabulary: the mean of each score over the splits, and its interval."""
    rows = []
    for name, first in per_seed[0].items():
        row: dict[str, Any] = {"part": "vocabulary", "rule": name}
        for key in first:
            values = [one[name][key] for one in per_seed]
            share = key in SHARES
            row |= {"first": values[0]} if key == "first" else mean_and_interval(key, values, share)
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
        "unit": "bits a character on the training text, score minus frequency (above 0: less likely)",
        "seeds": len(SEEDS),
        "sentence": (
            f"Of Google's own trainer nothing can be said. Of what is shipped and taught in its name: the "
            f"tokenizers library's trainer merges by frequency ({library['shared_with_frequency']:.2%} of "
            f"its new entries are those of plain frequency merging, {rare['library_has']:.2%} those of the "
            f"textbook score). With {SIZE:,} entries the score costs {rare['fertility']:.2f} pieces a word "
            f"on held-out text without a minimum count, frequency {often['fertility']:.2f}, single "
            f"characters {by_rule['characters']['fertility']:.2f}; and the score makes the text less "
            f"likely, not more: {rare['bits_train']:.2f} against {often['bits_train']:.2f} bits a character."
        ),
    }


def main() -> None:
    started = time.perf_counter()
    texts = [text for domain in DOMAINS for text in review_sentences(domain)]
    per_seed, thresholds = zip(*(one_seed(texts, seed) for seed in SEEDS), strict=True)
    rows = summarize(per_seed) + thresholds[0]
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
