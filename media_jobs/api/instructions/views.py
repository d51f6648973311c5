"""/instructions and /products: parse, call once, translate."""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import instruction_lists
from media_jobs.api.instructions import payloads, schema
from media_jobs.api.instructions.fields import CreateForm, InstructionsQuery, PageQuery, asked_page, body_of, query_of
from media_jobs.api.instructions.serializers import DetailSerializer, InstructionSerializer, ProductSerializer
from media_jobs.api.instructions.shared import answer, detail_of, instruction_of, page_of
from media_jobs.api.shared import envelope, readiness
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.bodies.json_bodies import ObjectParser, object_of
from media_jobs.api.shared.idempotency import REPLAYED, key_of
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.callers import Scope
from media_jobs.instruction_lists import Page
from media_jobs.services import idempotency
from media_jobs.services.idempotency import Answer, Sent
from media_jobs.services.instructions import instructions, products
from media_jobs.states import InstructionStatus


class InstructionsView(APIView):
    scopes = {"POST": Scope.UPLOAD}
    parser_classes = [ObjectParser]

    @extend_schema(
        operation_id="listInstructions",
        summary="Your instructions, newest first",
        description="`createdAfter` and `createdBefore` bound the time of their making. Send the `before` of the first "
        "page with all others: what comes meanwhile then moves nothing.",
        parameters=[InstructionsQuery, *parameters.TAGGED],
        responses=schema.of_reads(
            {
                200: OpenApiResponse(schema.listed(InstructionSerializer), description="One page"),
                304: answers.NOT_MODIFIED,
            },
            "bad_field",
            "unknown_field",
        ),
    )
    def get(self, request: Request) -> Response:
        query = query_of(InstructionsQuery, request)
        rows = instruction_lists.instructions(
            caller_of(request).id,
            status=InstructionStatus(query["status"].lower()) if "status" in query else None,
            after=query.get("createdAfter"),
            before=query.get("createdBefore"),
        )
        page = instruction_lists.page(rows, asked_page(query))
        return readiness.tagged(request, page_of("Your instructions", page, payloads.instruction))

    @extend_schema(
        operation_id="createInstruction",
        summary="Make an instruction",
        description="It has no file yet: send these to `POST /instructions/{id}/details`.",
        parameters=parameters.ONCE,
        request={"application/json": CreateForm},
        responses=schema.of_changes(
            {201: OpenApiResponse(schema.enveloped(InstructionSerializer), description="Made; `data.id` is its id")},
            "unknown_product",
            *answers.JSON_BODY,
            *answers.ONCE,
        ),
    )
    def post(self, request: Request) -> Response:
        caller, key = caller_of(request), key_of(request)
        asked = body_of(CreateForm, object_of(request))
        product, name = asked["productId"], asked.get("name", "")

        def create() -> Answer:
            made = instructions.create(caller=caller, product=product, name=name)
            made.refresh_from_db(fields=["status", "changed_at"])
            return Answer(201, envelope.of_data("Instruction created", payloads.instruction(made)))

        fingerprint = idempotency.fingerprint("instruction", {"productId": [product], "name": [name]})
        done = idempotency.once(Sent(caller.id, key, fingerprint) if key else None, create)
        headers = {"Location": f"/instructions/{done.body['data']['id']}", **(REPLAYED if done.replayed else {})}
        return Response(done.body, status=done.status, headers=headers)


class InstructionView(APIView):
    @extend_schema(
        operation_id="getInstruction",
        summary="An instruction, and where its files stand",
        parameters=parameters.TAGGED,
        responses=schema.of_reads(
            {
                200: OpenApiResponse(schema.enveloped(InstructionSerializer), description="The instruction"),
                304: answers.NOT_MODIFIED,
            },
            "not_owner",
            "not_found",
        ),
    )
    def get(self, request: Request, id: UUID) -> Response:
        found = instruction_of(request, id)
        return readiness.tagged(request, answer("Instruction", payloads.instruction(found)))


class DetailView(APIView):
    @extend_schema(
        operation_id="getDetail",
        summary="One file of an instruction",
        parameters=parameters.TAGGED,
        responses=schema.of_reads(
            {
                200: OpenApiResponse(schema.enveloped(DetailSerializer), description="The file"),
                304: answers.NOT_MODIFIED,
            },
            "not_owner",
            "not_found",
        ),
    )
    def get(self, request: Request, id: UUID, detailId: UUID) -> Response:  # noqa: N803  (the wire's spelling)
        found = detail_of(instruction_of(request, id), detailId)
        return readiness.tagged(request, answer("File", payloads.detail(found)))


class ProductsView(APIView):
    @extend_schema(
        operation_id="listProducts",
        summary="The products that are open to you, with their limits",
        parameters=[PageQuery, *parameters.TAGGED],
        responses=schema.of_reads(
            {
                200: OpenApiResponse(schema.listed(ProductSerializer), description="One page"),
                304: answers.NOT_MODIFIED,
            },
            "bad_field",
            "unknown_field",
        ),
    )
    def get(self, request: Request) -> Response:
        asked = asked_page(query_of(PageQuery, request))
        found = products.open_to(caller_of(request).id)
        start = (asked.number - 1) * asked.size
        page = Page(found[start : start + asked.size], asked.number, asked.size, len(found), None)
        return readiness.tagged(request, page_of("Products that are open to you", page, payloads.product))
