"""Cut a text into words before subwords are sought: no merge ever crosses a border made here."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum
from itertools import chain

import regex

from course_utils.subword.bert_characters import NOT_LETTERS, PUNCTUATION, WHITESPACE, character_class
from course_utils.subword.byte_level import to_byte_characters
from course_utils.subword.checks import check_text


class Splitter(StrEnum):
    """How a text is cut into words; each equals a pre-tokenizer of the `tokenizers` library."""

    BYTE_LEVEL = "byte_level"  # ByteLevel(add_prefix_space=False): GPT-2's words, in its byte alphabet
    WHITESPACE = "whitespace"  # WhitespaceSplit: at white space alone
    PUNCTUATION = "punctuation"  # BertPreTokenizer: at white space, and each punctuation mark by itself
    NONE = "none"  # no pre-tokenizer: the whole text is one word


# GPT-2's pattern, three times: fast for ASCII; usual; exact, where characters that became letters or numbers
# after the library's Unicode tables were made are neither. Each is used where it finds the same words.
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?{letter}+| ?{number}+| ?{other}+|\s+(?!\S)|\s+"
_YOUNG = character_class(NOT_LETTERS)
_HAS_YOUNG = re.compile(f"[{_YOUNG}]")
_GPT2_ASCII = re.compile(_GPT2.format(letter="[A-Za-z]", number="[0-9]", other=r"[^\sA-Za-z0-9]"), re.ASCII)
_GPT2_USUAL = regex.compile(_GPT2.format(letter=r"\p{L}", number=r"\p{N}", other=r"[^\s\p{L}\p{N}]"))
_GPT2_EXACT = regex.compile(
    _GPT2.format(
        letter=rf"[\p{{L}}--[{_YOUNG}]]",
        number=rf"[\p{{N}}--[{_YOUNG}]]",
        other=rf"[[^\s\p{{L}}\p{{N}}]{_YOUNG}]",
    ),
    regex.V1,
)


def _gpt2_words(text: str) -> list[str]:
    if text.isascii():
        return _GPT2_ASCII.findall(text)
    return (_GPT2_EXACT if _HAS_YOUNG.search(text) else _GPT2_USUAL).findall(text)


_SPACE, _MARK = character_class(WHITESPACE), character_class(PUNCTUATION)
# A punctuation mark, or the longest run of other characters that are not white space.
WORD_OR_MARK = re.compile(f"[{_MARK}]|[^{_SPACE}{_MARK}]+")
_FIND: dict[Splitter, Callable[[str], list[str]]] = {
    Splitter.BYTE_LEVEL: _gpt2_words,
    Splitter.WHITESPACE: re.compile(f"[^{_SPACE}]+").findall,
    Splitter.PUNCTUATION: WORD_OR_MARK.findall,
    Splitter.NONE: lambda text: [text] if text else [],
}


def split_words(text: str, splitter: Splitter | str) -> list[str]:
    """The words of `text`, in order; byte-level words are in the byte alphabet.

    Raises ValueError on a lone surrogate or an unknown splitter.

    >>> split_words("It's 42, all in all.", "byte_level")
    ['It', "'s", 'Ġ42', ',', 'Ġall', 'Ġin', 'Ġall', '.']
    >>> split_words("It's 42, all in all.", "whitespace")
    ["It's", '42,', 'all', 'in', 'all.']
    """
    check_text(text)
    words = _FIND[Splitter(splitter)](text)
    return [to_byte_characters(word) for word in words] if splitter == Splitter.BYTE_LEVEL else words


def count_words(texts: Iterable[str], splitter: Splitter | str) -> Counter[str]:
    """How often each word occurs in `texts`, in order of first occurrence: what a trainer needs to know.

    >>> count_words(["low lower", "low"], "whitespace")
    Counter({'low': 2, 'lower': 1})
    """
    if isinstance(texts, str):
        raise TypeError("expected an iterable of texts, got one str; pass [text]")
    counts = Counter(chain.from_iterable(map(_FIND[Splitter(splitter)], texts)))
    if splitter != Splitter.BYTE_LEVEL:
        for word in counts:
            check_text(word)
        return counts
    return Counter({to_byte_characters(word): count for word, count in counts.items()})
