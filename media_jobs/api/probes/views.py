"""Answers platforms and monitoring."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from media_jobs import metrics
from media_jobs.services import readiness


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; nothing is touched."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when an upload would be accepted now, else 503; each part with its latency in milliseconds."""
    found = readiness.check()
    status = "not ready" if not found.accepts_uploads else "degraded" if found.degraded else "ready"
    return JsonResponse({"status": status, **found.to_json()}, status=200 if found.accepts_uploads else 503)


@never_cache
@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """All metrics in Prometheus' text format; with METRICS_TOKEN set, only to its bearer."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
            return HttpResponse("METRICS_TOKEN is asked for.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)
