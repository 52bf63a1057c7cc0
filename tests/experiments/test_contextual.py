"""The experiments on contextual vectors: their rules, their pseudowords, and the one switch at a time."""

import numpy as np
import pytest
import torch

from course_utils.analysis.reader import Reader
from course_utils.data.senses import SenseSentence
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from experiments import contextual_layers, contextual_pairs, contextual_senses
from experiments.contextual_common import Sentence, near_pairs, pseudowords, random_pairs, word_contexts
from experiments.contextual_pairs import BASE, SWITCHED, Item, arrange, distances, word_states


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ([(0.26, 0.4), (0.3, 0.5)], "holds"),
        ([(0.26, 0.4), (0.2, 0.5)], "cannot tell"),
        ([(0.26, 0.4), (0.1, 0.24)], "does not hold"),
    ],
)
def test_polysemy_rule(gains, expected):
    assert contextual_senses.polysemy_verdict(gains) == expected


@pytest.mark.parametrize(
    ("purity", "silhouette", "bag", "expected"),
    [
        ((0.86, 0.99), (0.26, 0.4), (0.01, 0.2), "holds here only"),
        ((0.86, 0.99), (0.26, 0.4), (-0.01, 0.2), "cannot tell"),
        ((0.80, 0.99), (0.26, 0.4), (0.01, 0.2), "cannot tell"),
        ((0.70, 0.84), (0.26, 0.4), (0.01, 0.2), "does not hold"),
        ((0.86, 0.99), (0.10, 0.24), (0.01, 0.2), "does not hold"),
    ],
)
def test_clusters_rule(purity, silhouette, bag, expected):
    assert contextual_senses.clusters_verdict(purity, silhouette, bag) == expected


@pytest.mark.parametrize(
    ("changes", "fall", "expected"),
    [
        ([(-0.2, -0.1), (-0.1, -0.01)], (0.2, 0.3), "holds here only"),
        ([(-0.2, -0.1), (-0.1, 0.01)], (0.2, 0.3), "cannot tell"),
        ([(-0.2, -0.1), (0.01, 0.05)], (0.2, 0.3), "cannot tell"),
        ([(-0.4, -0.3), (0.03, 0.05)], (0.2, 0.3), "does not hold"),
        ([(-0.05, -0.01)], (0.01, 0.09), "does not hold"),
    ],
)
def test_layers_rule(changes, fall, expected):
    assert contextual_layers.verdict(changes, fall) == expected


@pytest.mark.parametrize(
    ("change", "cause", "expected"),
    [
        ((0.06, 0.2), (0.01, 0.1), "holds here only"),
        ((0.06, 0.2), (-0.1, 0.1), "cannot tell"),
        ((0.06, 0.2), (-0.2, -0.1), "cannot tell"),
        ((0.04, 0.2), (0.01, 0.1), "cannot tell"),
        ((0.01, 0.04), (0.01, 0.02), "does not hold"),
    ],
)
def test_pairs_rule(change, cause, expected):
    assert contextual_pairs.verdict(change, cause) == expected


def test_contexts_are_from_different_reviews_and_hold_the_word_once():
    sentences = [Sentence(f"A dull plot, no. {n}", f"review {n // 2}") for n in range(8)]
    sentences += [Sentence("plot and plot", "other"), Sentence("The Plot thickens", "upper")]
    found = word_contexts(sentences, {"plot", "dull", "rare"}, 4, np.random.default_rng(0))
    assert set(found) == {"plot", "dull"}
    assert len(found["plot"]) == 4
    assert all(one.text[slice(*one.span)].lower() == "plot" for one in found["plot"])
    assert all(one.text != "plot and plot" for one in found["plot"])


def test_a_pseudoword_keeps_the_rest_and_remembers_the_sense():
    contexts = {
        word: [SenseSentence(word, word, f"a {word} here", (2, 2 + len(word)))] for word in ("plot", "sound")
    }
    (sentences,) = pseudowords(contexts, [("plot", "sound")]).values()
    assert [one.text for one in sentences] == ["a blicket here"] * 2
    assert [one.sense for one in sentences] == ["plot", "sound"]
    assert all(one.text[slice(*one.span)] == "blicket" for one in sentences)


def test_pairs_use_no_word_twice():
    words = ["plot", "plots", "story", "sound", "music", "actor"]
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0.9, 0.1, 0], [0, 1, 0], [0, 1, 0.1], [0, 0, 1]])
    near = near_pairs(words, vectors, 2, np.random.default_rng(0))
    assert {"plot", "plots"} not in [set(pair) for pair in near]
    for pairs in (near, random_pairs(words, 3, np.random.default_rng(0))):
        used = [word for pair in pairs for word in pair]
        assert len(used) == len(set(used))
    with pytest.raises(ValueError, match="4 pairs need 8 words, got 6"):
        random_pairs(words, 4, np.random.default_rng(0))


class Tokenizer:
    cls_token_id, sep_token_id = 1, 2


@pytest.fixture(scope="module")
def reader():
    config = EncoderConfig(
        vocab_size=30, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16, max_positions=40,
        type_vocab_size=2, initializer_range=0.5,
    )  # fmt: skip
    torch.manual_seed(0)
    return Reader(Encoder(config).eval(), Tokenizer(), "tiny")


def items(n=10):
    draw = np.random.default_rng(0)
    pieces = lambda: draw.integers(3, 30, draw.integers(2, 9)).tolist()
    return [Item(pieces(), 1, (pieces(), pieces())) for _ in range(n)]


def test_second_place_equals_the_second_sentence_of_a_real_pair(reader):
    for item, state in zip(items(), word_states(reader, items(), SWITCHED["place"]), strict=True):
        other = item.neighbors[0]
        ids = [1, *other, 2, *item.pieces, 2]
        segments = [0] * (len(other) + 2) + [1] * (len(item.pieces) + 1)
        with torch.no_grad():
            states = reader.encoder(
                torch.tensor([ids]), token_type_ids=torch.tensor([segments])
            ).hidden_states
        real = torch.stack(states)[:, 0, len(other) + 2 + item.at].numpy()
        assert state == pytest.approx(real, abs=1e-5)


def test_each_switch_changes_one_thing():
    item = Item([5, 6], 0, ([7], [8, 9]))
    base = arrange(item, BASE, 1, 2)
    assert base == {
        "input_ids": [1, 5, 6, 2, 7, 2],
        "position_ids": [0, 1, 2, 3, 4, 5],
        "token_type_ids": [0, 0, 0, 0, 1, 1],
    }
    changed = lambda name: {
        key for key, value in arrange(item, SWITCHED[name], 1, 2).items() if value != base[key]
    }
    assert changed("position") == {"position_ids"}
    assert changed("segment") == {"token_type_ids"}
    assert changed("place") == {"position_ids", "token_type_ids"}
    assert arrange(item, SWITCHED["position"], 1, 2)["position_ids"] == [0, 3, 4, 5, 1, 2]
    assert changed("neighbor") == {
        "input_ids",
        "position_ids",
        "token_type_ids",
    }  # the other neighbor is longer


def test_distances_at_the_embeddings_are_those_of_the_sums(reader, monkeypatch):
    monkeypatch.setattr(contextual_pairs, "CONTEXTS", 5)
    found = distances(reader, items())
    assert found["neighbor"][:, 0] == pytest.approx(0, abs=1e-6)  # no token has looked at another yet
    assert (found["segment"][:, 0] > 0.001).all()
    assert found["unrelated"].shape == (2, 3)


def test_word_similarities_take_off_the_other_words():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(6, 1, 2, 20)) + 0.01 * rng.normal(size=(6, 4, 2, 20)) + 3
    own, other = contextual_layers.word_similarities(vectors)
    assert own == pytest.approx(np.ones((6, 2)), abs=0.01)
    assert (other > 0.8).all()
    changes = contextual_layers.steps(own - other)
    assert len(changes) == 1
    assert changes[0].level == 0.95


def test_a_score_table_of_a_tiny_set():
    rng = np.random.default_rng(0)
    senses = ["a"] * 4 + ["b"] * 4
    words = {
        f"w{n}": contextual_senses.score_word(rng.normal(size=(8, 5)) + np.repeat([[0], [n]], 4, 0), senses)
        for n in range(4)
    }
    table = {
        ("encoder", 0): words,
        ("encoder", 1): {word: {**s, "centroid": 0.1} for word, s in words.items()},
    }
    assert contextual_senses.best_layer(table) == 0
    rows = contextual_senses.score_rows("tiny", table)
    assert [row["layer"] for row in rows] == [0, 1]
    assert rows[1]["centroid"] == rows[1]["centroid_low"] == pytest.approx(0.1)
    gap = contextual_senses.difference(table, 0, ("encoder", 1), "centroid")
    assert gap.estimate == pytest.approx(rows[0]["centroid"] - 0.1)
