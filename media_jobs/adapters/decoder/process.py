"""One decoder process from its start to its end: its pipes, its environment, its folder.

It is a fresh program: it inherits no memory, no environment, no descriptors but its three pipes.
"""

import contextlib
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, NoReturn

import structlog

from media_jobs import errors, pipeline
from media_jobs.adapters.decoder.deaths import in_words, verdict
from media_jobs.adapters.decoder.meter import Meter
from media_jobs.adapters.throttle import throttled
from media_jobs.adapters.workspace import room_on_disk
from media_jobs.pipeline.child.confine import NONE, Protection
from media_jobs.pipeline.values import Usage
from media_jobs.ports import Heartbeat

log = structlog.get_logger(__name__)

_ENTRY = Path(pipeline.__file__).with_name("__main__.py")
_SLICE_S = 0.5
#: How long a child may take from its end of file to its end.
_LAST_BREATH_S = 5.0
#: A child is replaced after so much work, long before its processor time runs out.
_RENDERS_PER_CHILD = 500
_SECONDS_PER_CHILD = 1200.0
#: … or when it holds so much more than when it was fresh. Libraries that it loads when needed take 25 MB of it.
_GROWTH_PER_CHILD_BYTES = 64 * 1_048_576
_MAX_ANSWER_BYTES = 1_048_576
_STDERR_TAIL_BYTES = 4096
#: For one picture, far more than an honest child needs. The kernel limits single files only.
_MOST_WRITTEN_BYTES = 1024 * 1_048_576
_MOST_FILES = 1_000
_MOST_THREADS = 512
#: Address space beside what a picture may take, for numpy, LibRaw, libheif and Pillow once some picture needed them.
#: Measured 105 MB; most of it is code and reserved, not memory.
LIBRARIES_BYTES = 128 * 1_048_576


class DecoderProcess:
    """A running decoder. `busy`: not ready yet, or in the middle of a request. Left so, it is fit for `kill()` only.

    memory_bytes: address space that one picture may take. readable: what it may read.
    within: where it gets the one folder in which it may write: `folder`, for outputs and temporary files. Raises
    WorkspaceFull where there is no room for it.
    """

    def __init__(self, memory_bytes: int, within: Path, readable: Sequence[Path]) -> None:
        self.busy = True
        self.stderr = ""
        self.protection = NONE
        self.libvips = (0, 0, 0)
        self._fresh_bytes = 0
        self._renders = 0
        self._rendered_s = 0.0
        self._unread = self._unsent = b""
        self._ended: resource.struct_rusage | None = None
        self._memory_bytes, self._timeout_s = memory_bytes, 0.0
        with room_on_disk():
            self._own = tempfile.TemporaryDirectory(prefix="decoder-", dir=within.resolve(), ignore_cleanup_errors=True)
        self.folder = Path(self._own.name)
        arguments = {
            "memory_bytes": memory_bytes + LIBRARIES_BYTES,
            "parent_pid": os.getpid(),
            "readable": [str(path.resolve()) for path in readable],
            "writable": [str(self.folder)],
        }
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and our own file)
            [sys.executable, "-I", str(_ENTRY), json.dumps(arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=self.folder,
            env=_environment(str(self.folder)),
            start_new_session=True,
        )
        self._meter = Meter(self.pid)
        self._stdin = _opened(self._process.stdin)
        self._stdout = _opened(self._process.stdout)
        self._stderr = _opened(self._process.stderr)
        self._selector = selectors.DefaultSelector()
        for stream in (self._stdout, self._stderr):
            self._selector.register(stream, selectors.EVENT_READ)
        for stream in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_fresh(self) -> bool:
        """It has not been given a picture yet."""
        return self._renders == 0

    @property
    def fit_for_more(self) -> bool:
        """Alive, idle, and not worn out."""
        return (
            not self.busy
            and not self._has_ended()
            and self._renders < _RENDERS_PER_CHILD
            and self._rendered_s < _SECONDS_PER_CHILD
            and self._meter.resident_bytes() - self._fresh_bytes < _GROWTH_PER_CHILD_BYTES
        )

    @property
    def usage(self) -> Usage:
        """Of the request in hand, or of the last one."""
        return self._meter.usage(self._ended)

    def wait_ready(self, timeout_s: float, heartbeat: Heartbeat) -> None:
        """Until it has given up its rights and waits for requests. Raises DecoderFailed, DecoderTimeout.

        However it dies meanwhile, it is not DecoderCrashed: there is no picture yet to have done it.
        """
        told = next(self._answers(timeout_s, heartbeat))
        try:
            self.protection = Protection(**told["ready"]["protection"])
            self.libvips = tuple(told["ready"]["libvips"])
        except (KeyError, TypeError):
            self._fail("it talks nonsense")
        self._fresh_bytes = self._meter.resident_bytes()
        self.busy = False

    def answer(
        self, request: dict[str, Any], timeout_s: float, heartbeat: Heartbeat, on_output: Callable[[int, int], None]
    ) -> Any:
        """Whatever it says last about the request. Raises DecoderFailed, DecoderTimeout, TooMuchMemory.

        Among DecoderFailed are DecoderKilled and DecoderCrashed, whatever was rendered before: see `is_fresh`.
        """
        self._renders += 1
        self._timeout_s = timeout_s
        self._meter.begin()
        self.stderr = ""
        started = time.monotonic()
        self._unsent = json.dumps(request).encode() + b"\n"
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        self._signal(signal.SIGCONT)
        of = len(request["preset"]["renditions"])
        for done, told in enumerate(self._answers(timeout_s, heartbeat), start=1):
            if done > of or told != {"output": [done, of]}:
                break
            on_output(done, of)
        if self._unsent:
            self._fail("it answered before it was asked")
        if sys.platform == "linux":  # elsewhere it would outlive its parent
            self._signal(signal.SIGSTOP)  # whoever took it over does nothing while nobody watches
        self._rendered_s += time.monotonic() - started
        return told

    def tidy(self) -> None:
        """Remove what it wrote. Raises OSError where there is more than plain files."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the child and everything that it may have started; gone when this returns."""
        self._signal(signal.SIGKILL)
        self._has_ended(wait=True)
        self._selector.close()
        for stream in (self._stdin, self._stdout, self._stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._own.cleanup()

    def _answers(self, timeout_s: float, heartbeat: Heartbeat) -> Iterator[Any]:
        """What the child says, without end, calling `heartbeat` at least twice a second."""
        next_heartbeat = started = time.monotonic()
        while True:
            self._send()
            yield from self._read_answers(heartbeat)
            now = time.monotonic()
            if now - started >= timeout_s:
                raise errors.DecoderTimeout(limit_s=timeout_s)
            if now >= next_heartbeat:
                heartbeat()
                self._watch()
                next_heartbeat = now + _SLICE_S
            wait_s = min(next_heartbeat, started + timeout_s) - time.monotonic()
            self._selector.select(max(0.0, wait_s))

    def _send(self) -> None:
        """As much of the request as the pipe takes, whose size the child can change."""
        if not self._unsent:
            return
        try:
            self._unsent = self._unsent[os.write(self._stdin.fileno(), self._unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # then there will be no answer either, and the exit code says why
            self._unsent = b""
        if not self._unsent:
            self._selector.unregister(self._stdin)

    def _watch(self) -> None:
        """Raises DecoderFailed when it takes what no picture needs, and no limit of the kernel's holds it."""
        self._meter.peak_bytes()  # it may be gone when that is wanted
        if self._meter.written_bytes() > _MOST_WRITTEN_BYTES:
            self._fail("it wrote without end")
        if self._meter.threads() > _MOST_THREADS:
            self._fail("it started threads without end")
        with os.scandir(self.folder) as files:
            if any(islice(files, _MOST_FILES, None)):
                self._fail("it made files without end")

    def _signal(self, number: signal.Signals) -> None:
        """To the child and everything that it may have started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie's group
            os.killpg(self.pid, number)

    def _read_answers(self, heartbeat: Heartbeat) -> list[Any]:
        """The whole lines that have arrived. Raises what its end means when no more will come."""
        self._drain_stderr()
        try:
            chunk = os.read(self._stdout.fileno(), 65_536)
        except BlockingIOError:
            return []
        if not chunk:
            self._die(self._wait_for_end(heartbeat))
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        if len(self._unread) > _MAX_ANSWER_BYTES:
            self._fail("it talks nonsense")
        try:
            return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            self._fail("it talks nonsense")

    def _fail(self, how: str) -> NoReturn:
        self._raise(errors.DecoderFailed(how), how)

    def _die(self, code: int | None) -> NoReturn:
        """Of its end with return code `code`, or of a pipe that it closed and went on living."""
        if code is None:
            self._fail("it closed its pipe")
        self._drain_stderr()
        if self.is_fresh and code != -signal.SIGKILL:
            self._fail(in_words(code))
        error = verdict(
            code,
            self.stderr,
            peak_bytes=self.usage.peak_bytes,
            memory_bytes=self._memory_bytes,
            timeout_s=self._timeout_s,
        )
        self._raise(error, in_words(code))

    def _raise(self, error: errors.MediaError, how: str) -> NoReturn:
        self._drain_stderr()
        log.error("decoder_died", how=how, pid=self.pid, stderr=self.stderr)
        if self.stderr:
            error.add_note(f"The decoder said last:\n{self.stderr}")
        raise error

    def _drain_stderr(self) -> None:
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self._stderr.fileno(), 65_536)
            if not chunk and self._stderr in self._selector.get_map():
                self._selector.unregister(self._stderr)
            tail = chunk[-_STDERR_TAIL_BYTES:].decode(errors="replace")
            self.stderr = (self.stderr + plain(tail))[-_STDERR_TAIL_BYTES:]

    def _wait_for_end(self, heartbeat: Heartbeat) -> int | None:
        """The return code of a child that has closed its pipe, or None when it lives on."""
        tick = throttled(heartbeat)
        deadline = time.monotonic() + _LAST_BREATH_S
        while not self._has_ended():
            if time.monotonic() > deadline:
                return None
            tick()
            time.sleep(0.005)
        return self._process.returncode

    def _has_ended(self, *, wait: bool = False) -> bool:
        """Whether it is gone; then what it took in its life is known."""
        if self._process.returncode is not None:
            return True
        pid, status, took = os.wait4(self.pid, 0 if wait else os.WNOHANG)
        if not pid:
            return False
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._ended = took
        return True


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    """A pipe that was asked for is there; the type does not know."""
    if pipe is None:
        raise RuntimeError("no pipe to the decoder")
    return pipe


def _environment(folder: str) -> dict[str, str]:
    """All that the child sees: nothing of the worker's own."""
    return {
        "LANG": "C.UTF-8",
        "TMPDIR": folder,
        "VIPS_CONCURRENCY": "1",
        "VIPS_BLOCK_UNTRUSTED": "1",
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",  # numpy's; each of its threads would take 30 MB of address space
        "OMP_NUM_THREADS": "1",  # LibRaw's
    }


def plain(text: str) -> str:
    """Without what would steer a terminal, or hide from whoever reads it. Lines stay."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)
