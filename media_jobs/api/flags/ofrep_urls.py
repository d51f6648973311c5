from django.urls import path

from media_jobs.api.flags import ofrep

urlpatterns = [
    path("evaluate/flags", ofrep.FlagsView.as_view(), name="ofrep-flags"),
    path("evaluate/flags/<str:key>", ofrep.FlagView.as_view(), name="ofrep-flag"),
]
