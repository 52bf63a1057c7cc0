"""The reader takes the right piece, at every layer, alone and in a batch."""

import numpy as np
import pytest
import torch
from transformers import BertModel, BertTokenizerFast

from course_utils.analysis.reader import Reader
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "the",
    "bank",
    "un",
    "##box",
    "##ing",
    "is",
    "fun",
    ".",
]
TEXTS = ["The bank is fun.", "Unboxing is fun, the bank.", "bank"]
SPANS = [(4, 8), (0, 8), (0, 4)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    sizes = {"hidden_size": 8, "num_layers": 2, "num_heads": 2, "intermediate_size": 16}
    config = EncoderConfig(vocab_size=len(WORDS), max_positions=32, type_vocab_size=2, **sizes)
    torch.manual_seed(0)
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    return Reader(Encoder(config).eval(), tokenizer, "tiny", batch_size=2)


def by_hand(reader, text, pieces):
    """The mean of the states of the numbered tokens, [CLS] counted, from one text alone."""
    ids = reader.tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        states = reader.encoder(ids["input_ids"]).hidden_states
    return np.stack([state[0, pieces].mean(dim=0).numpy() for state in states])


def test_a_whole_word_and_a_cut_one(reader):
    vectors = reader.word_vectors(TEXTS, SPANS)
    assert vectors.shape == (3, 3, 8)
    assert vectors[0] == pytest.approx(by_hand(reader, TEXTS[0], [2]), abs=1e-5)
    assert vectors[1] == pytest.approx(by_hand(reader, TEXTS[1], [1, 2, 3]), abs=1e-5)
    assert vectors[2] == pytest.approx(by_hand(reader, TEXTS[2], [1]), abs=1e-5)


def test_static_vectors_are_rows_of_the_table(reader):
    table = reader.encoder.embeddings.token.weight.detach().numpy()
    static = reader.static_vectors(TEXTS, SPANS)
    assert static[0] == pytest.approx(table[WORDS.index("bank")])
    assert (static[0] == static[2]).all()
    assert static[1] == pytest.approx(table[[7, 8, 9]].mean(axis=0))


def test_a_bag_leaves_the_word_itself_out(reader):
    table = reader.table() - reader.table().mean(axis=0)
    bag = reader.context_bags(TEXTS[:1], SPANS[:1])[0]
    assert bag == pytest.approx(
        table[[WORDS.index(word) for word in ("the", "is", "fun", ".")]].mean(axis=0), abs=1e-6
    )
    with pytest.raises(ValueError, match="no other word"):
        reader.context_bags(["bank"], [(0, 4)])


def test_a_span_without_a_piece_is_refused(reader):
    with pytest.raises(ValueError, match=r"no piece lies in the characters \(90, 94\)"):
        reader.word_vectors(["The bank."], [(90, 94)])


def test_random_weights_have_the_shape_and_follow_the_seed(reader):
    before = torch.random.get_rng_state()
    one, again, other = (reader.untrained(seed).word_vectors(TEXTS, SPANS) for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert one.shape == (3, 3, 8)
    assert (one == again).all()
    assert np.abs(one - other).max() > 0.1


def test_at_the_colab_scale_the_same_code_takes_bert_base(monkeypatch, reader, tmp_path):
    """A tiny checkpoint stands in for the hub's; the name that is asked for is bert-base-uncased."""
    import transformers

    asked = []
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(vocab_size=len(WORDS), **sizes)
    torch.manual_seed(0)
    monkeypatch.setenv("COURSE_SCALE", "colab")
    model = BertModel(config).eval()
    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", lambda name: asked.append(name) or model)
    tokenizer = reader.tokenizer
    monkeypatch.setattr(
        transformers.AutoTokenizer, "from_pretrained", lambda name: asked.append(name) or tokenizer
    )
    found = Reader.pretrained()
    assert asked == ["bert-base-uncased"] * 2
    with torch.no_grad():
        theirs = model(**reader.tokenizer(TEXTS[0], return_tensors="pt")).last_hidden_state[0, 2].numpy()
    assert found.word_vectors(TEXTS[:1], SPANS[:1])[0, -1] == pytest.approx(theirs, abs=1e-5)
