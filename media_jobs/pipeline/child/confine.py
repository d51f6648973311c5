"""Takes from the child what it does not need, before it reads the first request.

Linux can do all of it; other systems do what they can.
"""

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from media_jobs.pipeline.child import landlock, seccomp

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NAME = 15
_PR_SET_NO_NEW_PRIVS = 38
_LIMITS = {
    resource.RLIMIT_CPU: 3600,  # seconds over the child's whole life; its parent starts a new one long before
    resource.RLIMIT_FSIZE: 256 * 1_048_576,
    resource.RLIMIT_NOFILE: 64,
    resource.RLIMIT_CORE: 0,
}
#: At the lower of two limits it gets SIGXCPU, at the higher one a SIGKILL, which could come from anywhere.
_CPU_GRACE_S = 5
#: What Python, its packages and their libraries lie in or look at, besides Python's own folders.
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
)
#: Of -1000 to 1000: where memory ends the kernel takes a decoder, whose job is tried again, and nobody else.
_OOM_SCORE_ADJ = 800
_PACKAGE = Path(__file__).resolve().parents[2]
_CAPABILITIES_VERSION = 0x20080522
#: Root's power to open any file stays: Python may lie in another user's folder. Landlock decides which files.
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1 << 1, 1 << 2


@dataclass(frozen=True, slots=True)
class Protection:
    """What this system's kernel grants. landlock: its version, 0 where there is none."""

    address_space: bool
    no_new_privileges: bool
    dies_with_parent: bool
    few_capabilities: bool
    seccomp: bool
    landlock: int

    @property
    def missing(self) -> list[str]:
        """Names of what is not granted."""
        return [name for name in self.__slots__ if not getattr(self, name)]


NONE = Protection(False, False, False, False, False, 0)


def confine(*, memory_bytes: int, parent_pid: int, readable: Iterable[Path], writable: Iterable[Path]) -> Protection:
    """Limit this process for good, and let it die with its parent. Ends it at once if that is gone already.

    Files: it may read where Python lives and in `readable`, read and write in `writable`. Call it before a second
    thread starts.
    """
    for limit, value in _LIMITS.items():
        _lower(limit, value, grace=_CPU_GRACE_S if limit == resource.RLIMIT_CPU else 0)
    granted = _confine_on_linux(memory_bytes, [*_code(), *readable], writable) if sys.platform == "linux" else NONE
    if os.getppid() != parent_pid:
        os._exit(0)
    return granted


def confine_template(parent_pid: int) -> None:
    """Limit a process that is only there to be forked, as far as that can be, and let it die with its parent.

    What it may not do, no decoder that it becomes will ever. It opens no file that anybody else chose, so Landlock, and
    the limits of one picture, come with the decoder.
    """
    libc = ctypes.CDLL(None)
    _be_first_to_go()
    for limit in _LIMITS.keys() - {resource.RLIMIT_CPU}:
        _lower(limit, _LIMITS[limit])
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _drop_capabilities(libc)
    seccomp.install(forks=True)
    if os.getppid() != parent_pid:
        os._exit(0)


def be_measured() -> None:
    """Let the worker read in `/proc` what this process takes, which a fork of the template hides from it."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


def name_process(name: str) -> None:
    """What `ps -o comm` and `top` show: at most 15 bytes."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def _confine_on_linux(memory_bytes: int, readable: Iterable[Path], writable: Iterable[Path]) -> Protection:
    _be_first_to_go()
    _lower(resource.RLIMIT_AS, memory_bytes)  # macOS knows it but does not honour it
    libc = ctypes.CDLL(None)
    return Protection(
        address_space=True,
        no_new_privileges=libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0,
        dies_with_parent=libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0,
        few_capabilities=_drop_capabilities(libc),
        landlock=landlock.install(readable=readable, writable=writable),
        seccomp=seccomp.install(),  # last: it refuses some of the above
    )


def _be_first_to_go() -> None:
    with suppress(OSError):  # no /proc: a wish, and no protection
        Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE_ADJ))


def _code() -> Iterable[Path]:
    """The folders of Python, its packages and libraries, and this package; not the one around it, which has data."""
    prefixes = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}
    libraries = {Path(prefix, name) for prefix in prefixes for name in ("lib", "lib64")}
    packages = {Path(entry).resolve() for entry in sys.path} - {_PACKAGE.parent}
    return [*libraries, *packages, _PACKAGE, *map(Path, _SYSTEM)]


def _drop_capabilities(libc: ctypes.CDLL) -> bool:
    """Leave root no more than the power over files; users have none anyway. For instance, no limit is raised again."""
    header = struct.pack("=Ii", _CAPABILITIES_VERSION, 0)
    sets = ctypes.create_string_buffer(24)  # effective, permitted, inheritable, for capabilities 0 to 31 and above
    if libc.capget(header, sets) != 0:
        return False
    keep = _CAP_DAC_OVERRIDE | _CAP_DAC_READ_SEARCH
    effective, permitted, *_ = struct.unpack("=6I", sets.raw)
    return bool(libc.capset(header, struct.pack("=6I", effective & keep, permitted & keep, 0, 0, 0, 0)) == 0)


def _lower(limit: int, value: int, *, grace: int = 0) -> None:
    hard = resource.getrlimit(limit)[1]
    most = sys.maxsize if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(limit, (min(value, most), min(value + grace, most)))
