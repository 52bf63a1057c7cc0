"""A label alignment and an answer picker to test."""

import random

from course_utils.explorables import Explorable, answer_picker, label_alignment
from course_utils.subword.wordpiece import WordPiece

PIECES = ["[UNK]", "una", "##ffa", "##ble", "play", "##ing", ",", *"abcdefghijklmnopqrstuvwxyz"]
SENTENCES = [
    (["Unaffable", "playing", "a", "😀"], ["B-LOC", "I-LOC", "O", "B-PER"]),
    (["play,", "unaffable"], ["O", "B-PER"]),
]
PASSAGE = "Rollo, a Viking, signed 😀 the treaty of Saint-Clair in 911 with King Charles."


def alignment() -> Explorable:
    return label_alignment(WordPiece(PIECES), SENTENCES)


def window(passage: str, begins: int, length: int, seed: int) -> dict:
    """A window of words with logits drawn from the seed."""
    rng = random.Random(seed)
    offsets, at = [], 0
    for word in passage.split(" "):
        offsets.append((at, at + len(word)))
        at += len(word) + 1
    offsets = offsets[begins : begins + length]
    logits = {name: [rng.gauss(0, 3) for _ in offsets] for name in ("starts", "ends")}
    return {"begins": begins, "offsets": offsets, **logits}


def picker() -> Explorable:
    made = [window(PASSAGE, 0, 8, 1), window(PASSAGE, 5, 8, 2)]
    return answer_picker("Who signed it?", PASSAGE, made, max_tokens=4)
