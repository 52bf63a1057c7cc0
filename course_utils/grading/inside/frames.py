"""Messages over a stream socket: four bytes of length, then that many bytes of JSON.

What comes out of the sandbox is read by `Frames`, which trusts nothing: neither the length nor the JSON.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("!I")


class BadFrame(ValueError):  # noqa: N818 - it says what it is
    """What came is not a frame, or a longer one than is accepted."""


class TooLong(BadFrame):
    """The frame is longer than is accepted."""


def pack(message: object) -> bytes:
    """A message as a frame.

    >>> pack({"cell": 1})
    b'\\x00\\x00\\x00\\x0b{"cell": 1}'
    """
    body = json.dumps(message, default=repr).encode("ascii")
    return _LENGTH.pack(len(body)) + body


def read(channel: socket.socket) -> Any:
    """The next message of a trusted sender; None at the end. For a blocking socket."""
    head = _exactly(channel, _LENGTH.size)
    return json.loads(_exactly(channel, *_LENGTH.unpack(head))) if head else None


def _exactly(channel: socket.socket, count: int) -> bytes:
    """So many bytes, or b"" where the stream ended before them."""
    found = bytearray()
    while len(found) < count:
        piece = channel.recv(min(count - len(found), 1 << 20))
        if not piece:
            return b""
        found += piece
    return bytes(found)


class Frames:
    """Takes frames out of bytes as they come, from a sender that may send anything.

    most: bytes of the longest frame that is accepted.

    >>> frames = Frames(most=100)
    >>> frames.feed(pack("one") + pack("two")[:-1])
    ['one']
    >>> frames.feed(b'"')
    ['two']
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """The messages that are complete now. Raises BadFrame if the bytes are no frames."""
        self._buffer += data
        found = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > self.most:
                raise TooLong(f"a frame of {length} bytes; at most {self.most} are read")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            found.append(_parse(bytes(self._buffer[_LENGTH.size : end])))
            del self._buffer[:end]
        return found


def _parse(body: bytes) -> Any:
    """JSON that may be anything: broken, too deep, with numbers of too many digits."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"not JSON: {error}") from None
