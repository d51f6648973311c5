"""Events of all jobs, newest first."""

from django.contrib import admin
from django.contrib.admin.filters import DateFieldListFilter
from django.utils.safestring import SafeString

from media_jobs.admin import cells
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.models import JobEvent


@admin.register(JobEvent)
class JobEventAdmin(ReadOnlyAdmin[JobEvent]):
    list_display = ("at", "type", "job_link", "number", "actor")
    list_display_links = ("at", "type")
    list_filter = (("at", DateFieldListFilter),)
    list_select_related = ("job__original",)
    search_name = "job__original"
    search_fields = ("actor", "type")
    search_ids = ("job",)
    search_help_text = "Job, file name, actor or type"
    ordering = ("-id",)
    fields = ("job", "number", "type", "actor", "at", "data")

    @admin.display(description="Job")
    def job_link(self, event: JobEvent) -> SafeString:
        return cells.link("job", event.job_id, event.job.original)
