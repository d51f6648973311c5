"""/v1: parse, call once, translate."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.images import errors
from media_jobs.api.images.serializers import (
    AcceptedSerializer,
    FieldsSerializer,
    ImageSerializer,
    JobSerializer,
    ProblemSerializer,
    UploadSerializer,
)
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.uploads import SizeLimits, receiving
from media_jobs.services import intake, originals

#: When to look again, in seconds: most pictures are done by then.
_POLL_S = "1"


def _answers(good: dict[int, Any], problems: dict[int, str]) -> dict[Any, Any]:
    """What a call may answer; `problems` by their meaning."""
    bad = {
        (status, "application/problem+json"): OpenApiResponse(ProblemSerializer, description=meaning)
        for status, meaning in problems.items()
    }
    return {**good, **bad}


class ImagesAPIView(APIView):
    def get_exception_handler(self) -> Any:
        return errors.handle


class UploadView(ImagesAPIView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        summary="Upload a picture and queue its processing",
        request={"multipart/form-data": UploadSerializer},
        responses=_answers(
            {202: AcceptedSerializer},
            {
                400: "Missing or empty file, two files, unknown preset, a field with a value that it cannot have",
                413: "Larger than MAX_UPLOAD_MB, or RAW_MAX_UPLOAD_MB for a camera raw file",
                415: "Not JPEG, PNG, WebP, GIF, TIFF, AVIF, HEIC, BMP or RAW by its first bytes",
                503: "Too much is waiting, or the storage is away; see Retry-After",
            },
        ),
    )
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        intake.refuse_when_full()
        limits = SizeLimits(settings.MAX_UPLOAD_BYTES, settings.RAW_MAX_UPLOAD_BYTES)
        with receiving(request, field="file", limits=limits, caller=caller) as form:
            fields = FieldsSerializer.of_form(form.fields)
            fields.is_valid(raise_exception=True)
            preset = selectors.current_preset(fields.validated_data["preset"])
            job = form.upload.accept(preset=preset, caller=caller, wishes=fields.wishes())
        headers = {"Location": reverse("v1-job", args=[job.pk]), "Retry-After": _POLL_S}
        return Response(AcceptedSerializer(job).data, status=202, headers=headers)


class JobView(ImagesAPIView):
    @extend_schema(
        summary="How far a job is, and what came of it",
        responses=_answers({200: JobSerializer}, {404: "No such job"}),
    )
    def get(self, request: Request, id: UUID) -> Response:
        job = selectors.job(id, caller_of(request))
        if job is None:
            raise Http404
        answer = JobSerializer(job).data
        return Response(answer, headers={"Retry-After": _POLL_S} if answer["status"] == "processing" else None)


class ImageView(ImagesAPIView):
    @extend_schema(
        summary="A picture, its metadata, rights, placeholder, privacy receipt, derivatives and jobs",
        responses=_answers({200: ImageSerializer}, {404: "No such image"}),
    )
    def get(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        image = selectors.image(id, caller)
        if image is None:
            raise Http404
        private = caller.may_read_original(image.owner)
        answer = ImageSerializer(image, context={"private": private}).data
        return Response(answer, headers={"Cache-Control": "no-store"} if private else None)


class OriginalView(ImagesAPIView):
    @extend_schema(
        summary="The original file, by a redirect to a short-lived link",
        description="Originals may hold positions and serial numbers: only staff and signed-in owners get them.",
        responses=_answers(
            {302: OpenApiResponse(description="To a signed link")},
            {403: "Not yours to see", 404: "No such image", 503: "This server has no credentials for reading"},
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        image = selectors.image(id, caller)
        if image is None:
            raise Http404
        if not caller.may_read_original(image.owner):
            raise PermissionDenied("Originals may hold positions; only staff and signed-in owners get them.")
        headers = {"Location": originals.link(image), "Cache-Control": "no-store"}
        return Response(status=302, headers=headers)
