"""The small model is the real one: its configuration, its vocabulary, its weights."""

import json

from safetensors import safe_open

from course_utils.data import small_model, small_model_dir


def test_the_folder_holds_a_bert_of_six_layers() -> None:
    folder = small_model_dir()
    assert {path.name for path in folder.iterdir()} == {file.name for file in small_model.BUNDLE.files}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (config["num_hidden_layers"], config["hidden_size"], config["vocab_size"]) == (6, 384, 30522)
    vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    assert len(vocabulary) == 30522
    assert vocabulary[101:104] == ["[CLS]", "[SEP]", "[MASK]"]
    with safe_open(folder / "model.safetensors", framework="numpy") as weights:
        assert weights.get_slice("embeddings.word_embeddings.weight").get_shape() == [30522, 384]
