"""Weights of words: by deletion, by gradient, and what other attention leaves of an output."""

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from course_utils.analysis import explanations
from course_utils.analysis.explanations import Words
from course_utils.finetuning.classifier import new_classifier
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead

VOCAB = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "good": 4, "##ish": 5, "film": 6, ",": 7, "bad": 8}
CONFIG = EncoderConfig(
    vocab_size=9, hidden_size=16, num_layers=2, num_heads=2, intermediate_size=32, max_positions=16
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    made = Tokenizer(WordPiece(VOCAB, unk_token="[UNK]"))
    made.pre_tokenizer = BertPreTokenizer()
    ends = [(token, VOCAB[token]) for token in ("[CLS]", "[SEP]")]
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return made


@pytest.fixture(scope="module")
def model() -> EncoderWithHead:
    torch.manual_seed(1)
    encoder = Encoder(CONFIG)
    for parameter in encoder.parameters():
        parameter.data.mul_(6.0 if parameter.dim() > 1 else 1.0)
    return new_classifier(encoder, 2, seed=0).eval()


def test_words_and_their_tokens(tokenizer: Tokenizer) -> None:
    text = Words.of(tokenizer, "goodish film, bad")
    assert text.words == ["goodish", "film", ",", "bad"]
    assert text.word_of == [None, 0, 0, 1, 2, 3, None]
    assert text.by_word([9, 1, 2, 3, 4, 5, 9, 7, 7]).tolist() == [3, 3, 4, 5]
    assert text.without([0, 2]).ids == [2, 6, 8, 3]


def test_leaving_out_is_the_fall_of_the_predicted_class(model: EncoderWithHead, tokenizer: Tokenizer) -> None:
    text = Words.of(tokenizer, "goodish film, bad")
    found = explanations.leave_one_out(model, text)
    whole = model(torch.tensor([text.ids])).softmax(dim=-1)[0]
    less = model(torch.tensor([[2, 4, 5, 6, 7, 3]])).softmax(dim=-1)[0]
    chosen = whole.argmax()
    assert found.shape == (4,)
    assert found[3] == pytest.approx((whole - less)[chosen].item(), abs=1e-5)


def test_gradient_times_input_is_the_slope(model: EncoderWithHead, tokenizer: Tokenizer) -> None:
    """By finite differences: the word's vectors a little longer, the probability a little higher."""
    text = Words.of(tokenizer, "film, bad")
    found = explanations.gradient_times_input(model, text)
    model = model.double()
    ids = torch.tensor([text.ids])
    embedded, step = model.encoder.embeddings.token(ids).detach(), 1e-5
    chosen = int(model(ids).argmax())
    for word, place in ((0, 1), (1, 2), (2, 3)):
        longer = embedded.clone()
        longer[0, place] *= 1 + step
        with torch.no_grad():
            p = [model(inputs_embeds=x).softmax(dim=-1)[0, chosen] for x in (embedded, longer)]
        assert found[word] == pytest.approx(abs(float(p[1] - p[0])) / step, rel=1e-2, abs=1e-4)
    model.float()


def test_agreement_counts_pairs_in_the_same_order() -> None:
    assert explanations.agreement([1, 2, 3], [3, 2, 1]) == -1
    assert explanations.agreement([1, 2, 3, 4], [1, 2, 4, 3]) == pytest.approx(4 / 6)
    with pytest.raises(ValueError, match="same 2 or more words"):
        explanations.agreement([1, 2], [1, 2, 3])


def test_divergence_and_total_variation() -> None:
    p, q = torch.tensor([0.5, 0.5, 0.0]), torch.tensor([0.5, 0.0, 0.5])
    middle = (p + q) / 2
    by_hand = sum(0.5 * float((x[x > 0] * (x[x > 0] / middle[x > 0]).log()).sum()) for x in (p, q))
    assert float(explanations.divergence(p, q)) == pytest.approx(by_hand, abs=1e-6)
    assert float(explanations.divergence(p, p)) == 0
    assert explanations.total_variation(p, q) == pytest.approx(0.5)


def test_the_adversary_keeps_its_promise(model: EncoderWithHead, tokenizer: Tokenizer) -> None:
    texts = [Words.of(tokenizer, text).without([]) for text in ("goodish film, bad film", "bad film")]
    apart, moved = explanations.adversarial_attention(
        model, texts, steps=30, generator=torch.Generator().manual_seed(0)
    )
    further, _ = explanations.adversarial_attention(
        model, texts, steps=60, generator=torch.Generator().manual_seed(0)
    )
    assert (moved <= 0.01).all()
    assert (apart > 0.05).all()
    assert (further > apart).all()
    assert (apart <= np.log(2)).all()
    assert not any(
        parameter.grad is not None and parameter.grad.any() for parameter in model.encoder.parameters()
    )
