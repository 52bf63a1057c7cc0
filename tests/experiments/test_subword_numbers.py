"""The probe for numbers: its features, its scores, its verdict. No real model is loaded."""

import numpy as np
import pytest
import torch
from transformers import BertConfig

from course_utils import results
from experiments.subword_number_vectors import (
    AFTER,
    BEFORE,
    bag_features,
    decimal_digits,
    digit_features,
    first_digit_features,
    fragmentation_rows,
    length_features,
    random_encoder,
    read_numbers,
    sample_numbers,
)
from experiments.subword_numbers import NAME, claim, large_errors, piece_effect, verdict, with_best_layer
from experiments.subword_probe import fit, r_squared

TOKENS = ["[CLS]", "[SEP]", *BEFORE, *AFTER, *"0123456789", *(f"##{digit}" for digit in range(10))]
IDS = {token: number for number, token in enumerate(TOKENS)}
TINY = BertConfig(
    vocab_size=len(TOKENS), hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
)


def test_digits_determine_the_value_and_a_bag_of_them_does_not():
    numbers = np.arange(10_000, 10_400)
    train, test = np.arange(0, 400, 2), np.arange(1, 400, 2)
    values = numbers.astype(float)
    for features, good in ((digit_features(numbers), True), (bag_features(numbers), False)):
        guess = fit(features[train][:, :], values[train]).predict(features[test])
        assert (r_squared(values[test], guess) > 0.95) is good


def test_r_squared_of_the_mean_is_zero_and_of_worse_is_below():
    values = np.array([1.0, 2.0, 3.0])
    assert r_squared(values, np.full(3, 2.0)) == 0
    assert r_squared(values, values) == 1
    assert r_squared(values, -values) < 0


def test_features_have_the_shapes_they_say():
    numbers = np.array([7, 42, 99_999])
    assert digit_features(numbers).shape == (3, 55)
    assert digit_features(numbers).sum(1).tolist() == [5, 5, 5]
    assert first_digit_features(numbers)[1].nonzero()[0].tolist() == [4, 12, 14]
    assert length_features(numbers, decimal_digits).tolist() == [[1, 1], [2, 2], [5, 5]]
    sample = sample_numbers(np.random.default_rng(0), 20)
    assert len(sample) == len(set(sample)) == 999 + 40


def test_vectors_are_means_over_the_pieces_of_the_number_alone():
    model = random_encoder(TINY, seed=0)
    numbers = np.array([5, 12, 345, 6])
    layers = read_numbers(model, IDS, numbers, decimal_digits)
    assert len(layers) == 3
    assert layers[0].shape == (4, 8)
    table = model.get_input_embeddings().weight.detach().numpy()
    expected = table[[IDS["3"], IDS["##4"], IDS["##5"]]].mean(0)
    assert layers[0][2] == pytest.approx(expected, abs=1e-6)
    alone = read_numbers(model, IDS, numbers[:1], decimal_digits)
    assert layers[2][0] == pytest.approx(alone[2][0], abs=1e-5)  # a batch of others changes nothing


def test_random_encoder_is_its_seed_and_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    first, again, other = (random_encoder(TINY, seed) for seed in (0, 0, 1))
    assert torch.rand(1) == expected
    weights = [model.get_input_embeddings().weight for model in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_fragmentation_counts_whole_numbers():
    rows = fragmentation_rows(lambda number: ["x"] * len(str(number)), np.random.default_rng(0))
    by_digits = {row["digits"]: row for row in rows}
    assert by_digits["1"]["share_whole"] == 1
    assert by_digits["3"]["share_whole"] == 0
    assert by_digits["6"]["pieces"] == 6


def test_best_layer_is_chosen_by_training_error_not_by_test_score():
    scored = [
        {"task": "t", "features": "w, layer 1", "loo": -1.0, "r2": 0.1},
        {"task": "t", "features": "w, layer 2", "loo": -2.0, "r2": 0.9},
        {"task": "t", "features": "w, word embeddings", "loo": 0.0, "r2": 0.5},
    ]
    assert with_best_layer(scored, "w")[-1]["r2"] == 0.1


def test_piece_effect_sees_a_planted_difference():
    rng = np.random.default_rng(0)
    numbers = np.arange(100, 1000)
    is_cut = rng.random(900) < 0.5
    noise = rng.normal(0, np.where(is_cut, 60, 1))
    vectors = (numbers + noise)[:, None]
    assert piece_effect(vectors, numbers, is_cut, seed=0) > 10
    assert piece_effect(vectors, numbers, ~is_cut, seed=0) < -10


def test_large_errors_have_the_sign_of_the_reading():
    numbers = np.arange(100, 1000)
    is_cut = numbers % 7 != 0
    vectors = np.where(is_cut, numbers, 300).astype(float)[:, None]  # whole numbers look like 300
    made = large_errors(vectors, numbers, is_cut, seed=0)
    assert made["whole"] < -200
    assert abs(made["cut"]) < abs(made["whole"]) / 2


@pytest.mark.parametrize(
    ("struggle", "pieces", "excess", "expected"),
    [
        ((-0.2, -0.1), (1, 2), (1, 2), "holds here only"),
        ((-0.2, -0.1), (-1, 2), (1, 2), "cannot tell"),
        ((-0.2, -0.1), (1, 2), (-1, 2), "cannot tell"),
        ((-0.2, 0.1), (1, 2), (1, 2), "does not hold"),
        ((-0.2, -0.009), (1, 2), (1, 2), "does not hold"),  # less than would matter
    ],
)
def test_verdict(struggle, pieces, excess, expected):
    assert verdict(struggle, pieces, excess) == expected


def test_written_verdict_follows_from_the_written_rows():
    written = results.load(NAME)
    again = claim(written.rows())
    assert (again["verdict"], again["sentence"]) == (
        written.claims["wordpiece-numbers"]["verdict"],
        written.claims["wordpiece-numbers"]["sentence"],
    )
