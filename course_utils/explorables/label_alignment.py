"""Label alignment: tag words, see which piece of each word gets the label, and what the loss counts."""

from collections.abc import Sequence

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.explorables.wordpiece_walker import UNKNOWN, check_vocabulary
from course_utils.metrics import entities, split_tag
from course_utils.subword.wordpiece import MAX_WORD_LENGTH, WordPiece

LONGEST_TEXT = 160  # characters the reader may type
SCHEMES = {
    "first": "first piece only",
    "all": "all pieces, B- goes on as I-",
    "copied": "wrong: the same tag on every piece",
    "in order": "wrong: the tags in order, whatever the tokens",
}
IGNORED = "-100"
Tagged = tuple[Sequence[str], Sequence[str]]
LEDE = (
    "A tagger labels words, the encoder reads pieces. Choose where a word's label goes; the loss leaves out "
    "what has -100."
)


def label_alignment(
    wordpiece: WordPiece,
    sentences: Sequence[Tagged],
    tags: Sequence[str] = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"),
    *,
    title: str = "Which piece gets the label?",
) -> Explorable:
    """Words with a tag each, their pieces with labels under four schemes, and what the loss counts.

    wordpiece: the whole vocabulary goes into the page, so that any words can be typed. sentences: (words,
    tags) to begin with, at least one; the first is shown. tags: what the reader can choose from.
    Raises ValueError for words without a tag, a tag outside of `tags`, white space in a word, or more than
    160 characters.
    """
    check_vocabulary(wordpiece)
    for words, own in sentences:
        _check(words, own, tags)
    if not sentences:
        raise ValueError("give at least one sentence: words, and a tag for each")
    data = {
        "vocab": "\n".join(wordpiece.ids[number] for number in range(len(wordpiece.ids))),
        "lowercase": wordpiece.normalizer.lowercase,
        "unknown": UNKNOWN,
        "longest": MAX_WORD_LENGTH,
        "sentences": [[list(words), list(own)] for words, own in sentences],
        "tags": list(tags),
        "schemes": list(SCHEMES.items()),
    }
    body = _first_state(wordpiece, *sentences[0])
    return Explorable("label_alignment", title, LEDE, data, body, uses=("wordpiece.js", "tags.js"))


def piece_labels(counts: Sequence[int], tags: Sequence[str], scheme: str) -> list[str | None]:
    """The label of each token of [CLS] pieces [SEP]; None: the loss leaves it out.

    counts: the number of pieces of each word; tags: of each word. KeyError for an unknown scheme.

    >>> piece_labels([2, 1], ["B-LOC", "O"], "first")
    [None, 'B-LOC', None, 'O', None]
    >>> piece_labels([2, 1], ["B-LOC", "O"], "in order")
    ['B-LOC', 'O', None, None, None]
    """
    if scheme == "in order":
        length = sum(counts) + 2
        return [*tags, *[None] * length][:length]
    follow = {"first": lambda tag: None, "all": _inside, "copied": lambda tag: tag}[scheme]
    inner: list[str | None] = []
    for count, own in zip(counts, tags, strict=True):
        inner += [own, *[follow(own)] * (count - 1)][:count]
    return [None, *inner, None]


def _inside(tag: str) -> str:
    return "I-" + tag[2:] if tag.startswith("B-") else tag


def count_labels(counts: Sequence[int], tags: Sequence[str], scheme: str) -> dict[str, int]:
    """What the scheme comes to: tokens, how many the loss counts, words whose first piece has another label
    or none, and entities that the labels name, read in a row without those that are left out."""
    labels = piece_labels(counts, tags, scheme)
    starts = [1 + sum(counts[:word]) for word in range(len(counts))]
    wrong = [n == 0 or labels[at] != own for n, at, own in zip(counts, starts, tags, strict=True)]
    return {
        "tokens": len(labels),
        "counted": sum(label is not None for label in labels),
        "wrong": sum(wrong),
        "entities": len(entities([label for label in labels if label is not None])),
    }


def _check(words: Sequence[str], own: Sequence[str], tags: Sequence[str]) -> None:
    if len(words) != len(own) or not words:
        raise ValueError(f"every word needs one tag, got {len(words)} words and {len(own)} tags")
    for each in (*own, *tags):
        split_tag(each)
    outside = sorted(set(own) - set(tags))
    if outside:
        raise ValueError(f"the tags {outside} are not among those to choose from, {list(tags)}")
    if any(len(word.split()) != 1 or word.split()[0] != word for word in words):
        raise ValueError(f"a word has no white space in it and is not empty, got {list(words)}")
    if len(" ".join(words)) > LONGEST_TEXT:
        raise ValueError(f"a sentence has at most {LONGEST_TEXT} characters, got {len(' '.join(words))}")


def _first_state(wordpiece: WordPiece, words: Sequence[str], tags: Sequence[str]) -> Html:
    pieces = [wordpiece.tokenize(word) for word in words]
    labels = piece_labels([len(parts) for parts in pieces], tags, "first")
    tokens = ["[CLS]", *(piece for parts in pieces for piece in parts), "[SEP]"]
    counts = count_labels([len(parts) for parts in pieces], tags, "first")
    return fill(
        asset("label_alignment.html"),
        longest=LONGEST_TEXT,
        words=join(
            tag("li", tag("span", word, class_="cw-word"), tag("small", own))
            for word, own in zip(words, tags, strict=True)
        ),
        pieces=join(
            tag("li", tag("span", token, class_="cw-chip"), tag("small", label or IGNORED))
            for token, label in zip(tokens, labels, strict=True)
        ),
        true=len(entities(tags)),
        **counts,
    )
