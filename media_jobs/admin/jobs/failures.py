"""Failed jobs by cause: the filter of the list, and the links above it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from media_jobs.admin import queries
from media_jobs.models import Job
from media_jobs.states import JobState


class FailureFilter(admin.SimpleListFilter):
    """Filters by code, with the number of failed jobs; the most frequent cause first."""

    title = "failure"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counted = queries.failures_by_code()
        chosen = self.value()
        if chosen and chosen not in counted:  # all of them were retried, or are old
            counted[chosen] = 0
        return [(code, f"{code} ({times!s})") for code, times in counted.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(state=JobState.FAILED, code=self.value()) if self.value() else queryset


def causes(request: HttpRequest) -> list[dict[str, Any]]:
    """List why jobs failed: code, number and the address of their list; the chosen one leads back to all."""
    chosen = request.GET.get("code", "")
    failed = {"state__exact": str(JobState.FAILED)}
    return [
        {
            "code": code,
            "times": times,
            "chosen": code == chosen,
            "link": "?" + urlencode(failed if code == chosen else {**failed, "code": code}),
        }
        for code, times in queries.failures_by_code().items()
    ]
