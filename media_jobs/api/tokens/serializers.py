"""What /v1/tokens takes and answers."""

from rest_framework import serializers

from media_jobs.services.access.issuing import Issued


class SignInSerializer(serializers.Serializer[None]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, style={"input_type": "password"})
    code = serializers.CharField(
        max_length=20, required=False, allow_blank=True, help_text="Of the second factor, where the account has one."
    )


class RefreshSerializer(serializers.Serializer[None]):
    refresh = serializers.CharField(max_length=8192)


class VerifySerializer(serializers.Serializer[None]):
    token = serializers.CharField(max_length=8192)


class IssuedSerializer(serializers.Serializer[Issued]):
    """Tokens for an account of this service."""

    access = serializers.CharField(help_text="For `Authorization: Bearer`.")
    refresh = serializers.CharField(help_text="For `POST /v1/tokens/refresh`, within a day.")
    expiresIn = serializers.IntegerField(source="expires_s", help_text="Seconds that `access` holds.")  # noqa: N815
