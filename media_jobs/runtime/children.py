"""Child processes of one master: forked from it, named, and gone when it is gone."""

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

#: What a fork must not lose or answer to in its parent's way.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD)
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if _LINUX else None

#: A process that lived less long than this died of something that may well still be there.
QUICK_DEATH_S = 10.0
LONGEST_PAUSE_S = 15.0


class Closable(Protocol):
    def close(self) -> None: ...


@dataclass
class Child:
    """One process that the master keeps alive, or with `once` starts a single time."""

    name: str
    run: Callable[[], None]
    once: bool = False
    pid: int | None = None
    started_at_s: float = 0.0
    not_before_s: float = 0.0
    quick_deaths: int = 0

    def is_due(self) -> bool:
        return self.pid is None and time.monotonic() >= self.not_before_s

    def started(self, pid: int) -> None:
        self.pid, self.started_at_s = pid, time.monotonic()
        log.debug("process_started", process=self.name, child=pid)

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = None

    def ended(self, status: int, *, quietly: bool = False) -> None:
        """Note the death, and how long to wait until the next start: not at all, unless it dies again and again."""
        lived_s = time.monotonic() - self.started_at_s
        self.quick_deaths = self.quick_deaths + 1 if lived_s < QUICK_DEATH_S else 0
        pause_s = min(0.5 * 2.0 ** (self.quick_deaths - 1), LONGEST_PAUSE_S) if self.quick_deaths > 1 else 0.0
        self.not_before_s = float("inf") if self.once else time.monotonic() + pause_s
        code = os.waitstatus_to_exitcode(status)
        if not quietly and (code or not self.once):
            how = f"signal {-code}" if code < 0 else f"exit {code}"
            log.warning("process_ended", process=self.name, child=self.pid, how=how, pause_s=pause_s)
        self.pid = None


def name_process(title: str) -> None:
    """What `ps -o comm` and `top` show, at most 15 bytes. Linux only."""
    if _libc:
        _libc.prctl(_PR_SET_NAME, title.encode()[:15], 0, 0, 0)


def die_with(parent: int) -> None:
    """Have this process killed as soon as `parent` is gone, however that ended. Linux only."""
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it was gone before we asked
            os._exit(1)


def become_child(title: str, parent: int) -> None:
    """What every fork does first. Its own process group: Ctrl-C in a terminal is for the master alone."""
    os.setpgid(0, 0)
    die_with(parent)
    name_process(title)


def fork(title: str, run: Callable[[], None], *, close: Iterable[Closable | socket.socket] = ()) -> int:
    """Run `run()` in a fork of this process and return its id. The fork never returns from here.

    `close`: what is open here and none of the fork's business. Exit code 1 when `run` raises.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    # A signal between fork and reset would be lost in the parent's handlers.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return pid
    code = 1
    try:
        become_child(title, parent)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for thing in close:
            thing.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        run()
        code = 0
    except SystemExit as stop:
        code = _exit_code(stop)
    except BaseException:
        log.exception("process_failed", process=title)
    finally:
        leave(code)
    return 0


def leave(code: int) -> None:
    """End a fork at once: what its parent has registered to happen at exit is not the fork's."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)


def _exit_code(stop: SystemExit) -> int:
    """Python's rules: None is 0, a text goes to stderr and is 1."""
    if stop.code is None or isinstance(stop.code, int):
        return stop.code or 0
    sys.stderr.write(f"{stop.code}\n")
    return 1
