"""/instructions/{id}/details: files come in, and are listed."""

from contextlib import closing
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.http import QueryDict
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import instruction_lists
from media_jobs.api.instructions import schema, serializers
from media_jobs.api.instructions.fields import FilesForm, PageQuery, asked_page, options_of, query_of
from media_jobs.api.instructions.serializers import DetailSerializer, FilesAddedSerializer
from media_jobs.api.instructions.shared import instruction_of, page_of
from media_jobs.api.shared import answers, envelope, readiness
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.bodies.batch_uploads import ArrivingFile, FilesStream
from media_jobs.api.shared.idempotency import REPLAYED, key_of
from media_jobs.api.shared.problems import Problem, problem_of
from media_jobs.callers import Scope
from media_jobs.errors import BatchRefused, MediaError, UnknownProduct
from media_jobs.models import IdempotencyKey, Instruction, InstructionDetail
from media_jobs.services import idempotency
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.instructions import products
from media_jobs.services.instructions.adding import Adding, Outcome
from media_jobs.services.uploads import intake
from media_jobs.services.uploads.intake import HashingSink


class DetailsView(APIView):
    scopes = {"POST": Scope.UPLOAD}

    @extend_schema(
        operation_id="instructions_details_list",
        summary="The files of an instruction, newest first",
        parameters=[PageQuery, schema.IF_NONE_MATCH, schema.ETAG],
        responses=schema.answered(
            {200: schema.listed(DetailSerializer), 304: schema.NOT_MODIFIED},
            {400: schema.BAD_QUERY, 404: schema.NO_INSTRUCTION, 503: schema.DATABASE_AWAY},
            forbidden=schema.STRANGER,
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        found = instruction_of(request, id)
        page = instruction_lists.page(instruction_lists.details(found), asked_page(query_of(PageQuery, request)))
        return readiness.tagged(request, page_of("Files of the instruction", page, serializers.detail))

    @extend_schema(
        summary="Send files: each joins the instruction, and its processing begins",
        description="Up to BATCH_MAX_FILES at once. Each is taken or refused by itself: a bad file does not keep out a "
        "good one. The limits of the product count before a byte is stored. The text fields hold for all.",
        parameters=[answers.IDEMPOTENCY_KEY],
        request={"multipart/form-data": FilesForm},
        responses=schema.answered(
            {202: OpenApiResponse(schema.enveloped(FilesAddedSerializer), description="At least one was taken")},
            {
                400: ("batch_refused", "None was taken, for different reasons; no file at all; a wrong field or key"),
                404: schema.NO_INSTRUCTION,
                413: ("file_too_large", "All are too large for the product, in bytes or pixels"),
                415: ("unsupported_format", "None is a picture of a format that the product takes, or it is no form"),
                422: ("instruction_full", "The product takes no more files in one instruction; or the key was reused"),
                429: ("daily_limit_reached", "The product takes no more files today; or asked too often"),
                503: answers.BACKLOG_FULL,
            },
            forbidden=schema.STRANGER,
        ),
    )
    def post(self, request: Request, id: UUID) -> Response:
        caller, key = caller_of(request), key_of(request)
        instruction = instruction_of(request, id, own=True)
        earlier = idempotency.find(caller.id, key) if key else None
        if earlier:
            return _answered(_replay(request, instruction, earlier))
        if not instruction.product.is_open_to(caller.id):
            raise UnknownProduct(instruction.product.name)
        with closing(Adding(instruction, caller)) as adding:
            files = _receive(request, instruction, adding.begin)
            options = options_of(_text_fields(request))
            try:
                done = adding.accept(
                    [file.problem or cast(intake.Upload, file.sink) for file in files],
                    options=options,
                    build_answer=partial(_taken, files),
                    sent=Sent(caller.id, key, _fingerprint(request, instruction, files)) if key else None,
                )
            except BatchRefused as refused:
                return _refused(files, refused)
        return _answered(done)


def _replay(request: Request, instruction: Instruction, earlier: IdempotencyKey) -> Answer:
    """Reads the files, to see whether they are the same, and stores nothing."""
    files = _receive(request, instruction, lambda *_: HashingSink())
    return idempotency.replay(earlier, _fingerprint(request, instruction, files))


def _receive(request: Request, instruction: Instruction, begin: Any) -> list[ArrivingFile[Any]]:
    """Read the request's form. Whoever made the sinks forgets them, should this raise."""
    stream: FilesStream[Any] = FilesStream(
        request._request,
        field="files",
        also="file",
        most=settings.BATCH_MAX_FILES,
        limits=products.limits_of(instruction.product),
        begin=begin,
    )
    request.data  # noqa: B018  (reads the form)
    return stream.finished()


def _text_fields(request: Request) -> QueryDict:
    return cast(QueryDict, request.data)  # what a multipart form is parsed to


def _fingerprint(request: Request, instruction: Instruction, files: list[ArrivingFile[Any]]) -> str:
    """Over all files, taken or not: what is refused today may be taken when it is sent again."""
    sent = {f"file {place}": [file.filename, file.sha256] for place, file in enumerate(files)}
    return idempotency.fingerprint(f"details of {instruction.pk}", sent | dict(_text_fields(request).lists()))


def _taken(files: list[ArrivingFile[Any]], outcomes: list[Outcome]) -> Answer:
    items = [_item(file, outcome) for file, outcome in zip(files, outcomes, strict=True)]
    taken = sum(isinstance(outcome, InstructionDetail) for outcome in outcomes)
    message = f"{taken} of {len(items)} files accepted, processing started"
    return Answer(202, envelope.of_data(message, {"items": items, "accepted": taken, "refused": len(items) - taken}))


def _item(file: ArrivingFile[Any], outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, InstructionDetail):
        return {"filename": file.filename, "detail": serializers.detail(outcome, made=()), "error": None}
    problem = _problem(outcome)
    return {"filename": file.filename, "detail": None, "error": {"code": problem.code, "detail": problem.detail}}


def _refused(files: list[ArrivingFile[Any]], refused: BatchRefused) -> Response:
    """What all have in common, or that they have nothing; `errors` has that of each file."""
    codes = {error.code for error in refused.refusals}
    shared = _problem(refused.refusals[0] if len(codes) == 1 else refused)
    items = [
        {"filename": file.filename, "code": problem.code, "detail": problem.detail}
        for file, problem in zip(files, map(_problem, refused.refusals), strict=True)
    ]
    body = {"message": shared.detail, "errors": items, "data": None}
    return Response(body, status=shared.status, headers=dict(shared.headers))


def _problem(error: MediaError) -> Problem:
    found = problem_of(error)
    if found is None:  # nothing that a request should meet
        raise error
    return found


def _answered(answer: Answer) -> Response:
    return Response(answer.body, status=answer.status, headers=REPLAYED if answer.replayed else None)
