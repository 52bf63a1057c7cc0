"""T5's objectives: the paper's own sentence, the law of span noise, and the way back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.objectives import Corrupted, SpecialTokens
from course_utils.objectives import spans as s

WORDS = [
    "Thank",
    "you",
    "for",
    "inviting",
    "me",
    "to",
    "your",
    "party",
    "last",
    "week",
    ".",
    "<M>",
    "<X>",
    "<Y>",
    "<Z>",
    "apple",
]
ID = {word: i for i, word in enumerate(WORDS)}
T5 = SpecialTokens(
    mask=ID["<M>"], special=(), sentinels=(ID["<X>"], ID["<Y>"], ID["<Z>"]), vocab_size=len(WORDS)
)
TEXT = torch.arange(11)


def noise_on(*words):
    return torch.tensor([WORDS[i] in words for i in range(11)])


def say(corrupted):
    return tuple(" ".join(WORDS[i] for i in ids.tolist()) for ids in corrupted)


def test_the_paper_s_sentence_with_spans_replaced():
    got = say(s.replace_spans(TEXT, noise_on("for", "inviting", "last"), T5))
    assert got == ("Thank you <X> me to your party <Y> week .", "<X> for inviting <Y> last <Z>")


def test_the_paper_s_sentence_with_random_spans():
    noise = noise_on("for", "inviting", "me", "your", "party", "last")
    assert say(s.replace_spans(TEXT, noise, T5)) == (
        "Thank you <X> to <Y> week .",
        "<X> for inviting me <Y> your party last <Z>",
    )


def test_the_paper_s_sentence_with_tokens_dropped():
    got = say(s.drop_tokens(TEXT, noise_on("for", "inviting", "last")))
    assert got == ("Thank you me to your party week .", "for inviting last")


def test_the_paper_s_sentence_mass_style():
    inputs, targets = say(s.mask_and_rewrite(TEXT, noise_on("for", "inviting", "last"), T5))
    assert inputs == "Thank you <M> <M> me to your party <M> week ."
    assert targets == "Thank you for inviting me to your party last week ."


def test_bert_style_masks_ninety_percent_and_rewrites_the_whole_text(generator, tokens):
    ids = tokens.ordinary()[torch.randint(len(tokens.ordinary()), (200_000,), generator=generator)]
    noise = s.token_noise(len(ids), generator)
    inputs, targets = s.bert_style_rewrite(ids, noise, tokens, generator)
    assert torch.equal(targets, ids)
    assert torch.equal(inputs[~noise], ids[~noise])
    assert float((inputs[noise] == tokens.mask).double().mean()) == pytest.approx(0.9, abs=0.01)


@given(st.integers(0, 300), st.floats(0.05, 0.6), st.floats(1, 6), st.integers(0, 2**31))
@settings(max_examples=200)
def test_span_noise_has_exactly_the_promised_tokens_and_spans(length, density, mean_span, seed):
    noise = s.span_noise(length, torch.Generator().manual_seed(seed), density=density, mean_span=mean_span)
    assert noise.shape == (length,)
    if length < 2:
        assert not noise.any()
        return
    n_noise = min(max(round(length * density), 1), length - 1)
    assert int(noise.sum()) == n_noise
    runs = int((noise.int().diff(prepend=torch.zeros(1, dtype=torch.int)) == 1).sum())
    assert runs == min(max(round(n_noise / mean_span), 1), length - n_noise)
    assert not noise[0]


def test_compositions_are_uniform(generator):
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(6000):
        cut = tuple(s._cut(5, 3, generator).tolist())
        counts[cut] = counts.get(cut, 0) + 1
    assert len(counts) == 6  # the compositions of 5 into 3 positive parts
    assert min(counts.values()) > 880
    assert max(counts.values()) < 1120


@given(st.lists(st.integers(0, 89), max_size=60), st.floats(0.05, 0.5), st.integers(0, 2**31))
@settings(max_examples=200)
def test_sentinels_lead_back_to_the_original(ids, density, seed):
    tokens = SpecialTokens(mask=3, special=(), sentinels=tuple(range(100, 160)), vocab_size=160)
    ids = torch.tensor(ids, dtype=torch.long)
    noise = s.span_noise(len(ids), torch.Generator().manual_seed(seed), density=density)
    assert torch.equal(s.fill_sentinels(s.replace_spans(ids, noise, tokens), tokens), ids)


def test_every_token_corrupted_leaves_one_sentinel():
    assert say(s.replace_spans(TEXT[:2], torch.tensor([True, True]), T5)) == ("<X>", "<X> Thank you <Y>")


def test_bad_input_is_named(generator):
    with pytest.raises(ValueError, match="4 spans need 5 sentinels, the vocabulary has 3"):
        s.replace_spans(TEXT[:8], torch.tensor([True, False] * 4), T5)
    with pytest.raises(ValueError, match="differ in shape"):
        s.drop_tokens(TEXT, torch.tensor([True]))
    with pytest.raises(ValueError, match="one sequence"):
        s.drop_tokens(TEXT.reshape(1, -1), torch.ones(1, 11, dtype=torch.bool))
    with pytest.raises(ValueError, match="mean_span"):
        s.span_noise(10, generator, mean_span=0.5)
    with pytest.raises(ValueError, match="not in the target"):
        s.fill_sentinels(Corrupted(torch.tensor([ID["<Y>"]]), torch.tensor([ID["<X>"], 1])), T5)
    with pytest.raises(ValueError, match="expected a sentinel"):
        s.fill_sentinels(Corrupted(torch.tensor([ID["<X>"]]), torch.tensor([1])), T5)
