"""English texts: read from files, cut at sentences, held out by blocks, and counted."""

import random
from itertools import pairwise

import numpy as np
import pytest
import torch

from course_utils.contest import grammar
from course_utils.contest.english import corpus as corpora
from course_utils.contest.english import ngrams, text
from course_utils.data.errors import DataError
from course_utils.data.hub_table import hub_rows
from course_utils.objectives import SpecialTokens

TOKENS = SpecialTokens(grammar.MASK, (grammar.PAD, grammar.CLS, 6), grammar.SENTINELS, 10)


def test_a_folder_is_read_file_by_file(tmp_path):
    (tmp_path / "b.txt").write_text("\ufeffOne line.\n\n  Another.  \n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("First.", encoding="utf-8")
    (tmp_path / "notes.md").write_text("not read", encoding="utf-8")
    assert text.read_folder(tmp_path) == {"a": ["First."], "b": ["One line.", "Another."]}


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"fine\n\xff\xfe", "line 2"), (b" \n\n", "is empty")],
)
def test_files_that_hold_no_text_are_named(tmp_path, content, message):
    (tmp_path / "bad.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"bad\.txt.*{message}"):
        text.read_folder(tmp_path)


def test_folders_without_text_are_refused(tmp_path):
    with pytest.raises(DataError, match="no file that ends in"):
        text.read_folder(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        text.read_folder(tmp_path / "nowhere")


def test_no_text_begins_inside_a_sentence():
    sentences = [[i, 0, 0] for i in range(1, 40)]
    texts = list(text.windows(sentences, 7))
    assert all(one[0] > 0 for one in texts)
    assert all(len(one) == 7 for one in texts)
    assert len(texts) == 13  # three sentences each


def test_the_ids_of_special_tokens_are_those_of_the_formal_language(english_corpus):
    vocabulary = list(english_corpus.wordpiece.vocab)
    assert tuple(vocabulary[: len(grammar.SPECIAL)]) == grammar.SPECIAL
    assert vocabulary[corpora.UNKNOWN] == "[UNK]"
    assert english_corpus.tokens.vocab_size == len(vocabulary)
    assert corpora.UNKNOWN not in english_corpus.tokens.ordinary()


def test_the_name_of_a_special_token_is_only_text(english_corpus):
    ids = english_corpus.encode("the [MASK] and <X> the [CLS] sat")
    assert not set(ids) & {grammar.MASK, grammar.CLS, grammar.PAD, *grammar.SENTINELS}


def test_held_out_texts_come_from_other_blocks(monkeypatch):
    """Each block speaks of a number of its own, so that a shared one would show."""
    monkeypatch.setattr(text, "_BLOCK", 5)
    lines = {"file": [f"{number} {number} {number} {number}." for number in range(30) for _ in range(5)]}
    sizing = corpora.Sizing(length=5, vocabulary=60, training_texts=50, held_out_texts=30, seed=0)
    made = corpora.prepare(lines, sizing)
    words = [{made.wordpiece.decode(row.tolist()) for row in part} for part in (made.held_out, made.training)]
    assert len(words[0]) >= 6
    assert not words[0] & words[1]


def test_a_corpus_is_kept_and_known_by_its_hash(english_corpus, english_sizing, tmp_path):
    corpora.save(english_corpus, english_sizing, tmp_path)
    again = corpora.load(english_sizing, tmp_path)
    assert again.about() == english_corpus.about()
    assert torch.equal(again.drawn(3, 10), english_corpus.drawn(3, 10))
    assert not torch.equal(again.drawn(3, 10), again.drawn(4, 10))
    other = corpora.Sizing(**{**vars(english_sizing), "seed": 1})
    with pytest.raises(DataError, match="another design"):
        corpora.load(other, tmp_path)


def test_too_little_text_is_refused():
    sizing = corpora.Sizing(length=8, vocabulary=40, training_texts=50, held_out_texts=30, seed=0)
    with pytest.raises(DataError, match="add more text"):
        corpora.prepare({"short": ["the cat sat on the mat."] * 9}, sizing)


def test_a_chain_of_neighbors_is_learnt_by_bigrams_but_not_by_frequencies():
    """7 8 9 7 8 9 ...: either neighbor tells the token; frequencies leave log 3."""
    texts = torch.tensor([[7, 8, 9] * 4] * 50)
    hidden = torch.zeros_like(texts, dtype=torch.bool)
    hidden[:, 4] = True
    nats = ngrams.masked_nats(ngrams.count(texts, TOKENS), texts, hidden)
    assert nats["unigram"] == pytest.approx(np.log(3), abs=0.02)
    assert nats["bigram"] < 0.02
    assert nats["both neighbors"] < 0.001


def test_the_left_neighbor_tells_nothing_where_it_is_masked_too():
    texts = torch.tensor([[7, 8, 9] * 4] * 50)
    hidden = torch.zeros_like(texts, dtype=torch.bool)
    hidden[:, 4:6] = True
    nats = ngrams.masked_nats(ngrams.count(texts, TOKENS), texts, hidden)
    # One of the two has a masked neighbor on the left, the other on the right.
    assert nats["bigram"] == pytest.approx(np.log(3) / 2, abs=0.02)
    assert nats["both neighbors"] < 0.02


def test_smoothed_probabilities_sum_to_one():
    texts = torch.randint(7, 10, (40, 6), generator=torch.Generator().manual_seed(0))
    counts = ngrams.count(texts, TOKENS)
    assert counts.bigram.sum(1) == pytest.approx(np.ones(10))
    for history in ([], [7], [8, 9], [9, 9, 7]):
        with np.errstate(divide="ignore"):  # special tokens never occur
            after = [np.exp(counts.log_probability([*history, token])) for token in range(10)]
        before = np.exp(counts.log_probability(history))
        assert sum(after) == pytest.approx(before)


def test_a_hub_table_is_read_from_a_copy(tmp_path):
    folder = tmp_path / "owner" / "name"
    (folder / "first").mkdir(parents=True)
    (folder / "first" / "train.csv").write_text("good,bad\na,b\nc,d\n")
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: first\n  data_files:\n"
        "  - split: train\n    path: first/train.csv\n---\n"
    )
    assert hub_rows("owner/name", "first", "train", ("bad",), tmp_path) == [{"bad": "b"}, {"bad": "d"}]
    with pytest.raises(DataError, match="no column"):
        hub_rows("owner/name", "first", "train", ("ugly",), tmp_path)


def test_shuffled_sentences_make_the_same_vocabulary():
    words = ["the", "cat", "sat", "mat", "dog"]
    lines = [" ".join(random.Random(i).choices(words, k=6)) for i in range(40)]
    first, second = (corpora.learn_vocabulary([part], 40) for part in (lines, lines[::-1]))
    assert set(first.vocab) == set(second.vocab)
    assert all(a < b for a, b in pairwise(first.vocab.values()))
