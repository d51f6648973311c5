"""What the document says of webhooks beside their calls: what receivers get."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, OpenApiWebhook, extend_schema
from rest_framework import serializers

from media_jobs.api.shared.openapi import captured
from media_jobs.states import TOLD, WebhookEvent


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
    message = serializers.CharField(required=False, help_text="Of `job.reported`: what to do about it, for people.")
    derivatives = _MadeSerializer(
        many=True,
        required=False,
        allow_null=True,
        help_text="Of `job.done`. Null where they are too many for a payload of 20 KB: then `jobUrl` has them.",
    )
    code = serializers.CharField(required=False, help_text="Of `job.failed` and `job.reported`: why, for machines.")
    detail = serializers.CharField(required=False, help_text="Of `job.failed`: why, for people.")


class JobEventPayloadSerializer(serializers.Serializer[None]):
    """What a receiver gets of an event."""

    type = serializers.ChoiceField(choices=[told.value for told in TOLD.values()])
    timestamp = serializers.DateTimeField(help_text="When it happened.")
    data = _JobEventSerializer()  # type: ignore[assignment]  # the specification's name


class _FlagEventSerializer(serializers.Serializer[None]):
    flag = serializers.CharField(help_text="Its name.")
    fromPercent = serializers.FloatField(help_text="For how many of a hundred keys it was on.")  # noqa: N815
    percent = serializers.FloatField(help_text="And is now: 0.")
    reason = serializers.CharField(help_text="For people.")
    errors = serializers.IntegerField(  # type: ignore[assignment]  # a word that DRF has, too
        help_text="Pictures that were worse."
    )
    judged = serializers.IntegerField(help_text="Pictures that were compared.")


class FlagEventPayloadSerializer(serializers.Serializer[None]):
    """What a receiver gets of a feature flag."""

    type = serializers.ChoiceField(choices=[WebhookEvent.FLAG_FELL_BACK.value])
    timestamp = serializers.DateTimeField(help_text="When it happened.")
    data = _FlagEventSerializer()  # type: ignore[assignment]  # the specification's name


class _TestSerializer(serializers.Serializer[None]):
    message = serializers.CharField()


class TestPayloadSerializer(serializers.Serializer[None]):
    """What a receiver gets of a test."""

    type = serializers.ChoiceField(choices=[WebhookEvent.TEST.value])
    timestamp = serializers.DateTimeField(help_text="When it was asked for.")
    data = _TestSerializer()  # type: ignore[assignment]  # the specification's name


def _sent(name: str, payload: type[serializers.Serializer[Any]], *, summary: str, description: str) -> OpenApiWebhook:
    decorator = extend_schema(
        operation_id=f"receive{name[0].upper()}{name[1:]}",
        summary=summary,
        description=description,
        request=payload,
        responses={"2XX": OpenApiResponse(description="Taken")},
        tags=["Webhooks"],
    )
    return OpenApiWebhook(name, decorator)


#: For SPECTACULAR_SETTINGS: what is sent to receivers.
SENT = _sent(
    "jobEvent",
    JobEventPayloadSerializer,
    summary="An event of a job of yours",
    description="Signed as [Standard Webhooks](https://www.standardwebhooks.com) has it: check `webhook-signature` "
    "with your secret, and remember `webhook-id`, which is the same however often an event is sent. Answer 2xx "
    "within 15 seconds; all else is sent again for three days, and 410 disables the webhook.",
)
SENT_OF_FLAGS = _sent(
    "flagEvent",
    FlagEventPayloadSerializer,
    summary="A feature flag fell back",
    description="For webhooks of staff and of API keys that ask for `flag.fell_back`. Signed, and sent again, as "
    "events of jobs are.",
)
SENT_AS_TEST = _sent(
    "test",
    TestPayloadSerializer,
    summary="A test that a person asked for",
    description="Signed as events are, and sent once: what comes of it stands in the deliveries.",
)

_OF_ID = {
    SENT.name: "`{jobId}-{eventNumber}`, the same however often an event is sent.",
    SENT_OF_FLAGS.name: "`flag-`, the flag's name and its version.",
    SENT_AS_TEST.name: "`test-` and an id.",
}
#: With what the types of each begin.
_TYPES = {SENT.name: "job.", SENT_OF_FLAGS.name: "flag.", SENT_AS_TEST.name: "webhook."}
_HEADERS = {
    "webhook-timestamp": "When it was sent: seconds since 1970.",
    "webhook-signature": "`v1,` and the signature; after a rotation two of them, with a blank between.",
}


def describe_sent(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular, which leaves out headers and examples of webhooks."""
    for name, of_id in _OF_ID.items():
        result["webhooks"][name]["post"]["parameters"] = [
            {"name": header, "in": "header", "required": True, "schema": {"type": "string"}, "description": text}
            for header, text in {"webhook-id": of_id, **_HEADERS}.items()
        ]
    for name, begins in _TYPES.items():
        examples = {key: one for key, one in captured.SENT.items() if one["value"]["type"].startswith(begins)}
        result["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]["examples"] = examples
    return result
