"""The encoder equals the library's: states, maps, pooled output and gradients, for four architectures."""

import pytest
import torch
from library_models import (
    ENCODERS,
    assert_all_close,
    assert_close,
    assert_gradients_close,
    batch,
    library_model,
    random_like,
)

from course_utils.models.weights import load_encoder

PAD = {"roberta": 1}
WITH_SEGMENTS = ("bert", "albert")


def inputs(family, seed):
    ids, mask = batch(seed, pad=PAD.get(family, 0))
    given = {"input_ids": ids, "attention_mask": mask}
    if family in WITH_SEGMENTS:
        given["token_type_ids"] = torch.randint(2, ids.shape, generator=torch.Generator().manual_seed(seed))
    return given


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", ENCODERS)
def test_states_maps_pooled_and_gradients(family, seed):
    library, given = library_model(family, seed), inputs(family, seed)
    model = load_encoder(library)
    theirs = library(**given, output_hidden_states=True, output_attentions=True)
    ours = model(**given, return_maps=True)
    assert_all_close(ours.hidden_states, theirs.hidden_states)
    assert_all_close(ours.attentions, theirs.attentions)
    losses = []
    for last, pooled in (
        (ours.last_hidden_state, ours.pooled),
        (theirs.last_hidden_state, getattr(theirs, "pooler_output", None)),
    ):
        loss = (last * random_like(last, 1)).sum()
        losses.append(loss if pooled is None else loss + (pooled * random_like(pooled, 2)).sum())
    if ours.pooled is not None:
        assert_close(ours.pooled, theirs.pooler_output)
    for loss in losses:
        loss.backward()
    assert_gradients_close(model, library, load_encoder)


@pytest.mark.parametrize("family", ENCODERS)
def test_the_fast_path_gives_the_same_gradients(family):
    library, given = library_model(family, 5), inputs(family, 5)
    model = load_encoder(library)
    for last in (library(**given).last_hidden_state, model(**given).last_hidden_state):
        (last * random_like(last, 1)).sum().backward()
    assert_gradients_close(model, library, load_encoder)


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_every_activation(activation):
    library, given = library_model("bert", 0, hidden_act=activation), inputs("bert", 0)
    assert_close(load_encoder(library)(**given).last_hidden_state, library(**given).last_hidden_state)


def test_dropout_is_off_in_evaluation_and_on_in_training():
    model = load_encoder(library_model("bert", 0))
    ids, mask = batch(0)
    assert torch.equal(model(ids, mask).pooled, model(ids, mask).pooled)
    model.train()
    assert not torch.equal(model(ids, mask).pooled, model(ids, mask).pooled)
