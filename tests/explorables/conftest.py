"""Explorables to test, and a page to show them on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from family_of_many import tree
from hard_and_easy import curve
from inside_bert import attention, builder, counter
from large_and_small import budgeted
from many_pictures import projected
from matched_layers import matched
from soft_and_hard import softener
from tagged_and_asked import alignment, picker
from wrong_and_sure import browser

from course_utils.explorables import (
    Explorable,
    fertility_explorer,
    mask_patterns,
    merge_stepper,
    polysemy_explorer,
    wordpiece_walker,
)
from course_utils.explorables.base import ASSETS
from course_utils.subword.wordpiece import WordPiece

HOSTILE = "</script><img/src=x/onerror=alert(1)><!--&\u2028"
VOCAB = ["[UNK]", "una", "##ffa", "##ble", "play", "##ing", ",", *"abcdefghijklmnopqrstuvwxyz"]


def stepper() -> Explorable:
    return merge_stepper({"low": 5, "lower": 2, "newest": 6, "widest": 3})


def walker() -> Explorable:
    return wordpiece_walker(WordPiece(VOCAB), "Unaffable playing, 😀")


def fertility() -> Explorable:
    return fertility_explorer(
        [
            {
                "domain": domain,
                "tokenizer": tokenizer,
                "vocab_size": size,
                "fertility": 1 + 600 * factor / size,
                "unknown_rate": factor / size,
                "interval": (1 + 500 * factor / size, 1 + 700 * factor / size),
            }
            for domain, factor in (("films", 1), ("tweets", 2), ("Ελληνικά", 3))
            for tokenizer in ("BPE", "WordPiece")
            for size in (500, 1000, 4000, 16000)
        ]
    )


def polysemy() -> Explorable:
    sentences = [
        (word, sense, f"Sentence {number} has a {word} 😀 in it.", (17, 17 + len(word)))
        for word, senses in (("bat", ("animal", "stick")), ("bank", ("money", "river")))
        for number, sense in enumerate(senses * 4)
    ]
    vectors = np.random.default_rng(0).normal(size=(len(sentences), 3, 6))
    return polysemy_explorer(sentences, vectors)


MAKERS = {"merge_stepper": stepper, "wordpiece_walker": walker, "fertility": fertility, "polysemy": polysemy}
MAKERS |= {"attention_steps": attention, "input_builder": builder, "parameter_counter": counter}
MAKERS |= {"family_tree": tree}
MAKERS |= {"focal_curve": curve}
MAKERS |= {"label_alignment": alignment, "answer_picker": picker}
MAKERS |= {"mask_patterns": mask_patterns}
MAKERS |= {"temperature": softener}
MAKERS |= {"layer_map": matched}
MAKERS |= {"frontier": budgeted}
MAKERS |= {"projection": projected}
MAKERS |= {"error_browser": browser}


def page_of(*explorables: Explorable, theme: str = "") -> str:
    """A page as bare as a notebook's output frame; `theme` is what the book writes on its html element."""
    parts = "".join(one._repr_html_() for one in explorables)
    attribute = f' data-theme="{theme}"' if theme else ""
    return (
        f'<!doctype html><html lang="en"{attribute}><meta charset="utf-8"><title>Test</title>'
        f'<meta name="viewport" content="width=device-width"><main><h1>Test</h1>{parts}</main></html>'
    )


@pytest.fixture(scope="module")
def scripts(shared_page: Callable) -> Callable:
    """A page that holds the named script files as plain scripts, so that their functions can be called."""

    def load(*names: str):
        page = shared_page("<!doctype html><html lang='en'><title>Scripts</title></html>").page
        for name in ("runtime.js", *names):
            page.add_script_tag(content=Path(ASSETS / name).read_text(encoding="utf-8"))
        return page

    return load
