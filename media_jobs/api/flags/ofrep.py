"""/ofrep/v1: OpenFeature's remote evaluation protocol, for its clients in many languages.

What a request itself gets wrong is answered as the protocol has it, for its clients read nothing else; all other errors
are problem documents, as everywhere.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import errors
from media_jobs.api.flags import ofrep_schema as schema
from media_jobs.api.flags.views import CACHED
from media_jobs.api.shared import readiness
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, object_of
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.callers import Scope
from media_jobs.models import FeatureFlag
from media_jobs.services.flags import evaluation, shares
from media_jobs.services.flags.evaluation import Answer, Why

_REASONS = {
    Why.DISABLED: "DISABLED",
    Why.DENIED: "TARGETING_MATCH",
    Why.ALLOWED: "TARGETING_MATCH",
    Why.ALL_ALIKE: "STATIC",
    Why.SHARE: "SPLIT",
}
_NO_STORE = {"Cache-Control": "no-store"}


class _BadContext(Exception):
    """The context is not one. code: of the protocol."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(details)
        self.code = code


class _View(APIView):
    parser_classes = [ObjectParser]
    scopes = {"POST": Scope.READ}

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _BadContext):
            return self.failure(400, exc.code, str(exc))
        if isinstance(exc, errors.BadJson | ParseError):
            return self.failure(400, "PARSE_ERROR", str(exc))
        if isinstance(exc, errors.UnknownFlag):
            return self.failure(404, "FLAG_NOT_FOUND", str(exc))
        answer: Response = super().handle_exception(exc)
        return answer

    def failure(self, status: int, code: str, details: str) -> Response:
        said = {"key": self.kwargs["key"]} if "key" in self.kwargs else {}
        return Response({**said, "errorCode": code, "errorDetails": details}, status, headers=_NO_STORE)


def _answers(
    good: dict[Any, Any], failure: type[serializers.Serializer[None]] = schema.FailureSerializer
) -> dict[Any, Any]:
    """What an evaluation may answer; beside problem documents a failure of the protocol."""
    said = answers.of_changes(good, "fields_too_large", "unsupported_media_type")
    return said | {(400, "application/json"): OpenApiResponse(failure)}


class FlagView(_View):
    @extend_schema(
        operation_id="evaluateFlag",
        summary="A flag, by OFREP",
        description="For OpenFeature's server providers. Of the context only `targetingKey` counts.",
        request={"application/json": schema.EvaluationRequestSerializer},
        responses=_answers({200: OpenApiResponse(schema.EvaluationSerializer, description="The value")})
        | {(404, "application/json"): OpenApiResponse(schema.FailureSerializer, description="No such flag")},
    )
    def post(self, request: Request, key: str) -> Response:
        targeting_key = _targeting_key(object_of(request))
        said = evaluation.answer(evaluation.find(key), targeting_key)
        return Response(_told(said), headers=CACHED)


class FlagsView(_View):
    @extend_schema(
        operation_id="evaluateFlags",
        summary="All flags, by OFREP",
        description="For OpenFeature's client providers, which ask again with `If-None-Match`.",
        parameters=parameters.TAGGED,
        request={"application/json": schema.EvaluationRequestSerializer},
        responses=_answers(
            {
                200: OpenApiResponse(schema.BulkSerializer, description="The value of each"),
                304: answers.NOT_MODIFIED,
            },
            schema.BulkFailureSerializer,
        ),
    )
    def post(self, request: Request) -> Response:
        targeting_key = _targeting_key(object_of(request))
        said = [_told(evaluation.answer(flag, targeting_key)) for flag in FeatureFlag.objects.all()]
        return readiness.tagged(request, Response({"flags": said}, headers=CACHED))


def _targeting_key(body: Mapping[str, Any]) -> str:
    """Raises _BadContext."""
    context = body.get("context")
    if not isinstance(context, dict | None):
        raise _BadContext("INVALID_CONTEXT", "context is an object.")
    key = (context or {}).get("targetingKey")
    if key in (None, ""):
        raise _BadContext("TARGETING_KEY_MISSING", "context.targetingKey says for whom; there is none.")
    if not isinstance(key, str) or not evaluation.is_key(key):
        raise _BadContext(
            "INVALID_CONTEXT", f"context.targetingKey is a text of at most {evaluation.LONGEST_KEY} characters."
        )
    return key


def _told(said: Answer) -> dict[str, Any]:
    return {
        "key": said.flag.name,
        "value": said.enabled,
        "variant": "on" if said.enabled else "off",
        "reason": _REASONS[said.why],
        "metadata": {"percent": shares.percent(said.flag.basis_points), "version": said.flag.version},
    }
