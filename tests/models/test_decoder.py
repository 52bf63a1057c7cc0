"""GPT-2 equals the library's, and so does what it writes."""

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

from course_utils.models.generation import generate, pick
from course_utils.models.stack import new_caches
from course_utils.models.weights import load_causal_lm


@pytest.mark.parametrize("seed", range(3))
def test_states_maps_logits_and_gradients(seed):
    library = library_model("gpt2", seed)
    model = load_causal_lm(library)
    ids, mask = batch(seed)
    theirs = library(input_ids=ids, attention_mask=mask, output_hidden_states=True, output_attentions=True)
    ours = model.decoder(ids, mask, return_maps=True)
    logits = model(ids, mask)
    assert_all_close(ours.hidden_states, theirs.hidden_states)
    assert_all_close(ours.attentions, theirs.attentions)
    assert_close(logits, theirs.logits)
    for scores in (logits, theirs.logits):
        (scores * random_like(scores, seed)).sum().backward()
    assert_gradients_close(model, library, load_causal_lm)


def prompts(count=50):
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 9, (count,), generator=generator).tolist()
    return [torch.randint(61, (1, length), generator=generator) for length in lengths]


def library_greedy(library, ids, mask, new):
    return library.generate(
        ids, attention_mask=mask, max_new_tokens=new, do_sample=False, pad_token_id=0, eos_token_id=None
    )


def test_greedy_generation_is_equal_on_50_prompts():
    library = library_model("gpt2", 0, initializer_range=0.4)  # large weights: less repetition
    model = load_causal_lm(library)
    written = []
    for ids in prompts():
        ours = model.generate(ids, 20)
        assert torch.equal(ours, library_greedy(library, ids, torch.ones_like(ids), 20))
        written.append(tuple(ours[0, ids.shape[1] :].tolist()))
    assert len(set(written)) > 25, "the model writes the same whatever the prompt: this proves little"


def test_greedy_generation_is_equal_in_a_left_padded_batch():
    library = library_model("gpt2", 1)
    model = load_causal_lm(library)
    rows = prompts(12)
    ids = torch.cat([torch.nn.functional.pad(row, (8 - row.shape[1], 0)) for row in rows])
    mask = torch.cat([torch.nn.functional.pad(torch.ones_like(row), (8 - row.shape[1], 0)) for row in rows])
    ours = model.generate(ids, 15, attention_mask=mask)
    assert torch.equal(ours, library_greedy(library, ids, mask, 15))
    for row, single in zip(ours, rows, strict=True):
        assert torch.equal(row[-15:], model.generate(single, 15)[0, -15:])


def test_the_cache_changes_nothing_but_the_cost():
    model = load_causal_lm(library_model("gpt2", 2))
    ids, _ = batch(2, length=8)
    caches = new_caches(model.config.num_layers)
    pieces = [model(ids[:, a:b], caches=caches) for a, b in ((0, 3), (3, 4), (4, 8))]
    assert_close(torch.cat(pieces, dim=1), model(ids))
    assert caches[0][0].length == 8


def test_prompts_padded_on_the_right_are_refused():
    model = load_causal_lm(library_model("gpt2", 0))
    with pytest.raises(ValueError, match="padded on the left"):
        model.generate(torch.tensor([[5, 0]]), 1, attention_mask=torch.tensor([[1, 0]]))


def test_sampling_follows_the_softmax_and_the_generator():
    logits = torch.tensor([[0.0, 1.0, 2.0]]).repeat(20000, 1)
    drawn = pick(logits, temperature=2.0, generator=torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=3) / 20000
    assert torch.allclose(shares, (logits[0] / 2).softmax(-1), atol=0.015)
    again = pick(logits, temperature=2.0, generator=torch.Generator().manual_seed(0))
    assert torch.equal(drawn, again)
    best_two = pick(logits, temperature=1.0, top_k=2, generator=torch.Generator().manual_seed(0))
    assert set(best_two.tolist()) == {1, 2}


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"temperature": 1.0, "top_k": 0}])
def test_impossible_sampling_is_refused(wrong):
    with pytest.raises(ValueError, match="temperature >= 0 and top_k >= 1"):
        pick(torch.zeros(1, 3), **wrong)


def test_generation_stops_at_the_end_token_row_by_row():
    def count_up(tokens):
        return torch.nn.functional.one_hot(tokens[:, -1] + 1, 12).float()

    out = generate(count_up, torch.tensor([[1], [4]]), 9, eos_token_id=5)
    assert out.tolist() == [[1, 2, 3, 4, 5], [4, 5, 5, 5, 5]]
    assert generate(count_up, torch.tensor([[1]]), 0).tolist() == [[1]]
