"""The process that decodes untrusted bytes, as its parent sees it.

The child is a fresh program: it inherits no memory, no environment, no descriptors but its three pipes.
"""

import contextlib
import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NoReturn

import structlog

from media_jobs import errors, pipeline
from media_jobs.pipeline.values import Rendered, Request
from media_jobs.pipeline.verify import verify

log = structlog.get_logger(__name__)

_ENTRY = Path(pipeline.__file__).with_name("__main__.py")
_SLICE_S = 0.5
#: A child is replaced after so much work, long before its processor time runs out or its memory is in shreds.
_RENDERS_PER_CHILD = 500
_SECONDS_PER_CHILD = 1200.0
_MAX_ANSWER_BYTES = 1_048_576
_STDERR_TAIL_BYTES = 4096
_PR_SET_DUMPABLE = 4


def harden_worker() -> None:
    """Close `/proc/<pid>/environ` and `mem` of this process to others of its user, the child among them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


class Sandbox:
    """One decoder process, started when first needed and again whenever it has died. Not for several threads.

    memory_bytes: its address space. folder: where it may keep temporary files, by default where the system does.
    On Linux the child dies with the thread that started it, so render from a thread that lives long.
    """

    def __init__(self, memory_bytes: int, folder: Path | None = None) -> None:
        self._memory_bytes = memory_bytes
        self._folder = folder
        self._child: _Child | None = None

    @property
    def pid(self) -> int | None:
        """Of the running child."""
        return self._child.pid if self._child else None

    def render(
        self,
        request: Request,
        *,
        timeout_s: float,
        beat: Callable[[], None],
        on_output: Callable[[int, int], None],
    ) -> Rendered:
        """Render in the child, calling `beat` at least twice a second and `on_output(done, of)` after each output.

        Raises ImageRefused, DecoderFailed, DecoderTimeout, and whatever `beat` and `on_output` raise. Unless the child
        answered to the end it is killed, whatever came in between; the next render gets a new one.
        """
        child = self._ready_child()
        child.busy = True
        try:
            child.send(request.to_json())
            answer = child.answer(timeout_s, beat, on_output)
            child.busy = False
        finally:
            if child.busy:
                self.close()
        if "refused" in answer:
            raise errors.refused(**answer["refused"])
        if "failed" in answer:
            log.error("decoder_failed", how=answer["failed"], stderr=child.stderr)
            raise errors.DecoderFailed(answer["failed"])
        try:
            rendered = Rendered.from_json(answer["done"])
            verify(rendered, request)
        except (OSError, KeyError, TypeError, ValueError) as error:
            self.close()
            log.error("decoder_not_believed", why=str(error), stderr=child.stderr)
            raise errors.DecoderFailed("its answer does not fit the question") from error
        return rendered

    def close(self) -> None:
        """Kill the child, if there is one."""
        child, self._child = self._child, None
        if child:
            child.kill()

    def _ready_child(self) -> "_Child":
        if self._child and not self._child.fit_for_more:
            self.close()
        if not self._child:
            self._child = _Child(self._memory_bytes, self._folder)
        return self._child


class _Child:
    """A running decoder. `busy` while a request is not answered to the end."""

    def __init__(self, memory_bytes: int, folder: Path | None) -> None:
        self.busy = False
        self.stderr = ""
        self._renders = 0
        self._rendered_s = 0.0
        self._unread = b""
        self._folder = tempfile.TemporaryDirectory(prefix="decoder-", dir=folder)
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and our own file)
            [sys.executable, "-I", str(_ENTRY), str(memory_bytes), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=self._folder.name,
            env=_environment(self._folder.name),
            start_new_session=True,
        )
        self._stdin = _opened(self._process.stdin)
        self._stdout = _opened(self._process.stdout)
        self._stderr = _opened(self._process.stderr)
        self._selector = selectors.DefaultSelector()
        for stream in (self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def fit_for_more(self) -> bool:
        """Alive, idle, and not worn out."""
        return (
            not self.busy
            and self._process.poll() is None
            and self._renders < _RENDERS_PER_CHILD
            and self._rendered_s < _SECONDS_PER_CHILD
        )

    def send(self, request: dict[str, Any]) -> None:
        self.stderr = ""
        with contextlib.suppress(BrokenPipeError):  # then there will be no answer either, and the exit code says why
            self._stdin.write(json.dumps(request).encode() + b"\n")

    def answer(
        self, timeout_s: float, beat: Callable[[], None], on_output: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """The last answer to the request. Raises DecoderFailed, DecoderTimeout."""
        started = time.monotonic()
        self._renders += 1
        next_beat = started
        while True:
            for answer in self._read_answers():
                if "output" in answer:
                    on_output(*answer["output"])
                else:
                    self._rendered_s += time.monotonic() - started
                    return answer
            now = time.monotonic()
            if now - started >= timeout_s:
                raise errors.DecoderTimeout(limit_s=timeout_s)
            if now >= next_beat:
                beat()
                next_beat = now + _SLICE_S
            wait_s = min(next_beat, started + timeout_s) - time.monotonic()
            self._selector.select(max(0.0, wait_s))

    def kill(self) -> None:
        """End the child and everything that it may have started; gone when this returns."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM for a zombie's group
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for stream in (self._stdin, self._stdout, self._stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        self._folder.cleanup()

    def _read_answers(self) -> list[dict[str, Any]]:
        """The whole lines that have arrived. Raises DecoderFailed when no more will come."""
        self._drain_stderr()
        try:
            chunk = os.read(self._stdout.fileno(), 65_536)
        except BlockingIOError:
            return []
        if not chunk:
            self._fail(self._how_it_ended())
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        if len(self._unread) > _MAX_ANSWER_BYTES:
            self._fail("it talks nonsense")
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            self._fail("it talks nonsense")

    def _fail(self, how: str) -> NoReturn:
        self._drain_stderr()
        log.error("decoder_died", how=how, pid=self.pid, stderr=self.stderr)
        raise errors.DecoderFailed(how)

    def _drain_stderr(self) -> None:
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self._stderr.fileno(), 65_536)
            if not chunk and self._stderr in self._selector.get_map():
                self._selector.unregister(self._stderr)
            self.stderr = (self.stderr + chunk.decode(errors="replace"))[-_STDERR_TAIL_BYTES:]

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "it closed its pipe"
        return _in_words(code)


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
    }


def _in_words(code: int) -> str:
    """How a process ended, by its return code."""
    if code >= 0:
        return f"it ended with exit code {code}"
    if code == -signal.SIGKILL:
        return "it was killed from outside, perhaps for lack of memory"
    if code == -signal.SIGXCPU:
        return "it used up its processor time"
    if code in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL, -signal.SIGTRAP, -signal.SIGFPE):
        return f"it crashed, signal {-code}"
    return f"it was ended by signal {-code}"
