"""All addresses of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs"), name="home"),
    path("admin/", admin.site.urls),
    path("v1/", include("media_jobs.api.images.urls")),
    path("media/", include("media_jobs.api.files.urls")),
    path("", include("media_jobs.api.probes.urls")),
]
