"""Every compressed model comes back from its folder as it was; what is not whole is refused."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from pruning_models import SIZES, classifier
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from course_utils.compression import number_steps, saved, structure
from course_utils.compression.compress import compress
from course_utils.compression.onnx_model import EngineError, OnnxModel, to_onnx, to_onnx_int8
from course_utils.compression.recipe import RecipeError, parse
from course_utils.compression.saved import Compressed
from course_utils.finetuning import saved as finetuned
from course_utils.finetuning.saved import SavedModelError
from course_utils.training import checkpoint

WORDS = [f"w{i}" for i in range(SIZES["vocab_size"] - 4)]
TEXTS = [" ".join(WORDS[(7 * i + 3 * j) % len(WORDS)] for j in range(3 + i % 9)) for i in range(40)]
LABELS = [i % 2 for i in range(40)]


def word_tokenizer():
    """A tokenizer whose pieces are whole words, as many as the random classifier has rows."""
    vocab = {piece: i for i, piece in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def start(pooling="mean", **options):
    """A fine-tuned classifier, or what passes for one."""
    model = classifier(pooling=pooling, **options)
    tokenizer = saved.cutting(word_tokenizer(), 16)
    return Compressed(model, tokenizer, ("no", "yes"), 16, saved.count_parameters(model))


RECIPES = [
    "fp16",
    "int8",
    "int8:scales=tensor",
    "int8=float",
    "int4=8",
    "int4=8:embeddings=int8,fp16",
    "mixed=8,fp16",
    "qat=2:rate=0.001",
    "qat=2:activations=static:rate=0.001",
    "onnx-int8",
    "heads=0.4,ffn=0.3,drop-layers=1,factorize=8,tune=1,int8",
    "vocabulary=3,width=16,mixed=8,fp16",
]
IN_A_FRESH_PROCESS = """
import sys, json, numpy as np
from pathlib import Path
from course_utils.compression import saved
folder, texts = Path(sys.argv[1]), json.load(open(sys.argv[2]))
for place in sorted(folder.iterdir()):
    np.save(place / "after.npy", saved.load(place).probabilities(texts))
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Each recipe's model, saved, and its probabilities before and in a fresh process."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "texts.json").write_text(json.dumps(TEXTS))
    made = {r: compress(start(), r, texts=TEXTS, labels=LABELS) for r in RECIPES}
    for number, model in enumerate(made.values()):
        saved.save(model, folder / "saved" / str(number))
    sizes = {r: saved.size_on_disk(folder / "saved" / str(n)) for n, r in enumerate(RECIPES)}
    texts = str(folder / "texts.json")
    subprocess.run([sys.executable, "-c", IN_A_FRESH_PROCESS, str(folder / "saved"), texts], check=True)
    after = {r: np.load(folder / "saved" / str(n) / "after.npy") for n, r in enumerate(RECIPES)}
    return made, after, sizes


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_fresh_process_gives_the_same_predictions(everything, recipe):
    made, after, _ = everything
    assert np.array_equal(made[recipe].probabilities(TEXTS), after[recipe])
    assert made[recipe].recipe == str(parse(recipe))


def test_a_saved_model_of_course_finetune_is_read_and_described(tmp_path):
    tokenizer_file = tmp_path / "tokenizer.json"
    word_tokenizer().save(str(tokenizer_file))
    before = finetuned.Classifier(classifier(), tokenizer_file, ("no", "yes"), 16)
    finetuned.save(before, tmp_path / "model")
    after = saved.load(tmp_path / "model")
    assert np.array_equal(before.probabilities(TEXTS), after.probabilities(TEXTS))
    saved.save(compress(before, "int8"), tmp_path / "small")
    with pytest.raises(SavedModelError, match=r"course compress.*course_utils.compression.saved.load"):
        finetuned.load(tmp_path / "small")


def tensor_bytes(model):
    """Bytes of the tensors as they are stored."""
    return sum(
        t.numel() * t.element_size() for t in saved.half_where_exact(model.model.state_dict()).values()
    )


def test_bytes_are_what_the_bits_say():
    plain, fp16, int8, int4 = (
        start(),
        *(compress(start(), r) for r in ("fp16", "int8,fp16", "int4=8,fp16")),
    )
    head = plain.model.head.classifier.weight.numel() + 2
    floats = sum(p.numel() for p in plain.model.encoder.parameters() if p.dim() == 1)
    weights = plain.parameters - head - floats
    assert tensor_bytes(plain) == 4 * plain.parameters
    assert tensor_bytes(fp16) == 2 * plain.parameters
    rows = sum(p.shape[0] for p in plain.model.encoder.parameters() if p.dim() == 2)
    biases = sum(
        p.numel() for n, p in plain.model.encoder.named_parameters() if p.dim() == 1 and "norm" not in n
    )
    # Biases of integer maps stay in single precision; so do scales, one a row.
    assert tensor_bytes(int8) == weights + 4 * rows + 2 * (head + floats - biases) + 4 * biases
    assert tensor_bytes(int4) == weights / 2 + 2 * weights / 8 + 2 * (head + floats - biases) + 4 * biases
    assert int8.parameters == int4.parameters == plain.parameters


@pytest.mark.parametrize(
    ("pooling", "options"),
    [
        ("mean", {}),
        ("cls", {"pooler": False, "type_vocab_size": 0}),
    ],
)
def test_onnx_gives_torchs_numbers_at_every_size(pooling, options):
    model = classifier(pooling=pooling, **options)
    engine = OnnxModel(to_onnx(model), threads=1)
    generator = torch.Generator().manual_seed(0)
    for batch, length in ((1, 1), (1, 9), (5, 32), (3, 2)):
        ids = torch.randint(1, 60, (batch, length), generator=generator)
        mask = torch.arange(length) < torch.randint(1, length + 1, (batch, 1), generator=generator)
        segments = torch.randint(0, 2, (batch, length), generator=generator) if not options else None
        with torch.no_grad():
            theirs = model(ids * mask, attention_mask=mask, token_type_ids=segments)
        ours = engine(ids * mask, attention_mask=mask, token_type_ids=segments)
        assert torch.allclose(ours, theirs, atol=1e-4)


def test_threads_noise_and_damage(capfd):
    data = to_onnx(classifier())
    small = to_onnx_int8(data)
    engine = OnnxModel(small, threads=2)
    assert engine.session().get_session_options().intra_op_num_threads == 2
    engine.threads = 1
    assert engine.session().get_session_options().intra_op_num_threads == 1
    assert capfd.readouterr() == ("", "")
    with pytest.raises(EngineError, match="ONNX Runtime cannot read the model"):
        OnnxModel(data[:1000])


@pytest.fixture
def folder(tmp_path):
    saved.save(compress(start(), "int8"), tmp_path / "model")
    return tmp_path / "model"


def truncate(folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def lengthen(folder):
    (folder / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes() + b" ")


def flip(folder):
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-3] ^= 1
    (folder / "model.safetensors").write_bytes(data)


def edit(**changes):
    def change(folder):
        about = json.loads((folder / "classifier.json").read_text())
        about["compressed"].update(changes)
        (folder / "classifier.json").write_text(json.dumps(about))

    return change


def other_structure(folder):
    about = json.loads((folder / "classifier.json").read_text())
    about["compressed"]["structure"]["config"]["hidden_size"] = 48
    (folder / "classifier.json").write_text(json.dumps(about))


def without_description(folder):
    (folder / "classifier.json").unlink()


BROKEN = {
    "truncated": (truncate, "model.safetensors has .* bytes, expected .*: truncated; copy the folder again"),
    "another tokenizer": (lengthen, "tokenizer.json has .* bytes, expected .*: another file"),
    "one bit": (flip, "model.safetensors is damaged, or belongs to another model; copy the folder again"),
    "missing": (lambda f: (f / "model.safetensors").unlink(), "model.safetensors is missing"),
    "no description": (without_description, "no classifier.json, so this is no model"),
    "no JSON": (lambda f: (f / "classifier.json").write_text("{"), "not what `course finetune` writes"),
    "newer": (edit(format=2), "a model in form 2, this version of the course reads form 1; install"),
    "other files": (edit(engine="onnx"), "names other files than"),
    "no recipe": (edit(recipe=None), "not what `course compress` writes; copy the folder again"),
    "other structure": (other_structure, "classifier.json does not describe the model"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_whole_is_refused_in_words(folder, name):
    break_it, message = BROKEN[name]
    break_it(folder)
    with pytest.raises(SavedModelError) as caught:
        saved.load(folder)
    assert re.search(message, str(caught.value)), caught.value
    assert str(folder) in str(caught.value)


def test_saving_is_whole_or_not_at_all(folder, monkeypatch):
    before = saved.load(folder).probabilities(TEXTS)
    other = compress(start(), "int4=8")
    with pytest.raises(FileExistsError, match="is there already; name a new folder"):
        saved.save(other, folder)
    monkeypatch.setattr(saved.Path, "write_text", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        saved.save(other, folder, replace=True)
    with pytest.raises(OSError, match="disk full"):
        saved.save(other, folder.with_name("new"))
    monkeypatch.undo()
    assert not folder.with_name("new").exists()
    assert np.array_equal(saved.load(folder).probabilities(TEXTS), before)
    saved.save(other, folder, replace=True)
    assert saved.load(folder).recipe == "int4=8"
    assert not list(folder.parent.glob("*.part"))


def test_the_given_model_stays_as_it_was():
    given = start()
    before = given.probabilities(TEXTS)
    compress(given, "heads=0.4,tune=1,int4=8", texts=TEXTS, labels=LABELS)
    assert np.array_equal(given.probabilities(TEXTS), before)


def test_training_goes_on_where_it_stopped(tmp_path, monkeypatch):
    """Stopped after the first checkpoint, and started again: the same model as in one go."""
    whole = compress(start(), "tune=8,int8", texts=TEXTS, labels=LABELS)
    monkeypatch.setattr(number_steps, "CHECKPOINT_EVERY", 5)
    keep = checkpoint.save

    def stop_after_the_first(*given, **named):
        keep(*given, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        compress(start(), "tune=8,int8", texts=TEXTS, labels=LABELS, folder=tmp_path)
    assert len(list(tmp_path.rglob("checkpoint.pt"))) == 1
    saves = []
    monkeypatch.setattr(checkpoint, "save", lambda *given, **named: saves.append(keep(*given, **named)))
    again = compress(start(), "tune=8,int8", texts=TEXTS, labels=LABELS, folder=tmp_path)
    assert len(saves) == 4  # after 10, 15, 20 and 24 of 24 steps; the first 5 were not done again
    assert np.array_equal(again.probabilities(TEXTS), whole.probabilities(TEXTS))


def test_what_cannot_be_compressed_is_said():
    with pytest.raises(RecipeError, match=r"compressed already \(int8\); start from the fine-tuned model"):
        compress(compress(start(), "int8"), "fp16")
    with pytest.raises(RecipeError, match="step 'tune' needs texts to work with"):
        compress(start(), "tune,int8")
    with pytest.raises(RecipeError, match="step 'tune' needs labels"):
        compress(start(), "tune,int8", texts=TEXTS)
    with pytest.raises(ValueError, match="40 texts need as many labels, got 3"):
        compress(start(), "tune", texts=TEXTS, labels=[0, 1, 0])


def test_a_module_that_the_form_does_not_know_is_refused(tmp_path):
    model = start()
    model.model.encoder.stack.blocks[0].feed_forward.inner = torch.nn.Bilinear(2, 2, 2)
    with pytest.raises(TypeError, match="inner is a Bilinear, which the saved form does not know"):
        saved.save(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()
    with pytest.raises(ValueError, match=r"is .* already"):
        structure.part("int8-linear")(type("Other", (torch.nn.Module,), {}))
    shutil.rmtree(tmp_path / "model.part", ignore_errors=True)
