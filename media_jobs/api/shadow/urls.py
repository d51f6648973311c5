from django.urls import path

from media_jobs.api.shadow.views import ShadowsView, ShadowView

urlpatterns = [
    path("shadow", ShadowsView.as_view(), name="v1-shadows"),
    path("shadow/<uuid:id>", ShadowView.as_view(), name="v1-shadow"),
]
