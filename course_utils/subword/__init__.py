"""Subword tokenization: byte-pair encoding and WordPiece, trained and applied."""

from course_utils.subword.bpe import BPE, apply_merges
from course_utils.subword.bpe_training import MergeStep, count_pairs, merge_pair, trace_bpe, train_bpe
from course_utils.subword.compression import compress, expand
from course_utils.subword.normalization import BertNormalizer
from course_utils.subword.splitting import Splitter, count_words, split_words
from course_utils.subword.wordpiece import Attempt, Encoding, WordPiece
from course_utils.subword.wordpiece_training import (
    PairScore,
    WordPieceStep,
    likelihood_gain,
    score_pairs,
    trace_wordpiece,
    train_wordpiece,
)

__all__ = [
    "BPE",
    "Attempt",
    "BertNormalizer",
    "Encoding",
    "MergeStep",
    "PairScore",
    "Splitter",
    "WordPiece",
    "WordPieceStep",
    "apply_merges",
    "compress",
    "count_pairs",
    "count_words",
    "expand",
    "likelihood_gain",
    "merge_pair",
    "score_pairs",
    "split_words",
    "trace_bpe",
    "trace_wordpiece",
    "train_bpe",
    "train_wordpiece",
]
