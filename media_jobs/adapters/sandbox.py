"""The decoder of untrusted bytes, as its user sees it: a picture in, answers that were checked out."""

import ctypes
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from media_jobs import errors
from media_jobs.adapters.decoder_process import DecoderProcess
from media_jobs.pipeline.child.confine import Protection
from media_jobs.pipeline.values import Rendered, Request, Usage
from media_jobs.pipeline.verify import verify

log = structlog.get_logger(__name__)

_START_TIMEOUT_S = 30.0
_PR_SET_DUMPABLE = 4


def harden_worker() -> None:
    """Close `/proc/<pid>/environ` and `mem` of this process to others of its user, the child among them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a child says of itself before it has seen a picture. libvips: its version, in three numbers."""

    protection: Protection
    libvips: tuple[int, ...]


class Sandbox:
    """One decoder process, started when first needed and again whenever it has died. Not for several threads.

    memory_bytes: its address space. folder: where it may read and write, so where requests have their `into` and, as
    a rule, their `source`; it must be there. readable: where else a `source` may lie. Nothing else is open to it.
    On Linux the child dies with the thread that started it, so render from a thread that lives long.
    """

    def __init__(self, memory_bytes: int, folder: Path, *, readable: Sequence[Path] = ()) -> None:
        self._memory_bytes = memory_bytes
        self._folder = folder
        self._readable = tuple(readable)
        self._child: DecoderProcess | None = None
        #: What the last render took of the machine, whatever came of it. None: it did not begin.
        self.usage: Usage | None = None

    @property
    def pid(self) -> int | None:
        """Of the running child."""
        return self._child.pid if self._child else None

    def start(self) -> Readiness:
        """Have a child that waits for requests. Raises DecoderFailed, DecoderTimeout."""
        child = self._ready_child(lambda: None)
        return Readiness(child.protection, child.libvips)

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
        self.usage = None
        child = self._ready_child(beat)
        child.busy = True
        try:
            answer = child.answer(request.to_json(), timeout_s, beat, on_output)
            child.busy = False
        finally:
            self.usage = child.usage
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

    def _ready_child(self, beat: Callable[[], None]) -> DecoderProcess:
        if self._child and not self._child.fit_for_more:
            self.close()
        if not self._child:
            self._child = DecoderProcess(self._memory_bytes, self._folder, self._readable)
            try:
                self._child.wait_ready(_START_TIMEOUT_S, beat)
            finally:
                if self._child.busy:
                    self.close()
        return self._child
