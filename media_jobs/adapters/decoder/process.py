"""One decoder process from its start to its end: its folder, its limits, what it takes."""

import contextlib
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import structlog

from media_jobs import errors
from media_jobs.adapters.decoder.exit_codes import classify_exit, describe_exit
from media_jobs.adapters.decoder.host_memory import own_bytes
from media_jobs.adapters.decoder.meter import Meter
from media_jobs.adapters.decoder.pipes import NotUnderstood, PipeClosed, Pipes
from media_jobs.adapters.decoder.starting import start
from media_jobs.adapters.throttle import throttled
from media_jobs.adapters.workspace import remove_folder, translate_errors
from media_jobs.pipeline.child.confine import NONE, Protection
from media_jobs.pipeline.values import Usage
from media_jobs.ports import Heartbeat

log = structlog.get_logger(__name__)

#: How long a child may take from its end of file to its end.
_EXIT_TIMEOUT_S = 5.0
#: A child is replaced after so much work, long before its processor time runs out.
_RENDERS_PER_CHILD = 500
_SECONDS_PER_CHILD = 1200.0
#: … or when it holds so much more than when it was fresh. Libraries that it loads when needed take 25 MB of it.
_GROWTH_PER_CHILD_BYTES = 64 * 1_048_576
#: For one picture, far more than an honest child needs. The kernel limits single files only.
_MOST_WRITTEN_BYTES = 1024 * 1_048_576
_MOST_FILES = 1_000
_MOST_THREADS = 512
#: For the stack of a thread, which is asked for and hardly touched. libvips starts four, but not beside coefficients.
_STACK_BYTES = 8 * 1_048_576
#: Address space beside what a picture may take, for numpy, LibRaw, libheif and Pillow once some picture needed them.
#: Measured 105 MB; most of it is code and reserved, not memory.
LIBRARIES_BYTES = 128 * 1_048_576
#: … and for scipy and scikit-image. Measured 85 MB.
COMPARING_BYTES = 112 * 1_048_576


class DecoderProcess:
    """A running decoder. `busy`: not ready yet, or in the middle of a request. Left so, it is fit for `kill()` only.

    memory_bytes: address space that one picture may take. readable: what it may read.
    within: where it gets the one folder in which it may write: `folder`, for outputs and temporary files. compares: it
    has room for what comparing takes, too. Raises WorkspaceUnavailable, DecoderFailed, and what `heartbeat` raises.
    """

    def __init__(
        self, memory_bytes: int, within: Path, readable: Sequence[Path], heartbeat: Heartbeat, *, compares: bool = False
    ) -> None:
        self.busy = True
        self.compares = compares
        self.protection = NONE
        self.libvips = (0, 0, 0)
        self._fresh_bytes = 0
        self._renders = 0
        self._rendered_s = 0.0
        self._ended: resource.struct_rusage | None = None
        self._memory_bytes, self._timeout_s = memory_bytes, 0.0
        self._room_bytes = memory_bytes
        with translate_errors():
            self.folder = Path(tempfile.mkdtemp(prefix="decoder-", dir=within.resolve()))
        arguments = {
            "memory_bytes": memory_bytes + LIBRARIES_BYTES + (COMPARING_BYTES if compares else 0),
            "parent_pid": os.getpid(),
            "readable": [str(path.resolve()) for path in readable],
            "writable": [str(self.folder)],
        }
        try:
            started = start(arguments, heartbeat)
        except BaseException:
            remove_folder(self.folder)
            raise
        self.pid = started.pid
        self._code: int | None = None
        self._meter = Meter(self.pid)
        self._pipes = Pipes(started.stdin, started.stdout, started.stderr)

    @property
    def stderr(self) -> str:
        """The end of what it wrote there since its start, or since the request in hand."""
        return self._pipes.stderr

    @property
    def is_fresh(self) -> bool:
        """It has not been given a picture yet."""
        return self._renders == 0

    @property
    def is_alive(self) -> bool:
        return not self._has_ended()

    @property
    def reusable(self) -> bool:
        """Alive, idle, and not worn out."""
        return (
            not self.busy
            and self.is_alive
            and self._renders < _RENDERS_PER_CHILD
            and self._rendered_s < _SECONDS_PER_CHILD
            and self._meter.resident_bytes() - self._fresh_bytes < _GROWTH_PER_CHILD_BYTES
        )

    @property
    def resident_bytes(self) -> int:
        return self._meter.resident_bytes()

    @property
    def usage(self) -> Usage:
        """What the request in hand has taken, or the last one."""
        return self._meter.usage(self._ended)

    def wait_ready(self, timeout_s: float, heartbeat: Heartbeat) -> None:
        """Return once it has given up its rights and waits for requests. Raises DecoderFailed, DecoderTimeout.

        However it dies meanwhile, it is not DecoderCrashed: there is no picture yet to have done it.
        """
        answer = next(self._answers(timeout_s, heartbeat))
        try:
            self.protection = Protection(**answer["ready"]["protection"])
            self.libvips = tuple(answer["ready"]["libvips"])
        except (KeyError, TypeError):
            self._fail("its answer is not understood")
        self._fresh_bytes = self._meter.resident_bytes()
        self.busy = False

    def limit_growth(self, by_bytes: int | None) -> None:
        """Let it have so much more memory of its own from now on; None: as much as its address space has room for.

        Of what it is refused it complains as of address space. What it has asked for and does not use, as its heap may
        have after another picture, counts as if it were asked for now: it may use that unasked. Linux only.
        """
        self._room_bytes = self._memory_bytes
        if by_bytes is not None:
            self._room_bytes = min(self._memory_bytes, self._meter.resident_bytes() + by_bytes)
        if sys.platform == "linux":
            with contextlib.suppress(ProcessLookupError):
                hard = resource.prlimit(self.pid, resource.RLIMIT_DATA)[1]
                stacks_bytes = _STACK_BYTES * max(1, self._meter.threads() - 1)
                soft = hard if by_bytes is None else own_bytes(self.pid) + by_bytes + stacks_bytes
                resource.prlimit(self.pid, resource.RLIMIT_DATA, (soft, hard))

    def answer(
        self,
        request: dict[str, Any],
        timeout_s: float,
        heartbeat: Heartbeat,
        on_output: Callable[[int, int], None],
        *,
        outputs: int,
    ) -> Any:
        """The last that it says about the request, of which `outputs` come out. Raises DecoderFailed, DecoderTimeout,
        TooMuchMemory.

        Among DecoderFailed are DecoderKilled and DecoderCrashed, whatever was rendered before: see `is_fresh`.
        """
        self._renders += 1
        self._timeout_s = timeout_s
        self._meter.begin()
        self._pipes.stderr = ""
        started = time.monotonic()
        self._pipes.ask(request)
        self._signal(signal.SIGCONT)
        for done, answer in enumerate(self._answers(timeout_s, heartbeat), start=1):
            if done > outputs or answer != {"output": [done, outputs]}:
                break
            on_output(done, outputs)
        if self._pipes.asking:
            self._fail("it answered before it was asked")
        if sys.platform == "linux":  # elsewhere it would outlive its parent
            self._signal(signal.SIGSTOP)  # if it was taken over, it can do nothing unwatched
        self._rendered_s += time.monotonic() - started
        return answer

    def tidy(self) -> None:
        """Remove what it wrote. Raises OSError where there is more than plain files."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the child and everything that it may have started; gone when this returns."""
        if not self._has_ended():
            os.kill(self.pid, signal.SIGKILL)  # it may not lead its group yet
        self._signal(signal.SIGKILL)
        self._has_ended(wait=True)
        self._pipes.close()
        remove_folder(self.folder)

    def _answers(self, timeout_s: float, heartbeat: Heartbeat) -> Iterator[Any]:
        """What the child says, without end, calling `heartbeat` at least twice a second."""
        try:
            yield from self._pipes.answers(timeout_s, heartbeat, self._watch)
        except NotUnderstood:
            self._fail("its answer is not understood")
        except PipeClosed:
            self._raise_exit(self._wait_for_end(heartbeat))

    def _watch(self) -> None:
        """Raises DecoderFailed when it takes what no picture needs, and no limit of the kernel's holds it."""
        if self._meter.written_bytes() > _MOST_WRITTEN_BYTES:
            self._fail("it wrote without end")
        if self._meter.threads() > _MOST_THREADS:
            self._fail("it started threads without end")
        with os.scandir(self.folder) as files:
            if any(islice(files, _MOST_FILES, None)):
                self._fail("it made files without end")

    def _signal(self, number: signal.Signals) -> None:
        """Send it to the child and everything that it may have started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie's group
            os.killpg(self.pid, number)

    def _fail(self, how: str) -> NoReturn:
        self._raise(errors.DecoderFailed(how), how)

    def _raise_exit(self, code: int | None) -> NoReturn:
        """Raise what it means that it ended with return code `code`, or (None) closed its pipe and lives on."""
        if code is None:
            self._fail("it closed its pipe")
        self._pipes.drain_stderr()
        if self.is_fresh and code != -signal.SIGKILL:
            self._fail(describe_exit(code))
        error = classify_exit(
            code,
            self.stderr,
            peak_bytes=self.usage.peak_bytes,
            memory_bytes=self._room_bytes,
            timeout_s=self._timeout_s,
        )
        self._raise(error, describe_exit(code))

    def _raise(self, error: errors.MediaError, how: str) -> NoReturn:
        self._pipes.drain_stderr()
        log.error("decoder_died", how=how, pid=self.pid, stderr=self.stderr)
        if self.stderr:
            error.add_note(f"The decoder said last:\n{self.stderr}")
        raise error

    def _wait_for_end(self, heartbeat: Heartbeat) -> int | None:
        """The return code of a child that has closed its pipe, or None when it lives on."""
        throttled_heartbeat = throttled(heartbeat)
        deadline = time.monotonic() + _EXIT_TIMEOUT_S
        while not self._has_ended():
            if time.monotonic() > deadline:
                return None
            throttled_heartbeat()
            time.sleep(0.005)
        return self._code

    def _has_ended(self, *, wait: bool = False) -> bool:
        """Whether it is gone; then what it took in its life is known, too."""
        if self._code is not None:
            return True
        pid, status, took = os.wait4(self.pid, 0 if wait else os.WNOHANG)
        if not pid:
            return False
        self._code = os.waitstatus_to_exitcode(status)
        self._ended = took
        return True
