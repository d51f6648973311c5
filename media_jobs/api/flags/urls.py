from django.urls import path

from media_jobs.api.flags import views

urlpatterns = [
    path("flags/<str:name>", views.FlagView.as_view(), name="v1-flag"),
]
