"""The corpus of a contest: a vocabulary, training texts and held-out texts, prepared once for all runs."""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Generator, Tensor

from course_utils.contest import grammar
from course_utils.contest.english.text import blocks, sentences, windows
from course_utils.data.errors import DataError
from course_utils.objectives import SpecialTokens
from course_utils.subword import Splitter, WordPiece, split_words, train_wordpiece
from course_utils.subword.normalization import BertNormalizer

UNKNOWN = len(grammar.SPECIAL)
SPECIAL = (*grammar.SPECIAL, "[UNK]")  # the ids of the formal language, so that its entrants read English too
_SAMPLE_BLOCKS = 1000  # that the vocabulary is learnt from: one or two million words
_RARE_CHARACTER = 2e-5  # share of the characters below which one is unknown: foreign scripts take no room
_RARE_WORD = 3  # a word that occurs less often teaches the vocabulary nothing


@dataclass(frozen=True)
class Sizing:
    """How much text a contest wants."""

    length: int  # tokens of a text, [CLS] not counted
    vocabulary: int  # pieces, special tokens included
    training_texts: int  # at most; a small folder gives fewer, which are then read several times
    held_out_texts: int  # for the questions: learning from, choosing by, testing on
    seed: int  # which blocks of lines are held out


@dataclass(frozen=True)
class Corpus:
    """Texts as ids, without [CLS]: training (texts, length) and held_out (texts, length)."""

    wordpiece: WordPiece
    training: Tensor
    held_out: Tensor
    files: tuple[str, ...]  # names, without folder and ending

    @property
    def tokens(self) -> SpecialTokens:
        """The special ids; unknown words are never masked, as nobody could say what they were."""
        special = (grammar.PAD, grammar.CLS, UNKNOWN)
        return SpecialTokens(grammar.MASK, special, grammar.SENTINELS, len(self.wordpiece.vocab))

    def encode(self, text: str) -> list[int]:
        """Ids of the pieces of a text; a special token's name in it is only text."""
        return encode(self.wordpiece, text)

    def drawn(self, seed: int, count: int) -> Tensor:
        """At most `count` training texts, in an order of the seed's own: (texts, length)."""
        order = torch.randperm(len(self.training), generator=Generator().manual_seed(seed))
        return self.training[order[:count]].long()

    def about(self) -> dict[str, object]:
        """What may be published: names, counts, and a hash that tells two corpora apart."""
        content = self.training.numpy().tobytes() + self.held_out.numpy().tobytes()
        return {
            "files": list(self.files),
            "training_texts": len(self.training),
            "held_out_texts": len(self.held_out),
            "tokens": self.training.numel(),
            "unknown": float((self.training == UNKNOWN).double().mean()),
            "hash": hashlib.sha256(content + "\n".join(self.wordpiece.vocab).encode()).hexdigest()[:16],
        }


def encode(wordpiece: WordPiece, text: str) -> list[int]:
    """Ids of a text's pieces. A bracket is a word of its own, which keeps "[MASK]" from being the token."""
    return [wordpiece.vocab[token] for token in wordpiece.tokenize(text.replace("[", "[ "))]


def prepare(lines_of: dict[str, list[str]], sizing: Sizing) -> Corpus:
    """Vocabulary and texts of some files' lines. Raises DataError where there is too little text."""
    parts = blocks(lines_of)
    random.Random(sizing.seed).shuffle(parts)
    wordpiece = learn_vocabulary(parts[:_SAMPLE_BLOCKS], sizing.vocabulary)
    texts_of = (list(_texts(wordpiece, part, sizing.length)) for part in parts)
    held_out = _take(texts_of, sizing.held_out_texts)
    training = _take(texts_of, sizing.training_texts)
    if len(held_out) < sizing.held_out_texts or len(training) < sizing.held_out_texts:
        raise DataError(
            f"{', '.join(lines_of)}: only {len(held_out) + len(training)} texts of {sizing.length} tokens; "
            f"the contest holds {sizing.held_out_texts} out and needs as many to train on: add more text"
        )
    as_tensor = [torch.tensor(texts, dtype=torch.int16) for texts in (training, held_out)]
    return Corpus(wordpiece, as_tensor[0], as_tensor[1], tuple(lines_of))


def learn_vocabulary(parts: Sequence[Sequence[str]], size: int) -> WordPiece:
    """A WordPiece vocabulary by frequency, of words whose characters are not rare."""
    normalizer = BertNormalizer(True)
    words: Counter[str] = Counter()
    for part in parts:
        words.update(split_words(normalizer.normalize("\n".join(part)), Splitter.PUNCTUATION))
    characters: Counter[str] = Counter()
    for word, count in words.items():
        characters.update({character: count * word.count(character) for character in set(word)})
    enough = _RARE_CHARACTER * characters.total()
    usual = {character for character, count in characters.items() if count >= enough}
    kept = {word: count for word, count in words.items() if count >= _RARE_WORD and usual.issuperset(word)}
    if not kept:
        raise DataError("no word occurs three times: give more text")
    return train_wordpiece(kept, vocab_size=size, criterion="frequency", special_tokens=SPECIAL)


def save(corpus: Corpus, sizing: Sizing, folder: Path) -> None:
    """Write the corpus into a folder; `about.json` comes last and says that it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus.wordpiece.save(folder / "vocab.txt")
    torch.save({"training": corpus.training, "held_out": corpus.held_out}, folder / "texts.pt")
    about = {**corpus.about(), "sizing": asdict(sizing)}
    (folder / "about.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def load(sizing: Sizing, folder: Path) -> Corpus:
    """Read what `save` wrote. Raises FileNotFoundError, or DataError where it was made for another design."""
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    if about["sizing"] != asdict(sizing):
        raise DataError(f"{folder} was prepared for another design; move it away, or use another --folder")
    texts = torch.load(folder / "texts.pt", weights_only=True)
    return Corpus(
        WordPiece.load(folder / "vocab.txt"), texts["training"], texts["held_out"], tuple(about["files"])
    )


def _texts(wordpiece: WordPiece, lines: Sequence[str], length: int) -> Iterator[list[int]]:
    return windows((encode(wordpiece, sentence) for sentence in sentences(lines)), length)


def _take(texts_of: Iterable[list[list[int]]], count: int) -> list[list[int]]:
    """The texts of whole blocks until there are enough: the rest of the last block is for nobody."""
    taken: list[list[int]] = []
    for texts in texts_of:
        taken += texts
        if len(taken) >= count:
            break
    return taken[:count]
