"""/api/v1, what became of uploads, and whether the service is well."""

from uuid import UUID

from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.ingest.serializers import HealthSerializer, StatusSerializer, shown, status
from media_jobs.api.shared import readiness
from media_jobs.api.shared.auth import caller_of, holds
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.models import Job
from media_jobs.services import readiness as parts
from media_jobs.services.jobs import estimates, lifecycle
from media_jobs.services.waiting.waits import is_over


class StatusView(APIView):
    @extend_schema(
        summary="How far a job is, and what came of it",
        description="Asked with `wait`, it answers when the job is over. With If-None-Match it answers 304 as long as "
        "nothing has changed; with both, when something has happened to the job.",
        operation_id="getIngestStatus",
        parameters=parameters.WAITED_FOR,
        responses=answers.of_reads(
            {200: OpenApiResponse(StatusSerializer, description="The job"), 304: answers.NOT_MODIFIED},
            "not_found",
            *answers.WAIT,
        ),
    )
    def get(self, request: Request, jobId: UUID) -> HttpResponseBase:  # noqa: N803  (the wire's spelling)
        def show(job: Job) -> Response:
            over = is_over(job.state)
            headers = {} if over else {"Retry-After": readiness.retry_after(estimates.remaining_ms(job))}
            return Response(shown(job, request), headers=headers)

        return readiness.status_of(self, request, lambda: _job(request, jobId), show)


class CancelView(APIView):
    @extend_schema(
        summary="Cancel a job",
        description="A waiting job is not begun, and one that is being processed ends within two seconds. Cancelling "
        "again gives the same answer.",
        operation_id="cancelIngest",
        responses=answers.of_changes(
            {200: OpenApiResponse(StatusSerializer, description="It is cancelled")}, "not_found", "wrong_state"
        ),
    )
    def delete(self, request: Request, jobId: UUID) -> Response:  # noqa: N803
        caller, job = caller_of(request), _job(request, jobId)
        if caller.id != job.owner and not holds(request, "media_jobs.cancel_job"):
            raise PermissionDenied
        answer = status(lifecycle.cancel(jobId, actor=caller), private=False)
        return Response(answer, headers={"Cache-Control": "no-store"})


class HealthView(APIView):
    """Asks no credentials: load balancers have none."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = []

    @extend_schema(
        operation_id="getHealth",
        summary="Whether uploads are accepted, and what is not as it should be",
        auth=[],
        responses=answers.open_to_all(
            {
                200: OpenApiResponse(HealthSerializer, description="Uploads are accepted"),
                503: OpenApiResponse(
                    HealthSerializer,
                    description=f"No upload is accepted at the moment, or  \n{answers.line('overloaded')}",
                ),
            }
        ),
    )
    def get(self, request: Request) -> Response:
        found = parts.check()
        body = {"status": "ok" if found.accepts_uploads else "unavailable", **found.to_json()}
        return Response(body, status=200 if found.accepts_uploads else 503, headers={"Cache-Control": "no-store"})


def _job(request: Request, job_id: UUID) -> Job:
    job = selectors.job(job_id, caller_of(request))
    if job is None:
        raise Http404
    return job
