"""Subword tokenization: byte-pair encoding and WordPiece, trained and applied."""

from course_utils.subword.bpe import BPE, apply_merges
from course_utils.subword.bpe_training import MergeStep, count_pairs, merge_pair, trace_bpe, train_bpe
from course_utils.subword.compression import compress, expand
from course_utils.subword.normalization import BertNormalizer
from course_utils.subword.splitting import Splitter, count_words, split_words
from course_utils.subword.wordpiece import Attempt, Encoding, WordPiece

__all__ = [
    "BPE",
    "Attempt",
    "BertNormalizer",
    "Encoding",
    "MergeStep",
    "Splitter",
    "WordPiece",
    "apply_merges",
    "compress",
    "count_pairs",
    "count_words",
    "expand",
    "merge_pair",
    "split_words",
    "trace_bpe",
    "train_bpe",
]
