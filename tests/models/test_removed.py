"""Layers that differ, layers without heads, factorized tables: computed, counted, saved, read back."""

import json

import pytest
import torch

from course_utils.models import flops, weights
from course_utils.models.config import EncoderConfig
from course_utils.models.counting import count_parameters
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM

SIZES = {"vocab_size": 30, "hidden_size": 12, "num_layers": 3, "num_heads": 3, "intermediate_size": 20}
PRUNED = EncoderConfig(**SIZES, layer_heads=(3, 0, 1), layer_inner=(20, 5, 1), token_rank=4, max_positions=16)


@pytest.fixture
def pruned():
    torch.manual_seed(0)
    return Encoder(PRUNED).eval()


def test_every_layer_has_its_own_heads_and_neurons(pruned):
    shapes = [
        (getattr(getattr(b.attention, "query", None), "out_features", 0), b.feed_forward.inner.out_features)
        for b in pruned.stack.blocks
    ]
    assert shapes == [(12, 20), (0, 5), (4, 1)]
    counts = count_parameters(pruned)
    assert counts["token embeddings"] == 30 * 4 + 4 * 12
    # 4 matrices with biases for each kept head of 4; an output bias of 12 in every layer.
    assert counts["attention"] == sum(3 * (12 * 4 + 4) * h + 4 * 12 * h + 12 for h in (3, 0, 1))
    assert counts["feed-forward"] == sum(2 * 12 * n + n + 12 for n in (20, 5, 1))


def test_a_layer_without_heads_adds_its_bias_only(pruned):
    x = torch.randn(2, 5, 12)
    attention = pruned.stack.blocks[1].attention
    torch.nn.init.normal_(attention.bias)
    out, weights_ = attention(x, return_map=True)
    assert torch.equal(out, attention.bias.expand(2, 5, 12))
    assert weights_.shape == (2, 0, 5, 5)
    maps = pruned(torch.randint(1, 30, (2, 5)), return_maps=True).attentions
    assert [m.shape[1] for m in maps] == [3, 0, 1]


def test_a_mask_for_each_layer_where_layers_differ(pruned):
    ids = torch.randint(1, 30, (2, 5))
    keep = [torch.ones(3), torch.ones(0), torch.ones(1)]
    assert torch.equal(pruned(ids, head_mask=keep).last_hidden_state, pruned(ids).last_hidden_state)
    keep[2] = torch.zeros(1)
    assert not torch.allclose(pruned(ids, head_mask=keep).last_hidden_state, pruned(ids).last_hidden_state)


def test_a_factorized_table_is_its_product(pruned):
    table = pruned.embeddings.token
    ids = torch.randint(1, 30, (2, 5))
    assert torch.allclose(table(ids), table.weight[ids], atol=1e-7)
    logits = MaskedLM(pruned)(ids)
    assert logits.shape == (2, 5, 30)


def test_flops_count_the_layers_as_they_are():
    whole = EncoderConfig(**SIZES)
    assert flops.encoder_flops(PRUNED, 7) < flops.encoder_flops(whole, 7)
    same = EncoderConfig(**SIZES, layer_heads=(3, 3, 3), layer_inner=(20, 20, 20))
    assert flops.encoder_flops(same, 7) == flops.encoder_flops(whole, 7)


def test_saved_and_read_back(pruned, tmp_path):
    weights.save_encoder(pruned, tmp_path)
    again = weights.load_encoder(tmp_path)
    ids = torch.randint(1, 30, (2, 5))
    assert again.config == PRUNED
    assert torch.equal(again(ids).last_hidden_state, pruned(ids).last_hidden_state)


def test_what_the_library_can_open_is_saved_for_it(tmp_path):
    weights.save_encoder(Encoder(EncoderConfig(**SIZES)), tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "bert"


def test_a_damaged_folder_says_what_is_wrong(pruned, tmp_path):
    weights.save_encoder(pruned, tmp_path)
    file, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="missing, damaged"):
        weights.load_encoder(tmp_path)
    file.write_bytes(whole)
    fields = json.loads(config.read_text())
    config.write_text(json.dumps({**fields, "layer_heads": [3, 3, 3]}))
    with pytest.raises(ValueError, match=r"(?s)not of its config.json.*attention"):
        weights.load_encoder(tmp_path)
    del fields["layer_inner"]
    config.write_text(json.dumps(fields))
    with pytest.raises(ValueError, match="layer_inner"):
        weights.load_encoder(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer_heads": (3, 3)}, "one number for each of the 3 layers"),
        ({"layer_heads": (3, 4, 3)}, "between 0 and 3"),
        ({"layer_inner": (20, 0, 20)}, "between 1 and 20"),
        ({"layer_heads": (1, 1, 1), "share_layers": True}, "shared"),
        ({"token_rank": 0}, "token_rank"),
    ],
)
def test_impossible_shapes(options, message):
    with pytest.raises(ValueError, match=message):
        EncoderConfig(**SIZES, **options)
