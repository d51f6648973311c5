"""What the document of the API says of OFREP; the names are the protocol's."""

from typing import Any

from rest_framework import serializers

_CODES = ["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "FLAG_NOT_FOUND"]


class _ContextSerializer(serializers.Serializer[None]):
    targetingKey = serializers.CharField(  # noqa: N815  (the wire's spelling, as below)
        max_length=200, help_text="What stays the same for a visitor. Other members count for nothing."
    )


class EvaluationRequestSerializer(serializers.Serializer[None]):
    """For whom a flag is evaluated."""

    context = _ContextSerializer()  # type: ignore[assignment]  # the protocol's name


class _MetadataSerializer(serializers.Serializer[None]):
    percent = serializers.FloatField(help_text="For how many of a hundred keys it is on.")
    version = serializers.IntegerField(help_text="Counts the flag's changes.")


class EvaluationSerializer(serializers.Serializer[None]):
    """A flag's value."""

    key = serializers.CharField(help_text="The flag's name.")
    value = serializers.BooleanField()
    variant = serializers.ChoiceField(choices=["on", "off"])
    reason = serializers.ChoiceField(
        choices=["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED"],
        help_text="TARGETING_MATCH: the key is on a list; SPLIT: its bucket decided.",
    )
    metadata = _MetadataSerializer()


class BulkSerializer(serializers.Serializer[Any]):
    """All flags."""

    flags = EvaluationSerializer(many=True)


class BulkFailureSerializer(serializers.Serializer[None]):
    """Why nothing was evaluated."""

    errorCode = serializers.ChoiceField(choices=_CODES)  # noqa: N815
    errorDetails = serializers.CharField(help_text="For people.")  # noqa: N815


class FailureSerializer(BulkFailureSerializer):
    """Why a flag was not evaluated."""

    key = serializers.CharField(help_text="The flag that was asked for.")
