"""/v1/flags: whether a flag is on for a key."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs.api.shared import readiness
from media_jobs.api.shared.bodies.field_names import checked
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.services.flags import evaluation, shares

#: So long an answer holds without asking again: a flag that falls back is off everywhere that much later.
MAX_AGE_S = 5
CACHED = {"Cache-Control": f"private, max-age={MAX_AGE_S}"}


class FlagQuerySerializer(serializers.Serializer[None]):
    key = serializers.CharField(
        max_length=evaluation.LONGEST_KEY,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        help_text="What stays the same for a visitor, such as an account's number. Without one the flag is on only "
        "where it is on for everybody.",
    )


class FlagSerializer(serializers.Serializer[None]):
    """A flag, for one key."""

    name = serializers.CharField()
    enabled = serializers.BooleanField(help_text="Whether it is on for the key.")
    percent = serializers.FloatField(
        min_value=0, max_value=100, help_text="For how many of a hundred keys it is on; 0 where it is switched off."
    )


class FlagView(APIView):
    @extend_schema(
        operation_id="getFlag",
        summary="Whether a feature flag is on for a key",
        description="The same key always gets the same answer, until somebody changes the flag; a key for which it is "
        f"on stays on while the percentage is raised. Keep the answer for {MAX_AGE_S} seconds. Whatever else comes "
        "back than 200 or 304, and nothing within your time limit, means off.",
        parameters=[FlagQuerySerializer, *parameters.TAGGED],
        responses=answers.of_reads(
            {200: OpenApiResponse(FlagSerializer, description="On or off"), 304: answers.NOT_MODIFIED},
            "unknown_flag",
            "bad_field",
            "unknown_field",
        ),
    )
    def get(self, request: Request, name: str) -> Response:
        key = checked(FlagQuerySerializer, request.query_params.dict())["key"]
        said = evaluation.answer(evaluation.find(name), key)
        shown = {
            "name": said.flag.name,
            "enabled": said.enabled,
            "percent": shares.percent(said.flag.basis_points) if said.flag.enabled else 0,
        }
        return readiness.tagged(request, Response(shown, headers=CACHED))
