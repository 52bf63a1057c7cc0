"""Objective gallery: what each pretraining objective makes of the reader's own text, side by side."""

from collections.abc import Sequence

from course_utils.explorables.base import Explorable, asset, fill, join, tag
from course_utils.explorables.masking_sampler import LONGEST_TEXT, check_text
from course_utils.explorables.wordpiece_walker import UNKNOWN
from course_utils.subword.wordpiece import MAX_WORD_LENGTH, WordPiece

OBJECTIVES = (
    "Masked LM, whole-word masking, span masking, causal LM, prefix LM, replaced-token detection",
    "Span corruption, single tokens replaced, tokens dropped, BERT-style, deshuffling, a masked fragment, "
    "token masking, token deletion, text infilling, sentence permutation, document rotation",
    "Next-sentence prediction, sentence-order prediction",
)
FAMILIES = ("Predicted in place", "Written by a decoder", "About two sentences")
# Where next-sentence prediction takes a wrong continuation from.
OTHER = ("The river rose all night.", "By morning the bridge was gone.")
TEXT = "An unputdownable story, badly filmed. I would watch it twice."
LEDE = (
    "One text, nineteen ways to turn it into something to learn. Each card shows what the model reads and "
    "what it must say; the draws are the same each time you load the page."
)


def objective_gallery(
    wordpiece: WordPiece,
    text: str = TEXT,
    *,
    other: Sequence[str] = OTHER,
    share: float = 0.15,
    title: str = "Every objective on your own text",
) -> Explorable:
    """A text field, a slider for the corrupted share, and a card for each of nineteen objectives.

    wordpiece: the vocabulary, all of which goes into the page, so that any text can be typed. text: at most
    240 characters. other: the sentences of another document, for next-sentence prediction. share: corrupted
    tokens at first, 0.05 to 0.5. Raises ValueError for other shares, an empty `other`, a longer text, or a
    vocabulary that a page cannot hold (ids with gaps, a token with a line break).

    >>> objective_gallery(WordPiece(["[UNK]", "a"])).data["share"]
    0.15
    """
    check_text(text)
    if not other:
        raise ValueError("other is empty: next-sentence prediction needs a second document")
    if not 0.05 <= share <= 0.5:
        raise ValueError(f"share must lie in 0.05..0.5, got {share}")
    if sorted(wordpiece.ids) != list(range(len(wordpiece.ids))) or any("\n" in t for t in wordpiece.vocab):
        raise ValueError("the page needs ids 0, 1, 2 and so on, and tokens without line breaks")
    data = {
        "vocab": "\n".join(wordpiece.ids[number] for number in range(len(wordpiece.ids))),
        "lowercase": wordpiece.normalizer.lowercase,
        "unknown": UNKNOWN,
        "longest": MAX_WORD_LENGTH,
        "text": text,
        "other": list(other),
        "share": share,
    }
    cards = (
        tag("li", tag("p", family, class_="cw-name"), tag("p", names, class_="cw-teaches"), class_="cw-card")
        for family, names in zip(FAMILIES, OBJECTIVES, strict=True)
    )
    chips = (tag("li", tag("span", piece, class_="cw-chip")) for piece in wordpiece.tokenize(text))
    first = tag("li", tag("ul", *chips, class_="cw-chips"), class_="cw-card")
    body = fill(asset("objective_gallery.html"), longest=LONGEST_TEXT, cards=join([first, *cards]))
    return Explorable("objective_gallery", title, LEDE, data, body, uses=("wordpiece.js", "objectives.js"))
