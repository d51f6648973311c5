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

from media_jobs.api.shared import envelope
from media_jobs.api.shared.openapi import answers

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
    """What went wrong. Some have further members, as in problem documents."""

    code = serializers.CharField(help_text="What is wrong, for machines: the codes of problem documents.")
    detail = serializers.CharField(help_text="What is wrong here, for people.")


class ErrorEnvelopeSerializer(serializers.Serializer[None]):
    """An answer that says what went wrong."""

    message = serializers.CharField(help_text="For a person.")
    errors = ErrorItemSerializer(many=True)  # type: ignore[assignment]  # the wire's name
    data = NullField()  # type: ignore[assignment]  # the wire's name


@cache
def enveloped(inner: type[serializers.Serializer[Any]]) -> Any:
    """Return the envelope around one of these."""
    return _envelope(inner.__name__.removesuffix("Serializer"), inner())


@cache
def listed(inner: type[serializers.Serializer[Any]]) -> Any:
    """Return the envelope around a page of these."""
    name = f"{inner.__name__.removesuffix('Serializer')}Page"
    page = inline_serializer(
        name,
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
    return _envelope(name, page)


def _envelope(name: str, inner: Any) -> Any:
    said = {
        "message": serializers.CharField(help_text="For a person."),
        "errors": NullField(),
        "data": inner,
    }
    return inline_serializer(f"{name}Envelope", said)


def of_reads(good: dict[Any, Any], *codes: str) -> dict[Any, Any]:
    """`answers.of_reads`, in the envelope."""
    return good | _in_envelopes(answers.of_reads({}, *codes))


def of_changes(good: dict[Any, Any], *codes: str) -> dict[Any, Any]:
    """`answers.of_changes`, in the envelope."""
    return good | _in_envelopes(answers.of_changes({}, *codes))


def open_to_all(good: dict[Any, Any], *codes: str) -> dict[Any, Any]:
    """`answers.open_to_all`, in the envelope."""
    return good | _in_envelopes(answers.open_to_all({}, *codes))


def _in_envelopes(problems: dict[Any, Any]) -> dict[Any, Any]:
    return {
        (status, envelope.CONTENT_TYPE): OpenApiResponse(
            ErrorEnvelopeSerializer, description=found.description, examples=[_told(e) for e in found.examples]
        )
        for (status, _), found in problems.items()
    }


def _told(example: OpenApiExample) -> OpenApiExample:
    problem: Any = example.value
    return OpenApiExample(example.name, envelope.of_error(problem["code"], problem["detail"], {}))
