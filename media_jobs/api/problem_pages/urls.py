from django.urls import path

from media_jobs.api.problem_pages.views import problem, problems

urlpatterns = [
    path("problems", problems, name="problems"),
    path("problems/<slug:code>", problem, name="problem"),
]
