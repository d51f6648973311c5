"""What the OpenAPI document says of webhooks beside the wire words: problems, examples, and what receivers get."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, OpenApiWebhook, extend_schema
from rest_framework import serializers

from media_jobs.api.shared.answers import BAD_KEY, IDEMPOTENCY_KEY, KEY_REUSED, answers
from media_jobs.api.webhooks.fields import SUBSCRIBABLE

__all__ = [
    "BAD_FIELD",
    "BAD_KEY",
    "DISABLED",
    "IDEMPOTENCY_KEY",
    "KEY_REUSED",
    "NO_CALLER",
    "NO_WEBHOOK",
    "REGISTERED",
    "SENT",
    "answers",
]

NO_CALLER = ("permission_denied", "A caller without credentials")
NO_WEBHOOK = ("not_found", "No such webhook or delivery, or another's")
BAD_FIELD = ("bad_field", "A field that is missing, unknown, or has a value that it cannot have")
DISABLED = ("webhook_disabled", "The webhook is disabled; its `disabledReason` says why")

_WEBHOOK, _JOB, _IMAGE = (
    "01990000-0000-7000-8000-000000000005",
    "01990000-0000-7000-8000-000000000001",
    "01990000-0000-7000-8000-000000000002",
)
_URL = "https://gallformers.example/hooks/images"

REGISTERED = [
    OpenApiExample(
        "register",
        value={"url": _URL, "eventTypes": ["job.done", "job.failed"]},
        summary="How jobs end",
        request_only=True,
    ),
    OpenApiExample(
        "registered",
        value={
            "webhookId": _WEBHOOK,
            "url": _URL,
            "eventTypes": ["job.done", "job.failed"],
            "enabled": True,
            "disabledReason": None,
            "failingSince": None,
            "createdAt": "2026-11-29T03:44:03.120000Z",
            "secret": "whsec_…",
        },
        summary="With its secret, this once",
        response_only=True,
        status_codes=["201"],
    ),
]


class _MadeSerializer(serializers.Serializer[None]):
    name = serializers.CharField()
    url = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bytes = serializers.IntegerField()
    contentType = serializers.CharField()  # noqa: N815  (the wire's spelling)


class _JobEventSerializer(serializers.Serializer[None]):
    """With `jobId`, `eventNumber` names the event for ever: a job's events count from 1."""

    eventNumber = serializers.IntegerField()  # noqa: N815
    jobId = serializers.UUIDField()  # noqa: N815
    imageId = serializers.UUIDField()  # noqa: N815
    preset = serializers.CharField()
    jobUrl = serializers.CharField(help_text="`GET` it for the job as it is now.")  # noqa: N815
    imageUrl = serializers.CharField()  # noqa: N815
    derivatives = _MadeSerializer(
        many=True,
        required=False,
        allow_null=True,
        help_text="Of `job.done`. Null where they are too many for a payload of 20 KB: then `jobUrl` has them.",
    )
    code = serializers.CharField(required=False, help_text="Of `job.failed`: why, for machines.")
    detail = serializers.CharField(required=False, help_text="Of `job.failed`: why, for people.")


class JobEventPayloadSerializer(serializers.Serializer[None]):
    """What a receiver gets of an event."""

    type = serializers.ChoiceField(choices=SUBSCRIBABLE)
    timestamp = serializers.DateTimeField(help_text="When it happened.")
    data = _JobEventSerializer()  # type: ignore[assignment]  # the specification's name


_EXAMPLE: dict[str, Any] = {
    "type": "job.done",
    "timestamp": "2026-11-29T03:44:05.310000Z",
    "data": {
        "eventNumber": 3,
        "jobId": _JOB,
        "imageId": _IMAGE,
        "preset": "gallformers",
        "jobUrl": f"https://images.example/v1/jobs/{_JOB}",
        "imageUrl": f"https://images.example/v1/images/{_IMAGE}",
        "derivatives": [
            {
                "name": "thumb",
                "url": f"https://images.example/media/thumb/{_IMAGE}/e838d09b885d3623b5ffa774646f5d01.jpg",
                "width": 200,
                "height": 200,
                "bytes": 9120,
                "contentType": "image/jpeg",
            }
        ],
    },
}

#: For SPECTACULAR_SETTINGS: what is sent to receivers.
SENT = OpenApiWebhook(
    name="jobEvent",
    decorator=extend_schema(
        summary="An event of a job of yours",
        description="Signed as [Standard Webhooks](https://www.standardwebhooks.com) has it: check `webhook-signature` "
        "with your secret, and remember `webhook-id`, which is the same however often an event is sent. Answer 2xx "
        "within 15 seconds; all else is sent again for three days, and 410 disables the webhook.",
        request=JobEventPayloadSerializer,
        responses={"2XX": OpenApiResponse(description="Taken")},
        tags=["webhooks"],
    ),
)

_HEADERS = {
    "webhook-id": "`{jobId}-{eventNumber}`, the same however often an event is sent.",
    "webhook-timestamp": "When it was sent: seconds since 1970.",
    "webhook-signature": "`v1,` and the signature; after a rotation two of them, with a blank between.",
}


def describe_sent(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular, which leaves out headers and examples of webhooks."""
    sent = result["webhooks"][SENT.name]["post"]
    sent["parameters"] = [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": text}
        for name, text in _HEADERS.items()
    ]
    sent["requestBody"]["content"]["application/json"]["examples"] = {"done": {"value": _EXAMPLE}}
    return result
