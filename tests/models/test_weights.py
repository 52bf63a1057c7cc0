"""Checkpoints: what is read is checked, what is written opens in the library with the same outputs."""

import json
from dataclasses import replace

import pytest
import torch
import transformers
from library_models import CLASSES, ENCODERS, SIZES, batch, library_config, library_model
from safetensors.torch import load_file, save_file

from course_utils.models.config import PRESETS, EncoderConfig
from course_utils.models.counting import build
from course_utils.models.layouts import LAYOUTS
from course_utils.models.weights import (
    config_from_library,
    config_to_library,
    load_causal_lm,
    load_encoder,
    load_masked_lm,
    load_seq2seq,
    save,
)

LOADERS = {"gpt2": load_causal_lm, "bart": load_seq2seq, "t5": load_seq2seq}


def outputs(library, family):
    ids, mask = batch(0, pad=1 if family in ("roberta", "bart") else 0)
    extra = {"decoder_input_ids": ids} if family in ("bart", "t5") else {}
    with torch.no_grad():
        return library(input_ids=ids, attention_mask=mask, **extra)[0]


@pytest.mark.parametrize("family", LAYOUTS)
def test_round_trip_through_two_folders(family, tmp_path):
    """Library -> folder -> ours -> folder -> library: the same keys, the same bits, the same outputs."""
    library, load = library_model(family, 0), LOADERS.get(family, load_encoder)
    library.save_pretrained(tmp_path / "theirs")
    save(load(tmp_path / "theirs"), tmp_path / "ours")
    auto = CLASSES.get(family, transformers.AutoModel)
    again, report = auto.from_pretrained(
        tmp_path / "ours", output_loading_info=True, attn_implementation="eager"
    )
    assert not any(report.values()), report
    for name, tensor in library.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    assert torch.equal(outputs(again.eval(), family), outputs(library, family))


@pytest.mark.parametrize("family", ENCODERS)
def test_round_trip_of_a_masked_lm(family, tmp_path):
    library = library_model(family, 0, masked_lm=True)
    save(load_masked_lm(library), tmp_path)
    again, report = transformers.AutoModelForMaskedLM.from_pretrained(
        tmp_path, output_loading_info=True, attn_implementation="eager"
    )
    assert not any(report.values()), report
    assert torch.equal(outputs(again.eval(), family), outputs(library, family))


@pytest.mark.parametrize("family", ENCODERS)
def test_an_encoder_comes_out_of_a_checkpoint_with_a_head(family):
    library = library_model(family, 0, masked_lm=True)
    model = load_encoder(library)
    assert model.pooler is None
    ids, mask = batch(0, pad=1 if family == "roberta" else 0)
    theirs = library.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
    assert torch.allclose(model(ids, mask).last_hidden_state, theirs, atol=1e-5)


@pytest.mark.parametrize("family", LAYOUTS)
def test_a_missing_field_means_the_librarys_default(family):
    config = config_from_library({"model_type": family})
    assert config == config_from_library(transformers.AutoConfig.for_model(family).to_dict())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_said_in_the_librarys_words(name):
    read = config_from_library(json.loads(json.dumps(config_to_library(PRESETS[name]))))
    assert read == PRESETS[name]


def test_settings_that_no_architecture_has_are_refused():
    for odd in (
        replace(PRESETS["bert-base"], norm_first=True),
        replace(PRESETS["bert-base"], type_vocab_size=0),
        replace(PRESETS["gpt2"], bias=False),
    ):
        with pytest.raises(ValueError, match="no architecture of the library"):
            config_to_library(odd)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_type": "llama"}, "'llama' is not one of bert"),
        ({}, "None is not one of bert"),
        ({"model_type": "bert", "is_decoder": True}, "is_decoder=True"),
        ({"model_type": "albert", "num_hidden_groups": 2}, "num_hidden_groups=2"),
        ({"model_type": "t5", "tie_word_embeddings": False}, "tie_word_embeddings=False"),
        ({"model_type": "t5", "feed_forward_proj": "gated-gelu"}, "gated-gelu"),
        ({"model_type": "gpt2", "resid_pdrop": 0.1, "embd_pdrop": 0.2}, "contradicts"),
        ({"model_type": "bert", "hidden_act": "silu"}, "silu"),
    ],
)
def test_configs_that_are_not_ours_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        config_from_library(fields)


@pytest.fixture
def folder(tmp_path):
    library_model("bert", 0).save_pretrained(tmp_path)
    return tmp_path


def change(folder, edit):
    path = folder / "model.safetensors"
    state = load_file(path)
    edit(state)
    save_file(state, path)


def test_a_missing_key_is_named(folder):
    change(folder, lambda state: state.pop("encoder.layer.1.output.dense.bias"))
    with pytest.raises(ValueError, match=r"missing: encoder\.layer\.1\.output\.dense\.bias"):
        load_encoder(folder)


def test_an_unknown_key_is_named(folder):
    change(folder, lambda state: state.update({"encoder.layer.9.surprise": torch.zeros(1)}))
    with pytest.raises(ValueError, match=r"unknown: encoder\.layer\.9\.surprise"):
        load_encoder(folder)


def test_a_wrong_shape_is_named(folder):
    change(folder, lambda state: state.update({"pooler.dense.weight": torch.zeros(24, 23)}))
    with pytest.raises(ValueError, match=r"pooler\.dense\.weight: shape \(24, 23\), expected \(24, 24\)"):
        load_encoder(folder)


def test_old_names_of_norm_parameters_are_understood(folder):
    def age(state):
        for name in [name for name in state if "LayerNorm" in name]:
            state[name.replace("weight", "gamma").replace("bias", "beta")] = state.pop(name)

    before = load_encoder(folder)
    change(folder, age)
    after = load_encoder(folder)
    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))


def test_an_untied_output_layer_is_refused():
    library = library_model("gpt2", 0, tie_word_embeddings=False)
    with pytest.raises(ValueError, match="differs from the token embeddings"):
        load_causal_lm(library)


def test_a_final_bias_that_we_lack_is_refused():
    library = library_model("bart", 0)
    library.final_logits_bias.fill_(0.5)
    with pytest.raises(ValueError, match="final_logits_bias is not zero"):
        load_seq2seq(library)


def test_a_masked_lm_needs_a_head(folder):
    with pytest.raises(ValueError, match=r"missing: cls\.predictions\.transform"):
        load_masked_lm(folder)


def test_the_wrong_kind_of_model_is_refused(folder, tmp_path):
    with pytest.raises(ValueError, match="a bert is no CausalLM: it is Encoder or MaskedLM"):
        load_causal_lm(folder)
    with pytest.raises(FileNotFoundError, match=r"no config\.json"):
        load_encoder(tmp_path / "nowhere")


def test_loading_copies(folder):
    library = library_model("bert", 0)
    model = load_encoder(library)
    with torch.no_grad():
        model.embeddings.token.weight.zero_()
    assert library.embeddings.word_embeddings.weight.abs().sum() > 0


def test_half_precision_checkpoints_become_float32():
    model = load_encoder(library_model("bert", 0).half())
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_model_of_ours_opens_in_the_library(tmp_path):
    torch.manual_seed(0)
    config = EncoderConfig(vocab_size=61, hidden_size=12, num_layers=2, num_heads=3, intermediate_size=20)
    model = build(config).eval()
    save(model, tmp_path)
    ids, mask = batch(0)
    library = transformers.AutoModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    theirs = library(input_ids=ids, attention_mask=mask)
    assert torch.allclose(theirs.pooler_output, model(ids, mask).pooled, atol=1e-6)


def test_every_size_of_the_tests_is_small():
    assert set(SIZES) == set(LAYOUTS)
    assert all(library_config(family).vocab_size == 61 for family in SIZES)
