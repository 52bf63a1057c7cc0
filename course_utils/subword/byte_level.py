"""GPT-2's byte alphabet: any text as a string of 256 printable characters (Radford et al. 2019).

A byte-level tokenizer starts from bytes, so no text is ever unknown to it. Its files, though, hold strings;
so each byte is written as one printable character: itself where it has a visible one in Latin-1, and the
characters from U+0100 on for the rest, in order. A space becomes "Ġ" (U+0120), a line feed "Ċ" (U+010A).
"""

from course_utils.subword.checks import check_text


def byte_alphabet() -> dict[int, str]:
    """The character that stands for each byte 0..255.

    >>> alphabet = byte_alphabet()
    >>> alphabet[ord("a")], alphabet[ord(" ")], len(set(alphabet.values()))
    ('a', 'Ġ', 256)
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + n) for n, byte in enumerate(hidden)}


# Latin-1 decodes byte b to chr(b), so one translate turns all bytes of a text into their characters.
_CHARACTER = byte_alphabet()
_BYTE = {ord(character): byte for byte, character in _CHARACTER.items()}


def to_byte_characters(text: str) -> str:
    """`text` as UTF-8, one character a byte. Raises ValueError on a lone surrogate, which UTF-8 cannot hold.

    >>> to_byte_characters(" café")
    'ĠcafÃ©'
    """
    check_text(text)
    return text.encode("utf-8").decode("latin-1").translate(_CHARACTER)


def to_bytes(characters: str) -> bytes:
    r"""The bytes that a string in the byte alphabet stands for; raises ValueError on any other character.

    >>> to_bytes("Ġcaf"), to_bytes("Ã")
    (b' caf', b'\xc3')
    """
    foreign = [character for character in characters if ord(character) not in _BYTE]
    if foreign:
        raise ValueError(
            f"{foreign[:5]} are not in the byte alphabet; expected what to_byte_characters returns"
        )
    return bytes(_BYTE[ord(character)] for character in characters)
