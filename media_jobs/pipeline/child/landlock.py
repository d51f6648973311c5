"""Restricts which files this process may open, for good: Linux's Landlock, as far as the kernel knows it.

Whoever runs as the same user, or as root, is bound by it, too.
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all machines
_VERSION_WANTED = 1
_PATH_BENEATH = 1
_O_PATH = getattr(os, "O_PATH", 0)

# Rights to files, in the kernel's order of bits.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_REG = 1 << 8
_TRUNCATE = 1 << 14
#: How many rights each version of Landlock knows, from the first on; later ones know as many as the last.
_RIGHTS = (13, 14, 15, 15, 16)
_BIND_AND_CONNECT_TCP, _NETWORK_SINCE = 0b11, 4
_SIGNALS_AND_ABSTRACT_SOCKETS, _SCOPES_SINCE = 0b11, 6

_READ = _READ_FILE | _READ_DIR
#: No folders, links, devices, pipes and sockets: nothing but plain files.
_WRITE = _READ | _WRITE_FILE | _TRUNCATE | _MAKE_REG | _REMOVE_FILE
_OF_A_FILE = _WRITE_FILE | _READ_FILE | _TRUNCATE


def version() -> int:
    """The version of the kernel's Landlock; 0: there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_call(_CREATE_RULESET, None, 0, _VERSION_WANTED)))


def install(*, readable: Iterable[Path], writable: Iterable[Path]) -> int:
    """Restrict this process to files in and below these paths, none for execution, and no TCP connection where known.

    Paths that do not exist are left out. Returns the version of Landlock that holds it to this; 0: nothing does.
    The process must have no new privileges already, and no second thread.
    """
    known = version()
    if not known:
        return 0
    handled = (1 << _RIGHTS[min(known, len(_RIGHTS)) - 1]) - 1
    network = _BIND_AND_CONNECT_TCP if known >= _NETWORK_SINCE else 0
    scopes = _SIGNALS_AND_ABSTRACT_SOCKETS if known >= _SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", handled, network, scopes)
    ruleset = int(_call(_CREATE_RULESET, attributes, len(attributes), 0))
    if ruleset < 0:
        return 0
    try:
        complete = all(_allow(ruleset, path, _READ & handled) for path in readable)
        complete &= all(_allow(ruleset, path, _WRITE & handled) for path in writable)
        return known if complete and _call(_RESTRICT_SELF, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> bool:
    """Add a path to the ruleset. False when the kernel refuses."""
    try:
        opened = os.open(path, _O_PATH | os.O_CLOEXEC)
    except OSError:
        return True
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _OF_A_FILE
        rule = struct.pack("=Qi", rights, opened)
        return bool(_call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0) == 0)
    finally:
        os.close(opened)


def _call(number: int, *arguments: bytes | int | None) -> int:
    """Make a system call that the C library has no name for; below 0 when it failed."""
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    return int(syscall(ctypes.c_long(number), *map(_as_argument, arguments)))


def _as_argument(value: bytes | int | None) -> ctypes.c_char_p | ctypes.c_long:
    """The value as wide as a register."""
    return ctypes.c_long(value) if isinstance(value, int) else ctypes.c_char_p(value)
