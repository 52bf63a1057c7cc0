"""ELECTRA equals the library's: encoder, discriminator and generator, with and without a narrow embedding."""

import pytest
import torch
import transformers
from library_models import (
    BERT,
    COMMON,
    assert_all_close,
    assert_close,
    assert_gradients_close,
    batch,
    random_like,
)

from course_utils.models.counting import count_parameters
from course_utils.models.heads import ReplacedTokenHead
from course_utils.models.weights import config_from_library, load_discriminator, load_encoder

NARROW, AS_WIDE = 10, BERT["hidden_size"]


def library_electra(embedding_size, seed, kind=transformers.ElectraForPreTraining):
    """A small ELECTRA whose every weight is random, norms and biases too."""
    torch.manual_seed(seed)
    model = kind(transformers.ElectraConfig(**COMMON, **BERT, embedding_size=embedding_size))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.float().eval()


def given(seed):
    ids, mask = batch(seed)
    kinds = torch.randint(2, ids.shape, generator=torch.Generator().manual_seed(seed))
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("embedding_size", [NARROW, AS_WIDE])
def test_states_logits_and_gradients_of_the_discriminator(embedding_size, seed):
    library, inputs = library_electra(embedding_size, seed), given(seed)
    model = load_discriminator(library)
    theirs = library(**inputs, output_hidden_states=True, output_attentions=True)
    states = model.encoder(**inputs, return_maps=True)
    assert_all_close(states.hidden_states, theirs.hidden_states)
    assert_all_close(states.attentions, theirs.attentions)
    logits = model(**inputs)
    assert_close(logits, theirs.logits)
    for found in (logits, theirs.logits):
        (found * random_like(found, 1)).sum().backward()
    assert_gradients_close(model, library, load_discriminator)


@pytest.mark.parametrize("embedding_size", [NARROW, AS_WIDE])
def test_the_encoder_alone(embedding_size):
    library, inputs = library_electra(embedding_size, 3, transformers.ElectraModel), given(3)
    model = load_encoder(library)
    assert model.config.embedding_size == (NARROW if embedding_size == NARROW else None)
    assert model.pooler is None
    assert_close(model(**inputs).last_hidden_state, library(**inputs).last_hidden_state)


def test_the_encoder_comes_out_of_a_discriminator():
    library, inputs = library_electra(NARROW, 4), given(4)
    theirs = library.electra(**inputs).last_hidden_state
    assert_close(load_encoder(library)(**inputs).last_hidden_state, theirs)


def test_a_head_from_another_checkpoint_is_told():
    with pytest.raises(ValueError, match=r"missing: discriminator_predictions\.dense\.weight"):
        load_discriminator(library_electra(NARROW, 0, transformers.ElectraModel))
    with pytest.raises(ValueError, match="a bert is no EncoderWithHead"):
        load_discriminator(transformers.BertModel(transformers.BertConfig(**COMMON, **BERT)))


def test_electra_small_has_the_librarys_parameters():
    """Counted without memory on either side: 13.5 million, as in the paper's 14M."""
    config = transformers.ElectraConfig()
    with torch.device("meta"):
        library = transformers.ElectraForPreTraining(config)
        head = ReplacedTokenHead(ours := config_from_library(config.to_dict()))
    total = count_parameters(ours)["total"] + sum(weight.numel() for weight in head.parameters())
    assert total == sum(weight.numel() for weight in library.parameters()) == 13_549_057
