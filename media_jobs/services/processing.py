"""What a worker does with a job: claim it, fetch, render in the sandbox, store, close it."""

import hashlib
import os
import socket
import tempfile
import time
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from media_jobs.adapters import queue
from media_jobs.adapters.sandbox import Sandbox
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.workspace import Workspace
from media_jobs.errors import Blame, DecoderTimeout, LeaseLost, MediaError, NotClaimable, OriginalChanged, Unexpected
from media_jobs.models import Job
from media_jobs.pipeline.values import Limits, Rendered, Request, Usage
from media_jobs.services import publishing
from media_jobs.services.intake import keep_by_default
from media_jobs.services.transitions import Lease, cost, failed, lease_end, move, waiting, why
from media_jobs.states import JobState, Lane, Stage

log = structlog.get_logger(__name__)

#: How long the second, third, … attempt waits; the last value holds for all later ones.
BACKOFF_S = (5, 30, 120)
#: Where the progress bar stands when a stage begins; rendering fills the room up to storing.
PROGRESS = {Stage.FETCHING: 5, Stage.RENDERING: 15, Stage.STORING: 80, Stage.FINISHED: 100}


@cache
def worker_id() -> str:
    """Names this process in leases; never the same for two processes."""
    return f"{socket.gethostname()[:200]}-{os.getpid()}-{uuid4().hex[:8]}"


@cache
def sandbox() -> Sandbox:
    """This worker's decoder; its child starts with the first picture."""
    return Sandbox(memory_bytes=settings.SANDBOX_MEMORY_BYTES, folder=workspace().path)


@cache
def workspace() -> Workspace:
    """This worker's temporary files."""
    return Workspace(settings.WORK_DIR, worker_id())


def close() -> None:
    """Give up what this process holds for rendering. Called once, at its end."""
    sandbox().close()
    workspace().close()


def run(job_id: UUID) -> None:
    """Do the job if it is there to be done. A second delivery, or one after a cancel, does nothing."""
    try:
        job = claim(job_id, worker_id())
    except NotClaimable:
        log.info("job_not_claimable", job=str(job_id))
        return
    work = _Work(job)
    try:
        work.do()
    except LeaseLost:
        log.warning("lease_lost", job=str(job_id), attempt=job.attempt)
    except queue.JobTimeout:
        give_up_or_retry(work.lease, DecoderTimeout(limit_s=settings.RENDER_TIMEOUT_S), job, work.usage)
    except MediaError as error:
        give_up_or_retry(work.lease, error, job, work.usage)
    except Exception:  # a bug of ours must end the job, not the worker
        log.exception("job_crashed", job=str(job_id), attempt=job.attempt)
        give_up_or_retry(work.lease, Unexpected(), job, work.usage)


def claim(job_id: UUID, worker: str) -> Job:
    """Take the job for `worker`. Raises NotClaimable when another has it, or nobody should."""
    won = move(
        job_id,
        Q(state=JobState.QUEUED, not_before__lte=Now()),
        "claimed",
        actor=worker,
        state=JobState.PROCESSING,
        stage=Stage.FETCHING,
        progress=PROGRESS[Stage.FETCHING],
        attempt=F("attempt") + 1,
        worker=worker,
        lease_until=lease_end(),
        started_at=Now(),
        code="",
        detail="",
    )
    if not won:
        raise NotClaimable(str(job_id))
    return Job.objects.select_related("original", "preset").get(pk=job_id)


def give_up_or_retry(lease: Lease, error: MediaError, job: Job, usage: Usage | None) -> None:
    """Close the attempt: back to the queue where a retry can help and is left, else failed with its code.

    usage: what rendering took, where the attempt came as far.
    """
    spent = cost(usage)
    again = error.blame is not Blame.FILE and job.attempt < job.max_attempts
    if again:
        wait_s = BACKOFF_S[min(job.attempt, len(BACKOFF_S)) - 1]
        data = {**why(error), "wait_s": wait_s, **spent}
        to = {**waiting(Lane(job.lane), after_s=wait_s), **why(error), **spent}
        held = move(job.pk, lease.holds, "retry_due", actor=lease.worker, data=data, **to)
    else:
        data = {**why(error), **spent}
        held = move(job.pk, lease.holds, "failed", actor=lease.worker, data=data, **failed(error), **spent)
    log.warning("job_failed", job=str(job.pk), attempt=job.attempt, again=again, lease_held=held, **why(error), **spent)


class _Work:
    """One attempt at one job. Renews the lease as it goes; a worker that hangs stops renewing and loses it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.usage: Usage | None = None
        self.lease = Lease(job.pk, job.worker, job.attempt)
        self._started = self._renewed = time.monotonic()

    def do(self) -> None:
        with tempfile.TemporaryDirectory(prefix="job-", dir=workspace().path) as name:
            folder = Path(name)
            source = self._fetch(folder)
            self._enter(Stage.RENDERING)
            rendered = self._render(source, folder)
            self._enter(Stage.STORING)
            staged = publishing.stage(self.job, rendered)
            for derivative, output in zip(staged, rendered.outputs, strict=True):
                self._beat()
                store(Role.WORKER).put(derivative.key, folder / output.file, content_type=output.format.content_type)
            duration_ms = int((time.monotonic() - self._started) * 1000)
            publishing.publish(self.lease, self.job, rendered, staged, usage=self.usage, duration_ms=duration_ms)
        log.info("job_done", job=str(self.job.pk), duration_ms=duration_ms, **cost(self.usage))

    def _fetch(self, folder: Path) -> Path:
        """The original in a file of ours, checked against its row."""
        source = folder / "original"
        store(Role.WORKER).fetch(self.job.original.key, source)
        with source.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self.job.original.sha256:
                raise OriginalChanged
        self._beat()
        return source

    def _render(self, source: Path, folder: Path) -> Rendered:
        original = self.job.original
        request = Request(
            source=str(source),
            into=str(folder),
            source_sha256=original.sha256,
            preset=self.job.preset.recipe().only(self.job.wanted),
            limits=Limits(
                bytes=max(settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES),
                pixels=settings.MAX_PIXELS,
                memory_bytes=settings.SANDBOX_MEMORY_BYTES,
            ),
            keep=original.keep(keep_by_default()),
            overrides=original.overrides(),
        )
        decoder = sandbox()
        try:
            limit_s = settings.RENDER_TIMEOUT_S
            return decoder.render(request, timeout_s=limit_s, beat=self._beat, on_output=self._show_progress)
        finally:
            self.usage = decoder.usage

    def _enter(self, stage: Stage) -> None:
        entered = move(
            self.job.pk, self.lease.holds, "stage", actor=self.lease.worker, data={"stage": stage},
            stage=stage, progress=PROGRESS[stage], lease_until=lease_end(),
        )  # fmt: skip
        if not entered:
            raise LeaseLost(str(self.job.pk))
        self._renewed = time.monotonic()

    def _show_progress(self, done: int, of: int) -> None:
        begin, end = PROGRESS[Stage.RENDERING], PROGRESS[Stage.STORING]
        Job.objects.filter(self.lease.holds, pk=self.job.pk).update(progress=begin + (end - begin) * done // of)

    def _beat(self) -> None:
        """Renew the lease when a third of it is gone. Raises LeaseLost when somebody else has the job."""
        if time.monotonic() - self._renewed < settings.LEASE_S / 3:
            return
        if not Job.objects.filter(self.lease.holds, pk=self.job.pk).update(lease_until=lease_end()):
            raise LeaseLost(str(self.job.pk))
        self._renewed = time.monotonic()
