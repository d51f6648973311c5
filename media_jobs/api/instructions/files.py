"""/files: what has not been cleaned up, and when that is due."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs import instruction_lists
from media_jobs.api.instructions import payloads, schema
from media_jobs.api.instructions.fields import FilesQuery, asked_page, query_of, states_of
from media_jobs.api.instructions.serializers import UncleanedSerializer
from media_jobs.api.instructions.shared import page_of
from media_jobs.api.shared.auth import caller_of
from media_jobs.callers import VIEW_IMAGES, Scope
from media_jobs.instruction_lists import Uncleaned
from media_jobs.models import DirectUpload, Product
from media_jobs.services.housekeeping import staged_files


class FilesView(APIView):
    scopes = {"GET": Scope.MANAGE, "HEAD": Scope.MANAGE}

    @extend_schema(
        operation_id="listUncleanedFiles",
        summary="Files that are still there, and when clean-up takes them",
        description="Staff who may see images get all; a program with the scope `manage` gets its own, and those of "
        "the users for whom it acts.",
        parameters=[FilesQuery],
        responses=schema.of_reads(
            {200: OpenApiResponse(schema.listed(UncleanedSerializer), description="One page")},
            "permission_denied",
            "bad_field",
            "unknown_field",
        ),
    )
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        if caller.is_staff and VIEW_IMAGES not in caller.permissions:
            raise PermissionDenied
        query = query_of(FilesQuery, request)
        asked, owner = asked_page(query), query.get("owner", "")
        if query["kind"] == "uploads":
            rows = instruction_lists.unused_uploads(caller, owner)
            if query["due"]:
                rows = rows.filter(staged_files.unused_and_due())
            return page_of("Uploads that nobody used", instruction_lists.page(rows, asked), _upload)
        product = query.get("productId")
        wanted = Uncleaned(
            states=states_of(query.get("status")),
            product=Product(pk=product) if product else None,
            owner=owner,
            due=query["due"],
        )
        found = instruction_lists.page(instruction_lists.uncleaned(caller, wanted), asked)
        return page_of("Files that were not cleaned up", found, payloads.uncleaned)


def _upload(row: DirectUpload) -> dict[str, object]:
    return payloads.unused_upload(row, staged_files.due_at(row))
