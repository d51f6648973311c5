"""What a worker process holds: its name, its decoders, its temporary files, and what it knows of its own state."""

import math
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from uuid import uuid4

from django.conf import settings

from media_jobs.adapters.decoder.host_lock import HostLock
from media_jobs.adapters.decoder.sandbox import Sandbox
from media_jobs.adapters.workspace import Workspace, room_on_disk
from media_jobs.ports import Heartbeat

#: A worker that is told to stop has 25 seconds. The job in hand gets these; the rest is for handing it back.
FINISH_WITHIN_S = 20.0
#: What is rendered on the heavy lane may take so many times as long as elsewhere.
HEAVY_TIMES = 3


@dataclass
class Duty:
    """What this worker was told and what it found out; for its one thread and its signal handlers."""

    #: On the monotonic clock: a job that is not done by then goes back to the queue.
    hand_back_at_s: float = math.inf
    #: An attempt failed for what lies outside of the job: look whether storage, disk and database are there.
    wary: bool = False

    @property
    def stopping(self) -> bool:
        return self.hand_back_at_s < math.inf

    def stop(self) -> None:
        """From now on the time runs. May be called by a signal handler, and again."""
        self.hand_back_at_s = min(self.hand_back_at_s, time.monotonic() + FINISH_WITHIN_S)


duty = Duty()


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one picture is rendered, and what it may take there."""

    sandbox: Sandbox
    memory_bytes: int


@cache
def worker_id() -> str:
    """Names this process in leases; never the same for two processes."""
    return f"{socket.gethostname()[:200]}-{os.getpid()}-{uuid4().hex[:8]}"


@cache
def workspace() -> Workspace:
    """This worker's temporary files. Raises WorkspaceFull."""
    return Workspace(settings.WORK_DIR, worker_id())


@cache
def sandbox() -> Sandbox:
    """This worker's decoder; its child starts with the first picture."""
    return Sandbox(memory_bytes=settings.SANDBOX_MEMORY_BYTES, folder=workspace().path)


def heavy_sandbox() -> Sandbox:
    """A decoder with room for one large picture. The caller closes it."""
    return Sandbox(memory_bytes=settings.HEAVY_MEMORY_BYTES, folder=workspace().path)


def render_limit_s(*, heavy: bool) -> float:
    """How long one picture may take."""
    return settings.RENDER_TIMEOUT_S * (HEAVY_TIMES if heavy else 1)


@contextmanager
def desk(*, heavy: bool, heartbeat: Heartbeat) -> Iterator[Desk]:
    """A place to render at, waiting for it if need be: `heavy` ones are alone on their host.

    Raises WorkspaceFull and whatever `heartbeat` raises, which is called while waiting.
    """
    lock = HostLock(settings.WORK_DIR)
    with ExitStack() as held:
        with room_on_disk():
            held.enter_context(lock.exclusive(heartbeat) if heavy else lock.shared(heartbeat))
        if heavy:
            decoder = heavy_sandbox()
            held.callback(decoder.close)
            yield Desk(decoder, settings.HEAVY_MEMORY_BYTES)
        else:
            yield Desk(sandbox(), settings.SANDBOX_MEMORY_BYTES)


def close() -> None:
    """Give up what this process holds for rendering. Called once, at its end."""
    if sandbox.cache_info().currsize:
        sandbox().close()
    if workspace.cache_info().currsize:
        workspace().close()
