"""WordPiece walker: watch the greedy longest match try piece after piece on a word the reader types."""

from collections.abc import Mapping, Sequence

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

LONGEST_TEXT = 240  # characters the reader may type; two words of BERT's longest length
LEDE = (
    "From each place in a word, take the longest piece that the vocabulary holds. "
    "It is greedy: no piece is ever given back."
)


def wordpiece_walker(
    vocab: Sequence[str] | Mapping[str, int],
    text: str = "unaffable embeddings",
    *,
    lowercase: bool = True,
    unk_token: str = "[UNK]",
    max_characters: int = 100,
    title: str = "WordPiece, one attempt at a time",
) -> Explorable:
    """Buttons, a slider and the arrow keys step through every substring the match tries.

    vocab: the tokens in the order of their ids, or tokens with ids 0, 1, 2 and so on. The whole
    vocabulary goes into the page: the 30,522 entries of bert-base-uncased make 280 KB. lowercase: lower
    case and no accents, as the uncased models want. max_characters: a longer word becomes unk_token.
    Raises ValueError for ids with gaps, a token with a line break in it, a vocabulary without
    unk_token, or a text of more than 240 characters.

    >>> wordpiece_walker(["[UNK]", "un", "##able"], "unable").data["vocab"]
    '[UNK]\\nun\\n##able'
    """
    tokens = _in_order(vocab) if isinstance(vocab, Mapping) else list(vocab)
    _check(tokens, unk_token, text)
    data = {
        "vocab": "\n".join(tokens),
        "text": text,
        "lowercase": lowercase,
        "unknown": unk_token,
        "unknownId": tokens.index(unk_token),
        "longest": max_characters,
    }
    return Explorable("wordpiece_walker", title, LEDE, data, _first_state(text), uses=("wordpiece.js",))


def _in_order(vocab: Mapping[str, int]) -> list[str]:
    """The tokens by id; the page numbers them by their place, so no id may be missing."""
    if sorted(vocab.values()) != list(range(len(vocab))):
        raise ValueError(f"the ids of vocab must be 0 to {len(vocab) - 1} without gaps or repeats")
    return sorted(vocab, key=vocab.__getitem__)


def _check(tokens: Sequence[str], unk_token: str, text: str) -> None:
    if unk_token not in tokens:
        raise ValueError(f"vocab must hold unk_token {unk_token!r}: pass the one that it does hold")
    broken = next((token for token in tokens if "\n" in token), None)
    if broken is not None:
        raise ValueError(f"no token may hold a line break, got {broken!r}")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the walker takes at most {LONGEST_TEXT} characters of text, got {len(text)}")


def _first_state(text: str) -> Html:
    """The words of the text before any attempt."""
    words = join(tag("li", tag("span", word, class_="cw-chip")) for word in text.split())
    none = tag("li", "none yet", class_="cw-note")
    longest, steps = LONGEST_TEXT, asset("steps.html")
    return fill(asset("wordpiece_walker.html"), longest=longest, steps=steps, words=words, pieces=none)
