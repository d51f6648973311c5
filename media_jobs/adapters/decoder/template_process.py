"""One template: a program that is forked into decoders, as its worker sees it."""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess  # nosec B404 # of our own interpreter and our own file
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from media_jobs.adapters.decoder.pipes import printable
from media_jobs.adapters.workspace import translate_errors
from media_jobs.ports import Heartbeat, no_heartbeat

#: How long it may take to load its libraries, and how long to fork.
_ANSWER_TIMEOUT_S = 30.0
_SLICE_S = 0.25
#: A process that is killed closes its socket first, and on a busy machine is gone some time later.
_END_TIMEOUT_S = 2.0
_MOST_ANSWERED_BYTES = 256
_MOST_SAID_BYTES, _TAIL_CHARACTERS = 65_536, 4096
_PR_SET_CHILD_SUBREAPER = 36


class TemplateDied(Exception):
    """The template is gone, or does not answer: its last words. killed: somebody else ended it with signal 9."""

    def __init__(self, last_words: str, *, killed: bool = False) -> None:
        super().__init__(last_words)
        self.killed = killed


class TemplateProcess:
    """A running template, which ends with the thread that started it.

    Its methods raise TemplateDied, WorkspaceUnavailable where the system refuses, and what `heartbeat` raises.
    """

    def __init__(self, entry: Path, heartbeat: Heartbeat) -> None:
        self.entry = entry
        self.needed_at_s = time.monotonic()
        with translate_errors(), ExitStack() as ours:
            self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.enter_context(self._socket)
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 # nosec B603 # our own interpreter and our own file
                    [sys.executable, "-I", str(entry), json.dumps({"parent_pid": os.getpid()})],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    bufsize=0,
                    cwd="/",
                    env=environment(),
                    start_new_session=True,
                )
            ours.pop_all()
        try:
            self._answer(heartbeat)
        except BaseException:
            self.end()
            raise

    def fork(self, arguments: dict[str, Any], pipes: Sequence[int], heartbeat: Heartbeat) -> int:
        """Unless this returns, there is no decoder, and no template either."""
        self.needed_at_s = time.monotonic()
        answer: dict[str, Any] = {}
        with _adopting_orphans():
            try:
                self._ask(arguments, pipes)
                answer = self._answer(heartbeat)
                self._answer(heartbeat)
            except BaseException:
                self._kill()
                with suppress(TemplateDied):  # it has said all that it ever will
                    _kill_child((answer or self._answer(no_heartbeat)).get("pid"))
                raise
        if "errno" in answer:
            with translate_errors():
                raise OSError(answer["errno"], os.strerror(answer["errno"]))
        return int(answer["pid"])

    def end(self) -> None:
        """Kill it; gone when this returns."""
        self._kill()
        self.forget()

    def forget(self) -> None:
        """Close what is open here of it, which may belong to another process."""
        self._process.returncode = 0  # it has been, or will be, waited for
        self._socket.close()
        if self._process.stderr:
            self._process.stderr.close()

    def _kill(self) -> None:
        """… with what it may just be making of itself."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-self._process.pid, 0)

    def _ask(self, arguments: dict[str, Any], pipes: Sequence[int]) -> None:
        try:
            socket.send_fds(self._socket, [json.dumps(arguments).encode()], list(pipes))
        except OSError as error:
            raise TemplateDied(self._last_words(), killed=self._was_killed()) from error

    def _answer(self, heartbeat: Heartbeat) -> dict[str, Any]:
        deadline = time.monotonic() + _ANSWER_TIMEOUT_S
        while not _has_more(self._socket.fileno()):
            heartbeat()
            if time.monotonic() > deadline:
                raise TemplateDied("it does not answer")
        try:
            said = self._socket.recv(_MOST_ANSWERED_BYTES)
        except ConnectionResetError:
            said = b""
        if not said:
            raise TemplateDied(self._last_words(), killed=self._was_killed())
        return dict(json.loads(said))

    def _last_words(self) -> str:
        """What it wrote to standard error, where that has an end."""
        stderr = self._process.stderr
        if stderr is None or not _has_more(stderr.fileno()):
            return ""
        return printable(os.read(stderr.fileno(), _MOST_SAID_BYTES).decode(errors="replace"))[-_TAIL_CHARACTERS:]

    def _was_killed(self) -> bool:
        """Whether somebody else ended it with signal 9. It has closed its socket, and may take a moment to be gone."""
        deadline = time.monotonic() + _END_TIMEOUT_S
        with suppress(ChildProcessError):
            while time.monotonic() < deadline:
                ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended:
                    return ended.si_code == os.CLD_KILLED and ended.si_status == signal.SIGKILL
                time.sleep(0.005)
        return False


def _has_more(descriptor: int) -> bool:
    """Whether something is to be read, or it has ended. `select` knows no more than 1,024 descriptors."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(1000 * _SLICE_S))


@contextmanager
def _adopting_orphans() -> Iterator[None]:
    """Be the parent of what descends from this process and has lost its own. Linux only."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _kill_child(pid: int | None) -> None:
    """Kill what is a child of this process, if it is one."""
    with suppress(ChildProcessError):
        if pid and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            os.kill(pid, signal.SIGKILL)
        if pid:
            os.waitpid(pid, 0)


def environment() -> dict[str, str]:
    """All that a template, or a decoder, sees: nothing of the worker's own."""
    return {
        "LANG": "C.UTF-8",
        "VIPS_CONCURRENCY": "1",
        "VIPS_BLOCK_UNTRUSTED": "1",
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",  # numpy's; each of its threads would take 30 MB of address space
        "OMP_NUM_THREADS": "1",  # LibRaw's
    }
