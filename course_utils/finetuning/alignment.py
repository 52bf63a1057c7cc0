"""Labels of words on pieces of words, and back.

A tagger is asked once a word, but the encoder reads pieces. So each word's label goes to its first piece; the
other pieces and the special tokens get IGNORED, which the loss leaves out (Devlin et al. 2019, section 5.3).
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from tokenizers import Tokenizer

IGNORED = -100  # what torch's cross-entropy ignores
PieceScheme = Literal["first", "all"]
WordIds = Sequence[int | None]  # the word of each token, None for [CLS], [SEP] and padding


def split_words(tokenizer: Tokenizer, words: Sequence[str]) -> tuple[list[int], list[int | None]]:
    """Token ids of a sentence with [CLS] and [SEP], and the word that each token comes from.

    The words stay as they are given: "don't" may be cut into three pieces, but is one word. Raises ValueError
    for one text instead of words, which would be read letter by letter.
    """
    if isinstance(words, str):
        raise ValueError(f"expected a list of words, got one text: {words!r}")
    encoded = tokenizer.encode(list(words), is_pretokenized=True)
    return encoded.ids, encoded.word_ids


def first_pieces(word_ids: WordIds) -> dict[int, int]:
    """Word -> the position of its first piece, for the words that have one.

    >>> first_pieces([None, 0, 0, 1, None])
    {0: 1, 1: 3}
    """
    places: dict[int, int] = {}
    for position, word in enumerate(word_ids):
        if word is not None:
            places.setdefault(word, position)
    return places


def missing_words(word_ids: WordIds, count: int) -> list[int]:
    """Which of `count` words have no piece: cut off, or of characters that the tokenizer removes.

    They are no tokens, so that no loss and no prediction knows of them: count them, or a score over the
    words that are left flatters the model.

    >>> missing_words([None, 0, 0, 1, None], 4)
    [2, 3]
    """
    present = set(word_ids)
    return [word for word in range(count) if word not in present]


def align_tags(word_ids: WordIds, tags: Sequence[str], scheme: PieceScheme = "first") -> list[str | None]:
    """The tag of each token; None where the loss must not look.

    scheme "first": the word's tag on its first piece only. "all": on every piece, where B- goes on as I-, or
    one name would become as many as it has pieces. Raises ValueError for a word without a tag.

    >>> align_tags([None, 0, 0, 1, None], ["B-LOC", "O"])
    [None, 'B-LOC', None, 'O', None]
    >>> align_tags([None, 0, 0, 1, None], ["B-LOC", "O"], "all")
    [None, 'B-LOC', 'I-LOC', 'O', None]
    """
    if scheme not in ("first", "all"):
        raise ValueError(f"scheme must be 'first' or 'all', got {scheme!r}")
    last = max((word for word in word_ids if word is not None), default=-1)
    if last >= len(tags):
        raise ValueError(f"word {last} has no tag: there are {len(tags)} tags")
    starts = set(first_pieces(word_ids).values())
    return [
        None if word is None else tags[word] if at in starts else _continued(tags[word], scheme)
        for at, word in enumerate(word_ids)
    ]


def _continued(tag: str, scheme: PieceScheme) -> str | None:
    if scheme == "first":
        return None
    return "I-" + tag[2:] if tag.startswith("B-") else tag


def label_ids(tags: Sequence[str | None], ids: Mapping[str, int]) -> list[int]:
    """Tags as numbers, None as IGNORED; raises ValueError for a tag that has no number.

    >>> label_ids([None, "B-LOC", "O"], {"O": 0, "B-LOC": 1})
    [-100, 1, 0]
    """
    unknown = sorted({tag for tag in tags if tag is not None} - set(ids))
    if unknown:
        raise ValueError(f"no number for the tags {unknown}, only for {sorted(ids)}")
    return [IGNORED if tag is None else ids[tag] for tag in tags]


def tags_of_words(word_ids: WordIds, predicted: Sequence[str], count: int, missing: str = "O") -> list[str]:
    """What is predicted for each of `count` words: the tag of its first piece.

    predicted: the tag of each token, special ones too. missing: the tag of words without a piece.
    Raises ValueError unless there is a tag for each token.

    >>> tags_of_words([None, 0, 0, 1, None], ["O", "B-LOC", "O", "O", "O"], 3)
    ['B-LOC', 'O', 'O']
    """
    if len(word_ids) != len(predicted):
        raise ValueError(f"{len(word_ids)} tokens need as many predictions, got {len(predicted)}")
    places = first_pieces(word_ids)
    return [predicted[places[word]] if word in places else missing for word in range(count)]


def tag_set(sentences: Sequence[Sequence[str]]) -> dict[str, int]:
    """A number for each tag of the training sentences, "O" first, then in order of the alphabet.

    >>> tag_set([["B-PER", "O"], ["B-LOC"]])
    {'O': 0, 'B-LOC': 1, 'B-PER': 2}
    """
    tags = sorted({tag for tags in sentences for tag in tags} - {"O"})
    return {tag: number for number, tag in enumerate(["O", *tags])}
