"""WordPiece walker: watch the greedy longest match try piece after piece on a word the reader types."""

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.subword.splitting import WORD_OR_MARK
from course_utils.subword.wordpiece import MAX_WORD_LENGTH, WordPiece

LONGEST_TEXT = 240  # characters the reader may type; two words of BERT's longest length
UNKNOWN = "[UNK]"
LEDE = (
    "From each place in a word, take the longest piece that the vocabulary holds. "
    "It is greedy: no piece is ever given back."
)


def wordpiece_walker(
    wordpiece: WordPiece,
    text: str = "unaffable embeddings",
    *,
    title: str = "WordPiece, one attempt at a time",
) -> Explorable:
    """Buttons, a slider and the arrow keys step through every substring the match tries.

    wordpiece: the vocabulary and whether it is uncased. The whole vocabulary goes into the page, so
    that any word can be typed: the 30,522 entries of bert-base-uncased make it 290 KB, 120 KB when the
    web server compresses. Special tokens such as [MASK] are cut like any other text. Raises ValueError
    for ids with gaps, a token with a line break in it, or a text of more than 240 characters.

    >>> walker = wordpiece_walker(WordPiece(["[UNK]", "un", "##able"]), "unable")
    >>> walker.data["vocab"].split()
    ['[UNK]', 'un', '##able']
    """
    _check(wordpiece, text)
    data = {
        "vocab": "\n".join(wordpiece.ids[number] for number in range(len(wordpiece.ids))),
        "text": text,
        "lowercase": wordpiece.normalizer.lowercase,
        "unknown": UNKNOWN,
        "unknownId": wordpiece.vocab[UNKNOWN],
        "longest": MAX_WORD_LENGTH,
    }
    return Explorable(
        "wordpiece_walker", title, LEDE, data, _first_state(wordpiece, text), uses=("wordpiece.js",)
    )


def check_vocabulary(wordpiece: WordPiece) -> None:
    """Raise ValueError unless a page can number the tokens by their place, one on a line."""
    if sorted(wordpiece.ids) != list(range(len(wordpiece.ids))):
        raise ValueError(
            "the page numbers tokens by their place: the vocabulary's ids must be 0, 1, 2 and so on"
        )
    broken = next((token for token in wordpiece.vocab if "\n" in token), None)
    if broken is not None:
        raise ValueError(f"no token may hold a line break, got {broken!r}")


def _check(wordpiece: WordPiece, text: str) -> None:
    check_vocabulary(wordpiece)
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the walker takes at most {LONGEST_TEXT} characters of text, got {len(text)}")


def _first_state(wordpiece: WordPiece, text: str) -> Html:
    """The words of the text and, for readers who cannot step, all their pieces."""
    words = WORD_OR_MARK.findall(wordpiece.normalizer.normalize(text))
    chips = (tag("li", tag("span", word, class_="cw-chip")) for word in words)
    pieces = (tag("li", tag("span", piece, class_="cw-chip cw-made")) for piece in wordpiece.tokenize(text))
    return fill(
        asset("wordpiece_walker.html"),
        longest=LONGEST_TEXT,
        steps=asset("steps.html"),
        words=join(chips),
        pieces=join(pieces),
    )
