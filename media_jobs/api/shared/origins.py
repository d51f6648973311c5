"""Web pages of other sites: they change nothing here, unless UPLOAD_ORIGINS names them."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.permissions import SAFE_METHODS

from media_jobs.api.shared.problems import handlers
from media_jobs.errors import ForeignOrigin

#: The admin's forms have Django's own check. A form for a file says by its signature who made it, as with S3.
_ELSEWHERE = ("/admin/", "/media/")


class OriginCheck:
    """Middleware that refuses an unsafe request which a browser sends for a foreign page, before anything else is done.

    It matters most where no credential is asked for: any page that somebody looks at can send to their own machine.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in SAFE_METHODS and not request.path.startswith(_ELSEWHERE):
            origin = request.headers.get("Origin")
            if origin is not None and not _may_send(request, origin):
                return handlers.answer(request, ForeignOrigin(origin=origin[:200]))
        return self.get_response(request)


def _may_send(request: HttpRequest, origin: str) -> bool:
    public = urlsplit(settings.PUBLIC_BASE_URL)
    own = (f"{request.scheme}://{request.get_host()}", f"{public.scheme}://{public.netloc}")
    return origin in own or origin in settings.UPLOAD_ORIGINS
