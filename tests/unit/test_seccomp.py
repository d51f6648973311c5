"""The filter over system calls, run step by step as a kernel would: also for the machine that this is not."""

import errno
import re
import struct
from pathlib import Path

import pytest

from media_jobs.pipeline.child import seccomp, syscalls

X86, ARM = seccomp.MACHINES["x86_64"], seccomp.MACHINES["aarch64"]
PID = 4711
ALLOW, KILL = 0x7FFF0000, 0x80000000
READ, WRITE, NEITHER, CREATE, EMPTY, CLOEXEC = 0o0, 0o1, 0o3, 0o100, 0o1000, 0o2000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS


def outcome(machine: seccomp.Machine, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter for `machine` returns for a call."""
    steps = list(struct.iter_unpack("=HBBI", seccomp.program(machine, pid=PID)))
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=iIQ6Q", number, machine.audit if audit is None else audit, 0, *padded)
    accumulator, at = 0, 0
    while True:
        code, then, otherwise, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, value)
            case 0x54:
                accumulator &= value
            case 0x06:
                return int(value)
            case 0x15 | 0x25 | 0x35:
                holds = {0x15: accumulator == value, 0x25: accumulator > value, 0x35: accumulator >= value}[code]
                at += then if holds else otherwise
            case _:
                raise AssertionError(f"unknown step {code:#x}")


@pytest.mark.parametrize(("machine", "column"), [(X86, 0), (ARM, 1)], ids=["x86-64", "arm64"])
def test_every_listed_call_is_refused_and_ordinary_ones_pass(machine: seccomp.Machine, column: int) -> None:
    for name, numbers in syscalls.REFUSED.items():
        if (number := numbers[column]) is not None:
            assert outcome(machine, number) == EPERM, name
    ordinary = {"read": (0, 63), "write": (1, 64), "mmap": (9, 222), "futex": (202, 98), "openat": (257, 56)}
    for name, numbers in ordinary.items():
        assert outcome(machine, numbers[column]) == ALLOW, name


@pytest.mark.parametrize(("machine", "column"), [(X86, 0), (ARM, 1)], ids=["x86-64", "arm64"])
def test_some_calls_pass_by_their_arguments_only(machine: seccomp.Machine, column: int) -> None:
    thread, process = 0x3D0F00, 0x01200011
    expected = [
        (syscalls.CLONE, (thread,), ALLOW),
        (syscalls.CLONE, (process,), EPERM),
        (syscalls.CLONE, (thread | 0x20000,), EPERM),
        (syscalls.OPENAT, (0, 0, READ), ALLOW),
        (syscalls.OPENAT, (0, 0, WRITE | CREATE | EMPTY), ALLOW),
        (syscalls.OPENAT, (0, 0, READ | CLOEXEC | EMPTY), EPERM),
        (syscalls.OPENAT, (0, 0, NEITHER | EMPTY), EPERM),
        (syscalls.FCNTL, (0, 3), ALLOW),
        (syscalls.FCNTL, (0, 8), EPERM),
        (syscalls.FCNTL, (0, 1024), EPERM),
        (syscalls.TGKILL, (PID, 1, 6), ALLOW),
        (syscalls.TGKILL, (1, 1, 6), EPERM),
        (syscalls.PRLIMIT64, (0, 7), ALLOW),
        (syscalls.PRLIMIT64, (1, 7), EPERM),
        (syscalls.PRCTL, (15,), ALLOW),
        (syscalls.PRCTL, (1, 0), EPERM),
        (syscalls.PRCTL, (4, 0), EPERM),
        (syscalls.IOCTL, (0, 0x5401), ALLOW),
        (syscalls.IOCTL, (0, 0x5412), EPERM),
        (syscalls.IOCTL, (0, 1 << 32 | 0x541C), EPERM),
        *((numbers, (), ENOSYS) for numbers in syscalls.HIDING.values()),
    ]
    for numbers, arguments, answer in expected:
        assert outcome(machine, numbers[column], *arguments) == answer, (numbers, arguments)


@pytest.mark.parametrize("machine", [X86, ARM], ids=["x86-64", "arm64"])
def test_what_came_after_the_list_is_not_there(machine: seccomp.Machine) -> None:
    assert outcome(machine, syscalls.NEWEST_KNOWN) == ALLOW
    assert outcome(machine, syscalls.NEWEST_KNOWN + 1) == ENOSYS


def test_another_machines_calls_kill() -> None:
    i386 = 0x40000003
    assert outcome(X86, 1, audit=i386) == KILL
    assert outcome(ARM, 1, audit=X86.audit) == KILL
    assert outcome(X86, 0x40000000 | 39) == KILL


def test_the_older_way_to_open_a_file_is_held_to_the_same_rule() -> None:
    number = syscalls.OPEN[0]
    assert outcome(X86, number, 0, READ) == ALLOW
    assert outcome(X86, number, 0, READ | EMPTY) == EPERM


HEADERS = (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h"))


@pytest.mark.parametrize("column", [0, 1], ids=["x86-64", "arm64"])
def test_the_numbers_are_those_of_the_kernels_own_headers(column: int) -> None:
    if not HEADERS[column].exists():
        pytest.skip("needs linux-libc-dev")
    text = HEADERS[column].read_text()
    numbers = {name: int(number) for name, number in re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", text, re.M)}
    named: dict[str, tuple[int, int | None]] = {"clone": syscalls.CLONE, "tgkill": syscalls.TGKILL}
    named |= {"prlimit64": syscalls.PRLIMIT64, "fcntl": syscalls.FCNTL}
    named |= {"prctl": syscalls.PRCTL, "ioctl": syscalls.IOCTL, "open": syscalls.OPEN, "openat": syscalls.OPENAT}
    for name, ours in {**syscalls.REFUSED, **syscalls.HIDING, **named}.items():
        if (number := ours[column]) is not None and number < 424:
            assert number == numbers[name], name
