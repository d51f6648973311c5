"""All addresses of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from media_jobs.api.shared.openapi import security  # noqa: F401  (registers what the document says about callers)
from media_jobs.api.shared.openapi.views import DescriptionView

_READ = ["get", "head"]
#: `require_safe` is around it, because the view draws a page for each answer, and has none for those to other methods.
docs = require_safe(SpectacularSwaggerView.as_view(url_name="schema", http_method_names=_READ))

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs", http_method_names=_READ), name="home"),
    path("admin/", include("media_jobs.admin.urls")),
    path("admin/", admin.site.urls),
    path("v1/", include("media_jobs.api.images.urls")),
    path("v1/", include("media_jobs.api.events.urls")),
    path("api/v1/", include("media_jobs.api.ingest.urls")),
    path("", include("media_jobs.api.instructions.urls")),
    path("v1/", include("media_jobs.api.tokens.urls")),
    path("v1/", include("media_jobs.api.webhooks.urls")),
    path("v1/", include("media_jobs.api.runs.urls")),
    path("v1/", include("media_jobs.api.flags.urls")),
    path("ofrep/v1/", include("media_jobs.api.flags.ofrep_urls")),
    path("v1/", include("media_jobs.api.shadow.urls")),
    path("media/", include("media_jobs.api.files.urls")),
    path("openapi.json", DescriptionView.as_view(http_method_names=_READ), name="schema"),
    path("docs", docs, name="docs"),
    path("docs/", include("media_jobs.api.problem_pages.urls")),
]
handler400 = "media_jobs.api.shared.problems.handlers.bad_request"
handler403 = "media_jobs.api.shared.problems.handlers.permission_denied"
handler404 = "media_jobs.api.shared.problems.handlers.not_found"
handler500 = "media_jobs.api.shared.problems.handlers.server_error"
