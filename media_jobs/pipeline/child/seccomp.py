"""A filter over system calls that the kernel runs before each one. Once set, it holds for the process' life.

It lists what is refused, not what is allowed: the C library, Python and libvips take new calls with each version, and a
list of allowed ones would break with them. Refused means EPERM, so that code which can do without goes on.
"""

import ctypes
import errno
import os
import struct
import sys
from dataclasses import dataclass

from media_jobs.pipeline.child import syscalls

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2

# Classic BPF, and what the kernel lays before it: number at 0, machine at 4, arguments of 8 bytes from 16.
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_GREATER, _IF_AT_LEAST = 0x15, 0x25, 0x35
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000

_X32_CALLS_FROM = 0x40000000
_CLONE_THREAD = 0x00010000
_CLONE_NEW_NAMESPACES = 0x7E020000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_O_ACCMODE, _O_TRUNC = 0o3, 0o1000
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY = 8, 10, 15, 1024, 1026


@dataclass(frozen=True, slots=True)
class Machine:
    """`audit`: how the kernel names it to a filter. `column`: of the numbers in `syscalls`."""

    audit: int
    column: int
    has_x32: bool


MACHINES = {
    "x86_64": Machine(audit=0xC000003E, column=0, has_x32=True),
    "aarch64": Machine(audit=0xC00000B7, column=1, has_x32=False),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install(*, forks: bool = False) -> bool:
    """Set the filter for this thread and all that it will start. False where kernel or machine know none.

    forks: leave what it takes to become a decoder: to fork, to be talked with, to be confined further. The process must
    have no new privileges already.
    """
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return False
    machine = MACHINES.get(os.uname().machine)
    if machine is None:
        return False
    instructions = program(machine, pid=None if forks else os.getpid())
    filter_ = _Program(len(instructions) // 8, instructions)
    prctl = ctypes.CDLL(None).prctl
    return bool(prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(filter_), 0, 0) == 0)


def program(machine: Machine, *, pid: int | None) -> bytes:
    """The filter's instructions, for the process `pid`, or for one that forks decoders.

    A call by another machine's rules kills the process: its numbers mean other calls.
    """
    steps = [
        _step(_LOAD, _MACHINE_AT),
        _step(_IF_EQUAL, machine.audit, then=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
    ]
    if machine.has_x32:
        steps += [_step(_IF_AT_LEAST, _X32_CALLS_FROM, otherwise=1), _step(_RETURN, _KILL)]
    steps += [_step(_IF_GREATER, syscalls.NEWEST_KNOWN, otherwise=1), _NOT_THERE]
    for hiding in syscalls.HIDING.values():
        steps += [_step(_IF_EQUAL, hiding[machine.column], otherwise=1), _NOT_THERE]
    refused = syscalls.REFUSED if pid else syscalls.REFUSED.keys() - syscalls.FORKS
    for name in refused:
        number = syscalls.REFUSED[name][machine.column]
        if number is not None:
            steps += [_step(_IF_EQUAL, number, otherwise=1), _REFUSE]
    for numbers, rule in [*_by_argument(), *(_of_a_decoder(pid) if pid else _of_the_template())]:
        number = numbers[machine.column]
        if number is not None:
            steps += [_step(_IF_EQUAL, number, otherwise=len(rule)), *rule]
    steps.append(_step(_RETURN, _ALLOW))
    return b"".join(steps)


def _step(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """One instruction. `then`, `otherwise`: how many to skip after a comparison."""
    return struct.pack("=HBBI", code, then, otherwise, value)


_REFUSE = _step(_RETURN, _ERRNO | errno.EPERM)
_NOT_THERE = _step(_RETURN, _ERRNO | errno.ENOSYS)
_PASS = _step(_RETURN, _ALLOW)


_Rules = list[tuple[tuple[int, int | None], list[bytes]]]


def _by_argument() -> _Rules:
    """Calls that pass or not by the lower half of an argument, which is all that the kernel reads of these."""
    # To empty a file takes no right to write it, before Landlock's third version: open it for reading, or for neither.
    kept = [_step(_AND, _O_TRUNC | _O_ACCMODE), *_not(_O_TRUNC, _O_TRUNC | _O_ACCMODE)]
    return [
        (syscalls.OPEN, [_argument(1), *kept]),
        (syscalls.OPENAT, [_argument(2), *kept]),
        # Signals to others from the kernel's hand; and a lease, which stops whoever else opens the file for 45 seconds.
        (syscalls.FCNTL, [_argument(1), *_not(_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY)]),
        (syscalls.PRLIMIT64, [_argument(0), *_only(0)]),
        (syscalls.IOCTL, [_argument(1), *_not(_TIOCSTI, _TIOCLINUX)]),  # to type into a terminal
    ]


def _of_the_template() -> _Rules:
    return [(syscalls.CLONE, [_argument(0), _step(_AND, _CLONE_NEW_NAMESPACES), *_only(0)])]


def _of_a_decoder(pid: int) -> _Rules:
    threads_only = [_argument(0), _step(_AND, _CLONE_THREAD | _CLONE_NEW_NAMESPACES), *_only(_CLONE_THREAD)]
    return [
        (syscalls.CLONE, threads_only),
        (syscalls.TGKILL, [_argument(0), *_only(pid)]),  # abort() sends one to itself
        # To outlive its parent, or to hide from it what it writes.
        (syscalls.PRCTL, [_argument(0), *_not(_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE)]),
    ]


def _argument(index: int) -> bytes:
    return _step(_LOAD, _FIRST_ARGUMENT_AT + 8 * index)


def _only(value: int) -> list[bytes]:
    return [_step(_IF_EQUAL, value, then=1), _REFUSE, _PASS]


def _not(*values: int) -> list[bytes]:
    return [step for value in values for step in (_step(_IF_EQUAL, value, otherwise=1), _REFUSE)] + [_PASS]
