"""The filter, interpreted: what the kernel would answer for each call on each machine."""

import errno
import os
import platform
import re
import struct
from pathlib import Path

import pytest

from course_utils.grading.inside import seccomp
from course_utils.grading.inside.seccomp import ALLOW, DENIED, ERRNO, KILL_PROCESS, MACHINES, program

HEADERS = {
    "x86_64": [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")],
    "aarch64": [Path("/usr/include/asm-generic/unistd.h")],
}
DENY = ERRNO | errno.EPERM
each_machine = pytest.mark.parametrize("machine", list(MACHINES))


def verdict(
    machine: str, number: int, *arguments: int, arch: int | None = None, loopback: bool = False
) -> int:
    """What the program returns for a call: an interpreter of the five operations that it uses."""
    given = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, MACHINES[machine][1] if arch is None else arch, 0, *given)
    steps, position, value = program(machine, loopback), 0, 0
    while True:
        code, if_true, if_false, operand = steps[position]
        position += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            position += if_true if holds else if_false


def call(machine: str, numbers: tuple[int | None, int | None]) -> int:
    """The number of a call that both machines have."""
    number = numbers[MACHINES[machine][0]]
    assert number is not None
    return number


@each_machine
def test_every_listed_call_is_refused(machine: str) -> None:
    column = MACHINES[machine][0]
    for name, numbers in DENIED.items():
        if numbers[column] is not None:
            assert verdict(machine, numbers[column]) == DENY, name


@each_machine
def test_ordinary_calls_pass(machine: str) -> None:
    ordinary = {"x86_64": [0, 1, 2, 9, 11, 13, 39, 59, 202, 257], "aarch64": [56, 63, 64, 98, 172, 221, 222]}
    assert {verdict(machine, number) for number in ordinary[machine]} == {ALLOW}


@each_machine
def test_clone_makes_threads_and_children_but_no_namespaces(machine: str) -> None:
    clone = call(machine, seccomp.CLONE)
    assert verdict(machine, clone, 0x003D0F00) == ALLOW  # pthread_create
    assert verdict(machine, clone, 0x01200011) == ALLOW  # fork
    for flag in (0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x00020000):
        assert verdict(machine, clone, flag | 0x11) == DENY, hex(flag)
    assert verdict(machine, call(machine, seccomp.CLONE3)) == ERRNO | errno.ENOSYS


@each_machine
@pytest.mark.parametrize(
    ("family", "protocol", "passes"),
    [
        (1, 0, "always"),
        (2, 0, "loopback"),
        (10, 6, "loopback"),
        (16, 0, "loopback"),
        (16, 9, "never"),
        (17, 0, "never"),
        (38, 0, "never"),
        (40, 0, "never"),
    ],
)
def test_socket_families(machine: str, family: int, protocol: int, passes: str) -> None:
    """Kernels that share a loopback have none: a port that one has used stays taken for a minute."""
    for loopback in (False, True):
        found = verdict(machine, call(machine, seccomp.SOCKET), family, 1, protocol, loopback=loopback)
        allowed = passes == "always" or (loopback and passes == "loopback")
        assert found == (ALLOW if allowed else ERRNO | errno.EAFNOSUPPORT)


@each_machine
def test_what_all_sandboxes_share_is_neither_locked_nor_moved_out_of_memory(machine: str) -> None:
    ignored = ERRNO | 0
    for numbers in seccomp.IGNORED.values():
        assert verdict(machine, call(machine, numbers)) == ignored
    fcntl, madvise, read = (call(machine, c) for c in (seccomp.FCNTL, seccomp.MADVISE, seccomp.PREADV2))
    assert [verdict(machine, fcntl, 3, command) for command in (1, 2, 3, 4, 1030)] == [ALLOW] * 5
    assert [verdict(machine, fcntl, 3, command) for command in (5, 6, 7, 37, 1024)] == [ignored] * 5
    assert [verdict(machine, madvise, 0, 4096, advice) for advice in (4, 8, 20, 21)] == [ALLOW] * 2 + [
        DENY
    ] * 2
    assert verdict(machine, read, 3, 0, 1, 0, 0, 0) == ALLOW
    assert verdict(machine, read, 3, 0, 1, 0, 0, 9) == ERRNO | errno.EOPNOTSUPP


@each_machine
def test_nothing_is_typed_into_terminals(machine: str) -> None:
    ioctl = call(machine, seccomp.IOCTL)
    assert verdict(machine, ioctl, 0, 0x5401) == ALLOW
    assert verdict(machine, ioctl, 0, 0x5412) == DENY
    assert verdict(machine, ioctl, 0, 0x5412 | 1 << 40) == DENY  # the kernel reads 32 bits


def test_other_tables_of_calls_are_closed() -> None:
    assert verdict("x86_64", 0, arch=0x40000003) == KILL_PROCESS  # 32 bit calls have other numbers
    assert verdict("x86_64", seccomp.X32_BIT | 56) == ERRNO | errno.ENOSYS
    assert verdict("aarch64", 0, arch=MACHINES["x86_64"][1]) == KILL_PROCESS


@each_machine
def test_numbers_are_those_of_the_kernel_headers(machine: str) -> None:
    header = next((path for path in HEADERS[machine] if path.is_file()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    text = header.read_text(encoding="utf-8")
    known = {name: int(number) for name, number in re.findall(r"_NR(?:3264)?_(\w+)\s+(\d+)\n", text)}
    looked_at = {name: getattr(seccomp, name.upper()) for name in ("fcntl", "madvise", "preadv2", "socket")}
    named = DENIED | seccomp.IGNORED | looked_at
    ours = {name: numbers[MACHINES[machine][0]] for name, numbers in named.items()}
    wrong = {name: number for name, number in ours.items() if known.get(name, number) != number}
    assert wrong == {}


def test_a_machine_without_a_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="no system call filter for riscv64"):
        program("riscv64")


@pytest.mark.skipif(platform.machine() not in MACHINES, reason="there is no filter for this machine")
def test_the_kernel_takes_the_filter() -> None:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            seccomp.install()
            os.memfd_create("x")
        except PermissionError:
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
