"""Previews of presets that are being edited: made by a worker between two jobs, for one picture and one person."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from media_jobs import keys
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.workspace import temporary_folder, translate_errors
from media_jobs.callers import Caller
from media_jobs.errors import MediaError, WorkerStopping, WrongState
from media_jobs.models import Original, PresetPreview, Rendition
from media_jobs.pipeline import recipes
from media_jobs.pipeline.values import Limits, Request
from media_jobs.ports import Outgoing
from media_jobs.services.jobs import dispatch
from media_jobs.services.jobs.worker import Worker, render_limit_s
from media_jobs.services.originals import keep_by_default, largest_bytes
from media_jobs.states import Lane, OriginalState, PreviewState

log = structlog.get_logger(__name__)

_KEPT = timedelta(days=1)
#: A worker that has taken one and is silent for so long is gone.
_LOST_AFTER = timedelta(minutes=3)


def ask(image_id: UUID, sizes: Sequence[Mapping[str, Any]], *, actor: Caller) -> PresetPreview:
    """Have a worker make these sizes of an image; the preview says when they are there. Raises WrongState.

    sizes: fields of `Rendition` by name, which have been checked.
    """
    image = Original.objects.filter(pk=image_id, state=OriginalState.ACTIVE, deleted_at=None).first()
    if image is None:
        raise WrongState("There is no such picture, or it is not there yet. Choose another one.")
    with transaction.atomic():
        PresetPreview.objects.filter(created_at__lt=Now() - _KEPT).delete()
        preview = PresetPreview.objects.create(original=image, owner=actor.id, sizes=list(sizes))
        transaction.on_commit(lambda: dispatch.notify(Lane.INTERACTIVE), robust=True)
    return preview


def make_waiting(worker: Worker) -> None:
    """Make what waits, one after the other. One query where nothing does."""
    while not worker.stopping and (preview := _take()):
        try:
            with translate_errors(), temporary_folder("preview-", worker.usable_workspace().path) as folder:
                made = _make(preview, worker, folder)
            to: dict[str, Any] = {"state": PreviewState.DONE, "made": made}
        except WorkerStopping:
            to = {"state": PreviewState.QUEUED}
        except MediaError as error:
            to = {"state": PreviewState.FAILED, "detail": str(error)}
        PresetPreview.objects.filter(pk=preview.pk, state=PreviewState.WORKING).update(**to)
        log.info("preview_made", preview=str(preview.pk), state=to["state"])


def _take() -> PresetPreview | None:
    lost = Q(state=PreviewState.WORKING, taken_at__lt=Now() - _LOST_AFTER)
    for preview in PresetPreview.objects.filter(Q(state=PreviewState.QUEUED) | lost).order_by("id")[:5]:
        mine = PresetPreview.objects.filter(Q(state=PreviewState.QUEUED) | lost, pk=preview.pk)
        if mine.update(state=PreviewState.WORKING, taken_at=Now()):
            return PresetPreview.objects.select_related("original").get(pk=preview.pk)
    return None


def _make(preview: PresetPreview, worker: Worker, folder: Path) -> list[dict[str, Any]]:
    """Render and store; return what is said of each size. Raises MediaError, WorkerStopping among them."""
    image = preview.original
    source = folder / "original"

    def heartbeat() -> None:
        if time.monotonic() >= worker.hand_back_at_s:
            raise WorkerStopping
        worker.run_urgent_tasks()

    store(Role.WORKER).fetch(image.key, source, heartbeat=heartbeat)
    sizes = tuple(Rendition(**fields).recipe() for fields in preview.sizes)
    with worker.render_slot(heavy=False, heartbeat=heartbeat) as slot:
        request = Request(
            source=str(source),
            into=str(folder),
            source_sha256=image.sha256,
            preset=recipes.Preset("preview", sizes),
            limits=Limits(
                bytes=largest_bytes(),
                pixels=settings.MAX_PIXELS,
                memory_bytes=slot.memory_bytes,
                raw_preview_px=settings.RAW_MIN_PREVIEW_PX,
            ),
            keep=image.keep(keep_by_default()),
            overrides=image.overrides(),
            stated_rights=image.stated_rights,
        )
        rendered = slot.render(
            request,
            timeout_s=render_limit_s(heavy=False),
            heartbeat=heartbeat,
            on_output=lambda done, of: None,
        )
    made, files = [], []
    for number, output in enumerate(rendered.outputs):
        key = keys.preview_key(preview.pk, number, image.pk, output.format.extension)
        files.append(Outgoing(key, folder / output.file, output.format.content_type))
        made.append(
            {
                "name": output.name,
                "key": key,
                "width_px": output.width_px,
                "height_px": output.height_px,
                "size_bytes": output.size_bytes,
                "format": output.format.value,
            }
        )
    store(Role.WORKER).put(files, heartbeat=heartbeat)
    return made
