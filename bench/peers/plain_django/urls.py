from django.urls import path

from bench.peers.plain_django.views import upload

urlpatterns = [path("pictures", upload)]
