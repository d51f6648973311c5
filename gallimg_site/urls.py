"""All addresses of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from media_jobs.api.shared import openapi  # noqa: F401  (registers what the schema says about callers)

_READ = ["get", "head"]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs", http_method_names=_READ), name="home"),
    path("admin/", admin.site.urls),
    path("v1/", include("media_jobs.api.images.urls")),
    path("v1/", include("media_jobs.api.events.urls")),
    path("api/v1/", include("media_jobs.api.ingest.urls")),
    path("v1/", include("media_jobs.api.tokens.urls")),
    path("v1/", include("media_jobs.api.webhooks.urls")),
    path("media/", include("media_jobs.api.files.urls")),
    path("openapi.json", SpectacularJSONAPIView.as_view(http_method_names=_READ), name="schema"),
    # Around it, because the view draws a page for each answer, and for those to other methods has none.
    path("docs", require_safe(SpectacularSwaggerView.as_view(url_name="schema", http_method_names=_READ)), name="docs"),
    path("docs/", include("media_jobs.api.problem_pages.urls")),
]
handler400 = "media_jobs.api.shared.problems.bad_request"
handler403 = "media_jobs.api.shared.problems.permission_denied"
handler404 = "media_jobs.api.shared.problems.not_found"
handler500 = "media_jobs.api.shared.problems.server_error"
