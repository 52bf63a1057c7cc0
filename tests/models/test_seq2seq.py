"""BART and T5 equal the library's: both stacks, all three kinds of attention, gradients, generation."""

import pytest
import torch
from library_models import (
    assert_all_close,
    assert_close,
    assert_gradients_close,
    batch,
    library_model,
    random_like,
)
from transformers.models.bart.modeling_bart import shift_tokens_right
from transformers.models.t5.modeling_t5 import T5Attention

from course_utils.models.config import Seq2SeqConfig
from course_utils.models.seq2seq import Seq2Seq, distance_bucket, shift_right
from course_utils.models.weights import load_seq2seq

FAMILIES = ("bart", "t5")
PAD = {"bart": 1, "t5": 0}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", FAMILIES)
def test_states_maps_logits_and_gradients(family, seed):
    library = library_model(family, seed)
    model = load_seq2seq(library)
    ids, mask = batch(seed, pad=PAD[family])
    target, target_mask = batch(seed + 10, length=16, pad=PAD[family])  # beyond T5's farthest bucket
    theirs = library(
        input_ids=ids,
        attention_mask=mask,
        decoder_input_ids=target,
        decoder_attention_mask=target_mask,
        output_hidden_states=True,
        output_attentions=True,
    )
    ours = model(ids, target, mask, target_mask, return_maps=True)
    assert_all_close(ours.encoder.hidden_states, theirs.encoder_hidden_states)
    assert_all_close(ours.encoder.attentions, theirs.encoder_attentions)
    assert_all_close(ours.decoder.hidden_states, theirs.decoder_hidden_states)
    assert_all_close(ours.decoder.attentions, theirs.decoder_attentions)
    assert_all_close(ours.decoder.cross_attentions, theirs.cross_attentions)
    assert_close(ours.logits, theirs.logits)
    assert_close(model(ids, target, mask, target_mask).logits, theirs.logits)
    for logits in (ours.logits, theirs.logits):
        (logits * random_like(logits, seed)).sum().backward()
    assert_gradients_close(model, library, load_seq2seq)


def test_scaled_embeddings():
    library = library_model("bart", 0, scale_embedding=True)
    ids, mask = batch(0, pad=1)
    theirs = library(input_ids=ids, attention_mask=mask, decoder_input_ids=ids).logits
    assert_close(load_seq2seq(library)(ids, ids, mask).logits, theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_generation_is_equal(family):
    library = library_model(family, 1)
    model = load_seq2seq(library)
    ids, mask = batch(1, rows=8, pad=PAD[family])
    library.generation_config.forced_eos_token_id = None
    theirs = library.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=12,
        do_sample=False,
        num_beams=1,
        use_cache=False,  # the library sizes its cache by the encoder, and fails where the decoder is deeper
        pad_token_id=model.config.eos_token_id,
    )
    assert torch.equal(model.generate(ids, 12, attention_mask=mask), theirs)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("buckets", "farthest"), [(32, 128), (8, 12), (16, 1000)])
def test_distance_buckets_equal_the_librarys(buckets, farthest, bidirectional):
    distance = torch.arange(-1500, 1501)
    theirs = T5Attention._relative_position_bucket(distance, bidirectional, buckets, farthest)
    assert torch.equal(distance_bucket(distance, buckets, farthest, bidirectional), theirs)


def test_shift_right_equals_the_librarys():
    labels = torch.tensor([[5, 6, 7, -100], [8, 9, 2, 2]])
    config = Seq2SeqConfig(pad_token_id=1, decoder_start_token_id=2)
    assert torch.equal(shift_right(labels, config), shift_tokens_right(labels, 1, 2))
    with pytest.raises(ValueError, match="pad_token_id"):
        shift_right(labels, Seq2SeqConfig(pad_token_id=None, freeze_padding=False))


def test_the_decoder_sees_no_later_target_and_no_padding_of_the_source():
    torch.manual_seed(0)
    sizes = {"vocab_size": 20, "hidden_size": 8, "num_heads": 2, "intermediate_size": 16}
    model = Seq2Seq(Seq2SeqConfig(**sizes, num_layers=2, num_decoder_layers=2)).eval()
    source, mask = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[1, 1, 1, 0]])
    target = torch.tensor([[2, 9, 10, 11]])
    before = model(source, target, mask).logits
    after = model(torch.tensor([[5, 6, 7, 19]]), torch.tensor([[2, 9, 18, 17]]), mask).logits
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2:], after[:, 2:])
