"""/instructions/{id}/details: files come in, and are listed."""

from contextlib import closing
from functools import partial
from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import instruction_lists
from media_jobs.api.instructions import payloads, schema
from media_jobs.api.instructions.fields import FilesForm, PageQuery, asked_page, query_of
from media_jobs.api.instructions.serializers import DetailSerializer, FilesAddedSerializer
from media_jobs.api.instructions.shared import instruction_of, page_of
from media_jobs.api.shared import envelope, readiness
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.bodies import batches
from media_jobs.api.shared.bodies.batch_uploads import ArrivingFile, Begin
from media_jobs.api.shared.bodies.upload_fields import options_of
from media_jobs.api.shared.idempotency import answered, key_of
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.callers import Scope
from media_jobs.errors import BatchRefused, UnknownProduct
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
        operation_id="listDetails",
        summary="The files of an instruction, newest first",
        parameters=[PageQuery, *parameters.TAGGED],
        responses=schema.of_reads(
            {
                200: OpenApiResponse(schema.listed(DetailSerializer), description="One page"),
                304: answers.NOT_MODIFIED,
            },
            "bad_field",
            "unknown_field",
            "not_owner",
            "not_found",
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        found = instruction_of(request, id)
        page = instruction_lists.page(instruction_lists.details(found), asked_page(query_of(PageQuery, request)))
        return readiness.tagged(request, page_of("Files of the instruction", page, payloads.detail))

    @extend_schema(
        operation_id="addFiles",
        summary="Send files: each joins the instruction, and its processing begins",
        description="Up to BATCH_MAX_FILES at once. Each is taken or refused by itself: a bad file does not keep out a "
        "good one. The limits of the product count before a byte is stored. The text fields hold for all.",
        parameters=parameters.ONCE,
        request={"multipart/form-data": FilesForm},
        responses=schema.of_changes(
            {202: OpenApiResponse(schema.enveloped(FilesAddedSerializer), description="At least one was taken")},
            "not_owner",
            "not_found",
            "batch_refused",
            "unknown_product",
            "unknown_preset",
            "instruction_full",
            "daily_limit_reached",
            "format_not_allowed",
            "too_many_pixels",
            *answers.FORM_BODY,
            *answers.ONCE,
            *answers.BACKLOG,
        ),
    )
    def post(self, request: Request, id: UUID) -> Response:
        caller, key = caller_of(request), key_of(request)
        instruction = instruction_of(request, id, own=True)
        earlier = idempotency.find(caller.id, key) if key else None
        if earlier:
            return answered(_replay(request, instruction, earlier))
        if not instruction.product.is_open_to(caller.id):
            raise UnknownProduct(instruction.product.name)
        with closing(Adding(instruction, caller)) as adding:
            files = _receive(request, instruction, batches.counted(request, adding.begin))
            options = options_of(batches.text_fields(request))
            try:
                done = adding.accept(
                    [file.problem or cast(intake.Upload, file.sink) for file in files],
                    options=options,
                    build_answer=partial(_taken, files),
                    sent=Sent(caller.id, key, _fingerprint(request, instruction, files)) if key else None,
                )
            except BatchRefused as refused:
                return _refused(files, refused)
        return answered(done)


def _receive(request: Request, instruction: Instruction, begin: Begin[Any]) -> list[ArrivingFile[Any]]:
    limits = products.limits_of(instruction.product)
    return batches.receive(request, begin, field="files", also="file", limits=limits)


def _fingerprint(request: Request, instruction: Instruction, files: list[ArrivingFile[Any]]) -> str:
    return batches.fingerprint(f"details of {instruction.pk}", request, files)


def _replay(request: Request, instruction: Instruction, earlier: IdempotencyKey) -> Answer:
    """Reads the files, to see whether they are the same, and stores nothing."""
    files = _receive(request, instruction, lambda *_: HashingSink())
    return idempotency.replay(earlier, _fingerprint(request, instruction, files))


def _taken(files: list[ArrivingFile[Any]], outcomes: list[Outcome]) -> Answer:
    items = [_item(file, outcome) for file, outcome in zip(files, outcomes, strict=True)]
    taken = sum(isinstance(outcome, InstructionDetail) for outcome in outcomes)
    message = f"{taken} of {len(items)} files accepted, processing started"
    return Answer(202, envelope.of_data(message, {"items": items, "accepted": taken, "refused": len(items) - taken}))


def _item(file: ArrivingFile[Any], outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, InstructionDetail):
        return {"filename": file.filename, "detail": payloads.detail(outcome, made=()), "error": None}
    problem = batches.problem(outcome)
    return {"filename": file.filename, "detail": None, "error": {"code": problem.code, "detail": problem.detail}}


def _refused(files: list[ArrivingFile[Any]], refused: BatchRefused) -> Response:
    """What all have in common, or that they have nothing; `errors` has that of each file."""
    shared = batches.shared_problem(refused)
    items = [
        {"filename": file.filename, "code": problem.code, "detail": problem.detail}
        for file, problem in zip(files, map(batches.problem, refused.refusals), strict=True)
    ]
    body = {"message": shared.detail, "errors": items, "data": None}
    return Response(body, status=shared.status, headers=dict(shared.headers))
