"""What a worker holds: its name, its decoder, its temporary files, and what it knows of its own state."""

import math
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID, uuid4

from django.conf import settings

from media_jobs.adapters.decoder.host_lock import HostLock
from media_jobs.adapters.decoder.host_memory import HostMemory
from media_jobs.adapters.decoder.render_slots import RenderSlots
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.adapters.decoder.within_memory import render_within
from media_jobs.adapters.workspace import Workspace, translate_errors
from media_jobs.models import Preset
from media_jobs.pipeline.values import Rendered, Request
from media_jobs.ports import Heartbeat
from media_jobs.states import Lane, SandboxEnd

#: A worker that is told to stop has 25 seconds. The job in hand gets these; the rest is for handing it back.
FINISH_WITHIN_S = 20.0
#: What is rendered on the heavy lane may take so many times as long as elsewhere.
HEAVY_TIMES = 3
#: Each eighth job is looked for in the heavy lane first: uploads without end must not keep somebody's large picture
#: waiting for ever.
HEAVY_EVERY = 8
#: How far the lane `bulk` is behind its share at most, and how far ahead of it: long ago counts for nothing.
_MOST_DEFICIT_S, _MOST_ADVANCE_S = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class RenderSlot:
    """The place where one picture is rendered, and what it may take there."""

    sandbox: Sandbox
    memory_bytes: int

    def render(
        self, request: Request, *, timeout_s: float, heartbeat: Heartbeat, on_output: Callable[[int, int], None]
    ) -> Rendered:
        """As the sandbox does it, once the host has memory for it. Raises what `Sandbox.render` raises."""
        return render_within(
            HostMemory(settings.WORK_DIR),
            self.sandbox,
            request,
            timeout_s=timeout_s,
            heartbeat=heartbeat,
            on_output=on_output,
        )


class Worker:
    """One worker. For one thread; others, and signal handlers, may tell it to stop, and look.

    run_urgent_tasks: called now and then while it is busy; does what must not wait until it is free. It raises nothing
    but queue.JobTimeout. slots: that it shares with other workers; without them it always has a place of its own.
    """

    def __init__(
        self, run_urgent_tasks: Callable[[], object] = lambda: None, *, slots: RenderSlots | None = None
    ) -> None:
        #: Names it in leases; never the same for two.
        self.id = f"{socket.gethostname()[:200]}-{os.getpid()}-{uuid4().hex[:8]}"
        self.run_urgent_tasks = run_urgent_tasks
        #: On the monotonic clock: a job that is not done by then goes back to the queue.
        self.hand_back_at_s = math.inf
        #: An attempt failed for what lies outside of the job: look whether storage, disk and database are there.
        self.suspects_outage = False
        #: How often its decoder was replaced, and has not been counted yet.
        self.restarts: Counter[SandboxEnd] = Counter()
        self._slots = slots
        self._jobs_since_heavy = 0
        self._bulk_deficit_s = 0.0
        self._presets: dict[UUID, Preset] = {}

    @cached_property
    def workspace(self) -> Workspace:
        """Its temporary files. Raises WorkspaceUnavailable."""
        return Workspace(settings.WORK_DIR, self.id)

    def usable_workspace(self) -> Workspace:
        """`workspace`, or a new one where somebody has removed it. Raises WorkspaceUnavailable."""
        if not self.workspace.is_there:
            self.close()
        return self.workspace

    @cached_property
    def sandbox(self) -> Sandbox:
        """Its decoder, whose child starts with the first picture."""
        return self.new_sandbox(settings.SANDBOX_MEMORY_BYTES)

    def end_idle_decoder(self) -> None:
        """Give back the memory of a decoder that has had no picture for some seconds."""
        if "sandbox" in vars(self):
            self.sandbox.close_if_idle()

    @property
    def stopping(self) -> bool:
        return self.hand_back_at_s < math.inf

    def stop(self, *, within_s: float = FINISH_WITHIN_S) -> None:
        """Give the job in hand so many seconds from now on. May be called by a signal handler, and again."""
        self.hand_back_at_s = min(self.hand_back_at_s, time.monotonic() + within_s)

    @property
    def heavy_is_next(self) -> bool:
        """Whether the next job is looked for in the heavy lane first."""
        return self._jobs_since_heavy >= HEAVY_EVERY - 1

    @property
    def bulk_is_next(self) -> bool:
        """Whether reprocessing has had less than its share of the time, BULK_SHARE."""
        return self._bulk_deficit_s > 0

    def next_lanes(self) -> list[Lane]:
        """The lanes, in the order in which to look for the next job; each call stands for one such look."""
        if self.heavy_is_next:
            self._jobs_since_heavy = 0
            return sorted(Lane, key=lambda lane: lane is not Lane.HEAVY)
        if self.bulk_is_next:
            return sorted(Lane, key=lambda lane: lane is not Lane.BULK)
        return list(Lane)

    def count_job(self, lane: Lane, took_s: float) -> None:
        """Remember that a job of the lane was done."""
        self._jobs_since_heavy = 0 if lane is Lane.HEAVY else self._jobs_since_heavy + 1
        share = settings.BULK_SHARE / 100
        deficit_s = self._bulk_deficit_s + took_s * (share - 1 if lane is Lane.BULK else share)
        self._bulk_deficit_s = max(-_MOST_ADVANCE_S, min(_MOST_DEFICIT_S, deficit_s))

    def preset(self, pk: UUID) -> Preset:
        """The preset with its renditions. It is read once: what jobs were made with never changes."""
        if pk not in self._presets:
            self._presets[pk] = Preset.objects.prefetch_related("renditions").get(pk=pk)
        return self._presets[pk]

    def new_sandbox(self, memory_bytes: int) -> Sandbox:
        """Another decoder, which the caller closes."""
        return Sandbox(memory_bytes=memory_bytes, folder=self.workspace.path, restarts=self.restarts)

    @contextmanager
    def render_slot(self, *, heavy: bool, heartbeat: Heartbeat) -> Iterator[RenderSlot]:
        """A place to render at, waiting for it if need be: `heavy` ones are alone on their host.

        Raises WorkspaceUnavailable and whatever `heartbeat` raises, which is called while waiting.
        """
        lock = HostLock(settings.WORK_DIR)
        with ExitStack() as held:
            with translate_errors():
                if self._slots:
                    held.enter_context(self._slots.one(heartbeat))
                held.enter_context(lock.exclusive(heartbeat) if heavy else lock.shared(heartbeat))
            if heavy:
                decoder = self.new_sandbox(settings.HEAVY_MEMORY_BYTES)
                held.callback(decoder.close)
                yield RenderSlot(decoder, settings.HEAVY_MEMORY_BYTES)
            else:
                yield RenderSlot(self.sandbox, settings.SANDBOX_MEMORY_BYTES)

    def close(self) -> None:
        """Give up what it holds for rendering. Called once, at its end."""
        for name in ("sandbox", "workspace"):
            if name in vars(self):
                vars(self).pop(name).close()


def render_limit_s(*, heavy: bool) -> float:
    """How long one picture may take."""
    return settings.RENDER_TIMEOUT_S * (HEAVY_TIMES if heavy else 1)


class _Current(threading.local):
    worker: Worker | None = None


_current = _Current()


def current() -> Worker:
    """The worker of this thread: RQ calls a task by its name, and can hand over nothing."""
    if _current.worker is None:
        _current.worker = Worker()
    return _current.worker


def replace_current(worker: Worker | None) -> None:
    """Have `current` return this one, in this thread; None: a new one. The former one is closed."""
    if _current.worker is not None and _current.worker is not worker:
        _current.worker.close()
    _current.worker = worker
