"""The multilingual experiment: retrieval, language identity and intervals on states whose answer is known."""

import numpy as np
import pytest
import torch

from course_utils.data.translations import LANGUAGES, Message
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.subword import WordPiece
from experiments import family_languages as languages
from experiments import family_languages_measure as measure
from experiments import family_languages_release as release

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "one", "two", "eins", "zwei", "a"]


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> WordPiece:
    """A tiny vocabulary for all languages."""
    made = WordPiece(TOKENS)
    for module in (languages, measure):
        monkeypatch.setattr(module, "vocabulary", lambda: made)
    return made


def planted(shift: float, noise: float = 0.0) -> np.ndarray:
    """States of 40 messages in all languages: one meaning each, and a shift for each language."""
    rng = np.random.default_rng(0)
    meaning = rng.normal(size=(1, 40, 16))
    own = rng.normal(size=(len(LANGUAGES), 1, 16))
    return meaning + shift * own + noise * rng.normal(size=(len(LANGUAGES), 40, 16))


def test_the_nearest_neighbor_is_looked_for_both_ways():
    english = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert measure.retrieved(english, english).tolist() == [1, 1]
    assert measure.retrieved(english, np.array([[1.0, 0.0], [1.0, 0.1]])).tolist() == [1, 0.5]


def test_subtracting_centroids_undoes_a_shift_of_a_language():
    found = measure.aligned(planted(shift=20.0))
    assert found["raw"].shape == (len(LANGUAGES) - 1, 20)
    assert found["centered"].mean() > 0.95 > 0.5 > found["raw"].mean()


def test_centroids_come_from_other_messages_than_those_that_are_sought():
    states = planted(shift=1.0)
    changed = states.copy()
    changed[:, :20] += 100 * np.arange(len(LANGUAGES))[:, None, None]
    raw, other = (measure.aligned(one) for one in (states, changed))
    assert np.array_equal(raw["raw"], other["raw"])
    assert not np.array_equal(raw["centered"], other["centered"])


def test_a_language_is_identified_by_its_shift_and_not_without_one():
    probe, nearest, between = measure.identified(planted(shift=5.0))
    assert probe.mean() > 0.95
    assert nearest.mean() > 0.95
    assert between > 0.5
    probe, nearest, between = measure.identified(planted(shift=0.0, noise=0.1))
    assert probe.mean() < 0.5
    assert between < 0.2


def test_an_estimate_has_an_interval_over_messages_and_one_over_seeds():
    values = np.random.default_rng(1).integers(0, 2, (3, 50)).astype(float)
    row = measure.estimate("top1", values)
    assert row["top1_low"] < row["top1"] < row["top1_high"]
    assert row["seed_low"] < row["top1"] < row["seed_high"]
    assert row["values"] == pytest.approx(values.mean(1).tolist())
    one = measure.estimate("top1", values[:1])
    assert one["seed_low"] is None
    sure = measure.estimate("accuracy", np.ones((3, 50)))
    assert 0.9 < sure["accuracy_low"] < sure["accuracy_high"] == 1


def test_mean_states_leave_out_the_frame_and_the_padding(words):
    torch.manual_seed(0)
    config = EncoderConfig(
        vocab_size=len(TOKENS), hidden_size=8, num_layers=2, num_heads=2, intermediate_size=8
    )
    encoder = Encoder(config).eval()
    found = measure.mean_states(encoder, ["one", "one two two a"])
    assert found.shape == (3, 2, 8)
    ids = torch.tensor([[2, 5, 3]])
    expected = torch.stack(encoder(ids).hidden_states)[:, 0, 1].detach().numpy()
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-6)


def test_training_never_sees_what_is_measured(monkeypatch):
    english = {f"k{number}": f"the message number {number}" for number in range(60)}
    german = {key: text.replace("the message", "die Nachricht") for key, text in english.items()}
    german["only"] = "nur deutsch"
    tested_key = next(key for key, text in english.items() if languages.split_of(text) == "test")
    german["k0"] = german[tested_key]  # two English messages, one translation
    monkeypatch.setattr(languages, "catalogs", lambda codes, source: {"en": english, "de": german})
    pairs = [Message({"en": english[key], "de": german[key]}) for key in english]
    monkeypatch.setattr(languages, "parallel_messages", lambda codes, source: pairs)
    languages.training_texts.cache_clear()
    try:
        trained_on = languages.training_texts()
        tested = languages.test_messages(languages.TRAINED_ON)
    finally:
        languages.training_texts.cache_clear()
    assert 3 < len(tested) < 30
    assert len(trained_on["en"]) + len(tested) == 60
    assert "nur deutsch" in trained_on["de"]
    for message in tested:
        assert message.texts["en"] not in trained_on["en"]
        assert message.texts["de"] not in trained_on["de"]
    assert len(languages.test_messages("django")) == 60


def test_the_released_vocabulary_cuts_as_the_one_that_was_trained_with():
    tokens = [*TOKENS, "é", "##n", "ja", "##hr", "中", "文", "?"]
    ours = WordPiece(tokens)
    theirs = release.as_library_tokenizer(ours)
    for text in ("One two, zwei!", "Jahr 中文?", "einsn é", "[MASK] two", ""):
        assert theirs.encode(text).ids == ours.encode(text).input_ids
