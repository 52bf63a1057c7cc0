"""Byte-pair encoders as tokenizer.json of the `tokenizers` library: either side reads the other's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.subword.splitting import Splitter

if TYPE_CHECKING:
    from course_utils.subword.bpe import BPE

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_PRE_TOKENIZERS: dict[Splitter, dict[str, Any] | None] = {
    Splitter.BYTE_LEVEL: _BYTE_LEVEL,
    Splitter.WHITESPACE: {"type": "WhitespaceSplit"},
    Splitter.PUNCTUATION: {"type": "BertPreTokenizer"},
    Splitter.NONE: None,
}
_FUSE = {"type": "Fuse"}
# What a file may say about the model beyond vocab, merges and unk_token: only that it does not use these.
_OFF = {
    "dropout": (None, 0),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "fuse_unk": (False,),
    "byte_fallback": (False,),
    "ignore_merges": (False,),
}


def write(bpe: BPE, path: Path) -> None:
    """Write `bpe` to `path` in the library's layout."""
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            _added_token(number, token)
            for token, number in sorted(bpe.special.ids.items(), key=lambda item: item[1])
        ],
        "normalizer": None,
        "pre_tokenizer": _PRE_TOKENIZERS[bpe.splitter],
        "post_processor": None,
        "decoder": _BYTE_LEVEL if bpe.splitter is Splitter.BYTE_LEVEL else _FUSE,
        "model": {
            "type": "BPE",
            "unk_token": bpe.unk_token,
            **{name: values[0] for name, values in _OFF.items()},
            "vocab": dict(sorted(bpe.vocab.items(), key=lambda item: item[1])),
            "merges": [list(merge) for merge in bpe.merges],
        },
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """The arguments of BPE's constructor from the file at `path`.

    Raises FileNotFoundError, or ValueError that names the part at fault and what was expected.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not JSON in UTF-8 ({error}); expected a tokenizer.json") from error
    model = _expect(content, "the file", dict).get("model")
    _expect(model, "model", dict)
    if model.get("type", "BPE") != "BPE":
        raise ValueError(f"model is a {model['type']!r}; expected 'BPE'")
    for name, allowed in _OFF.items():
        if model.get(name, allowed[0]) not in allowed:
            raise ValueError(
                f"model.{name} is {model[name]!r}, which is not supported; expected {allowed[0]!r}"
            )
    if content.get("normalizer") is not None:
        raise ValueError("normalizer is set, which is not supported; expected null")
    if (content.get("post_processor") or _BYTE_LEVEL)["type"] != "ByteLevel":
        raise ValueError("post_processor is set, which is not supported; expected null or ByteLevel")
    return {
        "vocab": _vocab(model.get("vocab")),
        "merges": _merges(model.get("merges")),
        "splitter": _splitter(content.get("pre_tokenizer")),
        "special_tokens": _special_tokens(content.get("added_tokens") or []),
        "unk_token": model.get("unk_token"),
    }


def _expect(value: Any, name: str, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{name} is {type(value).__name__}; expected {kind.__name__}")
    return value


def _vocab(vocab: Any) -> dict[str, int]:
    for token, number in _expect(vocab, "model.vocab", dict).items():
        if type(number) is not int or number < 0:
            raise ValueError(f"model.vocab has id {number!r} for {token!r}; expected an integer >= 0")
    return dict(vocab)


def _merges(merges: Any) -> list[tuple[str, str]]:
    """Merges as pairs; older files write a pair as one string with a space in it."""
    pairs = []
    for rank, merge in enumerate(_expect(merges, "model.merges", list)):
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) for part in pair):
            raise ValueError(f"model.merges[{rank}] is {merge!r}; expected a pair of tokens")
        pairs.append((pair[0], pair[1]))
    return pairs


def _splitter(found: Any) -> Splitter:
    for splitter, known in _PRE_TOKENIZERS.items():
        if found == known or (found and known and _same_words(found, known)):
            return splitter
    raise ValueError(
        f"pre_tokenizer {found!r} is not supported; expected one of {list(_PRE_TOKENIZERS.values())}"
    )


def _same_words(found: dict[str, Any], known: dict[str, Any]) -> bool:
    """Equal but for `trim_offsets`, which changes no word."""
    return {"use_regex": True, **found, "trim_offsets": True} == {
        "use_regex": True,
        "trim_offsets": True,
        **known,
    }


def _special_tokens(added: Any) -> dict[str, int]:
    for token in _expect(added, "added_tokens", list):
        if not isinstance(_expect(token, "an added token", dict).get("content"), str) or "id" not in token:
            raise ValueError(f"added token {token!r}: expected content and id")
        unsupported = [name for name in ("single_word", "lstrip", "rstrip") if token.get(name)]
        if unsupported:
            raise ValueError(
                f"added token {token.get('content')!r} has {unsupported} set, which is not supported"
            )
    if len({bool(token.get("normalized")) for token in added}) > 1:
        raise ValueError("some added tokens are normalized and some are not; expected all alike")
    return {token["content"]: token["id"] for token in added}


def _added_token(number: int, content: str) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": number, "content": content, **flags}
