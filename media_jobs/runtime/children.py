"""Child processes of one master: they are forked from it, have names, and end when it ends."""

import ctypes
import os
import signal
import socket
import string
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

#: Signals that a fork must neither lose nor handle as its parent does.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD)
_PR_SET_PDEATHSIG, _PR_SET_NAME, _NAME_BYTES = 1, 15, 15
_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if _LINUX else None

#: A process that ran for less than this probably ended for a reason that persists: the next start waits.
QUICK_EXIT_S = 10.0
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
    quick_exits: int = 0

    def is_due(self) -> bool:
        return self.pid is None and time.monotonic() >= self.not_before_s

    def started(self, pid: int) -> None:
        self.pid, self.started_at_s = pid, time.monotonic()
        log.debug("process_started", process=self.name, child=pid)

    def kill(self) -> None:
        """Kill the process and wait until it is gone."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = None

    def ended(self, status: int, *, quietly: bool = False) -> None:
        """Record the exit, and how long to wait until the next start: only where it ends quickly again and again."""
        ran_s = time.monotonic() - self.started_at_s
        self.quick_exits = self.quick_exits + 1 if ran_s < QUICK_EXIT_S else 0
        pause_s = min(0.5 * 2.0 ** (self.quick_exits - 1), LONGEST_PAUSE_S) if self.quick_exits > 1 else 0.0
        self.not_before_s = float("inf") if self.once else time.monotonic() + pause_s
        code = os.waitstatus_to_exitcode(status)
        if not quietly and (code or not self.once):
            how = f"signal {-code}" if code < 0 else f"exit {code}"
            log.warning("process_ended", process=self.name, child=self.pid, how=how, pause_s=pause_s)
        self.pid = None


def name_process(title: str) -> None:
    """Set the name that `ps -o comm` and `top` show, at most 15 bytes: a longer one keeps its number. Linux only."""
    if _libc:
        stem = title.rstrip(string.digits)
        number = title[len(stem) :]
        _libc.prctl(_PR_SET_NAME, (stem[: _NAME_BYTES - len(number)] + number).encode(), 0, 0, 0)


def die_with(parent: int) -> None:
    """Have the kernel kill this process as soon as `parent` has ended, in whatever way. Linux only."""
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it was gone before we asked
            os._exit(1)


def become_child(title: str, parent: int) -> None:
    """Set up a fork, as its first step. It gets a process group: Ctrl-C in a terminal is for the master alone."""
    os.setpgid(0, 0)
    die_with(parent)
    name_process(title)


def fork(title: str, run: Callable[[], None], *, close: Iterable[Closable | socket.socket] = ()) -> int:
    """Run `run()` in a fork of this process and return its id. The fork never returns from here.

    close: what is open here and not for the fork. The exit code is 1 when `run` raises.
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
    """Exit a fork at once, without the exit handlers that its parent has registered."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            code = code or 1
    os._exit(code)


def _exit_code(stop: SystemExit) -> int:
    """Return the code by Python's rules: None is 0, a text goes to stderr and is 1."""
    if stop.code is None or isinstance(stop.code, int):
        return stop.code or 0
    sys.stderr.write(f"{stop.code}\n")
    return 1
