"""Probes first of all."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from media_jobs.api.probes import views

_PROBES = {"/healthz": views.healthz, "/readyz": views.readyz, "/metrics": views.prometheus}


class Probes:
    """Answers what platforms and monitoring ask before anything else looks at the request.

    Host names are not checked, because they come by address; sessions and logs are not touched. The web process has
    threads of their own for these paths: see `runtime.web_worker.PROBES`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = _PROBES.get(request.path)
        return probe(request) if probe else self.get_response(request)
