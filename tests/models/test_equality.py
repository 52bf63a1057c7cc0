"""The proof finds what is equal, and every kind of difference that there can be."""

import pytest
import torch
from library_models import batch, library_model

from course_utils.models.equality import LOADERS, differences, largest, trace_library
from course_utils.models.weights import load_causal_lm, load_encoder, load_seq2seq

LOAD = {
    "bert": load_encoder,
    "albert": load_encoder,
    "distilbert": load_encoder,
    "gpt2": load_causal_lm,
    "bart": load_seq2seq,
    "t5": load_seq2seq,
}


def inputs(family):
    ids, mask = batch(0, pad=1 if family == "bart" else 0)
    given = {"input_ids": ids, "attention_mask": mask}
    return given | ({"decoder_input_ids": ids} if family in ("bart", "t5") else {})


@pytest.mark.parametrize("family", LOAD)
def test_every_kind_of_model_is_equal(family):
    library = library_model(family, 0)
    found = differences(LOAD[family](library), library, inputs(family))
    assert list(found) == ["states", "maps", "outputs", "gradients"]
    assert max(found.values()) < 1e-4


def test_a_small_change_anywhere_shows():
    library, given = library_model("bert", 0), inputs("bert")
    for name in ("stack.blocks.2.feed_forward.outer.bias", "stack.blocks.0.attention.query.weight"):
        model = load_encoder(library)
        with torch.no_grad():
            model.get_parameter(name).view(-1)[0] += 0.1
        found = differences(model, library, given)
        assert found["states"] > 1e-3
        assert found["gradients"] > 1e-3


def test_a_wrong_gradient_shows_though_all_values_are_equal():
    library, given = library_model("bert", 0), inputs("bert")
    model = load_encoder(library)
    model.embeddings.position.weight.register_hook(lambda gradient: 2 * gradient)
    found = differences(model, library, given)
    assert found["states"] < 1e-5
    assert found["gradients"] > 0.01


@pytest.mark.parametrize(("family", "states", "maps"), [("bert", 4, 3), ("gpt2", 4, 3), ("bart", 7, 8)])
def test_nothing_is_left_out(family, states, maps):
    run = trace_library(library_model(family, 0), inputs(family))
    assert (len(run.states), len(run.maps), len(run.outputs)) == (states, maps, 1)


def test_weights_of_the_library_are_left_alone():
    library = library_model("bert", 0)
    before = {name: tensor.clone() for name, tensor in library.state_dict().items()}
    differences(load_encoder(library), library, inputs("bert"))
    assert all(torch.equal(before[name], tensor) for name, tensor in library.state_dict().items())


def test_what_cannot_be_compared_is_refused():
    library, given = library_model("bert", 0), inputs("bert")
    with pytest.raises(ValueError, match="dropout makes"):
        differences(load_encoder(library).train(), library, given)
    with pytest.raises(ValueError, match="shapes differ"):
        largest(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match="eager"):
        trace_library(library_model("bert", 0, attn_implementation="sdpa"), given)
    assert len(LOADERS) == 3
