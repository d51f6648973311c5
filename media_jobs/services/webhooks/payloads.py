"""What is told of an event."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from media_jobs import selectors
from media_jobs.models import Job, JobEvent
from media_jobs.states import TOLD, WebhookEvent

#: What the specification asks for. Only a list of very many derivatives comes near.
MOST_BYTES = 20_000
_LONGEST_DETAIL = 1000


def of_event(event: JobEvent, job: Job) -> str:
    """Return what is sent of an event of `job`, as JSON of less than MOST_BYTES.

    Its `eventNumber` is that in the job's history: with the job's id it names the event for ever.
    """
    told = TOLD[event.type]
    data = {
        "eventNumber": event.number,
        "jobId": str(job.pk),
        "imageId": str(job.original_id),
        "preset": job.preset.name,
        "jobUrl": f"{settings.PUBLIC_BASE_URL}/v1/jobs/{job.pk}",
        "imageUrl": f"{settings.PUBLIC_BASE_URL}/v1/images/{job.original_id}",
    }
    if told is WebhookEvent.FAILED:
        data |= {"code": event.data.get("code", ""), "detail": str(event.data.get("detail", ""))[:_LONGEST_DETAIL]}
    if told is WebhookEvent.REPORTED:
        data |= {"code": event.data.get("code", ""), "message": str(event.data.get("message", ""))[:_LONGEST_DETAIL]}
    if told is not WebhookEvent.DONE:
        return _message(told, event.at, data)
    made = _message(told, event.at, data | {"derivatives": _derivatives(job)})
    # Whoever gets none reads them at `jobUrl`.
    return made if len(made.encode()) < MOST_BYTES else _message(told, event.at, data | {"derivatives": None})


def of_news(told: WebhookEvent, at: datetime, data: Mapping[str, Any]) -> str:
    """Return what is sent of what is of no job."""
    return _message(told, at, data)


def of_test() -> str:
    return _message(WebhookEvent.TEST, timezone.now(), {"message": "A test: nothing has happened."})


def _derivatives(job: Job) -> list[dict[str, Any]]:
    return [
        {
            "name": derivative.rendition,
            "url": selectors.derivative_url(derivative),
            "width": derivative.width_px,
            "height": derivative.height_px,
            "bytes": derivative.size_bytes,
            "contentType": derivative.content_type,
        }
        for derivative in selectors.derivatives_of(job)
    ]


def _message(told: WebhookEvent, at: datetime, data: Mapping[str, Any]) -> str:
    timestamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"type": told, "timestamp": timestamp, "data": data}, separators=(",", ":"))
