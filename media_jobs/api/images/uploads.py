"""/v1, how pictures come in: through the web process, or past it straight to the storage."""

import json
from functools import partial
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import selectors
from media_jobs.api.images import listing
from media_jobs.api.images.fields import AnnouncedSerializer, FormSerializer, StagedSerializer, UploadSerializer
from media_jobs.api.images.listing import ListQuery, ListSerializer
from media_jobs.api.images.serializers import OpenedSerializer, UploadedSerializer
from media_jobs.api.images.views import OVER_IN_TIME, accepted
from media_jobs.api.shared import readiness
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, is_json, object_of
from media_jobs.api.shared.bodies.uploads import FormParser, Received, receiving
from media_jobs.api.shared.idempotency import REPLAYED, key_of
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.api.shared.permissions import check_scope
from media_jobs.callers import Caller, Scope
from media_jobs.models import IdempotencyKey
from media_jobs.pipeline.formats.sniff import Kind
from media_jobs.services import idempotency, originals
from media_jobs.services.cutover import shadows
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.uploads import backlog, direct_uploads, intake
from media_jobs.services.uploads.intake import Accepted, HashingSink

#: Made once: DRF copies all fields of a serializer each time that one is made.
_UPLOADED = UploadedSerializer()


class UploadView(APIView):
    scopes = {"POST": Scope.UPLOAD}
    parser_classes = [FormParser, ObjectParser]
    #: Said where a body is of another type.
    takes = (
        "Send the picture as multipart/form-data in the field “file”, or application/json with the uploadId of a "
        "picture that is in the storage already."
    )

    @extend_schema(
        operation_id="createJob",
        summary="Upload a picture: POST /v1/images under another name",
        description="As a form with the file in it; or as JSON with the id of an upload that `POST /v1/uploads` began "
        "and whose file is in the storage by now. The answer is the same.",
        parameters=parameters.QUEUEING,
        request={"multipart/form-data": UploadSerializer, "application/json": StagedSerializer},
        responses=answers.of_changes(
            {
                200: OVER_IN_TIME,
                202: OpenApiResponse(UploadedSerializer, description="Stored; its job waits, or is being done already"),
            },
            "unknown_preset",
            "unknown_upload",
            "upload_used",
            "upload_expired",
            "bad_legacy_key",
            "shadow_exists",
            "shadows_full",
            *answers.FORM_BODY,
            *answers.JSON_BODY,
            *answers.ONCE,
            *answers.WAIT,
            *answers.BACKLOG,
        ),
    )
    def post(self, request: Request) -> HttpResponseBase:
        caller, key = caller_of(request), key_of(request)
        readiness.wait_s(request)  # whether it is one, before anything is stored
        accept, replay = (_accept_staged, _replay_staged) if is_json(request) else (_accept_file, _replay_file)
        earlier = idempotency.find(caller.id, key) if key else None
        if earlier:
            return accepted(self, request, replay(request, earlier))
        with backlog.place():
            answer = accept(request, caller, key)
        return accepted(self, request, answer)


@extend_schema_view(post=extend_schema(operation_id="uploadImage", summary="Upload a picture and queue its processing"))
class ImagesView(UploadView):
    """The collection: an upload adds to it."""

    @extend_schema(
        operation_id="listImages",
        summary="Your images, newest first",
        description="Page by page: while `nextCursor` is not null, ask again with it as `cursor`. What is uploaded "
        "meanwhile is on no later page, and none comes twice.",
        parameters=[ListQuery, listing.LINK],
        responses=answers.of_reads(
            {200: OpenApiResponse(ListSerializer, description="A page")}, "unknown_field", "bad_field"
        ),
    )
    def get(self, request: Request) -> Response:
        return listing.answer(request, caller_of(request))


def _accept_file(request: Request, caller: Caller, key: str | None) -> Answer:
    with receiving(request, begin=partial(_begin, caller), **_form()) as form:
        fields = FormSerializer.read(form.fields)
        how: dict[str, Any] = {
            "caller": caller,
            "build_answer": _build_answer,
            "options": fields.options,
            "sent": Sent(caller.id, key, _fingerprint_of_file(form)) if key else None,
        }
        if fields.shadow_of:
            check_scope(request, Scope.SHADOW)
            return shadows.accept(form.upload, fields.shadow_of, **how)
        return form.upload.accept(preset=selectors.current_preset(fields.preset), **how)


def _replay_file(request: Request, earlier: IdempotencyKey) -> Answer:
    """Reads the file, to see whether it is the same, and stores nothing."""
    with receiving(request, begin=lambda *_: HashingSink(), **_form()) as form:
        return idempotency.replay(earlier, _fingerprint_of_file(form))


def _form() -> dict[str, Any]:
    return {"field": "file", "limits": originals.size_limits()}


def _begin(caller: Caller, kind: Kind, filename: str) -> intake.Upload:
    return intake.Upload(kind, filename=filename, caller=caller)


def _fingerprint_of_file(form: Received[Any]) -> str:
    return idempotency.fingerprint(
        "upload", dict(form.fields.lists()), filename=form.filename, sha256=form.upload.sha256
    )


def _accept_staged(request: Request, caller: Caller, key: str | None) -> Answer:
    fields = StagedSerializer.read(object_of(request))
    assert fields.upload_id is not None  # noqa: S101  (the serializer asks for it)
    return direct_uploads.accept(
        fields.upload_id,
        preset=selectors.current_preset(fields.preset),
        caller=caller,
        build_answer=_build_answer,
        options=fields.options,
        sent=Sent(caller.id, key, _fingerprint_of_staged(request)) if key else None,
    )


def _replay_staged(request: Request, earlier: IdempotencyKey) -> Answer:
    return idempotency.replay(earlier, _fingerprint_of_staged(request))


def _fingerprint_of_staged(request: Request) -> str:
    return _fingerprint_of_json("direct upload", request)


def _fingerprint_of_json(operation: str, request: Request) -> str:
    sent = {name: [json.dumps(value, sort_keys=True)] for name, value in object_of(request).items()}
    return idempotency.fingerprint(operation, sent)


def _build_answer(done: Accepted) -> Answer:
    return Answer(202, dict(_UPLOADED.to_representation(done)))


class DirectUploadView(APIView):
    scopes = {"POST": Scope.UPLOAD}
    parser_classes = [ObjectParser]

    @extend_schema(
        operation_id="beginUpload",
        summary="Begin an upload straight to the storage",
        description="For large files, slow senders and busy servers: the answer is a form by which the picture goes to "
        "the storage itself. POST its `fields` and, as the last one, the picture in the field `file` to `url` as "
        "multipart/form-data, before `expiresAt`; then `POST /v1/images` with the `uploadId`, within an hour. What has "
        "arrived is checked when it is processed.",
        parameters=parameters.ONCE,
        request=AnnouncedSerializer,
        responses=answers.of_changes(
            {201: OpenApiResponse(OpenedSerializer, description="The storage awaits the file")},
            "file_too_large",
            "unsupported_format",
            *answers.JSON_BODY,
            *answers.ONCE,
            *answers.BACKLOG,
        ),
    )
    def post(self, request: Request) -> Response:
        caller, key = caller_of(request), key_of(request)
        announced = AnnouncedSerializer.read(object_of(request))
        sent = Sent(caller.id, key, _fingerprint_of_json("begin upload", request)) if key else None
        if sent and (earlier := idempotency.find(caller.id, sent.key)):
            return _opened(idempotency.replay(earlier, sent.fingerprint))

        def begin() -> Answer:
            return Answer(201, dict(OpenedSerializer(direct_uploads.begin(caller=caller, **announced)).data))

        with backlog.place():
            return _opened(idempotency.once(sent, begin))


def _opened(answer: Answer) -> Response:
    replayed = REPLAYED if answer.replayed else {}
    return Response(answer.body, status=answer.status, headers={"Cache-Control": "no-store", **replayed})
