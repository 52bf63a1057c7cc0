"""What the experiments on the course's small models do besides training."""

import numpy as np
import pytest
import torch

from experiments import laptop_cards
from experiments import laptop_generators as generators
from experiments import laptop_generators_measure as measure
from experiments import laptop_masked_lm as masked
from experiments.laptop_masked_lm_measure import hits
from experiments.laptop_trigrams import Trigrams


def test_trigram_probabilities_add_up_to_one_whatever_the_context():
    rng = np.random.default_rng(0)
    model = Trigrams(rng.integers(0, 20, 500), vocab_size=25)  # five tokens never occur
    for second_last, last in [(0, 1), (3, 3), (24, 2), (1, 24)]:
        found = model.probability(np.full(25, second_last), np.full(25, last), np.arange(25))
        assert found.sum() == pytest.approx(1)
        assert (found > 0).all()


def test_trigrams_use_two_tokens_of_context():
    model = Trigrams(np.array([0, 1, 2, 3, 1, 4] * 20), vocab_size=5)
    two, four = (model.probability(np.array([a]), np.array([1]), np.array([2]))[0] for a in (0, 3))
    assert two > 0.9
    assert four < 0.1


def test_kneser_ney_counts_contexts_not_occurrences():
    """A token that always follows one other is improbable elsewhere, however frequent it is."""
    stream = np.array([0, 1] * 50 + [2, 3, 4, 3, 5, 3, 6, 3])
    model = Trigrams(stream, vocab_size=8)
    unseen = [model.probability(np.array([7]), np.array([7]), np.array([t]))[0] for t in (1, 3)]
    assert unseen[0] < unseen[1]


def test_a_long_text_is_cut_after_a_sentence_and_nothing_is_lost():
    sentence = "this film is one that i would not see again. "
    rows = masked.pieces([sentence * 12])
    assert len(rows) > 1
    for row in rows:
        assert len(row) <= masked.LONGEST
        assert row[0] == 101
        assert row[-1] == 102
        assert int(row[-2]) in masked.SENTENCE_ENDS
    assert sum(len(row) - 2 for row in rows) == 12 * (len(masked.pieces([sentence])[0]) - 2)


def test_a_sentence_without_an_end_is_cut_where_the_room_ends():
    assert [len(row) for row in masked.pieces(["word " * 100])] == [64, 40]


def test_hits_count_first_guesses_and_any_guess():
    labels = [torch.tensor([-100, 5, 6]), torch.tensor([7, -100])]
    guesses = [torch.tensor([[5, 1], [2, 6]]), torch.tensor([[3, 4]])]
    assert hits(guesses, labels).tolist() == [[1, 2, 2], [0, 0, 1]]


def test_noise_for_the_denoiser_leaves_the_target_whole():
    ids, starts = generators.with_starts([[10, 11, 12, 13], [20, 21, 22], [30, 31, 32, 33, 34]])
    generator = torch.Generator().manual_seed(0)
    batch = generators.collate_repairs([(ids, starts)] * 8, generator)
    end = torch.tensor([generators.END])
    assert all(torch.equal(row, torch.cat([ids, end])) for row in batch["labels"])
    for row, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
        real = row[mask.bool()]
        assert real[0] == generators.START
        assert real[-1] == generators.END
        assert generators.MASK in real
        assert set(real[1:-1].tolist()) <= {*ids.tolist(), generators.MASK}
    assert len({tuple(row.tolist()) for row in batch["input_ids"]}) > 1


def test_a_card_shows_each_estimate_with_its_interval(tmp_path):
    rows = [{"model": "a", "texts": 3, "nats": 1.5, "nats_low": 1.25, "nats_high": 1.75}]
    laptop_cards.write(tmp_path, "A model", {"Use": "none"}, rows, "How to read it.")
    card = (tmp_path / "card.md").read_text()
    assert card.startswith("# A model\n\n- **Use:** none\n")
    assert "| a | 3 | 1.500 (1.250 to 1.750) |" in card


class Writer(torch.nn.Module):
    """A denoiser that always writes the same tokens, and finds them most probable."""

    def __init__(self, tokens):
        super().__init__()
        self.tokens = torch.tensor([tokens])

    def generate(self, source, longest):
        return torch.cat([torch.tensor([[generators.END]]), self.tokens], dim=1)

    def forward(self, source, target):
        row = torch.nn.functional.pad(self.tokens, (0, max(0, target.shape[1] - self.tokens.shape[1])))
        logits = torch.nn.functional.one_hot(row[:, : target.shape[1]], 100).float()
        return type("Output", (), {"logits": logits})


@pytest.mark.parametrize(
    ("written", "exact", "copied", "guessed"),
    [
        ([10, 11, 12, 13, 14, 2], 1, 1, 2),
        ([10, 11, 50, 13, 14, 2], 0, 1, 1),
        ([10, 13, 14, 2], 0, 1, 0),
        ([10, 11, 12, 13, 15, 2], 0, 0, 2),
        ([11, 11, 12, 13, 14, 2], 0, 0, 2),
    ],
)
def test_a_repair_is_judged_by_span_and_rest(written, exact, copied, guessed):
    blank = measure.Blank([10, 11, 12, 13, 14], 1, 3)
    assert measure.judge(Writer(written), blank) == (exact, copied, guessed, 2)


def test_a_guessed_span_between_an_untouched_rest():
    blank = measure.Blank([10, 11, 12, 13], 1, 3)
    assert measure.judge_span([11, 12], blank) == (1.0, 1.0, 2.0, 2)
    assert measure.judge_span([11, 11], blank) == (0.0, 1.0, 1.0, 2)
