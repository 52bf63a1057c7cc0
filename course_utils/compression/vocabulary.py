"""Vocabulary trimming: the rows of the token table that a kind of text uses, and a tokenizer of those pieces.

Kept are the special tokens, the pieces of the given texts, and single characters, so that WordPiece can still
spell a word whose own piece is gone. WordPiece takes the longest piece that fits: where all pieces of a text
are kept, no longer one has appeared, so the text is cut as before and the model's answer is exactly the same.
Other texts are cut into smaller pieces that the model knows too; `changed` tells which.
"""

import json
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from tokenizers import Tokenizer

from course_utils.compression.rebuilding import rebuilt
from course_utils.models.heads import EncoderWithHead

Characters = Literal["all", "used"]
_PREFIX = "##"


def piece_counts(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    """How often the texts use each piece, by id; special tokens that are added around a text do not count."""
    whole = _uncut(tokenizer)
    counts: Counter[int] = Counter()
    for encoded in whole.encode_batch(list(texts), add_special_tokens=False):
        counts.update(encoded.ids)
    return counts


def kept_pieces(
    tokenizer: Tokenizer,
    counts: Mapping[int, int],
    *,
    min_count: int = 1,
    characters: Characters = "all",
) -> list[int]:
    """The ids to keep, ascending, so that [PAD] keeps its place if it was the first.

    counts: how often each piece is used; those used at least `min_count` times stay.
    characters: "all" keeps every single character of the vocabulary: no word becomes [UNK] that was none
    before. "used" keeps ASCII's and those in the kept pieces: smaller, but a word in another script is [UNK].
    Raises ValueError for another kind of tokenizer than WordPiece, a min_count below 1, no counts.
    """
    if min_count < 1 or characters not in ("all", "used"):
        raise ValueError(f"need min_count >= 1, characters 'all' or 'used', got {min_count}, {characters!r}")
    if not counts:
        raise ValueError("the texts use no piece at all; give the texts whose pieces are to be kept")
    vocab = _wordpiece(json.loads(tokenizer.to_str()))
    kept = {number for number, count in counts.items() if count >= min_count}
    kept |= {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    kept.add(vocab[_model(tokenizer)["unk_token"]])
    known = set(string.printable)
    known |= {c for piece, number in vocab.items() if number in kept for c in piece.removeprefix(_PREFIX)}
    for piece, number in vocab.items():
        letter = piece.removeprefix(_PREFIX) if len(piece) > 1 else piece
        if len(letter) == 1 and (characters == "all" or letter in known):
            kept.add(number)
    return sorted(kept)


def trim_tokenizer(tokenizer: Tokenizer, kept: Sequence[int]) -> Tokenizer:
    """The tokenizer of the kept pieces; the piece `kept[i]` has the id i. Truncation and padding stay.

    Raises ValueError where an id is unknown or twice, or a special token is left out.
    """
    made = json.loads(tokenizer.to_str())
    vocab = _wordpiece(made)
    pieces = {number: piece for piece, number in vocab.items()}
    new = {old: i for i, old in enumerate(kept)}
    if len(new) != len(kept) or not new.keys() <= pieces.keys():
        raise ValueError("the ids to keep must be different ones of the tokenizer's vocabulary")
    needed = [token["id"] for token in made["added_tokens"]] + [vocab[made["model"]["unk_token"]]]
    missing = [pieces.get(number, number) for number in needed if number not in new]
    if missing:
        raise ValueError(f"the special tokens must be kept, missing: {missing}")
    made["model"]["vocab"] = {pieces[old]: i for old, i in new.items()}
    for token in made["added_tokens"]:
        token["id"] = new[token["id"]]
    if made["padding"]:
        made["padding"]["pad_id"] = new[made["padding"]["pad_id"]]
    _renumber_template(made["post_processor"], new)
    return Tokenizer.from_str(json.dumps(made, ensure_ascii=False))


def trim_table(model: EncoderWithHead, kept: Sequence[int]) -> EncoderWithHead:
    """A new model with the token rows of these ids only, in this order.

    Raises ValueError for an id outside the table, and where the padding row would go or change its place.
    """
    config = model.encoder.config
    if not kept or not all(0 <= number < config.vocab_size for number in kept):
        raise ValueError(f"the ids to keep must lie in 0 to {config.vocab_size - 1}, and there must be one")
    pad = config.pad_token_id
    if pad is not None and (pad >= len(kept) or kept[pad] != pad):
        raise ValueError(f"the padding row, {pad}, must be kept in its place: batches are padded with it")
    name = "embeddings.token.narrow.weight" if config.token_rank else "embeddings.token.weight"
    state = dict(model.encoder.state_dict())
    state[name] = state[name][torch.tensor(list(kept))]
    return rebuilt(model, replace(config, vocab_size=len(kept)), state)


def changed(before: Tokenizer, after: Tokenizer, texts: Sequence[str]) -> list[bool]:
    """For each text whether the two tokenizers cut it into different pieces."""
    first, second = (_uncut(t).encode_batch(list(texts), add_special_tokens=False) for t in (before, after))
    return [a.tokens != b.tokens for a, b in zip(first, second, strict=True)]


def _uncut(tokenizer: Tokenizer) -> Tokenizer:
    """A copy without truncation and padding."""
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def _model(tokenizer: Tokenizer) -> dict[str, Any]:
    return json.loads(tokenizer.to_str())["model"]


def _wordpiece(made: Mapping[str, Any]) -> dict[str, int]:
    """Piece -> id. Raises ValueError for another kind of tokenizer."""
    model = made["model"]
    if model["type"] != "WordPiece" or model["continuing_subword_prefix"] != _PREFIX:
        raise ValueError(
            f"only a WordPiece vocabulary with {_PREFIX} can be trimmed here, got {model['type']}: a piece "
            "of BPE cannot go without the merges that lead to it"
        )
    return model["vocab"]


def _renumber_template(processor: dict[str, Any] | None, new: Mapping[int, int]) -> None:
    """New ids for the special tokens that are put around a text, in place."""
    if processor is None:
        return
    if processor["type"] == "BertProcessing":
        for name in ("sep", "cls"):
            token, number = processor[name]
            processor[name] = [token, new[number]]
    elif processor["type"] == "TemplateProcessing":
        for token in processor["special_tokens"].values():
            token["ids"] = [new[number] for number in token["ids"]]
    else:
        raise ValueError(f"the post-processor {processor['type']!r} is not one of BERT's")
