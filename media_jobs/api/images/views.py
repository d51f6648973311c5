"""/v1, what became of uploads: parse, call once, translate."""

from uuid import UUID

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.images.changes import ChangesSerializer
from media_jobs.api.images.image_serializers import DeletedSerializer, ImageSerializer
from media_jobs.api.images.serializers import AcceptedSerializer, JobSerializer
from media_jobs.api.shared import readiness
from media_jobs.api.shared.auth import caller_of, holds
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, object_of
from media_jobs.api.shared.idempotency import key_of
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.callers import Caller
from media_jobs.models import Job, Original
from media_jobs.services import idempotency, originals
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.images import deletion, editing
from media_jobs.services.jobs import estimates, lifecycle
from media_jobs.services.uploads.intake import Accepted
from media_jobs.services.waiting.waits import is_over

OVER_IN_TIME = OpenApiResponse(JobSerializer, description="With `wait`: the job is over already, and this is it")
LINK = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri"},
    OpenApiParameter.HEADER,
    response=[302],
    description="The link, which works for five minutes.",
)


def accepted(view: APIView, request: Request, answer: Answer) -> HttpResponseBase:
    """What a call that queues a job answers; see `readiness.accepted`."""
    location = reverse("v1-job", args=[answer.body["jobId"]])
    return readiness.accepted(view, request, answer, location=location, show=lambda job: JobSerializer(job).data)


class JobView(APIView):
    @extend_schema(
        summary="How far a job is, and what came of it",
        description="Asked with `wait`, it answers when the job is over. With If-None-Match it answers 304 as long as "
        "nothing has changed; with both, when something has happened to the job.",
        operation_id="getJob",
        parameters=parameters.WAITED_FOR,
        responses=answers.of_reads(
            {200: OpenApiResponse(JobSerializer, description="The job"), 304: answers.NOT_MODIFIED},
            "not_found",
            *answers.WAIT,
        ),
    )
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        return readiness.status_of(self, request, lambda: _job(request, id), _shown)

    @extend_schema(
        summary="Cancel a job",
        description="A waiting job is not begun, and one that is being processed ends within two seconds. Derivatives "
        "of earlier jobs and the original stay. Cancelling again gives the same answer.",
        operation_id="cancelJob",
        responses=answers.of_changes(
            {200: OpenApiResponse(JobSerializer, description="It is cancelled")}, "not_found", "wrong_state"
        ),
    )
    def delete(self, request: Request, id: UUID) -> Response:
        _check_may_change(request, _job(request, id), "cancel_job")
        answer = JobSerializer(lifecycle.cancel(id, actor=caller_of(request))).data
        return Response(answer, headers={"Cache-Control": "no-store"})


class RetryView(APIView):
    @extend_schema(
        operation_id="retryJob",
        summary="Queue a failed or cancelled job again, or a done one whose derivatives are gone",
        parameters=parameters.QUEUEING,
        request=None,
        responses=answers.of_changes(
            {200: OVER_IN_TIME,
             202: OpenApiResponse(AcceptedSerializer, description="It waits again, with new attempts")},
            "not_found", "wrong_state", *answers.ONCE, *answers.WAIT, *answers.STORAGE,
        ),
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponseBase:
        caller, key = caller_of(request), key_of(request)
        readiness.wait_s(request)  # whether it is one
        found = _job(request, id)
        _check_may_change(request, found, "retry_job")
        lacks_objects = lifecycle.lacks_objects(found)  # now, and not while the transaction is open

        def retry() -> Answer:
            job = lifecycle.retry(id, actor=caller, lacks_objects=lacks_objects)
            return Answer(202, AcceptedSerializer(Accepted(job, estimates.remaining_ms(job))).data)

        sent = Sent(caller.id, key, idempotency.fingerprint(f"retry {id}")) if key else None
        return accepted(self, request, idempotency.once(sent, retry))


def _job(request: Request, id: UUID) -> Job:
    job = selectors.job(id, caller_of(request))
    if job is None:
        raise Http404
    return job


def _shown(job: Job) -> Response:
    """With when to look again, while there is something to wait for."""
    if is_over(job.state):
        return Response(JobSerializer(job).data)
    estimated_ms = estimates.remaining_ms(job)
    answer = JobSerializer(job, context={"estimated_ms": estimated_ms}).data
    return Response(answer, headers={"Retry-After": readiness.retry_after(estimated_ms)})


def _check_may_change(request: Request, owned: Job | Original, permission: str) -> None:
    """Staff see all jobs and images; those of others they change with the permission that the admin asks for, too."""
    if caller_of(request).id != owned.owner and not holds(request, f"media_jobs.{permission}"):
        raise PermissionDenied


class ImageView(APIView):
    parser_classes = [ObjectParser]

    @extend_schema(
        summary="A picture, its metadata, rights, placeholder, privacy receipt, derivatives and jobs",
        operation_id="getImage",
        parameters=parameters.TAGGED,
        responses=answers.of_reads(
            {200: OpenApiResponse(ImageSerializer, description="The image"), 304: answers.NOT_MODIFIED}, "not_found"
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        return readiness.tagged(request, _described(_image(request, id), caller_of(request)))

    @extend_schema(
        summary="Change its tags and rights",
        description="Rights that a person states go before those in the file. They are written into derivatives that "
        "are made from then on; those that are there become `stale`.",
        operation_id="changeImage",
        request={"application/json": ChangesSerializer},
        responses=answers.of_changes(
            {200: OpenApiResponse(ImageSerializer, description="As it is now")},
            "not_found",
            "wrong_state",
            *answers.JSON_BODY,
        ),
    )
    def patch(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        _check_may_change(request, _image(request, id), "change_original")
        editing.change(id, actor=caller, **ChangesSerializer.read(object_of(request)))
        return _described(_image(request, id), caller)

    @extend_schema(
        summary="Delete an image",
        description="Its derivatives are gone at once, and its jobs with them. The original stays until "
        "`restorableUntil`; deleting again gives the same answer.",
        operation_id="deleteImage",
        responses=answers.of_changes(
            {200: OpenApiResponse(DeletedSerializer, description="It is deleted")}, "not_found"
        ),
    )
    def delete(self, request: Request, id: UUID) -> Response:
        _check_may_change(request, _image(request, id, deleted=True), "delete_original")
        return Response(DeletedSerializer(deletion.delete(id, actor=caller_of(request))).data)


class RestoreView(APIView):
    @extend_schema(
        summary="Bring a deleted image back",
        description="Its derivatives are made anew, at new addresses only where its rights were changed since.",
        operation_id="restoreImage",
        parameters=parameters.QUEUEING,
        request=None,
        responses=answers.of_changes(
            {200: OVER_IN_TIME, 202: OpenApiResponse(AcceptedSerializer, description="It is back, and its job waits")},
            "not_found",
            "not_restorable",
            *answers.ONCE,
            *answers.WAIT,
        ),
    )
    def post(self, request: Request, id: UUID) -> HttpResponseBase:
        caller, key = caller_of(request), key_of(request)
        readiness.wait_s(request)  # whether it is one
        _check_may_change(request, _image(request, id, deleted=True), "delete_original")

        def restore() -> Answer:
            return Answer(202, AcceptedSerializer(deletion.restore(id, actor=caller)).data)

        sent = Sent(caller.id, key, idempotency.fingerprint(f"restore {id}")) if key else None
        return accepted(self, request, idempotency.once(sent, restore))


def _image(request: Request, id: UUID, *, deleted: bool = False) -> Original:
    image = selectors.image(id, caller_of(request), deleted=deleted)
    if image is None:
        raise Http404
    return image


def _described(image: Original, caller: Caller) -> Response:
    private = caller.may_read_original(image.owner)
    shown = {"private": private, "with_jobs": caller.may_read(image.owner)}
    answer = ImageSerializer(image, context=shown).data
    return Response(answer, headers={"Cache-Control": "no-store"} if private else None)


class OriginalView(APIView):
    known_callers_only = True

    @extend_schema(
        summary="The original file, by a redirect to a short-lived link",
        description="Originals may hold positions and serial numbers: their owners get them, if they are not "
        "anonymous, and staff with the permission to.",
        operation_id="getOriginal",
        parameters=[LINK],
        responses=answers.of_reads(
            {302: OpenApiResponse(description="To a signed link")},
            "permission_denied",
            "not_found",
            "wrong_state",
            "reads_not_configured",
            *answers.STORAGE,
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        caller, image = caller_of(request), _image(request, id)
        if not caller.may_read_original(image.owner):
            raise PermissionDenied("Originals may hold positions: only known owners, and staff who may, get them.")
        headers = {"Location": originals.link(image), "Cache-Control": "no-store"}
        return Response(status=302, headers=headers)
