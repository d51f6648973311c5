"""What /v1/events answers."""

from typing import Any

from rest_framework import serializers


class TicketSerializer(serializers.Serializer[dict[str, Any]]):
    ticket = serializers.CharField(help_text="For the parameter `ticket` of `/v1/events`.")
    expiresIn = serializers.IntegerField(help_text="Seconds.")  # noqa: N815  (the wire's spelling)


class EventSerializer(serializers.Serializer[dict[str, Any]]):
    """The data of a message."""

    jobId = serializers.UUIDField()  # noqa: N815
    imageId = serializers.UUIDField()  # noqa: N815
    number = serializers.IntegerField(help_text="Counts from 1 for each job, without gaps.")
    type = serializers.CharField(
        help_text="`queued`, `claimed`, `stage`, `done`, `failed`, `cancelled`, `retried`, `retry_due`, `handed_back`, "
        "`lease_expired`; more may be added."
    )
    status = serializers.ChoiceField(choices=["processing", "done", "error"], help_text="Of the job since then.")
    at = serializers.DateTimeField()
    stage = serializers.CharField(required=False, help_text="Of `stage`: which one has begun.")
    code = serializers.CharField(required=False, help_text="Of `failed`: why, for machines.")
    detail = serializers.CharField(required=False, help_text="Of `failed`: why, for people.")
