"""The decoder of untrusted bytes, as its user sees it: a picture goes in, checked answers come out."""

import ctypes
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from media_jobs import errors
from media_jobs.adapters.decoder import template
from media_jobs.adapters.decoder.process import DecoderProcess
from media_jobs.adapters.decoder.questions import CompareQuestion, Question, RenderQuestion
from media_jobs.adapters.workspace import translate_errors
from media_jobs.errors import is_disk_full
from media_jobs.pipeline.child.confine import Protection
from media_jobs.pipeline.compare.values import CompareRequest, Measures
from media_jobs.pipeline.values import Rendered, Request, Usage
from media_jobs.ports import Heartbeat, no_heartbeat
from media_jobs.states import SandboxEnd

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

_START_TIMEOUT_S = 30.0
#: How long a child may wait for its next picture.
_IDLE_S = 10.0
_PR_SET_DUMPABLE = 4
#: More than the buffer of a file.
_TRIAL = bytes(65_536)
#: What an error says of the child. Some are kinds of the last one.
_ENDS: tuple[tuple[type[Exception], SandboxEnd], ...] = (
    (errors.DecoderCrashed, SandboxEnd.CRASHED),
    (errors.DecoderKilled, SandboxEnd.KILLED),
    (errors.DecoderTimeout, SandboxEnd.TIMEOUT),
    (errors.TooMuchMemory, SandboxEnd.MEMORY),
    (errors.DecoderFailed, SandboxEnd.FAILED),
)
#: What an answer that makes no sense may raise in whoever reads it.
_BAD_ANSWER = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)


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
    """One decoder process, started when first needed and again whenever it has died. Not thread-safe.

    memory_bytes: address space that one picture may take. folder: where, as a rule, a `source` lies; it must be there.
    readable: where else one may lie. Nothing else is open to it. It writes only into a folder of its own within
    `folder`; outputs are copied from there to the request's `into` once they are found to be what it says.
    On Linux the child dies with this process, and the template that it was forked from with the thread that needed it
    first, so render from threads that live long.
    """

    def __init__(
        self,
        memory_bytes: int,
        folder: Path,
        *,
        readable: Sequence[Path] = (),
        restarts: Counter[SandboxEnd] | None = None,
    ) -> None:
        self.memory_bytes = memory_bytes
        #: How often a child had to be replaced, by why.
        self.restarts: Counter[SandboxEnd] = Counter() if restarts is None else restarts
        self._folder = folder
        self._readable = (folder, *readable)
        self._child: DecoderProcess | None = None
        #: When it last had something to do, on the monotonic clock.
        self._asked_at_s = 0.0
        #: What the last render took of the machine, whatever came of it. None: it did not begin.
        self.usage: Usage | None = None

    @property
    def pid(self) -> int | None:
        """That of the running child."""
        return self._child.pid if self._child else None

    @property
    def resident_bytes(self) -> int:
        """Memory of the running child; 0 without one."""
        child = self._child
        return child.resident_bytes if child else 0

    def start(self) -> Readiness:
        """Have a child that waits for requests. Raises DecoderFailed, DecoderTimeout, WorkspaceUnavailable."""
        child = self._ready_child(False, no_heartbeat)
        return Readiness(child.protection, child.libvips)

    def render(
        self,
        request: Request,
        *,
        timeout_s: float,
        heartbeat: Heartbeat,
        on_output: Callable[[int, int], None],
        may_grow_bytes: int | None = None,
    ) -> Rendered:
        """Render in the child, calling `heartbeat` at least twice a second and `on_output(done, of)` after each output.

        Raises ImageRefused (TooMuchMemory also when the lack of it made the child crash), DecoderCrashed,
        DecoderKilled, DecoderFailed, DecoderTimeout, WorkspaceUnavailable, and whatever `heartbeat` and `on_output`
        raise; NeedsRoom where the request's limits name a room that is too small. The picture is blamed only where
        files can be read and written as they should.

        may_grow_bytes: how much memory of its own the child may take beyond what it has; None: what pictures may.

        Unless the child answered to the end, and believably, it is killed, whatever came in between; the next render
        gets a new one.

        A child that crashes may have been hurt by a picture before. So the render is repeated, at once and with all
        its time, in a new child, and only one that crashes on its first picture is DecoderCrashed.
        """
        return self._asked(RenderQuestion(request, on_output, may_grow_bytes), timeout_s, heartbeat)

    def compare(self, request: CompareRequest, *, timeout_s: float, heartbeat: Heartbeat) -> Measures:
        """Measure two pictures of each size in the child, as `render` renders, and raise what it raises.

        ImageRefused is about the original. Raises ComparingNotInstalled where scikit-image is not.
        """
        return self._asked(CompareQuestion(request), timeout_s, heartbeat)

    def _asked(self, question: Question[_T], timeout_s: float, heartbeat: Heartbeat) -> _T:
        self.usage = None
        try:
            return self._asked_again(question, timeout_s, heartbeat)
        except (errors.ImageRefused, errors.DecoderFailed):
            self._check_files(question)
            raise

    def _asked_again(self, question: Question[_T], timeout_s: float, heartbeat: Heartbeat) -> _T:
        child = self._ready_child(question.compares, heartbeat)
        is_first_picture = child.is_fresh
        try:
            return self._answered(child, question, timeout_s, heartbeat)
        except errors.DecoderCrashed:
            if is_first_picture:
                raise
        log.warning("render_repeated", source=question.sources[0].name)
        return self._answered(self._ready_child(question.compares, heartbeat), question, timeout_s, heartbeat)

    def _answered(self, child: DecoderProcess, question: Question[_T], timeout_s: float, heartbeat: Heartbeat) -> _T:
        child.busy = True
        try:
            asked = question.to_json(child.folder)
            child.limit_growth(question.may_grow_bytes)
            answer = child.answer(asked, timeout_s, heartbeat, question.on_output, outputs=question.outputs)
            try:
                outcome = question.outcome(answer, child.folder)
                child.tidy()
            except _BAD_ANSWER as error:
                if is_disk_full(error):  # ours: it has been read from the child's folder, and written to the request's
                    raise errors.WorkspaceFull from error
                log.error("decoder_answer_rejected", why=f"{type(error).__name__}: {error}", stderr=child.stderr)
                raise errors.DecoderFailed("its answer does not fit the question") from error
            child.busy = False
        finally:
            self.usage, self._asked_at_s = child.usage, time.monotonic()
            if child.busy:
                self._give_up(sys.exc_info()[1])
        if isinstance(outcome, errors.DecoderFailed):
            log.error("decoder_failed", how=str(outcome), stderr=child.stderr)
            outcome.add_note(f"The decoder said last:\n{child.stderr}")
        if isinstance(outcome, (errors.MediaError, errors.NeedsRoom)):
            raise outcome
        return outcome

    def _check_files(self, question: Question[_T]) -> None:
        """Raise WorkspaceUnavailable where a source cannot be read, or what comes out cannot be written."""
        with translate_errors():
            for folder in (self._folder, *question.folders):
                with tempfile.TemporaryFile(dir=folder) as file:
                    file.write(_TRIAL)
            for path in question.sources:
                with path.open("rb") as source:
                    source.read(1)

    def close_if_idle(self) -> None:
        """Kill a child that has had nothing to do for some time: it holds memory, and a new one is there at once."""
        if self._child and time.monotonic() - self._asked_at_s > _IDLE_S:
            self.close()
        template.close_if_idle()

    def close(self) -> None:
        """Kill the child, if there is one."""
        child, self._child = self._child, None
        if child:
            child.kill()

    def _give_up(self, error: BaseException | None) -> None:
        """Kill the child for what came to pass.

        Who takes over decoders by trying must not learn from one what helps with the next: all that are forked from one
        template have the same addresses.
        """
        end = next((end for kind, end in _ENDS if isinstance(error, kind)), SandboxEnd.INTERRUPTED)
        self.restarts[end] += 1
        if end not in (SandboxEnd.INTERRUPTED, SandboxEnd.KILLED):
            template.renew()
        self.close()

    def _ready_child(self, compares: bool, heartbeat: Heartbeat) -> DecoderProcess:
        """One for what is asked. There is one at a time: each takes memory while it waits."""
        template.keep()
        if self._child and not self._child.reusable:
            self.restarts[SandboxEnd.WORN if self._child.is_alive else SandboxEnd.KILLED] += 1
            self.close()
        if self._child and self._child.compares != compares:
            self.close()
        if not self._child:
            self._child = DecoderProcess(self.memory_bytes, self._folder, self._readable, heartbeat, compares=compares)
            self._asked_at_s = time.monotonic()
            try:
                self._child.wait_ready(_START_TIMEOUT_S, heartbeat)
            finally:
                if self._child.busy:
                    self._give_up(sys.exc_info()[1])
        return self._child
