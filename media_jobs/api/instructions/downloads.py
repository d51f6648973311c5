"""/instructions/{id}/details/{detailId}/file: the bytes themselves, out of the storage."""

from collections.abc import Iterator
from uuid import UUID

from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from media_jobs.api.instructions import schema
from media_jobs.api.instructions.fields import query_of
from media_jobs.api.instructions.shared import detail_of, instruction_of
from media_jobs.api.shared import ranges
from media_jobs.api.shared.auth import caller_of
from media_jobs.api.shared.openapi import answers, parameters
from media_jobs.errors import ReadsNotConfigured, StorageDenied
from media_jobs.ports import ObjectReader
from media_jobs.services.instructions import downloads
from media_jobs.services.instructions.downloads import Download

_CHUNK_BYTES = 262_144


class FileQuery(serializers.Serializer[None]):
    """The parameters."""

    variant = serializers.CharField(max_length=64, required=False)
    redirect = serializers.BooleanField(default=False)


class FileView(APIView):
    @extend_schema(
        operation_id="downloadFile",
        summary="Download the original, or what was made of it",
        description="By ranges, if you like. The original is for its owner, unless that is anonymous, and for staff "
        "who may read originals.",
        parameters=[schema.VARIANT, schema.REDIRECT, schema.RANGE, parameters.IF_NONE_MATCH],
        responses=schema.of_reads(
            {
                200: OpenApiResponse(description="The bytes of the file, with its own type and ETag"),
                206: OpenApiResponse(description="The range that was asked for"),
                302: OpenApiResponse(description="To where the storage has it"),
                304: answers.NOT_MODIFIED,
                416: OpenApiResponse(description="The range begins after the end"),
            },
            "bad_field",
            "unknown_field",
            "not_owner",
            "permission_denied",
            "not_found",
            "unknown_variant",
            "file_cleaned",
            "object_missing",
            "not_processed",
            "wrong_state",
            "reads_not_configured",
            *answers.STORAGE,
        ),
    )
    def get(self, request: Request, id: UUID, detailId: UUID) -> HttpResponseBase:  # noqa: N803
        detail = detail_of(instruction_of(request, id), detailId)
        asked = query_of(FileQuery, request)
        download = downloads.find(detail, asked.get("variant", ""))
        if download.original and not caller_of(request).may_read_original(download.original.owner):
            raise PermissionDenied
        return _redirect(download) if asked["redirect"] else _send(request, download)


def _redirect(download: Download) -> Response:
    return Response(status=302, headers={"Location": download.link(), "Cache-Control": "no-store"})


def _send(request: Request, download: Download) -> HttpResponseBase:
    etag = f'"{download.sha256}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": _disposition(download),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    unchanged: HttpResponseBase | None = get_conditional_response(request._request, etag)
    if unchanged is not None:  # 304 or 412
        response = unchanged
    else:
        try:
            response = _bytes(request, download, etag)
        except (ReadsNotConfigured, StorageDenied):
            if not download.is_public:
                raise
            return _redirect(download)  # everybody may read it there
        response["Content-Type"] = download.content_type
    for name, value in headers.items():
        response[name] = value
    return response


def _bytes(request: Request, download: Download, etag: str) -> HttpResponseBase:
    size, wanted = download.size_bytes, None
    if request.headers.get("If-Range", etag) == etag:
        try:
            wanted = ranges.parse(request.headers.get("Range", ""), size)
        except ranges.UnsatisfiableError:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = wanted or (0, size - 1)
    status = 206 if wanted else 200
    if request.method == "HEAD":
        response: HttpResponseBase = HttpResponse(status=status)
    else:
        reader = download.open(start=first, end=last + 1)
        if not connection.in_atomic_block:
            connection.close()  # else it would be held until the last byte is sent
        response = StreamingHttpResponse(_Body(reader, last + 1 - first), status=status)
    response["Content-Length"] = str(last + 1 - first)
    if wanted:
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response


def _disposition(download: Download) -> str:
    """A name that is safe to save by, whatever the uploader's file was called."""
    name = "".join(
        character if character.isprintable() and character not in '/\\"' else "_" for character in download.filename
    )
    return content_disposition_header(True, name) or "attachment"


class _Body:
    """The bytes on their way. Django closes it when they are sent, or when nobody waits for them any more."""

    def __init__(self, reader: ObjectReader, size_bytes: int) -> None:
        self._reader, self._left_bytes = reader, size_bytes

    def __iter__(self) -> Iterator[bytes]:
        while self._left_bytes and (piece := self._reader.read(min(_CHUNK_BYTES, self._left_bytes))):
            self._left_bytes -= len(piece)
            yield piece

    def close(self) -> None:
        self._reader.close()
