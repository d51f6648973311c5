"""Objects where they are files: public ones for everybody, private ones for who has a signed link or form."""

import os
from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from whitenoise.media_types import MediaTypes
from whitenoise.responders import SlicedFile

from media_jobs.api.files import forms
from media_jobs.api.shared import ranges
from media_jobs.services import file_delivery
from media_jobs.services.file_delivery import Download, LinkRefused, NotServed

_STAGING = "uploads/"
_TYPES = MediaTypes()


@csrf_exempt  # no cookie counts here
def media(request: HttpRequest, key: str) -> HttpResponseBase:
    """GET and HEAD of one object, and POST of the form that stores one; 404 where the storage is not files."""
    try:
        if key.startswith(_STAGING) and request.method == "POST":
            return forms.with_origin(request, forms.receive(request, key))
        if key.startswith(_STAGING) and request.method == "OPTIONS":
            return forms.with_origin(request, forms.preflight())
        return _download(request, key)
    except NotServed as error:
        raise Http404 from error


@require_safe
def _download(request: HttpRequest, key: str) -> HttpResponseBase:
    try:
        return _serve(request, key, file_delivery.open_download(key, request.GET.get("token", "")))
    except LinkRefused as error:
        return HttpResponse(f"{error}\n", status=403, content_type="text/plain")


def _serve(request: HttpRequest, key: str, download: Download) -> HttpResponseBase:
    file = download.file
    found = os.fstat(file.fileno())
    etag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag, int(found.st_mtime))
    if response is not None:  # 304 or 412
        file.close()
    else:
        response = _whole_or_range(request, file, found.st_size, etag)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": download.cache_control,
        "Content-Disposition": download.disposition,
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Type": download.content_type or _TYPES.get_type(key),
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
