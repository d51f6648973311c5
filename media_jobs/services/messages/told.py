"""What is published of an event."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch

from media_jobs import selectors
from media_jobs.models import Derivative, Job, JobEvent
from media_jobs.states import TOLD, DerivativeState

#: The status that a job has from an event on, in the words of the Instrlabs API.
STATUS = {
    "queued": "PENDING",
    "claimed": "PROCESSING",
    "done": "DONE",
    "failed": "FAILED",
    "cancelled": "FAILED",
    "retried": "PENDING",
    "reported": "FAILED",
}
#: Where an event has what its error says.
_DETAIL = {"failed": "detail", "reported": "message"}
_LONGEST_DETAIL = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the same id however often it is published. trace: its headers, where a trace is known."""

    id: str
    subject: str
    payload: bytes
    trace: Mapping[str, str] = field(default_factory=dict)


def of(events: Sequence[JobEvent]) -> Mapping[int, list[Message]]:
    """Return the messages of each event, by its primary key, in their order; none of what nobody is told."""
    told = [event for event in events if event.type in TOLD]
    jobs = _jobs({event.job_id for event in told})
    return {event.pk: _messages(event, jobs[event.job_id]) for event in told if event.job_id in jobs}


def _jobs(ids: set[UUID]) -> dict[UUID, Job]:
    """Those that are still there, with all that is said of them: two statements, however many they are."""
    current = Derivative.objects.filter(state=DerivativeState.CURRENT)
    rows = Job.objects.select_related("original", "preset", "instruction_detail__instruction__product")
    return rows.prefetch_related(
        Prefetch("original__derivatives", queryset=current, to_attr="told_derivatives")
    ).in_bulk(ids)


def _messages(event: JobEvent, job: Job) -> list[Message]:
    common = _common(event, job)
    found = [_message(settings.NATS_SUBJECT_NOTIFICATIONS, common | _notified(event, job), job)]
    if event.type == "queued":
        asked = {"source": "gallimg", "key": job.original.key}
        found.insert(0, _message(settings.NATS_SUBJECT_IMAGE_REQUESTS, common | asked, job))
    return found


def _common(event: JobEvent, job: Job) -> dict[str, Any]:
    detail = getattr(job, "instruction_detail", None)
    return {
        "version": 1,
        "id": f"{job.pk}-{event.number}",
        "time": event.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "owner": job.owner,
        "userId": job.owner.partition("|")[2] or job.owner,
        "jobId": str(job.pk),
        "imageId": str(job.original_id),
        "preset": job.preset.name,
        "instructionId": str(detail.instruction_id) if detail else None,
        "detailId": str(detail.pk) if detail else None,
        "product": detail.instruction.product.name if detail else None,
    }


def _notified(event: JobEvent, job: Job) -> dict[str, Any]:
    said: dict[str, Any] = {"type": TOLD[event.type], "number": event.number, "status": STATUS[event.type]}
    if event.type in _DETAIL:
        detail = str(event.data.get(_DETAIL[event.type], ""))[:_LONGEST_DETAIL]
        said["error"] = {"code": str(event.data.get("code", "")), "detail": detail}
    if event.type == "cancelled":
        said["error"] = {"code": "cancelled", "detail": "The job was cancelled."}
    if event.type == "done":
        said["processed"] = [_processed(one) for one in _made(job)]
    return said


def _made(job: Job) -> list[Derivative]:
    current: list[Derivative] = job.original.told_derivatives  # type: ignore[attr-defined]  # prefetched
    return [one for one in current if one.preset_name == job.preset.name and one.rendition in job.wanted]


def _processed(made: Derivative) -> dict[str, Any]:
    return {
        "variant": made.rendition,
        "url": selectors.derivative_url(made),
        "width": made.width_px,
        "height": made.height_px,
        "bytes": made.size_bytes,
        "contentType": made.content_type,
    }


def _message(subject: str, body: Mapping[str, Any], job: Job) -> Message:
    payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    trace = {"traceparent": job.traceparent, "tracestate": job.tracestate}
    return Message(str(body["id"]), subject, payload, {name: text for name, text in trace.items() if text})
