"""/v1/tokens: tokens for accounts of this service, where JWT_SECRET is set."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs.api.shared.bodies.field_names import check_known
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, object_of
from media_jobs.api.shared.limits.throttling import SignInThrottle
from media_jobs.api.shared.openapi import answers
from media_jobs.api.tokens.serializers import IssuedSerializer, RefreshSerializer, SignInSerializer, VerifySerializer
from media_jobs.services.access import issuing
from media_jobs.services.access.issuing import Issued

_PROBLEMS = (
    "bad_credential",
    "credential_expired",
    "foreign_origin",
    "tokens_not_issued",
    "quota_exceeded",
    "limits_unavailable",
    "database_unavailable",
    *answers.JSON_BODY,
)
_ISSUED = OpenApiResponse(IssuedSerializer, description="The tokens")
_NO_STORE = {"Cache-Control": "no-store"}


class _TokenView(APIView):
    """Who calls is what is asked here: no credential is needed, and none looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (SignInThrottle,)
    parser_classes = (ObjectParser,)


class ObtainView(_TokenView):
    @extend_schema(
        operation_id="signIn",
        summary="Get tokens for an account of this service",
        auth=[],
        request=SignInSerializer,
        responses=answers.open_to_all({200: _ISSUED}, *_PROBLEMS),
    )
    def post(self, request: Request) -> Response:
        return _issued(issuing.issue(**_sent(SignInSerializer, request)))


class RefreshView(_TokenView):
    @extend_schema(
        operation_id="refreshToken",
        summary="Get the next token for calls",
        auth=[],
        request=RefreshSerializer,
        responses=answers.open_to_all({200: _ISSUED}, *_PROBLEMS),
    )
    def post(self, request: Request) -> Response:
        return _issued(issuing.refresh(_sent(RefreshSerializer, request)["refresh"]))


class VerifyView(_TokenView):
    @extend_schema(
        operation_id="verifyToken",
        summary="Ask whether a token of this service holds",
        auth=[],
        request=VerifySerializer,
        responses=answers.open_to_all({204: OpenApiResponse(description="It holds")}, *_PROBLEMS),
    )
    def post(self, request: Request) -> Response:
        issuing.verify(_sent(VerifySerializer, request)["token"])
        return Response(status=204, headers=_NO_STORE)


def _sent(kind: type[serializers.Serializer[None]], request: Request) -> dict[str, Any]:
    sent = object_of(request)
    form = kind(data=sent)
    check_known(sent, form.fields.keys())
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _issued(tokens: Issued) -> Response:
    return Response(IssuedSerializer(tokens).data, headers=_NO_STORE)
