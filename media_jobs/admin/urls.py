"""Addresses of the desk's pages that belong to no model."""

from django.urls import path

from media_jobs.admin.inbox import views as inbox
from media_jobs.admin.library import views as library

app_name = "desk"
urlpatterns = [
    path("library/", library.library, name="library"),
    path("failures/", inbox.inbox, name="inbox"),
    path("failures/act/", inbox.act, name="inbox_act"),
    path("failures/<slug:name>/", inbox.group, name="inbox_group"),
]
