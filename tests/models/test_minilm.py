"""Equality on a real, trained checkpoint: all-MiniLM-L6-v2."""

import pytest
import torch
from library_models import assert_all_close, assert_close, assert_gradients_close, random_like
from transformers import AutoModel, AutoTokenizer

from course_utils.data import small_model_dir
from course_utils.models.config import PRESETS
from course_utils.models.counting import count_parameters
from course_utils.models.weights import load_encoder, save

SENTENCES = [
    ("The bank raised its interest rate again.", "Nobody was surprised."),
    ("We sat on the bank of the river until dark, and the water rose.", "It was cold; we did not mind."),
    ("No.", "Why?"),
]


@pytest.fixture(scope="module")
def library():
    return AutoModel.from_pretrained(small_model_dir(), attn_implementation="eager").float().eval()


@pytest.fixture(scope="module")
def given():
    tokenizer = AutoTokenizer.from_pretrained(small_model_dir())
    return dict(
        tokenizer([a for a, _ in SENTENCES], [b for _, b in SENTENCES], padding=True, return_tensors="pt")
    )


def test_every_state_map_and_the_pooled_output(library, given):
    model = load_encoder(small_model_dir())
    with torch.no_grad():
        theirs = library(**given, output_hidden_states=True, output_attentions=True)
        ours = model(**given, return_maps=True)
        fast = model(**given)
    assert len(ours.hidden_states) == 7
    assert_all_close(ours.hidden_states, theirs.hidden_states)
    assert_all_close(ours.attentions, theirs.attentions)
    assert_close(ours.pooled, theirs.pooler_output)
    # The fused kernel sums in another order: 8e-6 here, more on another processor.
    assert_all_close(fast.hidden_states, theirs.hidden_states, 3e-5)


def test_every_gradient(given):
    library = AutoModel.from_pretrained(small_model_dir(), attn_implementation="eager").float().eval()
    model = load_encoder(small_model_dir())
    theirs, ours = library(**given), model(**given, return_maps=True)
    for last, pooled in (
        (theirs.last_hidden_state, theirs.pooler_output),
        (ours.last_hidden_state, ours.pooled),
    ):
        ((last * random_like(last, 1)).mean() + (pooled * random_like(pooled, 2)).mean()).backward()
    assert_gradients_close(model, library, load_encoder)


def test_it_has_the_presets_shape_and_count(library):
    model = load_encoder(small_model_dir())
    assert model.config == PRESETS["minilm-l6"]
    assert count_parameters(model)["total"] == library.num_parameters() == 22_713_216


def test_round_trip(library, given, tmp_path):
    save(load_encoder(small_model_dir()), tmp_path)
    again = AutoModel.from_pretrained(tmp_path, attn_implementation="eager").eval()
    for name, tensor in library.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    with torch.no_grad():
        assert torch.equal(again(**given).pooler_output, library(**given).pooler_output)
