"""The encoding part of the subword benchmark: equality with the library text by text, then the speed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from tokenizers import Tokenizer
from transformers import BertTokenizerFast
from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

from benchmarks.fuzzed_text import code_point_blocks, fuzzed_texts
from benchmarks.subword_common import (
    MERGES,
    SEED,
    Row,
    Size,
    cpu_seconds,
    merges_of,
    spread,
    train_library,
    train_ours,
)
from course_utils import data
from course_utils.subword import BPE, Splitter, WordPiece


@dataclass(frozen=True)
class Peer:
    """One of our encoders and the library's equal of it. `fresh` makes ours with an empty cache."""

    name: str
    fresh: Callable[[], BPE | WordPiece]
    library: Tokenizer


def peers(reviews: Sequence[str]) -> list[Peer]:
    """BPE by characters and by bytes, 20,000 merges each; WordPiece with bert-base-uncased's vocabulary."""
    vocabulary = data.small_model_dir() / "vocab.txt"
    library = BertTokenizerFast(vocab=str(vocabulary)).backend_tokenizer
    return [
        bpe_peer("BPE", reviews, Splitter.PUNCTUATION),
        bpe_peer("byte-level BPE", reviews, Splitter.BYTE_LEVEL),
        Peer("WordPiece", lambda: WordPiece.load(vocabulary), library),
    ]


def bpe_peer(name: str, reviews: Sequence[str], splitter: Splitter) -> Peer:
    """Both trained on the reviews, each by its own trainer."""
    trained = train_ours(reviews, splitter, MERGES)
    library = train_library(reviews, splitter, len(trained.vocab))
    if merges_of(library) != trained.merges:
        raise RuntimeError(f"{name}: the merges differ from the library's")
    return Peer(name, lambda: BPE(trained.vocab, trained.merges, splitter=splitter), library)


def encoding(reviews: Sequence[str], size: Size) -> list[Row]:
    """Equality on the reviews, on fuzzed texts and on each code point; then the speed on the reviews."""
    fuzzed = list(fuzzed_texts(size.fuzzed, SEED))
    step = size.every_nth_code_point
    blocks = ["".join(f"a{one}b {one}" for one in block) for block in code_point_blocks(step)]
    parts = {"reviews": reviews, "fuzzed": fuzzed, "code_point_blocks": blocks}
    rows = []
    for peer in peers(reviews):
        ours = peer.fresh()
        unequal = {
            f"unequal_{part}": sum(not same(ours, peer.library, text) for text in texts)
            for part, texts in parts.items()
        }
        rows.append(
            {
                "part": f"encoding with {peer.name}",
                **{part: len(texts) for part, texts in parts.items()},
                "equal": not any(unequal.values()),
                **unequal,
                **encoding_speed(peer, reviews, size),
            }
        )
    return rows


def same(ours: BPE | WordPiece, library: Tokenizer, text: str) -> bool:
    """Ids and tokens are equal; for WordPiece also offsets, segments, and what the ids decode to."""
    theirs = library.encode(text)
    if isinstance(ours, BPE):
        return ours.encode(text) == theirs.ids and ours.tokenize(text) == theirs.tokens
    mine = ours.encode(text)
    return (mine.input_ids, mine.tokens, mine.offsets, mine.token_type_ids, ours.decode(mine.input_ids)) == (
        theirs.ids,
        theirs.tokens,
        theirs.offsets,
        theirs.type_ids,
        library.decode(theirs.ids, skip_special_tokens=False),
    )


def encoding_speed(peer: Peer, reviews: Sequence[str], size: Size) -> Row:
    """Sentences a second, one by one, from an empty cache: ours, the library's, and transformers' Python."""
    state = peer.library.to_str()
    encoders: dict[str, Callable[[], Any]] = {
        "ours": peer.fresh,
        "library": lambda: Tokenizer.from_str(state),
    }
    if peer.name == "WordPiece":
        encoders["python"] = lambda: PurePython(str(data.small_model_dir() / "vocab.txt"))
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    for _ in range(size.repetitions):
        for name, fresh in encoders.items():
            seconds[name].append(cpu_seconds(encode_all, fresh(), reviews)[0])
    row: Row = {"repetitions": size.repetitions}
    for name, values in seconds.items():
        row |= spread(name, values) | {f"{name}_per_second": round(len(reviews) / median(values))}
    return row


class PurePython(BertTokenizerLegacy):
    """transformers' BertTokenizer in Python: text to ids, without special tokens."""

    def encode(self, text: str) -> list[int]:
        return self.convert_tokens_to_ids(self.tokenize(text))


def encode_all(encoder: Any, texts: Sequence[str]) -> list[Any]:
    """Every text encoded, one by one."""
    return [encoder.encode(text) for text in texts]
