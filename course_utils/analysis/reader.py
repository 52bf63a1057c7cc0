"""A tokenizer and an encoder that give each word of a text its vector at every layer.

Layer 0 is the embedding layer (word, position and segment, normalized), layer k the output of block k. A word
that is cut into several pieces has the mean of their vectors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from course_utils import scale
from course_utils.data import small_model_dir
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder

Array = NDArray[np.float32]
Span = tuple[int, int]
HUB_MODEL = "bert-base-uncased"  # what is read at the colab and full scales


@dataclass(frozen=True)
class Reading:
    """One text as the encoder saw it, without [CLS] and [SEP]."""

    states: Array  # (layers + 1, pieces, hidden)
    offsets: list[Span]  # for each piece, the characters that it came from
    input_ids: list[int]

    def pieces_of(self, span: Span) -> list[int]:
        """The numbers of the pieces that overlap a span of characters; ValueError if none does."""
        found = [i for i, (start, end) in enumerate(self.offsets) if start < span[1] and end > span[0]]
        if not found:
            raise ValueError(
                f"no piece lies in the characters {span}: the text was cut off before it, or is empty there"
            )
        return found


@dataclass(frozen=True)
class Reader:
    """An encoder with its tokenizer (a fast one of transformers, for the offsets)."""

    encoder: Encoder
    tokenizer: Any
    name: str
    batch_size: int = 32

    @classmethod
    def pretrained(cls) -> "Reader":
        """all-MiniLM-L6-v2 at the laptop scale; else bert-base-uncased from the hub, on a GPU if any."""
        from transformers import AutoModel, AutoTokenizer

        if scale.current() is scale.Scale.LAPTOP:
            folder = small_model_dir()
            return cls(load_encoder(folder), AutoTokenizer.from_pretrained(folder), "all-MiniLM-L6-v2")
        encoder = load_encoder(AutoModel.from_pretrained(HUB_MODEL))
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(encoder.to(device), AutoTokenizer.from_pretrained(HUB_MODEL), HUB_MODEL)

    def untrained(self, seed: int) -> "Reader":
        """The same shape and tokenizer with weights drawn at random: it has learned nothing."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            encoder = Encoder(self.encoder.config).eval()
        return Reader(encoder.to(self._device), self.tokenizer, f"random weights {seed}", self.batch_size)

    def read(self, texts: Sequence[str]) -> Iterator[Reading]:
        """Each text by itself, in order; encoded in batches of similar length, cut at 512 pieces."""
        found: dict[int, Reading] = {}
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            found |= zip(rows, self._read_batch([texts[row] for row in rows]), strict=True)
        return (found[row] for row in range(len(texts)))

    def word_vectors(self, texts: Sequence[str], spans: Sequence[Span]) -> Array:
        """The vector of the word at `spans[i]` of `texts[i]`: (texts, layers + 1, hidden)."""
        pairs = zip(self.read(texts), spans, strict=True)
        return np.stack([one.states[:, one.pieces_of(span)].mean(axis=1) for one, span in pairs])

    def static_vectors(self, texts: Sequence[str], spans: Sequence[Span]) -> Array:
        """One vector per word: the mean of its pieces' rows in the embedding table, (texts, hidden)."""
        table = self.table()
        pairs = zip(self._cut(texts), spans, strict=True)
        return np.stack(
            [table[[one.input_ids[i] for i in one.pieces_of(span)]].mean(axis=0) for one, span in pairs]
        )

    def context_bags(self, texts: Sequence[str], spans: Sequence[Span]) -> Array:
        """The mean of the table's rows over all *other* pieces of the text, in no order: (texts, hidden).

        The table's mean row, which all words share, is taken off. Raises ValueError for a text of one word.
        """
        table = self.table()
        table = table - table.mean(axis=0)
        bags = []
        for text, one, span in zip(texts, self._cut(texts), spans, strict=True):
            own = set(one.pieces_of(span))
            others = [piece for i, piece in enumerate(one.input_ids) if i not in own]
            if not others:
                raise ValueError(f"{text!r} holds no other word: there is no context to take the mean of")
            bags.append(table[others].mean(axis=0))
        return np.stack(bags)

    def table(self) -> Array:
        """The embedding table, one static vector for each entry of the vocabulary: (vocab, hidden)."""
        return self.encoder.embeddings.token.weight.detach().float().cpu().numpy()

    @property
    def _device(self) -> torch.device:
        return next(self.encoder.parameters()).device

    def _cut(self, texts: Sequence[str]) -> list[Reading]:
        """The pieces of each text, without states."""
        cut = self.tokenizer(list(texts), return_offsets_mapping=True, add_special_tokens=False)
        nothing = np.zeros((0, 0, 0), np.float32)
        rows = zip(cut["offset_mapping"], cut["input_ids"], strict=True)
        return [Reading(nothing, [tuple(pair) for pair in offsets], ids) for offsets, ids in rows]

    @torch.no_grad()
    def _read_batch(self, texts: list[str]) -> list[Reading]:
        cut = self.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=512,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        inputs = {key: cut[key].to(self._device) for key in ("input_ids", "attention_mask")}
        states = torch.stack(self.encoder(**inputs).hidden_states).float().cpu().numpy()
        readings = []
        for row, length in enumerate(cut["attention_mask"].sum(dim=1).tolist()):
            inner = slice(1, length - 1)
            offsets = [(int(start), int(end)) for start, end in cut["offset_mapping"][row][inner]]
            readings.append(Reading(states[:, row, inner], offsets, cut["input_ids"][row][inner].tolist()))
        return readings
