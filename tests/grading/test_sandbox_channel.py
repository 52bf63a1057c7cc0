"""What comes out of a kernel is untrusted: every malformed message has a named end."""

import json
import os
import socket
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.grading.inside import frames
from course_utils.grading.sandbox.channel import Channel, Ended, checked
from course_utils.grading.sandbox.reference import published

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)
FIELDS = ("data", "metadata", "execution_count", "ename", "evalue", "traceback", "name", "text", "type")
CONTENTS = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, ANYTHING)) | ANYTHING
KINDS = st.sampled_from(["execute_result", "display_data", "error", "stream", "status", "clear_output"])


def reply(channel: Channel, data: bytes, output: bytes = b"") -> Any:
    """What the grader makes of these bytes as the answer to a cell; {token} becomes the right one."""
    with socket.socket(fileno=channel.theirs[0]) as inner:
        os.write(channel.theirs[1], output)

        def answer() -> str:
            request = frames.read(inner)
            inner.sendall(data.replace(b"TOKEN-----------", request["token"].encode()))
            return ""

        done = channel.execute("1", 5, answer)
        close(channel)
        return done


def close(channel: Channel) -> None:
    """Close both sides; the socket's other end is closed already."""
    for descriptor in channel.theirs[1:]:
        os.close(descriptor)
    channel.close()


def framed(outputs: object, token: str = "TOKEN-----------") -> bytes:
    return frames.pack({"token": token, "outputs": outputs})


def test_a_good_reply_is_taken_with_what_was_printed() -> None:
    value = {"type": "execute_result", "data": {"text/plain": "'x'"}}
    done = reply(Channel(64), framed([value]), b"printed\xff")
    assert done.ended == ""
    assert done.outputs[0] == {"output_type": "stream", "name": "stdout", "text": "printed\ufffd"}
    assert done.outputs[1]["data"] == {"text/plain": "'x'"}


@pytest.mark.parametrize(
    "data",
    [
        framed([], token="another token --"),
        framed([]) + framed([]),
        framed("no list"),
        framed([{"type": "execute_result", "data": "no mapping"}]),
        framed([{"type": "status", "data": {}}]),
        framed([{"type": "error", "ename": 1, "evalue": "", "traceback": []}]),
        frames.pack([]),
        frames.pack(None),
        struct.pack("!I", 3) + b"{{{",
        struct.pack("!I", 2) + b"\xff\xfe",
        struct.pack("!I", 100_000) + b"[" * 100_000,
        struct.pack("!I", 5000) + b"1" * 5000,
    ],
)
def test_anything_else_is_a_forged_result(data: bytes) -> None:
    assert reply(Channel(64), data).ended == "forged result"


def test_floods_end_as_output() -> None:
    assert reply(Channel(1), framed([]), b"x" * 5000).ended == "output"
    assert reply(Channel(1), struct.pack("!I", 1 << 31)).ended == "output"
    assert reply(Channel(64), framed([{"type": "display_data", "data": {}}] * 1000)).ended == "output"


def test_an_end_without_a_reply_and_a_reason_to_end() -> None:
    channel = Channel(64)
    for descriptor in channel.theirs:
        os.close(descriptor)
    assert channel.execute("1", 5, lambda: "").ended == "kernel died"
    assert Channel(64).execute("1", 5, lambda: "memory").ended == "memory"
    assert Channel(64).execute("1", 0.01, lambda: "").ended == "time"


def test_half_a_character_is_replaced() -> None:
    output = json.loads('{"type": "display_data", "data": {"text/plain": "\\ud800"}}')
    assert checked(output)["data"] == {"text/plain": "?"}
    with pytest.raises(Ended, match="forged result"):
        checked(["no", "mapping"])


@settings(max_examples=300)
@given(
    st.dictionaries(st.text(), ANYTHING) | ANYTHING,
    KINDS | ANYTHING,
    CONTENTS,
    st.sets(st.sampled_from(["parent_header", "msg_type", "content"])),
)
def test_whatever_jupyters_kernel_publishes_is_read_or_forged(
    parent: Any, kind: Any, content: Any, missing: set[str]
) -> None:
    message = {"parent_header": parent, "msg_type": kind, "content": content}
    try:
        found = published({key: value for key, value in message.items() if key not in missing})
    except Ended as end:
        found, reason = None, str(end)
    if found is None:
        assert reason == "forged result"
        return
    assert found.kind == kind
    assert not missing
    for output in found.outputs:
        json.dumps(output, ensure_ascii=False).encode("utf-8")
        assert output["output_type"] == kind
        assert all(isinstance(value, str) for value in output.get("data", {}).values())


def test_a_kernel_that_speaks_before_it_is_listened_to_is_known_by_its_number() -> None:
    """Else its number would read 0, and 0 in a control group's list means whoever writes it."""
    channel = Channel(output_kib=1)
    with socket.socket(fileno=channel.theirs[0]) as theirs:
        theirs.sendall(frames.pack("ready"))
        assert channel.started(1) == os.getpid()
    close(channel)


def test_a_kernel_that_ends_before_its_first_word_has_no_number() -> None:
    channel = Channel(output_kib=1)
    os.close(channel.theirs[0])
    assert channel.started(1) is None
    close(channel)
