"""/media/{key}"""

from django.urls import path

from media_jobs.api.files import views

urlpatterns = [path("<path:key>", views.media, name="media")]
