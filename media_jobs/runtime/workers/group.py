"""Workers of one command: they take jobs from the table by themselves, and need neither Redis nor a service."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

from django.conf import settings
from django.db import connections

from media_jobs.adapters.decoder.render_slots import RenderSlots
from media_jobs.adapters.decoder.sandbox import harden_worker
from media_jobs.adapters.workspace import Workspace
from media_jobs.runtime import memory
from media_jobs.runtime.children import Child, fork
from media_jobs.runtime.workers.loop import WorkerLoop
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping import TaskSchedule
from media_jobs.services.jobs import worker as workers
from media_jobs.services.jobs.worker import Worker
from media_jobs.services.metrics import presence

#: A worker with nothing to do looks again after so long.
_IDLE_S = 0.1
_BETWEEN_JOBS_EVERY_S = 1.0
_LOG_CHUNK_BYTES = 65_536

#: Does one job; False when there was none to do. Called by each worker again and again.
NextJob = Callable[[Worker], bool]


class WorkerGroup:
    """Processes that call `next_job` until they are told to stop; those that die are started again.

    renders: how many pictures are rendered at once. There are twice as many processes: while some render, the others
    fetch the next originals and store the last outputs.

    quiet: they log only what is amiss. They are forks of this process and end with it. It must have no threads, and its
    database connections are closed. Raises WorkspaceFull.
    """

    def __init__(self, renders: int, next_job: NextJob, *, quiet: bool) -> None:
        housekeeping.sweep_workspaces()
        self._workspace = Workspace(settings.WORK_DIR, f"group-{os.getpid()}-{uuid4().hex[:8]}")
        self._slots, self._next_job = RenderSlots(self._workspace.path, renders), next_job
        self._children = [Child(f"worker{number}", self._run) for number in range(1, 2 * renders + 1)]
        self._quiet = quiet
        self._log, self._log_end = os.pipe()
        os.set_blocking(self._log, False)
        self._stopping = False

    def keep_alive(self) -> None:
        """Start what is missing. To be called every second or so."""
        self._reap()
        due = [child for child in self._children if child.is_due()]
        if due and not self._stopping:
            connections.close_all()
            memory.share()
            for child in due:
                child.started(fork(f"gallimg-{child.name}", child.run))

    def log(self) -> str:
        """What they have logged since this was asked last: whole lines, perhaps none."""
        lines = b""
        while lines[-1:] != b"\n":
            try:
                lines += os.read(self._log, _LOG_CHUNK_BYTES)
            except BlockingIOError:
                break
        return lines.decode(errors="replace").rstrip("\n")

    def stop(self) -> None:
        """Have them end once their jobs in hand are done, within 20 s, or handed back. May be repeated."""
        self._stopping = True
        self._signal(signal.SIGTERM)

    def hurry(self) -> None:
        """Have them hand back their jobs at once."""
        self._stopping = True
        self._signal(signal.SIGINT)

    def has_ended(self) -> bool:
        """Whether none of them lives."""
        self._reap()
        return not self.pids

    def close(self) -> None:
        """Kill what still lives, and leave nothing behind."""
        self._stopping = True
        for child in self._children:
            child.kill()
        self._workspace.close()
        os.close(self._log)
        os.close(self._log_end)

    @property
    def pids(self) -> Sequence[int]:
        return [child.pid for child in self._children if child.pid]

    def _reap(self) -> None:
        for child in self._children:
            if child.pid:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    child.ended(status, quietly=self._stopping)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.pids:
            os.kill(pid, number)

    def _run(self) -> None:
        """Work until SIGTERM; at SIGINT hand back at once. In a fork."""
        _log_to(self._log_end)
        if self._quiet:
            logging.getLogger().setLevel(logging.WARNING)
        harden_worker()
        schedule = TaskSchedule(notify=lambda: None, report=lambda: presence.report_restarts(worker))
        worker = Worker(schedule.run_urgent_tasks, slots=self._slots)
        workers.replace_current(worker)
        signal.signal(signal.SIGTERM, lambda number, frame: worker.stop())
        signal.signal(signal.SIGINT, lambda number, frame: worker.stop(within_s=0))
        try:
            self._work(worker, WorkerLoop(worker, repair=schedule.run_due_tasks))
        finally:
            workers.replace_current(None)

    def _work(self, worker: Worker, loop: WorkerLoop) -> None:
        look_at_s = 0.0
        while not worker.stopping:
            if worker.suspects_outage or time.monotonic() >= look_at_s:
                loop.between_jobs()
                look_at_s = time.monotonic() + _BETWEEN_JOBS_EVERY_S
            if not self._next_job(worker):
                time.sleep(_IDLE_S)


def _log_to(descriptor: int) -> None:
    """Have standard error, and the log, go there: the terminal is the command's, which may be drawing on it."""
    os.dup2(descriptor, sys.__stderr__.fileno() if sys.__stderr__ else 2)
    sys.stderr = sys.__stderr__
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(sys.__stderr__)
