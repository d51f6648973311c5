"""Health first of all."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase


class Healthz:
    """Answers `/healthz` before anything else looks at the request: the process is alive, and nothing is touched.

    Host names are not checked, because a platform's health check comes by address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/healthz":
            return HttpResponse("ok\n", content_type="text/plain")
        return self.get_response(request)
