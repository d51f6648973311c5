"""Answers platforms and monitoring."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from media_jobs.api.shared.addresses import is_local_by_name
from media_jobs.services import metrics, readiness


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
    """All metrics in Prometheus' text format: to the bearer of METRICS_TOKEN; without one, to this machine alone."""
    if settings.METRICS_TOKEN:
        if not metrics.has_token(request.headers.get("Authorization", "")):
            return HttpResponse("METRICS_TOKEN is asked for.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    elif not is_local_by_name(request):
        return HttpResponse(
            "Metrics are for this machine alone. Set METRICS_TOKEN, or scrape METRICS_PORT.\n",
            status=403,
            content_type="text/plain",
        )
    return HttpResponse(metrics.all_metrics(), content_type=metrics.CONTENT_TYPE)
