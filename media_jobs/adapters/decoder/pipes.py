"""How a worker talks with a decoder process: requests and answers as JSON lines, and standard error."""

import contextlib
import json
import os
import selectors
import time
from collections.abc import Callable, Iterator
from typing import IO, Any

from media_jobs import errors
from media_jobs.ports import Heartbeat

_SLICE_S = 0.5
_CHUNK_BYTES = 65_536
_MAX_ANSWER_BYTES = 1_048_576
_STDERR_TAIL_BYTES = 4096


class PipeClosed(Exception):
    """The child has closed its end: no more answers will come."""


class NotUnderstood(Exception):
    """What the child wrote is no JSON line, or one without end."""


class Pipes:
    """The three pipes to a child. None of them ever blocks: the child decides how fast it reads and writes.

    stderr: the end of what it wrote to standard error; may be emptied. asking: a request is not yet sent to its end.
    """

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self.stderr = ""
        self._unread = self._unsent = b""
        self._stdin, self._stdout, self._stderr = stdin, stdout, stderr
        self._selector = selectors.DefaultSelector()
        for stream in (self._stdout, self._stderr):
            self._selector.register(stream, selectors.EVENT_READ)
        for stream in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)

    @property
    def asking(self) -> bool:
        return bool(self._unsent)

    def ask(self, request: dict[str, Any]) -> None:
        """Have the request sent while `answers` waits."""
        self._unsent = json.dumps(request).encode() + b"\n"
        self._selector.register(self._stdin, selectors.EVENT_WRITE)

    def answers(self, timeout_s: float, heartbeat: Heartbeat, watch: Callable[[], None]) -> Iterator[Any]:
        """Whatever the child says, without end. Raises PipeClosed, NotUnderstood, DecoderTimeout.

        Calls `heartbeat` and `watch` at once, and then at least twice a second; what they raise passes through.
        """
        next_heartbeat = started = time.monotonic()
        while True:
            self._send()
            yield from self._read_answers()
            now = time.monotonic()
            if now - started >= timeout_s:
                raise errors.DecoderTimeout(limit_s=timeout_s)
            if now >= next_heartbeat:
                heartbeat()
                watch()
                next_heartbeat = now + _SLICE_S
            wait_s = min(next_heartbeat, started + timeout_s) - time.monotonic()
            self._selector.select(max(0.0, wait_s))

    def drain_stderr(self) -> None:
        """Read what there is of it."""
        with contextlib.suppress(BlockingIOError):
            chunk = os.read(self._stderr.fileno(), _CHUNK_BYTES)
            if not chunk and self._stderr in self._selector.get_map():
                self._selector.unregister(self._stderr)
            tail = chunk[-_STDERR_TAIL_BYTES:].decode(errors="replace")
            self.stderr = (self.stderr + printable(tail))[-_STDERR_TAIL_BYTES:]

    def close(self) -> None:
        self._selector.close()
        for stream in (self._stdin, self._stdout, self._stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def _send(self) -> None:
        """Write as much of the request as the pipe takes, whose size the child can change."""
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

    def _read_answers(self) -> list[Any]:
        """The whole lines that have arrived."""
        self.drain_stderr()
        try:
            chunk = os.read(self._stdout.fileno(), _CHUNK_BYTES)
        except BlockingIOError:
            return []
        if not chunk:
            raise PipeClosed
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        if len(self._unread) > _MAX_ANSWER_BYTES:
            raise NotUnderstood
        try:
            return [json.loads(line) for line in lines]
        except (ValueError, RecursionError) as error:
            raise NotUnderstood from error


def printable(text: str) -> str:
    """The text without what would steer a terminal, or hide from whoever reads it. Lines stay."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)
