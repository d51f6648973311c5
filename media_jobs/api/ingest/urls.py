from django.urls import path

from media_jobs.api.ingest.uploads import BatchView, UploadView
from media_jobs.api.ingest.views import CancelView, HealthView, StatusView

urlpatterns = [
    path("ingest/upload", UploadView.as_view(), name="ingest-upload"),
    path("ingest/batch", BatchView.as_view(), name="ingest-batch"),
    path("ingest/status/<uuid:jobId>", StatusView.as_view(), name="ingest-status"),
    path("ingest/<uuid:jobId>", CancelView.as_view(), name="ingest-cancel"),
    path("health", HealthView.as_view(), name="ingest-health"),
]
