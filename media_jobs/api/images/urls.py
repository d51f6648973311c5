from django.urls import path

from media_jobs.api.images.uploads import DirectUploadView, ImagesView, UploadView
from media_jobs.api.images.views import ImageView, JobView, OriginalView, RestoreView, RetryView

urlpatterns = [
    path("images", ImagesView.as_view(), name="v1-images"),
    path("jobs", UploadView.as_view(), name="v1-jobs"),  # the seed's plan names the same call so
    path("uploads", DirectUploadView.as_view(), name="v1-uploads"),
    path("images/<uuid:id>", ImageView.as_view(), name="v1-image"),
    path("images/<uuid:id>/original", OriginalView.as_view(), name="v1-original"),
    path("images/<uuid:id>/restore", RestoreView.as_view(), name="v1-restore"),
    path("jobs/<uuid:id>", JobView.as_view(), name="v1-job"),
    path("jobs/<uuid:id>/retry", RetryView.as_view(), name="v1-retry"),
]
