"""The token table: trimmed and factorized, with a tokenizer that still takes any text."""

import json
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pruning_models import classifier, logits, rows, total
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from course_utils import data
from course_utils.compression.factorize import factorize_table, rank_errors, saves_from, spectrum
from course_utils.compression.vocabulary import (
    changed,
    kept_pieces,
    piece_counts,
    trim_table,
    trim_tokenizer,
)
from course_utils.finetuning.classifier import encode, new_classifier
from course_utils.models.weights import load_encoder

TEXTS = ["A film of rare beauty, and no more.", "Unwatchable!! The worst film of 1997?", "Café, naïve; ok"]


@cache
def whole():
    made = Tokenizer.from_file(str(data.small_model_dir() / "tokenizer.json"))
    made.no_padding()
    made.no_truncation()
    return made


@cache
def small_one():
    return trimmed(whole())[1]


@pytest.fixture(scope="module")
def tokenizer():
    return whole()


@pytest.fixture(scope="module")
def real():
    return new_classifier(load_encoder(data.small_model_dir()), 2, seed=0).eval()


def trimmed(tokenizer, texts=TEXTS, **options):
    kept = kept_pieces(tokenizer, piece_counts(tokenizer, texts), **options)
    return kept, trim_tokenizer(tokenizer, kept)


def test_texts_of_kept_pieces_get_exactly_the_same_answer(tokenizer, real):
    kept, small = trimmed(tokenizer)
    model = trim_table(real, kept)
    texts = [*TEXTS, "Beauty of no worst film and 1997"]
    assert changed(tokenizer, small, texts) == [False] * 4
    before, after = (encode(t, texts, [0] * 4) for t in (tokenizer, small))
    assert [e.ids for e in before] != [e.ids for e in after]
    assert torch.equal(logits(model, after), logits(real, before))
    assert total(real) - total(model) == (30522 - len(kept)) * 384


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_any_text_can_be_encoded_and_no_word_becomes_unknown(text):
    tokenizer, small = whole(), small_one()
    first, second = tokenizer.encode(text), small.encode(text)
    assert max(second.ids) < small.get_vocab_size()
    assert first.tokens.count("[UNK]") == second.tokens.count("[UNK]")
    spelled = ["".join(t.removeprefix("##") for t in e.tokens) for e in (first, second)]
    assert spelled[0] == spelled[1]


@settings(max_examples=25)
@given(st.lists(st.sampled_from(" ".join(TEXTS).lower().split()), max_size=12))
def test_any_order_of_kept_words_is_cut_as_before(words):
    assert changed(whole(), small_one(), [" ".join(words)]) == [False]


def test_what_is_left_out_is_spelled_with_what_is_left(tokenizer):
    _, small = trimmed(tokenizer)
    assert changed(tokenizer, small, ["a masterpiece", "a film"]) == [True, False]
    assert small.encode("masterpiece", add_special_tokens=False).tokens[0] == "m"
    kept, few = trimmed(tokenizer, characters="used")
    assert few.encode("Z~ film", add_special_tokens=False).tokens == ["z", "~", "film"]
    assert few.encode("日", add_special_tokens=False).tokens == ["[UNK]"]
    assert small.encode("日", add_special_tokens=False).tokens == ["日"]
    assert len(kept) < small.get_vocab_size()


def test_rare_pieces_go(tokenizer):
    counts = piece_counts(tokenizer, TEXTS)
    twice = kept_pieces(tokenizer, counts, min_count=2)
    vocab = tokenizer.get_vocab()
    assert vocab["film"] in twice
    assert vocab["beauty"] not in twice
    assert {vocab[t] for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")} <= set(twice)
    assert twice[0] == vocab["[PAD]"] == 0


def test_the_tokenizer_is_whole_after_saving(tokenizer, tmp_path):
    cut = Tokenizer.from_str(tokenizer.to_str())
    cut.enable_truncation(6)
    cut.enable_padding(pad_id=0, pad_token="[PAD]", length=8)
    kept, small = trimmed(cut)
    small.save(str(tmp_path / "tokenizer.json"))
    again = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    one, pair = again.encode(TEXTS[0]), again.encode("film", "beauty")
    assert one.tokens == ["[CLS]", "a", "film", "of", "rare", "[SEP]", "[PAD]", "[PAD]"]
    assert pair.tokens[:5] == ["[CLS]", "film", "[SEP]", "beauty", "[SEP]"]
    vocab = again.get_vocab()
    assert one.ids == [vocab[t] for t in one.tokens]
    assert sorted(vocab.values()) == list(range(len(kept)))
    assert again.encode("film [MASK]").ids[2] == vocab["[MASK]"]


def test_older_post_processors_are_understood(tokenizer):
    old = Tokenizer.from_str(tokenizer.to_str())
    old.post_processor = processors.BertProcessing(("[SEP]", 102), ("[CLS]", 101))
    _, small = trimmed(old)
    assert small.encode("film").tokens == ["[CLS]", "film", "[SEP]"]
    assert small.encode("film").ids[0] == small.token_to_id("[CLS]")


def test_what_cannot_be_trimmed_is_said(tokenizer):
    counts, model = piece_counts(tokenizer, TEXTS), classifier()
    kept = kept_pieces(tokenizer, counts)
    for wrong, message in (
        (lambda: kept_pieces(tokenizer, counts, min_count=0), "min_count >= 1"),
        (lambda: kept_pieces(tokenizer, counts, characters="latin"), "'all' or 'used'"),
        (lambda: kept_pieces(tokenizer, {}), "use no piece at all"),
        (lambda: trim_tokenizer(tokenizer, [*kept, kept[-1]]), "different ones"),
        (lambda: trim_tokenizer(tokenizer, [*kept, 40000]), "different ones"),
        (lambda: trim_tokenizer(tokenizer, kept[1:]), r"must be kept, missing: \['\[PAD\]'\]"),
        (lambda: trim_table(model, [0, 60]), "0 to 59"),
        (lambda: trim_table(model, [1, 0]), "padding row, 0, must be kept in its place"),
        (lambda: trim_table(model, []), "there must be one"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()
    letters = Tokenizer(models.BPE(vocab={"a": 0, "b": 1}, merges=[]))
    letters.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(ValueError, match="only a WordPiece vocabulary"):
        kept_pieces(letters, {0: 1})


def test_a_factorized_table_is_the_truncated_svd():
    model = classifier()
    table = model.encoder.embeddings.token.weight.detach()
    u, s, v = torch.linalg.svd(table.double(), full_matrices=False)
    for rank in (1, 7, 17):
        made = factorize_table(model, rank)
        best = (u[:, :rank] * s[:rank]) @ v[:rank]
        assert torch.allclose(made.encoder.embeddings.token.weight.double(), best, atol=1e-5)
        error = (table - made.encoder.embeddings.token.weight.detach()).norm() / table.norm()
        assert float(rank_errors(table)[rank]) == pytest.approx(float(error), abs=1e-5)
        assert total(model) - total(made) == 60 * 24 - rank * (60 + 24)
    assert saves_from(60, 24) == 17
    assert torch.allclose(spectrum(table)[0], s, atol=1e-6)


def test_at_full_rank_of_the_table_nothing_changes():
    model = classifier(vocab_size=200)
    with torch.no_grad():  # a table that has rank 6
        weight = model.encoder.embeddings.token.weight
        weight.copy_(torch.randn(200, 6) @ torch.randn(6, 24) * 0.2)
    examples = rows(vocab=200)
    made = factorize_table(model, 6)
    assert torch.allclose(logits(made, examples), logits(model, examples), atol=1e-5)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_errors_fall_with_the_rank_and_weights_favor_their_rows(seed):
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(30, 8, generator=generator)
    errors = rank_errors(table)
    assert errors[0] == pytest.approx(1.0)
    assert (errors.diff() <= 1e-9).all()
    assert errors[-1] < 1e-6
    weights = torch.ones(30)
    weights[:5] = 1000

    def left(directions):
        return (table[:5] - table[:5] @ directions.T @ directions).norm()

    plain, favored = (spectrum(table, w)[1][:5].float() for w in (None, weights))
    assert left(favored) <= left(plain) + 1e-4


def test_what_cannot_be_factorized_is_said():
    model = classifier()
    for wrong, message in (
        (lambda: factorize_table(model, 18), "must lie in 1 to 17"),
        (lambda: factorize_table(model, 0), "must lie in 1 to 17"),
        (lambda: factorize_table(factorize_table(model, 4), 2), "of rank 4 already"),
        (lambda: factorize_table(model, 4, torch.ones(3)), "60 numbers"),
        (lambda: factorize_table(model, 4, -torch.ones(60)), "at least 0"),
        (lambda: factorize_table(model, 4, torch.zeros(60)), "not all 0"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_a_factorized_table_can_be_trimmed_and_trained():
    model = trim_table(factorize_table(classifier(), 4), [0, 1, 5, 9])
    assert model.encoder.embeddings.token.narrow.weight.shape == (4, 4)
    out = model(torch.tensor([[1, 2, 3]]))
    out.sum().backward()
    assert model.encoder.embeddings.token.narrow.weight.grad[2].abs().sum() > 0


def test_the_vocabulary_is_plain_json(tokenizer):
    _, small = trimmed(tokenizer)
    made = json.loads(small.to_str())
    assert np.all(np.diff(list(made["model"]["vocab"].values())) == 1)
