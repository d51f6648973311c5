"""Messages of others that nothing could be made of."""

from django.contrib import admin
from django.utils.safestring import SafeString

from media_jobs.admin import cells
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.models import DeadLetter


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin[DeadLetter]):
    list_display = ("sequence", "code", "detail", "subject", "deliveries", "came")
    list_filter = ("code",)
    search_sums = ("digest",)
    search_fields = ("subject", "code")
    search_help_text = "Id, SHA-256, subject or reason"
    ordering = ("-id",)
    fields = (
        ("subject", "stream"), ("sequence", "deliveries"), "code", "detail", ("size_bytes", "digest"), "payload",
        "created_at",
    )  # fmt: skip

    @admin.display(description="Came", ordering="id")
    def came(self, letter: DeadLetter) -> SafeString:
        return cells.ago(letter.created_at)
