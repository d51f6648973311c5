"""One attempt at one job: fetch the original, render it in the sandbox, store what came out, close the job."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import structlog
from django.conf import settings

from media_jobs.adapters import database
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.workspace import temporary_folder, translate_errors
from media_jobs.errors import KeyBeingDeleted, OriginalChanged
from media_jobs.models import Derivative, Job
from media_jobs.pipeline.values import Limits, Rendered, Request, Usage
from media_jobs.ports import Outgoing
from media_jobs.services.jobs import publishing
from media_jobs.services.jobs.heartbeat import PROGRESS, LeaseHeartbeat
from media_jobs.services.jobs.transitions import Lease, cost
from media_jobs.services.jobs.worker import Worker, render_limit_s
from media_jobs.services.originals import keep_by_default, largest_bytes
from media_jobs.services.uploads.promotion import promote_upload
from media_jobs.states import Lane, OriginalState, Stage

log = structlog.get_logger(__name__)

#: Removing an object takes so long at most, unless whoever does it has died in the middle.
_REMOVAL_S = 5.0
_LOOK_AGAIN_S = 0.2

Result = TypeVar("Result")


class Attempt:
    """The work on a job that `worker` has just claimed; `job` is as the claim left it.

    Renews the lease as it goes; a worker that hangs stops renewing and loses it.
    """

    def __init__(self, job: Job, worker: Worker) -> None:
        self.job = job
        self.lease = Lease(job.pk, worker.id, job.attempt)
        self.usage: Usage | None = None
        self.heartbeat = LeaseHeartbeat(self.lease, worker)
        self._worker = worker
        self._staged: list[Derivative] = []
        self._started = self._entered = time.monotonic()
        self._fetch_ms = 0

    @property
    def heavy(self) -> bool:
        return self.job.lane == Lane.HEAVY

    @property
    def limit_s(self) -> float:
        """How long rendering may take."""
        return render_limit_s(heavy=self.heavy)

    def run(self) -> None:
        """Work until the job is done.

        Raises MediaError, LeaseLost and WorkerStopping among them, and one of database.CONNECTION_ERRORS. Whatever it
        raises, `discard_staged` comes next. What the system refuses in between is WorkspaceUnavailable: storages have
        errors of their own, so it is the worker's host that is at fault.
        """
        with translate_errors(), self._folder() as folder:
            source = self._fetch(folder)
            self._fetch_ms = _ms_since(self._started)
            self._enter(Stage.RENDERING)
            rendered = self._render(source, folder)
            self._enter(Stage.STORING)
            self._store(rendered, folder)
            duration_ms = self._publish(rendered)
        log.info("job_done", job=str(self.job.pk), duration_ms=duration_ms, **cost(self.usage))

    def discard_staged(self) -> None:
        """Leave nothing of what was stored and not published. Does nothing once the job is done."""
        if self._staged:
            publishing.discard(self._staged)
            self._staged = []

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        with temporary_folder("job-", self._worker.usable_workspace().path) as folder:
            yield folder

    def _fetch(self, folder: Path) -> Path:
        """The original in a file of ours, checked against its row."""
        source = folder / "original"
        if self.job.original.state != OriginalState.ACTIVE:
            promote_upload(
                self.job.original, source, lease=self.lease, heartbeat=self.heartbeat, limits=self.job.limits
            )
            return source
        store(Role.WORKER).fetch(self.job.original.key, source, heartbeat=self.heartbeat)
        with source.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.job.original.sha256:
                raise OriginalChanged
        return source

    def _render(self, source: Path, folder: Path) -> Rendered:
        original = self.job.original
        preset = self.job.preset.recipe()
        with self._worker.render_slot(heavy=self.heavy, heartbeat=self.heartbeat) as slot:
            request = Request(
                source=str(source),
                into=str(folder),
                source_sha256=original.sha256,
                preset=preset.only(self.job.wanted),
                limits=Limits(
                    bytes=largest_bytes(),
                    pixels=min(settings.MAX_PIXELS, self.job.limits.get("pixels") or settings.MAX_PIXELS),
                    memory_bytes=slot.memory_bytes,
                    raw_preview_px=settings.RAW_MIN_PREVIEW_PX,
                ),
                keep=original.keep(keep_by_default()),
                overrides=original.overrides(),
                stated_rights=original.stated_rights,
            )
            try:
                return slot.render(
                    request, timeout_s=self.limit_s, heartbeat=self.heartbeat, on_output=self._note_output
                )
            finally:
                self.usage = slot.sandbox.usage

    def _store(self, rendered: Rendered, folder: Path) -> None:
        # Known before they are committed: should the answer to that be lost, they are discarded all the same.
        self._staged = publishing.rows(self.job, rendered)
        self._stage()
        made = zip(self._staged, rendered.outputs, strict=True)
        store(Role.WORKER).put(
            [Outgoing(row.key, folder / output.file, row.content_type) for row, output in made],
            heartbeat=self.heartbeat,
        )

    def _stage(self) -> None:
        """Write the rows. Waits for a moment for who is just removing objects of the same names."""
        give_up_at = time.monotonic() + _REMOVAL_S
        while True:
            try:
                return self._retry(lambda: publishing.stage(self._staged))
            except KeyBeingDeleted:
                if time.monotonic() >= give_up_at:
                    raise
            self.heartbeat()
            publishing.finish_removals(self._staged)
            time.sleep(_LOOK_AGAIN_S)

    def _publish(self, rendered: Rendered) -> int:
        took = {
            "fetch_ms": self._fetch_ms,
            "store_ms": _ms_since(self._entered),
            "duration_ms": _ms_since(self._started),
        }

        def publish() -> bool:
            publishing.publish(self.lease, self.job, rendered, self._staged, usage=self.usage, took=took)
            return True

        published = Job.objects.filter(self.lease.finished, pk=self.job.pk)
        database.retry_on_disconnect(publish, unless=published.exists, for_s=self.heartbeat.retry_for_s)
        self._staged = []
        return took["duration_ms"]

    def _enter(self, stage: Stage) -> None:
        self._entered = time.monotonic()
        self.heartbeat.note(stage, PROGRESS[stage])

    def _note_output(self, done: int, of: int) -> None:
        begin, end = PROGRESS[Stage.RENDERING], PROGRESS[Stage.STORING]
        self.heartbeat.note(Stage.RENDERING, begin + (end - begin) * done // of)

    def _retry(self, do: Callable[[], Result]) -> Result:
        return database.retry_on_disconnect(do, for_s=self.heartbeat.retry_for_s)


def _ms_since(moment_s: float) -> int:
    return int((time.monotonic() - moment_s) * 1000)
