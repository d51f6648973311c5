"""What callers of /v1/shadow send."""

from rest_framework import serializers


class KeySerializer(serializers.Serializer[None]):
    """Which picture of the site."""

    key = serializers.CharField(
        max_length=255,
        help_text="Of the site's own original, below LEGACY_PREFIX, such as gall/12/12_1700000000_original.jpg.",
    )
