"""Serving objects where they are files: public ones to everybody, private ones to who has a signed link."""

import os
from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date
from django.views.decorators.http import require_safe
from whitenoise.media_types import MediaTypes
from whitenoise.responders import SlicedFile

from media_jobs import keys
from media_jobs.adapters.storage import Role, store
from media_jobs.adapters.storage.files import BadLinkError, FileStore, grant
from media_jobs.adapters.storage.headers import cache_control
from media_jobs.api.files import ranges

_TYPES = MediaTypes()


@require_safe
def media(request: HttpRequest, key: str) -> HttpResponseBase:
    """GET and HEAD of one object; 404 where the storage is not files."""
    if key.startswith(keys.PRIVATE_PREFIXES):
        try:
            granted = grant(request.GET.get("token", ""), key)
        except BadLinkError as error:
            return HttpResponse(f"{error}\n", status=403, content_type="text/plain")
        response = _serve(request, key, granted.content_type)
        response["Content-Disposition"] = content_disposition_header(False, granted.filename) or "inline"
        return response
    if keys.is_public(key):
        return _serve(request, key, _TYPES.get_type(key))
    raise Http404


def _serve(request: HttpRequest, key: str, content_type: str) -> HttpResponseBase:
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
    objects = store(Role.READ)
    if not isinstance(objects, FileStore):
        raise Http404
    try:
        return objects.path(key).open("rb")
    except (ValueError, OSError) as error:
        raise Http404 from error
