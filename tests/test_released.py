"""The course's own small models: they load, say the same each time, and know a little."""

import shutil

import pytest
import torch
from transformers import BartForConditionalGeneration, BertForMaskedLM, GPT2LMHeadModel

from course_utils import released
from course_utils.released import continue_text, fill_mask, load_released, reconstruct

MB = 1_000_000
KIND = {
    "masked_lm": "MaskedLM",
    "causal_lm": "CausalLM",
    "denoiser": "Seq2Seq",
    "multilingual": "MaskedLM",
}
# Sentences written for this test, and words of which one should be among the five best.
BLANKS = [
    ("The movie was [MASK].", {"good", "great", "bad", "boring", "terrible", "excellent", "funny"}),
    ("This is one of the [MASK] films I have ever seen.", {"best", "worst", "finest", "funniest"}),
    ("I bought this camera [MASK] month ago.", {"a", "one", "last"}),
    ("She did not want [MASK] go home.", {"to"}),
    ("The actors are good, [MASK] the story is weak.", {"but", "and", "though"}),
    ("He looked at [MASK] watch.", {"his", "the", "a", "my", "her"}),
    ("Thank [MASK] for your help!", {"you", "god"}),
    ("They have been friends [MASK] many years.", {"for", "in", "over"}),
]
SENTENCES = [
    "The film is a waste of time.",
    "I liked the story and the music.",
    "The acting is very good, but the ending is weak.",
]


@pytest.mark.parametrize("name", released.NAMES)
def test_a_model_is_ready_to_use_and_a_fresh_copy(name):
    first, second = load_released(name), load_released(name)
    assert type(first.model).__name__ == KIND[name]
    assert not first.model.training
    weights = list(first.model.parameters())
    assert all(w.dtype == torch.float32 and not w.requires_grad and w.isfinite().all() for w in weights)
    with torch.no_grad():
        weights[0].zero_()
    assert next(second.model.parameters()).any()
    for part in ("Training text", "Command", "no GPU", "Measured"):
        assert part in first.card


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="'bert'; there are masked_lm, causal_lm, denoiser"):
        load_released("bert")


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    shutil.copytree(released.released_dir("causal_lm"), tmp_path / "weights" / "causal_lm")
    (tmp_path / "weights" / "causal_lm" / "model.safetensors").unlink()
    monkeypatch.setattr(released, "project_root", lambda: tmp_path)
    with pytest.raises(FileNotFoundError, match=r"lacks model\.safetensors: .*git checkout"):
        load_released("causal_lm")


def test_without_a_checkout_the_package_has_the_weights(tmp_path, monkeypatch):
    shutil.copytree(released.released_dir("causal_lm"), tmp_path / "bundled_weights" / "causal_lm")
    monkeypatch.setattr(released, "project_root", lambda: None)
    monkeypatch.setattr(released.resources, "files", lambda package: tmp_path)
    assert load_released("causal_lm").model.config.vocab_size == 6000


def test_all_weights_together_are_small():
    assert released.total_size() < 40 * MB
    folder = released.released_dir("causal_lm").parent
    assert sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) == released.total_size()


def test_masks_are_filled_in_order_best_first():
    text = "The [MASK] was good, but the [MASK] was bad."
    guesses = fill_mask(text, k=7)
    assert [len(row) for row in guesses] == [7, 7]
    for row in guesses:
        chances = [guess.probability for guess in row]
        assert chances == sorted(chances, reverse=True)
        assert 0 < sum(chances) <= 1
    assert guesses == fill_mask(text, k=7)
    assert guesses[0][:2] == fill_mask(text, k=2)[0]


def test_the_masked_lm_reads_both_sides():
    left = fill_mask("She gave [MASK] the book.", k=1)
    assert left != fill_mask("She gave [MASK].", k=1)


def test_the_masked_lm_knows_a_little_english():
    found = [bool({g.token for g in fill_mask(text)[0]} & words) for text, words in BLANKS]
    assert sum(found) >= 7, [text for (text, _), hit in zip(BLANKS, found, strict=True) if not hit]


def test_a_text_without_a_mask_or_too_long_is_refused():
    with pytest.raises(ValueError, match=r"write \[MASK\] where"):
        fill_mask("Nothing is missing.")
    with pytest.raises(ValueError, match="room for 512"):
        fill_mask("[MASK]" + " word" * 600)


def test_a_text_goes_on_where_the_prompt_ends():
    text = continue_text("The film is", 12)
    assert text.startswith("The film is ")
    assert text == continue_text("The film is", 12)
    assert len(text.split()) >= 6


def test_sampling_depends_on_the_generator_alone():
    def sample(seed):
        generator = torch.Generator().manual_seed(seed)
        return continue_text("I think", 15, temperature=1.0, top_k=40, generator=generator)

    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in range(4)}) > 1


def test_the_causal_lm_prefers_english_to_its_reverse():
    causal_lm = load_released("causal_lm")

    def surprise(words):
        ids = [2, *causal_lm.tokenizer.encode(" " + " ".join(words))]
        logits = causal_lm.model(torch.tensor([ids[:-1]])).log_softmax(-1)[0]
        return -float(logits[range(len(ids) - 1), ids[1:]].mean())

    for sentence in SENTENCES:
        assert surprise(sentence.split()) + 0.5 < surprise(sentence.split()[::-1])


def test_a_prompt_that_leaves_no_room_is_refused():
    with pytest.raises(ValueError, match="room for 28: shorten it"):
        continue_text("word " * 60, 100)


def test_the_denoiser_fills_the_gap_and_keeps_the_rest():
    kept = [reconstruct(sentence) == sentence for sentence in SENTENCES]
    assert sum(kept) >= 2, kept
    repaired = reconstruct("The film is a <mask> of time.")
    assert "<mask>" not in repaired
    assert repaired.startswith("The film")
    assert repaired == reconstruct("The film is a <mask> of time.")


def test_reconstruction_can_be_sampled():
    def sample(seed):
        generator = torch.Generator().manual_seed(seed)
        return reconstruct("I <mask> this film.", temperature=1.5, generator=generator)

    assert sample(0) == sample(0)
    assert len({sample(seed) for seed in range(6)}) > 1


@pytest.mark.parametrize("text", ["", "   "])
def test_there_must_be_something_to_reconstruct(text):
    with pytest.raises(ValueError, match="no text to reconstruct"):
        reconstruct(text)


def test_blanks_take_no_space_of_their_own():
    tokenizer = load_released("denoiser").tokenizer
    tokens = [tokenizer.tokens[i] for i in released.blank_ids("The <mask> is good <mask>.", tokenizer)]
    assert tokens == ["ĠThe", "<mask>", "Ġis", "Ġgood", "<mask>", "."]


@pytest.mark.parametrize(
    ("name", "library"), [("causal_lm", GPT2LMHeadModel), ("denoiser", BartForConditionalGeneration)]
)
def test_transformers_opens_the_same_model(name, library):
    ours = load_released(name)
    theirs = library.from_pretrained(released.released_dir(name), dtype=torch.float32).eval()
    ids = torch.tensor([[0, *ours.tokenizer.encode(" The film is good."), 2]])
    arguments = (ids,) if name == "causal_lm" else (ids, ids)
    with torch.no_grad():
        found = ours.model(*arguments)
        expected = theirs(ids).logits if name == "causal_lm" else theirs(ids, decoder_input_ids=ids).logits
    logits = found if name == "causal_lm" else found.logits
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


# Sentences written for this test: one meaning in four languages.
GREETINGS = {
    "en": "Enter your password to log in.",
    "de": "Gib dein Passwort ein, um dich anzumelden.",
    "ru": "Введите пароль, чтобы войти.",
    "zh-Hans": "请输入密码以登录。",
}


def test_the_multilingual_model_spells_every_language_with_one_vocabulary():
    tokenizer = load_released("multilingual").tokenizer
    for sentence in GREETINGS.values():
        tokens = tokenizer.encode(sentence).tokens
        assert "[UNK]" not in tokens
        assert tokens[0] == "[CLS]"
    assert tokenizer.get_vocab_size() == 8000


def test_the_multilingual_model_prefers_a_sentence_to_its_reverse():
    multilingual = load_released("multilingual")
    mask = multilingual.tokenizer.token_to_id("[MASK]")

    def surprise(inner_ids):
        """Nats a token, each masked in turn."""
        ids = torch.tensor([2, *inner_ids, 3])
        inner = range(1, len(ids) - 1)
        inputs = ids.repeat(len(inner), 1)
        inputs[range(len(inner)), inner] = mask
        logp = multilingual.model(inputs).log_softmax(-1)
        return -float(logp[range(len(inner)), inner, ids[1:-1]].mean())

    preferred = []
    for sentence in GREETINGS.values():
        ids = multilingual.tokenizer.encode(sentence).ids[1:-1]
        preferred.append(surprise(ids) < surprise(ids[::-1]))
    assert sum(preferred) >= 3, preferred


def test_the_multilingual_model_is_a_bert_for_the_library_too():
    multilingual = load_released("multilingual")
    theirs = BertForMaskedLM.from_pretrained(released.released_dir("multilingual")).float().eval()
    ids = torch.tensor([multilingual.tokenizer.encode(GREETINGS["de"]).ids])
    with torch.no_grad():
        assert (theirs(ids).logits - multilingual.model(ids)).abs().max() < 1e-4
