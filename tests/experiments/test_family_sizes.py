"""The family's sizes: against the reference library's own models, by hand, and the verdict's two branches."""

import pytest
import torch
import transformers

from course_utils import results
from course_utils.explorables.family import members
from experiments import family_sizes
from experiments.family_sizes import SAID, claim, family_row, network, parts, row

BY_ID = {member.id: member for member in members()}
# The published configurations, in the library's own words.
LIBRARY = {
    "gpt": (transformers.OpenAIGPTModel, transformers.OpenAIGPTConfig()),
    "mbert": (transformers.BertModel, transformers.BertConfig(vocab_size=119547)),
    "scibert": (transformers.BertModel, transformers.BertConfig(vocab_size=31090)),
    "electra": (
        transformers.ElectraModel,
        transformers.ElectraConfig(
            embedding_size=768, hidden_size=768, num_attention_heads=12, intermediate_size=3072
        ),
    ),
    "longformer": (
        transformers.LongformerModel,
        transformers.LongformerConfig(
            vocab_size=50265, max_position_embeddings=4098, type_vocab_size=1, pad_token_id=1
        ),
    ),
    "xlmr": (
        transformers.XLMRobertaModel,
        transformers.XLMRobertaConfig(
            vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1
        ),
    ),
}


@pytest.mark.parametrize("name", LIBRARY)
def test_a_count_equals_that_of_the_librarys_model(name):
    kind, config = LIBRARY[name]
    with torch.device("meta"):
        theirs = sum(parameter.numel() for parameter in kind(config).parameters())
    assert family_row(BY_ID[name])["parameters"] == theirs


def test_several_networks_are_summed():
    one = family_row(BY_ID["bert"])["parameters"]
    assert family_row(BY_ID["realm"])["parameters"] == 3 * one + 2 * (769 * 128 + 2 * 128)
    assert family_row(BY_ID["rag"])["networks"] == 3


def test_the_parts_add_up_and_layers_of_a_decoder_count():
    for member in members():
        found = family_row(member)
        assert sum(parts(member).values()) == found["parameters"]
    assert [family_row(BY_ID[name])["layers"] for name in ("t5", "distilbert", "albert")] == [24, 6, 12]
    assert [name for name in BY_ID if family_row(BY_ID[name])["shared"]] == ["albert"]


def test_a_field_that_no_configuration_has_is_refused():
    with pytest.raises(TypeError, match="vocabulary"):
        network({"preset": "bert-base", "vocabulary": 3})


def rows_that_say(millions):
    return [row(model, "lan2020", millions.get(model, said)) for model, said in SAID]


def test_the_verdict_needs_a_way_of_counting_for_each_model():
    found = claim(rows_that_say({}))
    assert found["verdict"] == "does not hold"
    assert "for albert-xxlarge and bert-base (bert-base: cut off instead of rounded)" in found["sentence"]
    mended = claim(rows_that_say({"albert-xxlarge": 223, "bert-base": 109}))
    assert mended["verdict"] == "holds here only"
    assert "Each has a way of counting that rounds to it" in mended["sentence"]


def test_the_file_holds_what_the_code_counts():
    kept = results.load(family_sizes.NAME)
    assert kept.rows(part="family") == [family_row(member) for member in members()]
    assert [one["model"] for one in kept.rows(part="said")] == [model for model, _ in SAID]
    again = claim([row(model, "lan2020", said) for model, said in SAID])
    assert kept.claims["albert-sizes"]["sentence"] == again["sentence"]
