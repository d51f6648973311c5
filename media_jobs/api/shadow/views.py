"""/v1/shadow: parse, call once, translate."""

from uuid import UUID

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs.api.shadow.fields import KeySerializer
from media_jobs.api.shadow.serializers import STATUS, ShadowSerializer
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.bodies.field_names import checked
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, object_of
from media_jobs.api.shared.openapi import answers
from media_jobs.callers import Scope
from media_jobs.models import Shadow
from media_jobs.services.cutover import shadows
from media_jobs.states import ShadowState

#: Nobody waits for a shadow: it is done when there is nothing else to do.
_LOOK_AGAIN_S = 5
_HEADERS = [
    OpenApiParameter(
        "Location",
        {"type": "string", "format": "uri-reference"},
        OpenApiParameter.HEADER,
        response=[200, 202],
        description="Where to look how far it is.",
    ),
    OpenApiParameter(
        "Retry-After",
        {"type": "integer", "minimum": 1},
        OpenApiParameter.HEADER,
        response=[200, 202],
        description="While it is processing: seconds after which to look again.",
    ),
]


class ShadowsView(APIView):
    scopes = {"POST": Scope.SHADOW}
    parser_classes = [ObjectParser]

    @extend_schema(
        operation_id="createShadow",
        summary="Have a picture of the live site made here, too, and compared",
        description="For a cut-over. A worker fetches the site's original by its key, makes the same sizes of it, and "
        "compares them with the site's own. It waits behind uploads. A key has one shadow: asked for again, it is "
        "answered with 200 as it is. `POST /v1/images` with `shadow=true` sends the picture along instead.",
        parameters=_HEADERS,
        request={"application/json": KeySerializer},
        responses=answers.of_changes(
            {
                200: OpenApiResponse(ShadowSerializer, description="It was asked for before, and this is it"),
                202: OpenApiResponse(ShadowSerializer, description="It waits for a worker"),
            },
            "bad_legacy_key",
            "shadow_exists",
            "shadows_full",
            "storage_full",
            *answers.JSON_BODY,
        ),
    )
    def post(self, request: Request) -> Response:
        key = checked(KeySerializer, object_of(request))["key"]
        shadow, is_new = shadows.ask(key, caller=caller_of(request))
        return _shown(shadow, status=202 if is_new else 200, Location=reverse("v1-shadow", args=[shadow.pk]))


class ShadowView(APIView):
    @extend_schema(
        operation_id="getShadow",
        summary="How far a shadow is, and what the comparison found",
        parameters=_HEADERS[1:],
        responses=answers.of_reads({200: OpenApiResponse(ShadowSerializer, description="The shadow")}, "not_found"),
    )
    def get(self, request: Request, id: UUID) -> Response:
        shadow = shadows.find(id, caller_of(request))
        if shadow is None:
            raise Http404
        return _shown(shadow)


def _shown(shadow: Shadow, *, status: int = 200, **headers: str) -> Response:
    answer = ShadowSerializer(shadow).data
    if STATUS[ShadowState(shadow.state)] == "processing":
        headers["Retry-After"] = str(_LOOK_AGAIN_S)
    return Response(answer, status=status, headers={"Cache-Control": "no-store", **headers})
