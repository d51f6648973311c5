"""All addresses of the service."""

from django.urls import include, path
from django.views.generic import RedirectView

from gallimg_site import admin_site
from gallimg_site.lazy_urls import LazyResolver, later

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs", http_method_names=["get", "head"]), name="home"),
    LazyResolver(admin_site.PREFIX, admin_site.desk, namespace="desk"),
    LazyResolver(admin_site.PREFIX, admin_site.models, namespace="admin"),
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
    path("openapi.json", later("media_jobs.api.shared.openapi.views.description"), name="schema"),
    path("docs", later("media_jobs.api.shared.openapi.views.docs"), name="docs"),
    path("docs/", include("media_jobs.api.problem_pages.urls")),
]
handler400 = "media_jobs.api.shared.problems.handlers.bad_request"
handler403 = "media_jobs.api.shared.problems.handlers.permission_denied"
handler404 = "media_jobs.api.shared.problems.handlers.not_found"
handler500 = "media_jobs.api.shared.problems.handlers.server_error"
