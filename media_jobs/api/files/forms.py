"""Uploads by a signed form, as S3 takes them: the form binds key, type and size, and its bearer needs nothing else."""

from xml.sax.saxutils import escape  # nosec B406 # it writes, and parses nothing

import structlog
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.cache import patch_vary_headers

from media_jobs.api.shared.bodies.uploads import FileStream, Opening, parsed_form
from media_jobs.api.shared.problems.translation import came_too_slowly
from media_jobs.errors import BadRequest, EmptyFile, FileTooLarge, RequestTooSlow, StorageUnavailable
from media_jobs.ports import ObjectWriter
from media_jobs.services import file_delivery
from media_jobs.services.file_delivery import FormUpload, LinkRefused

log = structlog.get_logger(__name__)

_PREFLIGHT = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "*"}


class _WrongTypeError(Exception):
    """The form was filled in for another type than the one that it allows."""


class _TooSlowError(Exception):
    """The body came too slowly; the sentence is the same everywhere."""


#: Status and code of what may go wrong: the first class decides.
_REFUSALS: tuple[tuple[type[Exception], int, str], ...] = (
    (LinkRefused, 403, "AccessDenied"),
    (_WrongTypeError, 403, "AccessDenied"),
    (FileTooLarge, 413, "EntityTooLarge"),
    (EmptyFile, 400, "EntityTooSmall"),
    (BadRequest, 400, "InvalidArgument"),
    (MultiPartParserError, 400, "MalformedPOSTRequest"),
    (SuspiciousOperation, 400, "MalformedPOSTRequest"),
    (_TooSlowError, 400, "RequestTimeout"),
    (UnreadablePostError, 400, "MalformedPOSTRequest"),
    (StorageUnavailable, 503, "ServiceUnavailable"),
)


def receive(request: HttpRequest, key: str) -> HttpResponse:
    """Store the form's file under `key`, or say why not, in the words of S3. Raises NotServed."""
    try:
        _store(request, file_delivery.open_form(key, request.GET.get("token", "")))
    except tuple(kind for kind, *_ in _REFUSALS) as error:
        return _refusal(_TooSlowError(RequestTooSlow()) if came_too_slowly(error) else error)
    return HttpResponse(status=204)


def preflight() -> HttpResponse:
    """Answer what a browser asks before it sends a form whose progress a script watches. Raises NotServed."""
    file_delivery.check_takes_forms()
    return HttpResponse(status=204, headers=_PREFLIGHT)


def with_origin(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let pages of UPLOAD_ORIGINS read `response`. Others may send a form as well, and never learn what came of it."""
    origin = request.headers.get("Origin", "")
    if origin in settings.UPLOAD_ORIGINS:
        response["Access-Control-Allow-Origin"] = origin
    patch_vary_headers(response, ["Origin"])
    return response


def _store(request: HttpRequest, form: FormUpload) -> None:
    stream: FileStream[ObjectWriter] = FileStream(
        request,
        field="file",
        limit_bytes=form.most_bytes,
        head_bytes=1,
        open=lambda *_: Opening(form.most_bytes, form.begin),
        too_large=lambda: FileTooLarge(limit_bytes=form.most_bytes),
    )
    try:
        sent_as = request.headers.get("Content-Type", "")
        fields = parsed_form(request, request, sent_as)[0] if sent_as.lower().startswith("multipart/") else QueryDict()
        content_type = fields.get("Content-Type")
        writer = stream.finished()
        if content_type != form.content_type:
            raise _WrongTypeError(f"The field Content-Type has to be {form.content_type}")
        if stream.size_bytes < form.least_bytes:
            raise EmptyFile(f"The file is too small; at least {form.least_bytes:,} bytes were announced.")
        writer.commit()
    finally:
        stream.abort()


def _refusal(error: Exception) -> HttpResponse:
    status, code = next((status, code) for kind, status, code in _REFUSALS if isinstance(error, kind))
    message = "The request breaks off or is not a well-formed form." if code.startswith("Malformed") else str(error)
    log.info("form_refused", status=status, code=code)
    body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    response = HttpResponse(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', "application/xml", status)
    if isinstance(error, StorageUnavailable):
        response["Retry-After"] = str(error.retry_after_s)
    return response
