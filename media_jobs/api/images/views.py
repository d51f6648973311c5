"""/v1, what became of uploads: parse, call once, translate."""

from uuid import UUID

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.images import schema
from media_jobs.api.images.changes import ChangesSerializer
from media_jobs.api.images.image_serializers import DeletedSerializer, ImageSerializer
from media_jobs.api.images.serializers import AcceptedSerializer, JobSerializer
from media_jobs.api.shared import answers, readiness
from media_jobs.api.shared.auth import caller_of, holds
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, object_of
from media_jobs.api.shared.idempotency import key_of
from media_jobs.callers import Caller
from media_jobs.models import Job, Original
from media_jobs.services import idempotency, originals
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.images import deletion, editing
from media_jobs.services.jobs import estimates, lifecycle
from media_jobs.services.uploads.intake import Accepted
from media_jobs.services.waiting.waits import is_over


def accepted(view: APIView, request: Request, answer: Answer) -> HttpResponseBase:
    """What a call that queues a job answers; see `readiness.accepted`."""
    location = reverse("v1-job", args=[answer.body["jobId"]])
    return readiness.accepted(view, request, answer, location=location, show=lambda job: JobSerializer(job).data)


class JobView(APIView):
    @extend_schema(
        summary="How far a job is, and what came of it",
        description="Asked with `wait`, it answers when the job is over. With If-None-Match it answers 304 as long as "
        "nothing has changed; with both, when something has happened to the job.",
        parameters=[answers.WAIT, answers.IF_NONE_MATCH, answers.ETAG, answers.RETRY_AFTER],
        responses=answers.answers(
            {200: JobSerializer, 304: answers.NOT_MODIFIED},
            {400: answers.BAD_WAIT, 404: answers.NO_JOB, 503: answers.DATABASE_AWAY},
        ),
    )
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        return readiness.status_of(self, request, lambda: _job(request, id), _shown)

    @extend_schema(
        summary="Cancel a job",
        description="A waiting job is not begun, and one that is being processed ends within two seconds. Derivatives "
        "of earlier jobs and the original stay. Cancelling again gives the same answer.",
        responses=answers.answers(
            {200: OpenApiResponse(JobSerializer, description="It is cancelled")},
            {403: ("permission_denied", "Not yours to cancel"), 404: answers.NO_JOB,
             409: ("wrong_state", "It is done or has failed already"), 503: answers.DATABASE_AWAY},
        ),
    )  # fmt: skip
    def delete(self, request: Request, id: UUID) -> Response:
        _check_may_change(request, _job(request, id), "cancel_job")
        answer = JobSerializer(lifecycle.cancel(id, actor=caller_of(request))).data
        return Response(answer, headers={"Cache-Control": "no-store"})


class RetryView(APIView):
    @extend_schema(
        summary="Queue a failed or cancelled job again",
        parameters=[answers.WAIT, answers.IDEMPOTENCY_KEY, answers.LOCATION, answers.RETRY_AFTER, answers.REPLAYED],
        request=None,
        responses=answers.answers(
            {200: schema.OVER_IN_TIME,
             202: OpenApiResponse(AcceptedSerializer, description="It waits again, with new attempts")},
            {400: answers.BAD_KEY, 403: ("permission_denied", "Not yours to queue again"), 404: answers.NO_JOB,
             409: ("wrong_state", "It is neither failed nor cancelled"), 422: answers.KEY_REUSED,
             503: answers.DATABASE_AWAY},
        ),
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponseBase:
        caller, key = caller_of(request), key_of(request)
        readiness.wait_s(request)  # whether it is one
        _check_may_change(request, _job(request, id), "retry_job")

        def retry() -> Answer:
            job = lifecycle.retry(id, actor=caller)
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
        parameters=[answers.IF_NONE_MATCH, answers.ETAG],
        responses=answers.answers({200: ImageSerializer, 304: answers.NOT_MODIFIED}, {404: schema.NO_IMAGE}),
    )
    def get(self, request: Request, id: UUID) -> Response:
        return readiness.tagged(request, _described(_image(request, id), caller_of(request)))

    @extend_schema(
        summary="Change its tags and rights",
        description="Rights that a person states go before those in the file. They are written into derivatives that "
        "are made from then on; those that are there become `stale`.",
        request={"application/json": ChangesSerializer},
        responses=answers.answers(
            {200: OpenApiResponse(ImageSerializer, description="As it is now")},
            {400: ("unknown_field", "A field that there is not, or a value that it cannot have"),
             403: ("permission_denied", "Not yours to change"), 404: schema.NO_IMAGE,
             409: ("wrong_state", "It is being deleted"), 415: ("unsupported_media_type", "Not JSON"),
             503: answers.DATABASE_AWAY},
        ),
    )  # fmt: skip
    def patch(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        _check_may_change(request, _image(request, id), "change_original")
        editing.change(id, actor=caller, **ChangesSerializer.read(object_of(request)))
        return _described(_image(request, id), caller)

    @extend_schema(
        summary="Delete an image",
        description="Its derivatives are gone at once, and its jobs with them. The original stays until "
        "`restorableUntil`; deleting again gives the same answer.",
        responses=answers.answers(
            {200: OpenApiResponse(DeletedSerializer, description="It is deleted")},
            {403: ("permission_denied", "Not yours to delete"), 404: schema.NO_IMAGE, 503: answers.DATABASE_AWAY},
        ),
    )  # fmt: skip
    def delete(self, request: Request, id: UUID) -> Response:
        _check_may_change(request, _image(request, id, deleted=True), "delete_original")
        return Response(DeletedSerializer(deletion.delete(id, actor=caller_of(request))).data)


class RestoreView(APIView):
    @extend_schema(
        summary="Bring a deleted image back",
        description="Its derivatives are made anew, at new addresses only where its rights were changed since.",
        parameters=[answers.WAIT, answers.IDEMPOTENCY_KEY, answers.LOCATION, answers.RETRY_AFTER, answers.REPLAYED],
        request=None,
        responses=answers.answers(
            {200: schema.OVER_IN_TIME,
             202: OpenApiResponse(AcceptedSerializer, description="It is back, and its job waits")},
            {400: answers.BAD_KEY, 403: ("permission_denied", "Not yours to restore"), 404: schema.NO_IMAGE,
             409: ("not_restorable", "It was not deleted, or longer ago than RESTORE_DAYS"), 422: answers.KEY_REUSED,
             503: answers.DATABASE_AWAY},
        ),
    )  # fmt: skip
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
    answer = ImageSerializer(image, context={"private": private}).data
    return Response(answer, headers={"Cache-Control": "no-store"} if private else None)


class OriginalView(APIView):
    @extend_schema(
        summary="The original file, by a redirect to a short-lived link",
        description="Originals may hold positions and serial numbers: their owners get them, if they are not "
        "anonymous, and staff with the permission to.",
        responses=answers.answers(
            {302: OpenApiResponse(description="To a signed link")},
            {
                403: ("permission_denied", "Not yours to see"),
                404: schema.NO_IMAGE,
                409: ("wrong_state", "It came straight to the storage, and no worker has checked it yet"),
                503: ("reads_not_configured", "This server has no credentials for reading"),
            },
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        caller, image = caller_of(request), _image(request, id)
        if not caller.may_read_original(image.owner):
            raise PermissionDenied("Originals may hold positions: only known owners, and staff who may, get them.")
        headers = {"Location": originals.link(image), "Cache-Control": "no-store"}
        return Response(status=302, headers=headers)
