"""/api/v1/ingest, how pictures come in: one by one, or many at once."""

from contextlib import closing
from functools import partial
from typing import Any, cast

from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.ingest.fields import PRESET, BatchForm, UploadForm
from media_jobs.api.ingest.serializers import AcceptedSerializer, BatchSerializer, StatusSerializer, accepted, shown
from media_jobs.api.shared import readiness
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.bodies import batches
from media_jobs.api.shared.bodies.batch_uploads import ArrivingFile, Begin
from media_jobs.api.shared.bodies.upload_fields import options_of
from media_jobs.api.shared.bodies.uploads import Received, receiving
from media_jobs.api.shared.idempotency import answered, key_of
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.api.shared.problems.documents import CONTENT_TYPE
from media_jobs.callers import Caller, Scope
from media_jobs.errors import BatchRefused
from media_jobs.models import IdempotencyKey
from media_jobs.pipeline.formats.sniff import Kind
from media_jobs.services import idempotency, originals
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.uploads import backlog, intake
from media_jobs.services.uploads.batch import Batch, Outcome
from media_jobs.services.uploads.intake import Accepted, HashingSink


class UploadView(APIView):
    scopes = {"POST": Scope.UPLOAD}

    @extend_schema(
        operation_id="ingestImage",
        summary="Upload a picture and queue its processing",
        parameters=parameters.QUEUEING,
        request={"multipart/form-data": UploadForm},
        responses=answers.of_changes(
            {
                200: OpenApiResponse(StatusSerializer, description="With `wait`: it is over already, and this is it"),
                202: OpenApiResponse(AcceptedSerializer, description="Stored; its job waits, or is being done already"),
            },
            *answers.FORM_BODY,
            *answers.ONCE,
            *answers.WAIT,
            *answers.BACKLOG,
        ),
    )
    def post(self, request: Request) -> HttpResponseBase:
        caller, key = caller_of(request), key_of(request)
        readiness.wait_s(request)  # whether it is one, before anything is stored
        earlier = idempotency.find(caller.id, key) if key else None
        answer = _replay_one(request, earlier) if earlier else _accept_one(request, caller, key)
        location = reverse("ingest-status", args=[answer.body["jobId"]])
        return readiness.accepted(self, request, answer, location=location, show=lambda job: shown(job, request))


def _accept_one(request: Request, caller: Caller, key: str | None) -> Answer:
    def begin(kind: Kind, filename: str) -> intake.Upload:
        return intake.Upload(kind, filename=filename, caller=caller)

    with backlog.place(), receiving(request, begin=begin, **_form()) as form:
        return form.upload.accept(
            preset=selectors.current_preset(PRESET),
            caller=caller,
            build_answer=lambda done: Answer(202, accepted(done)),
            options=options_of(form.fields),
            sent=Sent(caller.id, key, _fingerprint_of_one(form)) if key else None,
        )


def _replay_one(request: Request, earlier: IdempotencyKey) -> Answer:
    """Reads the file, to see whether it is the same, and stores nothing."""
    with receiving(request, begin=lambda *_: HashingSink(), **_form()) as form:
        return idempotency.replay(earlier, _fingerprint_of_one(form))


def _form() -> dict[str, Any]:
    return {"field": "image", "limits": originals.ingest_size_limits()}


def _fingerprint_of_one(form: Received[Any]) -> str:
    return idempotency.fingerprint(
        "ingest", dict(form.fields.lists()), filename=form.filename, sha256=form.upload.sha256
    )


class BatchView(APIView):
    scopes = {"POST": Scope.UPLOAD}

    @extend_schema(
        operation_id="ingestBatch",
        summary="Upload several pictures at once",
        description="Up to BATCH_MAX_FILES, all in the field `images`. Each is taken or refused by itself: a bad file "
        "does not keep out a good one. The text fields hold for all.",
        parameters=parameters.ONCE,
        request={"multipart/form-data": BatchForm},
        responses=answers.of_changes(
            {202: OpenApiResponse(BatchSerializer, description="At least one was taken")},
            "batch_refused",
            *answers.FORM_BODY,
            *answers.ONCE,
            *answers.BACKLOG,
        ),
    )
    def post(self, request: Request) -> Response:
        caller, key = caller_of(request), key_of(request)
        earlier = idempotency.find(caller.id, key) if key else None
        if earlier:
            return answered(_replay_many(request, earlier))
        with closing(Batch(caller)) as batch:
            files = _receive(request, batches.counted(request, batch.begin))
            options = options_of(batches.text_fields(request))
            try:
                answer = batch.accept(
                    [file.problem or cast(intake.Upload, file.sink) for file in files],
                    preset=selectors.current_preset(PRESET),
                    options=options,
                    build_answer=partial(_taken, request, files),
                    sent=Sent(caller.id, key, batches.fingerprint("ingest batch", request, files)) if key else None,
                )
            except BatchRefused as refused:
                return _refused(request, files, refused)
        return answered(answer)


def _receive(request: Request, begin: Begin[Any]) -> list[ArrivingFile[Any]]:
    return batches.receive(request, begin, field="images", limits=originals.ingest_size_limits())


def _replay_many(request: Request, earlier: IdempotencyKey) -> Answer:
    files = _receive(request, lambda *_: HashingSink())
    return idempotency.replay(earlier, batches.fingerprint("ingest batch", request, files))


def _taken(request: Request, files: list[ArrivingFile[Any]], outcomes: list[Outcome]) -> Answer:
    said = [_said(request, file, outcome) for file, outcome in zip(files, outcomes, strict=True)]
    taken = sum(isinstance(outcome, Accepted) for outcome in outcomes)
    return Answer(202, {"files": said, "accepted": taken, "refused": len(said) - taken})


def _said(request: Request, file: ArrivingFile[Any], outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {"filename": file.filename, **accepted(outcome)}
    return {"filename": file.filename, "problem": batches.problem(outcome).document(request.path)}


def _refused(request: Request, files: list[ArrivingFile[Any]], refused: BatchRefused) -> Response:
    """The problem that all have in common, or that they have none."""
    shared = batches.shared_problem(refused)
    said = [_said(request, file, error) for file, error in zip(files, refused.refusals, strict=True)]
    body = {**shared.document(request.path), "files": said}
    return Response(body, status=shared.status, headers=shared.headers, content_type=CONTENT_TYPE)
