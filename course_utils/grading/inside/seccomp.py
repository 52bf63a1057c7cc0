"""A seccomp filter for student code: which system calls the kernel refuses, whoever makes them.

The sandbox's namespaces already hide what is outside. The filter closes the ways to new namespaces and
mounts, to other processes' memory, to kernel interfaces with a long record of holes, to memory that no
limit counts (memfd, System V shared memory), to other cores than the sandbox's own, and to what one run could
leave for another to find. It is a classic BPF program (seccomp(2), bpf(4)) that looks at the number of a call
and at one argument of a few calls; the test suite interprets it.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

# Name -> its number on x86_64 and on aarch64; None where a machine does not have the call.
DENIED: dict[str, tuple[int | None, int | None]] = {
    # namespaces and mounts
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "unshare": (272, 97),
    "setns": (308, 268),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # keyrings, and interfaces to the inside of the kernel
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "lookup_dcookie": (212, 18),
    "syslog": (103, 116),
    "personality": (135, 92),
    "lsm_set_self_attr": (460, 460),
    # memory that no limit of a process counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # other cores than its own, and a place before others in a queue (a policy in real time is refused anyway)
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    # what other runs do with the machine and the files that all share
    "sysinfo": (99, 179),
    "mincore": (27, 232),
    "cachestat": (451, 451),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    # the machine as a whole
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "nfsservctl": (180, 42),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "_sysctl": (156, None),
}
# Advice on what to keep of shared files in memory, and locks on them, which other sandboxes meet: these calls
# succeed and do nothing.
IGNORED: dict[str, tuple[int, int]] = {"fadvise64": (221, 223), "readahead": (187, 213), "flock": (73, 32)}
FCNTL, MADVISE, PREADV2 = (72, 25), (28, 233), (327, 286)
LOCKS = (5, 6, 7, 36, 37, 38, 1024, 1025, 1026)  # F_GETLK to F_SETLKW, the same for F_OFD, leases, F_NOTIFY
COLD = (20, 21)  # MADV_COLD, MADV_PAGEOUT
NO_WAIT = 8  # RWF_NOWAIT
CLONE, CLONE3, SOCKET, IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
# CLONE_NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWNS.
NEW_NAMESPACES = 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x00020000
# Others reach drivers, or the host (AF_VSOCK). Those of the internet reach a loopback: kernels of one parent
# share it, and a port stays taken there for a while when its run has ended.
AF_UNIX, LOOPBACK = 1, (2, 10)  # AF_INET, AF_INET6
NETLINK, NETLINK_ROUTE = 16, 0  # ZeroMQ asks for the list of interfaces; here that is the loopback alone
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
X32_BIT = 0x40000000  # x86_64: a second table of calls, with numbers of its own

MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH
ALLOW, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2  # of prctl(2)


class Instruction(NamedTuple):
    """One BPF instruction: operation, how many to skip if true and if false, operand."""

    code: int
    if_true: int
    if_false: int
    operand: int


Program = list[Instruction]


def program(machine: str, loopback: bool = False) -> Program:
    """The filter for "x86_64" or "aarch64". Raises ValueError for any other machine.

    loopback: whether there may be sockets for it, where ZeroMQ needs them, in a sandbox of one run alone.
    """
    if machine not in MACHINES:
        raise ValueError(f"There is no system call filter for {machine}; known: {', '.join(MACHINES)}.")
    column, arch = MACHINES[machine]
    start = [_load(_ARCH), _jump(_JUMP_EQUAL, arch, 1, 0), _return(KILL_PROCESS), _load(_NUMBER)]
    if machine == "x86_64":
        start += [_jump(_JUMP_AT_LEAST, X32_BIT, 0, 1), _fail(errno.ENOSYS)]
    denied = [number for numbers in DENIED.values() if (number := numbers[column]) is not None]
    return [
        *start,
        # First those of which the kernel cannot remember the answer, since it hangs on an argument.
        *_when(FCNTL[column], _if_one_of(1, LOCKS, 0)),
        *_when(MADVISE[column], _if_one_of(2, COLD, errno.EPERM)),
        *_when(PREADV2[column], _if_bits(5, NO_WAIT, errno.EOPNOTSUPP)),
        # Its flags are behind a pointer, where no filter can look; the C library falls back to clone.
        *_when(CLONE3[column], [_fail(errno.ENOSYS)]),
        *_when(CLONE[column], _if_bits(0, NEW_NAMESPACES, errno.EPERM)),
        *_when(SOCKET[column], _sockets(loopback)),
        *_when(IOCTL[column], _if_one_of(1, TERMINAL_INJECTION, errno.EPERM)),
        *(step for number in denied for step in _when(number, [_fail(errno.EPERM)])),
        *(step for numbers in IGNORED.values() for step in _when(numbers[column], [_fail(0)])),
        _return(ALLOW),
    ]


def assemble(instructions: Iterable[Instruction]) -> bytes:
    """The program as the kernel reads it: an array of struct sock_filter.

    >>> assemble([Instruction(6, 0, 0, 0x7FFF0000)]).hex()
    '060000000000ff7f'
    """
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in instructions)


@cache
def assembled(loopback: bool = False) -> bytes:
    """This machine's program: made once, and so before the fork of kernels that install it."""
    return assemble(program(platform.machine(), loopback))


def install(loopback: bool = False) -> None:
    """Put the filter over this process and all that it will start. There is no way back.

    Raises OSError if the kernel refuses, ValueError on a machine without a filter.
    """
    code = assembled(loopback)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_NO_NEW_PRIVS, 1, 0), (_SET_SECCOMP, _FILTER, header)):
        if libc.prctl(*arguments, 0, 0):
            raise OSError(ctypes.get_errno(), "The kernel refused the system call filter")


def _load(offset: int) -> Instruction:
    return Instruction(_LOAD, 0, 0, offset)


def _jump(code: int, operand: int, if_true: int, if_false: int) -> Instruction:
    return Instruction(code, if_true, if_false, operand)


def _return(value: int) -> Instruction:
    return Instruction(_RETURN, 0, 0, value)


def _fail(number: int) -> Instruction:
    """The call does nothing and ends with this error; 0 says that it succeeded."""
    return _return(ERRNO | number)


def _when(call: int, body: Program) -> Program:
    """The body runs for this call alone; it ends in a return."""
    return [_jump(_JUMP_EQUAL, call, 0, len(body)), *body]


def _argument(position: int) -> Instruction:
    """Load the low half of an argument: flags, families and requests are 32 bits wide."""
    return _load(_ARGUMENTS + 8 * position)


def _if_bits(position: int, bits: int, number: int) -> Program:
    """Fail if the argument has any of the bits."""
    return [_argument(position), _jump(_JUMP_ANY_BIT, bits, 0, 1), _fail(number), _return(ALLOW)]


def _if_one_of(position: int, values: tuple[int, ...], number: int) -> Program:
    """Fail if the argument is one of the values."""
    tests = [step for value in values for step in _when(value, [_fail(number)])]
    return [_argument(position), *tests, _return(ALLOW)]


def _sockets(loopback: bool) -> Program:
    """Fail unless the family (argument 0) is a known one; of netlink only one protocol (argument 2)."""
    families = (AF_UNIX, *LOOPBACK) if loopback else (AF_UNIX,)
    known = [step for family in families for step in _when(family, [_return(ALLOW)])]
    route = _when(NETLINK, [_argument(2), *_when(NETLINK_ROUTE, [_return(ALLOW)])]) if loopback else []
    return [_argument(0), *known, *route, _fail(errno.EAFNOSUPPORT)]
