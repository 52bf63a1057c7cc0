"""The formulas count exactly what PyTorch's own counter sees, forward and backward."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from course_utils.models import flops
from course_utils.models.config import DecoderConfig, EncoderConfig, Seq2SeqConfig
from course_utils.models.counting import build
from course_utils.models.heads import EncoderWithHead, MaskedLM, ReplacedTokenHead

SIZES = {"vocab_size": 50, "hidden_size": 24, "num_layers": 3, "num_heads": 4, "intermediate_size": 40}
LENGTH, ROWS = 11, 2


def counted(run):
    """FLOPs of the forward pass and of both passes, for one row; attention as plain products."""
    totals = []
    for backward in (False, True):
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            out = run()
            if backward:
                out.sum().backward()
        totals.append(counter.get_total_flops() / ROWS)
    return totals


@pytest.fixture
def ids():
    return torch.randint(1, 50, (ROWS, LENGTH))


@pytest.mark.parametrize(
    "options", [{}, {"embedding_size": 10, "share_layers": True}, {"pooler": False, "type_vocab_size": 0}]
)
def test_masked_lm(ids, options):
    config = EncoderConfig(**SIZES, **options)
    model = MaskedLM(build(config))
    positions = torch.zeros(ROWS, LENGTH, dtype=torch.bool)
    positions[:, :3] = True
    forward = flops.masked_lm_flops(config, LENGTH, predictions=3)
    pooler = 2 * config.hidden_size**2 if config.pooler else 0  # computed, but the loss does not reach it
    assert counted(lambda: model(ids, positions=positions)) == [
        forward,
        flops.training_flops(forward) - 2 * pooler,
    ]


def test_replaced_token(ids):
    config = EncoderConfig(**SIZES, pooler=False)
    model = EncoderWithHead(build(config), ReplacedTokenHead(config))
    forward = flops.replaced_token_flops(config, LENGTH)
    assert counted(lambda: model(ids)) == [forward, flops.training_flops(forward)]


def test_causal_lm(ids):
    config = DecoderConfig(**SIZES)
    model = build(config)
    forward = flops.causal_lm_flops(config, LENGTH)
    assert counted(lambda: model(ids)) == [forward, flops.training_flops(forward)]


@pytest.mark.parametrize(
    "options", [{}, {"head_size": 5, "relative_buckets": 8, "max_positions": 0, "norm": "rms", "bias": False}]
)
def test_seq2seq(ids, options):
    config = Seq2SeqConfig(**SIZES, num_decoder_layers=2, **options)
    model = build(config)
    forward = flops.seq2seq_flops(config, LENGTH, 6)
    assert counted(lambda: model(ids, ids[:, :6]).logits) == [forward, flops.training_flops(forward)]


def test_a_mask_saves_nothing(ids):
    config = EncoderConfig(**SIZES)
    model = build(config)
    attention_mask = torch.ones_like(ids)
    attention_mask[:, 4:] = 0
    run = lambda mask: model(ids, mask).pooled
    assert counted(lambda: run(attention_mask)) == counted(lambda: run(None))
