"""Files: the library reads ours, we read the library's, and what we cannot do is refused by name."""

import json
import os

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from benchmarks.fuzzed_text import fuzzed_texts
from course_utils.subword import BPE, Splitter, count_words, train_bpe

os.environ["TOKENIZERS_PARALLELISM"] = "false"


@pytest.mark.parametrize("splitter", list(Splitter))
def test_what_is_saved_comes_back(tmp_path, splitter):
    counts = count_words(fuzzed_texts(200, seed=4), splitter)
    saved = train_bpe(
        counts, num_merges=50, splitter=splitter, special_tokens=["[UNK]", "é s"], unk_token="[UNK]"
    )
    saved.save(tmp_path / "tokenizer.json")
    loaded = BPE.load(tmp_path / "tokenizer.json")
    for name in ("vocab", "merges", "splitter", "unk_token"):
        assert getattr(loaded, name) == getattr(saved, name)
    assert loaded.special.ids == saved.special.ids
    library = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert library.get_vocab() == saved.vocab
    library.save(str(tmp_path / "library.json"))
    assert BPE.load(tmp_path / "library.json").merges == saved.merges


@pytest.fixture
def library_file(tmp_path):
    """A file that the library wrote: byte level, with special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        show_progress=False,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(fuzzed_texts(500, seed=5), trainer)
    tokenizer.save(str(tmp_path / "library.json"))
    return tmp_path / "library.json", tokenizer


def test_a_file_of_the_library_is_read(library_file):
    path, library = library_file
    ours = BPE.load(path)
    for text in [*fuzzed_texts(500, seed=6), "<s>hello</s>", "<s"]:
        assert ours.encode(text) == library.encode(text).ids


def test_merges_written_the_old_way_are_read(library_file):
    path, _ = library_file
    content = json.loads(path.read_text())
    merges = [tuple(pair) for pair in content["model"]["merges"]]
    content["model"]["merges"] = [" ".join(pair) for pair in merges]
    path.write_text(json.dumps(content))
    assert BPE.load(path).merges == merges


WRONG = [
    (["model", "type"], "Unigram", "expected 'BPE'"),
    (["model", "dropout"], 0.1, "model.dropout is 0.1"),
    (["model", "end_of_word_suffix"], "</w>", "model.end_of_word_suffix is '</w>'"),
    (["model", "byte_fallback"], True, "model.byte_fallback is True"),
    (["model", "vocab"], ["a"], "model.vocab is list; expected dict"),
    (["model", "vocab"], {"a": "0"}, "id '0' for 'a'"),
    (["model", "merges"], [["a"]], r"model.merges\[0\]"),
    (["model", "merges"], [["日", "本"]], "not in the vocabulary"),
    (["model"], None, "model is NoneType"),
    (["normalizer"], {"type": "NFC"}, "normalizer is set"),
    (["post_processor"], {"type": "BertProcessing"}, "post_processor is set"),
    (["pre_tokenizer"], {"type": "Metaspace"}, "Metaspace"),
    (["pre_tokenizer"], {"type": "ByteLevel", "add_prefix_space": True}, "add_prefix_space"),
    (["added_tokens", 0, "lstrip"], True, "lstrip"),
    (["added_tokens", 0, "normalized"], True, "some added tokens are normalized"),
    (["added_tokens", 0], {"id": 0}, "added token"),
    (["added_tokens"], ["<s>"], "added token"),
]


@pytest.mark.parametrize(("place", "value", "message"), WRONG)
def test_what_is_wrong_or_not_supported_is_named_with_the_file(library_file, place, value, message):
    path, _ = library_file
    content = json.loads(path.read_text())
    part = content
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message) as error:
        BPE.load(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'"text"'])
def test_files_that_hold_no_tokenizer_are_refused(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"tokenizer\.json: "):
        BPE.load(path)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        BPE.load(tmp_path / "none.json")
