"""What the OpenAPI document says of the Instrlabs API: every answer in its envelope, errors too."""

from functools import cache
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_field,
    inline_serializer,
)
from rest_framework import serializers

from media_jobs.api.shared import answers, envelope

NO_INSTRUCTION = ("not_found", "No such instruction")
NO_DETAIL = ("not_found", "No such instruction, or no such file in it")
BAD_QUERY = ("unknown_field", "A parameter that there is not, or a value that it cannot have")
STRANGER = "; or another’s instruction (`not_owner`)"
DATABASE_AWAY = answers.DATABASE_AWAY

_BUG = ("internal_error", "A fault of the service; its log says more")
IF_NONE_MATCH, ETAG, NOT_MODIFIED = answers.IF_NONE_MATCH, answers.ETAG, answers.NOT_MODIFIED
VARIANT = OpenApiParameter(
    "variant",
    OpenApiTypes.STR,
    OpenApiParameter.QUERY,
    description="`original`, or the name of one that was made, such as `thumb`; by default the largest that was made.",
)
REDIRECT = OpenApiParameter(
    "redirect",
    OpenApiTypes.BOOL,
    OpenApiParameter.QUERY,
    default=False,
    description="Answer with a redirect to where the storage has it, instead of its bytes.",
)
RANGE = OpenApiParameter(
    "Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes, as in RFC 9110."
)
DETAIL = OpenApiParameter(
    "detail",
    OpenApiTypes.STR,
    OpenApiParameter.QUERY,
    description="With any value: also what is stored of yours, which takes a credential; of all, for staff who may see "
    "images.",
)


@extend_schema_field({"type": "null"})
class NullField(serializers.ReadOnlyField):
    """What is always null."""


class ErrorItemSerializer(serializers.Serializer[None]):
    """What went wrong; the same codes as in problem documents."""

    code = serializers.CharField()
    detail = serializers.CharField()


class ErrorEnvelopeSerializer(serializers.Serializer[None]):
    """An answer that says what went wrong."""

    message = serializers.CharField(help_text="For a person.")
    errors = ErrorItemSerializer(many=True)  # type: ignore[assignment]  # the wire's name
    data = NullField()  # type: ignore[assignment]  # the wire's name


@cache
def enveloped(inner: type[serializers.Serializer[Any]]) -> Any:
    """Return the envelope around one of these."""
    return inline_serializer(
        inner.__name__.removesuffix("Serializer") + "Envelope",
        {
            "message": serializers.CharField(),
            "errors": NullField(),
            "data": inner(),
        },
    )


@cache
def listed(inner: type[serializers.Serializer[Any]]) -> Any:
    """Return the envelope around a page of these."""
    name = inner.__name__.removesuffix("Serializer")
    page = inline_serializer(
        f"{name}Page",
        {
            "items": inner(many=True),
            "page": serializers.IntegerField(),
            "pageSize": serializers.IntegerField(),
            "total": serializers.IntegerField(help_text="On all pages."),
            "before": serializers.UUIDField(
                allow_null=True, help_text="Send it with the next pages, so that nothing moves between them."
            ),
        },
    )
    return inline_serializer(
        f"{name}PageEnvelope",
        {
            "message": serializers.CharField(),
            "errors": NullField(),
            "data": page,
        },
    )


def answered(good: dict[Any, Any], problems: dict[int, tuple[str, str]], *, forbidden: str = "") -> dict[Any, Any]:
    """What a call may answer; see `answers.answers`. forbidden: what 403 means besides."""
    code, meaning = answers.OF_ALL_CALLS[403]
    of_all = {**answers.OF_ALL_CALLS, 403: (code, meaning + forbidden), 500: _BUG}
    return good | {
        (status, envelope.CONTENT_TYPE): OpenApiResponse(
            ErrorEnvelopeSerializer,
            description=meaning,
            examples=[OpenApiExample(code, envelope.of_error(code, "A sentence for a person.", {}))],
        )
        for status, (code, meaning) in sorted((of_all | problems).items())
    }
