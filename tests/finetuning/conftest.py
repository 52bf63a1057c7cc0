"""A WordPiece tokenizer of two dozen pieces, as BERT's, and an encoder that fits it."""

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

PIECES = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "play",
    "##ing",
    "un",
    "##play",
    "don",
    "'",
    "t",
    "z",
    "##z",
    "?",
]
PIECES += ["red", "blue", "green", "in", "is", "who", "where", "name"]


@pytest.fixture(scope="session")
def small_tokenizer():
    vocab = {piece: number for number, piece in enumerate(PIECES)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


@pytest.fixture
def small_encoder():
    torch.manual_seed(0)
    config = EncoderConfig(
        vocab_size=len(PIECES),
        hidden_size=32,
        num_layers=2,
        num_heads=4,
        intermediate_size=64,
        dropout=0.0,
        attention_dropout=0.0,
    )
    return Encoder(config)
