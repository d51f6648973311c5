"""Who may take how much of a host's memory, where there is not enough of it for all that could render at once."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from media_jobs.adapters.decoder.host_lock import wait_for
from media_jobs.adapters.memory_left import bytes_left
from media_jobs.adapters.throttle import throttled
from media_jobs.ports import Heartbeat

_MIB = 1_048_576
#: Where more is left, nobody counts: it is enough for many pictures of any size.
_PLENTY_BYTES = 4096 * _MIB
#: Not given away: what the service's other processes may come to need meanwhile, as for uploads.
_MARGIN_BYTES = 16 * _MIB
#: How long somebody who is alone, and does not fit, waits for what others may give back, such as idle decoders …
_PATIENCE_S = 12.0
#: … unless somebody did so in vain, so long ago at most.
_IN_VAIN_S = 60.0
_IN_VAIN = b"in vain\n"
_ASK_AGAIN_S = 0.02
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Grant:
    """grown_bytes: by how much the decoder may grow. fits: that is as much as was asked for. None: as it likes."""

    grown_bytes: int | None
    fits: bool = True


@dataclass(frozen=True, slots=True)
class _Reservation:
    """by_bytes: how much a decoder, process `pid`, may grow beyond `from_bytes`. pid: 0 where it is not there yet."""

    by_bytes: int
    pid: int = 0
    from_bytes: int = 0

    @property
    def outstanding_bytes(self) -> int:
        """What of it is not taken yet. What is taken, the system counts."""
        grown = own_bytes(self.pid) - self.from_bytes if self.pid else 0
        return max(0, self.by_bytes - max(0, grown))

    def to_line(self) -> bytes:
        return b"%d %d %d" % (self.by_bytes, self.pid, self.from_bytes)


class HostMemory:
    """What is left of a host's memory, among all processes that use the same `folder`, which is there.

    First come, first served: who waits for much is not overtaken by those who want little. A reservation is a file
    that its holder has locked (flock), so that it ends with its process, however that ends.
    left: how much is left, for tests.
    """

    def __init__(self, folder: Path, left: Callable[[], int] = bytes_left) -> None:
        self._folder, self._left = folder, left

    @contextmanager
    def reserved(self, by_bytes: int, pid: int | None, heartbeat: Heartbeat) -> Iterator[Grant]:
        """Let the decoder `pid`, or one that is to be started, grow by so many bytes, waiting until they are there.

        Who is alone gets what there is in the end, perhaps less. Meanwhile `heartbeat` is called at least twice a
        second; what it raises ends the wait. Raises OSError.
        """
        if self._left() >= _PLENTY_BYTES:
            yield Grant(None)
            return
        wanted = _Reservation(by_bytes, pid or 0, own_bytes(pid) if pid else 0)
        with ExitStack() as held:
            with self._opened("memory.lock") as gate:
                wait_for(gate, fcntl.LOCK_EX, heartbeat)
                grant = self._wait(gate, by_bytes, heartbeat)
                own = f"memory-{uuid4().hex}.lock"  # containers that share a folder may share process ids, too
                descriptor = held.enter_context(self._opened(own))
                held.callback((self._folder / own).unlink, missing_ok=True)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                os.write(descriptor, wanted.to_line())
            yield grant

    def _wait(self, gate: int, by_bytes: int, heartbeat: Heartbeat) -> Grant:
        """Return once it fits, or once it is no use to wait. The gate is ours."""
        throttled_heartbeat = throttled(heartbeat)
        patience_s = 0.0 if _was_in_vain(gate) else _PATIENCE_S
        alone_since_s: float | None = None
        while True:
            others = self._others()
            free = self._left() - _MARGIN_BYTES - sum(other.outstanding_bytes for other in others)
            if free >= by_bytes:
                return Grant(by_bytes)
            now_s = time.monotonic()
            alone_since_s = None if others else alone_since_s or now_s
            if alone_since_s is not None and now_s >= alone_since_s + patience_s:
                os.pwrite(gate, _IN_VAIN, 0)
                return Grant(max(0, free), fits=False)
            throttled_heartbeat()
            time.sleep(_ASK_AGAIN_S)

    def _others(self) -> list[_Reservation]:
        """What is reserved by those who live. What the dead had reserved goes."""
        found = []
        for path in self._folder.glob("memory-*.lock"):
            with suppress(FileNotFoundError), path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    found.append(_Reservation(*map(int, file.read().split())))
                else:
                    path.unlink(missing_ok=True)
        return found

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        """A descriptor of its own, which children do not inherit: closing it ends its lock."""
        descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def own_bytes(pid: int) -> int:
    """What a process has of its own in memory, without files; 0 where it has ended."""
    try:
        resident, of_files = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(of_files)) * _PAGE_BYTES


def _was_in_vain(gate: int) -> bool:
    """Whether somebody waited in vain, not long ago: the gate's file keeps that."""
    found = os.fstat(gate)
    return found.st_size > 0 and time.time() - found.st_mtime < _IN_VAIN_S
