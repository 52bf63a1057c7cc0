"""What the parts of the subword benchmark share: how much is done, CPU seconds, and both trainers."""

import gc
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

# Before the library is imported: it reads these once.
os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from course_utils.subword import BPE, Splitter, count_words, train_bpe

MERGES, TEXTBOOK_MERGES = 20_000, 1_000
SEED = 20_000
PRE_TOKENIZERS = {
    Splitter.BYTE_LEVEL: pre_tokenizers.ByteLevel(add_prefix_space=False),
    Splitter.PUNCTUATION: pre_tokenizers.BertPreTokenizer(),
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much is done; documentation in bytes."""

    repetitions: int = 5
    fuzzed: int = 120_000
    documentation: int = 21_000_000
    textbook_merges: int = TEXTBOOK_MERGES
    every_nth_code_point: int = 1


QUICK = Size(1, 1_200, 2_000_000, 20, 997)


def cpu_seconds(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """CPU seconds of this process (all its threads) for one call, and what the call returned."""
    gc.collect()
    started = time.process_time()
    returned = work(*arguments)
    return time.process_time() - started, returned


def spread(name: str, seconds: Sequence[float]) -> Row:
    """Median, lowest and highest."""
    return {
        f"{name}_seconds": round(median(seconds), 4),
        f"{name}_low": round(min(seconds), 4),
        f"{name}_high": round(max(seconds), 4),
    }


def train_ours(texts: Sequence[str], splitter: Splitter, merges: int) -> BPE:
    """From raw texts to merges, with this package."""
    return train_bpe(count_words(texts, splitter), num_merges=merges, splitter=splitter)


def train_library(texts: Iterable[str], splitter: Splitter, vocab_size: int) -> Tokenizer:
    """From raw texts to merges, with the library."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[splitter]
    alphabet = pre_tokenizers.ByteLevel.alphabet() if splitter is Splitter.BYTE_LEVEL else []
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def merges_of(tokenizer: Tokenizer) -> list[tuple[str, str]]:
    """The library's merges in order."""
    return [(left, right) for left, right in json.loads(tokenizer.to_str())["model"]["merges"]]
