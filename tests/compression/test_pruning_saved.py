"""Pruned, trimmed and factorized models: recipes, saved, and loaded where nothing else is known of them."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from pruning_models import classifier
from tokenizers import Tokenizer
from torch import Generator

from course_utils import data
from course_utils.compression import saved
from course_utils.compression.recipe import Context, RecipeError, parse
from course_utils.finetuning import saved as finetuned
from course_utils.finetuning.saved import SavedModelError

TEXTS = ["A film of rare beauty.", "Unwatchable, the worst plot ever!", "Dull", "Ça alors: 1997?"] * 3
LABELS = [1, 0, 0, 1] * 3
RECIPES = {
    "shape": "heads=0.5,ffn=0.4,drop-layers=1:which=middle,unused",
    "tables": "vocabulary=1:characters=used,factorize=7,unused",
    "narrow": "heads=0.9,width=10,fp16",
    "all": "heads=0.5,vocabulary,factorize=9,ffn=0.4,unused,int8",
}


@pytest.fixture(scope="module")
def tokenizer():
    made = Tokenizer.from_file(str(data.small_model_dir() / "tokenizer.json"))
    made.no_padding()
    return made


def context(tokenizer, texts=TEXTS, labels=LABELS):
    return Context(tokenizer, 24, Generator().manual_seed(0), texts, labels)


def followed(recipe, tokenizer, **options):
    """The model after the recipe, with its tokenizer, and the context."""
    given = context(tokenizer)
    model = parse(recipe).apply(classifier(vocab_size=30522, **options), given)
    made = saved.Compressed(
        model, saved.cutting(given.tokenizer, 24), ("no", "yes"), 24, saved.count_parameters(model), recipe
    )
    return made, given


READ = """
import json, sys
from pathlib import Path
from course_utils.compression import saved
folders, texts = json.loads(sys.argv[1])
print(json.dumps({f: saved.load(Path(f)).probabilities(texts).tolist() for f in folders}))
"""


def test_a_fresh_process_gives_the_same_answers(tokenizer, tmp_path):
    expected = {}
    for name, recipe in RECIPES.items():
        made, _ = followed(recipe, tokenizer)
        saved.save(made, tmp_path / name)
        expected[str(tmp_path / name)] = made.probabilities(TEXTS)
    made, given = followed(RECIPES["shape"], tokenizer)
    given.tokenizer.save(str(tmp_path / "tokenizer.json"))
    plain = finetuned.Classifier(made.model, tmp_path / "tokenizer.json", ("no", "yes"), 24)
    finetuned.save(plain, tmp_path / "plain")
    expected[str(tmp_path / "plain")] = plain.probabilities(TEXTS)
    asked = json.dumps([list(expected), TEXTS])
    out = subprocess.run(
        [sys.executable, "-c", READ, asked], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    for folder, probabilities in json.loads(out).items():
        assert np.array_equal(np.array(probabilities), expected[folder]), folder


def test_every_cut_shrinks_the_file(tokenizer, tmp_path):
    whole = saved.Compressed(classifier(vocab_size=30522), saved.cutting(tokenizer, 24), ("no", "yes"), 24, 0)
    saved.save(whole, tmp_path / "whole")
    size = saved.size_on_disk(tmp_path / "whole")
    for step in ("heads=0.5", "ffn=0.5", "width=12", "drop-layers=1", "vocabulary", "factorize=6", "unused"):
        made, _ = followed(step, tokenizer)
        saved.save(made, tmp_path / step)
        assert saved.size_on_disk(tmp_path / step) < size, step
        assert made.parameters < saved.count_parameters(whole.model)


def test_the_steps_tell_what_they_did(tokenizer):
    _, given = followed("heads=0.5,ffn=0.25,drop-layers=1,vocabulary,factorize=6", tokenizer)
    assert given.notes[0].startswith("heads left in each layer: [")
    assert given.notes[2] == "layers left, from 1: [1, 2]"
    assert "0 of 12 texts are cut into other pieces" in given.notes[3]
    assert "of rank 6 has a relative error of 0." in given.notes[4]


def test_importance_is_drawn_from_the_contexts_generator(tokenizer):
    first, again = (followed("heads=0.4:rows=5", tokenizer)[0] for _ in range(2))
    assert first.model.encoder.config.layer_heads == again.model.encoder.config.layer_heads
    assert torch.equal(first.logits(TEXTS), again.logits(TEXTS))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("drop-layers=3", "1 to 2 can be dropped"),
        ("factorize=24", "the rank must lie in 1 to 23"),
        ("width=24", "have 24 coordinates; keep fewer"),
        ("heads=1", "expected a number from 0.001 to 0.95"),
    ],
)
def test_what_a_model_cannot_give_is_said(recipe, message, tokenizer):
    with pytest.raises(RecipeError, match=message):
        followed(recipe, tokenizer)


def test_a_tokenizer_of_another_model_is_refused(tokenizer):
    given = context(tokenizer)
    with pytest.raises(RecipeError, match="do not belong together"):
        parse("vocabulary").apply(classifier(), given)


@pytest.mark.parametrize("recipe", ["heads=0.4", "vocabulary", "factorize=4"])
def test_steps_that_need_texts_say_so(recipe, tokenizer):
    given = context(tokenizer, (), None)
    with pytest.raises(RecipeError, match="needs texts"):
        parse(recipe).apply(classifier(vocab_size=30522), given)


def test_a_pruned_model_whose_file_is_cut_short_is_refused(tokenizer, tmp_path):
    made, _ = followed("heads=0.5,factorize=6", tokenizer)
    saved.save(made, tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(SavedModelError, match="truncated"):
        saved.load(tmp_path / "model")
