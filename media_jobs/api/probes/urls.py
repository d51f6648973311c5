from django.urls import path

from media_jobs.api.probes import views

urlpatterns = [
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.prometheus, name="metrics"),
]
