"""Objects where they are files: public ones for everybody, private ones for who has a signed link or form."""

import os
from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from whitenoise.media_types import MediaTypes
from whitenoise.responders import SlicedFile

from media_jobs import keys
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.storage.file_links import BadLinkError, grant
from media_jobs.adapters.storage.files import FileStore
from media_jobs.adapters.storage.headers import cache_control, content_disposition
from media_jobs.api.files import forms, ranges

_STAGING = "uploads/"
_TYPES = MediaTypes()


@csrf_exempt  # no cookie counts here
def media(request: HttpRequest, key: str) -> HttpResponseBase:
    """GET and HEAD of one object, and POST of the form that stores one; 404 where the storage is not files."""
    if key.startswith(_STAGING):
        if request.method == "POST":
            return forms.with_origin(request, forms.receive(request, key, _objects(Role.WEB)))
        if request.method == "OPTIONS" and _objects(Role.WEB):
            return forms.with_origin(request, forms.preflight())
    return _download(request, key)


@require_safe
def _download(request: HttpRequest, key: str) -> HttpResponseBase:
    if key.startswith(keys.PRIVATE_PREFIXES):
        try:
            granted = grant(request.GET.get("token", ""), key)
        except BadLinkError as error:
            return HttpResponse(f"{error}\n", status=403, content_type="text/plain")
        saved_as = content_disposition_header(True, granted.filename) or "attachment"
        return _serve(request, key, granted.content_type, saved_as)
    if keys.is_public(key):
        return _serve(request, key, _TYPES.get_type(key), content_disposition(key))
    raise Http404


def _serve(request: HttpRequest, key: str, content_type: str, disposition: str) -> HttpResponseBase:
    file = _open(key)
    found = os.fstat(file.fileno())
    etag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag, int(found.st_mtime))
    if response is not None:  # 304 or 412
        file.close()
    else:
        response = _whole_or_range(request, file, found.st_size, etag)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": cache_control(key),
        "Content-Disposition": disposition,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Type": content_type,
        "ETag": etag,
        "Last-Modified": http_date(found.st_mtime),
        "X-Content-Type-Options": "nosniff",
    }
    for name, value in headers.items():
        response[name] = value
    return response


def _whole_or_range(request: HttpRequest, file: BinaryIO, size_bytes: int, etag: str) -> HttpResponseBase:
    wanted = None
    if request.headers.get("If-Range", etag) == etag:
        try:
            wanted = ranges.parse(request.headers.get("Range", ""), size_bytes)
        except ranges.UnsatisfiableError:
            file.close()
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size_bytes}"})
    if not wanted:
        return FileResponse(file)
    first, last = wanted
    response = FileResponse(SlicedFile(file, first, last), status=206)
    response["Content-Range"] = f"bytes {first}-{last}/{size_bytes}"
    response["Content-Length"] = str(last - first + 1)
    return response


def _open(key: str) -> BinaryIO:
    """The object's file. Raises Http404 for what is none, or no key at all."""
    try:
        return _objects(Role.READ).path(key).open("rb")
    except (ValueError, OSError) as error:
        raise Http404 from error


def _objects(role: Role) -> FileStore:
    """The storage. Raises Http404 where it is not files."""
    objects = store(role)
    if not isinstance(objects, FileStore):
        raise Http404
    return objects
