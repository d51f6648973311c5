"""/v1/tokens"""

from django.urls import path

from media_jobs.api.tokens.views import ObtainView, RefreshView, VerifyView

urlpatterns = [
    path("tokens", ObtainView.as_view(), name="v1-tokens"),
    path("tokens/refresh", RefreshView.as_view(), name="v1-tokens-refresh"),
    path("tokens/verify", VerifyView.as_view(), name="v1-tokens-verify"),
]
