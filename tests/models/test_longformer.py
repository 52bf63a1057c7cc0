"""Longformer's weights in our encoder: the library's states and gradients, to 1e-5."""

import pytest
import torch
import transformers
from library_models import assert_close, assert_gradients_close, library_model, random_like

from course_utils.models.longformer import load_longformer

SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 90,
    "type_vocab_size": 1,
    "pad_token_id": 1,
    "attn_implementation": "eager",
}


def longformer(seed=0, window=8, **changes):
    """A small random Longformer of the library."""
    config = transformers.LongformerConfig(vocab_size=61, attention_window=window, **SIZES | changes)
    torch.manual_seed(seed)
    model = transformers.LongformerModel(config)
    with torch.no_grad():  # the usual start (norms 1, biases 0) would hide a forgotten one
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def texts(lengths, seed=0):
    """Ids and mask, padded on the right."""
    generator = torch.Generator().manual_seed(seed)
    longest = max(lengths)
    ids = torch.randint(5, 61, (len(lengths), longest), generator=generator)
    mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long()
    return ids.masked_fill(mask == 0, 1), mask


def globals_of(kind, ids):
    is_global = torch.zeros_like(ids)
    if kind == "first":
        is_global[:, 0] = 1
    elif kind == "other in each text":
        is_global[0, [0, 3, 20]] = 1
        is_global[1, 5] = 1
    return is_global


@pytest.mark.parametrize("kind", ["none", "first", "other in each text"])
@pytest.mark.parametrize("window", [4, 8, [4, 8, 16]])
@pytest.mark.parametrize("lengths", [(29, 29), (32, 23), (85, 40)])
def test_states_equal_the_librarys(kind, window, lengths):
    """Lengths that are no multiple of the window, padding; the library itself fails on a window of 2."""
    theirs = longformer(window=window)
    ours = load_longformer(theirs)
    ids, mask = texts(lengths)
    is_global = globals_of(kind, ids)
    expected = theirs(ids, attention_mask=mask, global_attention_mask=is_global, output_hidden_states=True)
    found = ours(ids, mask, is_global=is_global)
    assert len(found.hidden_states) == len(expected.hidden_states) == 4
    real = mask.bool()
    for mine, reference in zip(found.hidden_states, expected.hidden_states, strict=True):
        assert_close(mine[real], reference[real])
    assert_close(found.pooled, expected.pooler_output)


def test_gradients_equal_the_librarys():
    theirs = longformer(seed=3)
    ours = load_longformer(theirs)
    ids, mask = texts((37, 30))
    is_global = globals_of("other in each text", ids)
    weights = random_like(torch.empty(2, 37, 24), 1) * mask[..., None]
    expected = theirs(ids, attention_mask=mask, global_attention_mask=is_global)
    ((expected.last_hidden_state * weights).sum() + expected.pooler_output.sum()).backward()
    found = ours(ids, mask, is_global=is_global)
    ((found.last_hidden_state * weights).sum() + found.pooled.sum()).backward()
    assert_gradients_close(ours, theirs, load_longformer, relative=1e-3)


def test_a_folder_loads_as_the_model_does(tmp_path):
    theirs = longformer(window=[4, 6, 8])
    theirs.save_pretrained(tmp_path)
    ours = load_longformer(tmp_path)
    assert [block.attention.radius for block in ours.stack.blocks] == [2, 3, 4]
    for name, tensor in load_longformer(theirs).state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor)


def test_a_model_with_a_head_gives_its_encoder():
    config = longformer().config
    theirs = transformers.LongformerForMaskedLM(config).eval()
    ours = load_longformer(theirs)
    assert ours.pooler is None
    ids, mask = texts((20, 20))
    expected = theirs.longformer(ids, attention_mask=mask).last_hidden_state
    assert_close(ours(ids, mask).last_hidden_state, expected)


def test_another_architecture_or_a_missing_weight_is_named(tmp_path):
    with pytest.raises(ValueError, match="model_type is 'bert'"):
        load_longformer(library_model("bert", 0))
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        load_longformer(tmp_path)
    broken = longformer()
    del broken.encoder.layer[1].attention.self.key_global
    broken.extra = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"missing \['encoder.layer.1.*key_global.*unknown \['extra.bias'"):
        load_longformer(broken)
