"""Instructions and their files: looked at, never changed; what is to be done is done to jobs."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from media_jobs.admin import cells
from media_jobs.admin.base import ReadOnlyAdmin
from media_jobs.models import Instruction, InstructionDetail


@admin.register(Instruction)
class InstructionAdmin(ReadOnlyAdmin[Instruction]):
    list_display = ("title", "status_label", "counts", "product", "owner", "made")
    list_filter = ("status", "product")
    list_select_related = ("product",)
    search_fields = ("name", "owner")
    search_help_text = "Id, name or owner"
    ordering = ("-id",)
    fields = (("name", "owner"), ("product", "status_label"), "counts", ("created_at", "changed_at"))
    readonly_fields = ("status_label", "counts", "made")
    change_form_outer_after_template = "admin/media_jobs/instruction/files.html"

    def page_context(self, request: Any, found: Instruction) -> dict[str, Any]:
        return {"instruction": found}

    @admin.display(description="Instruction", ordering="id")
    def title(self, instruction: Instruction) -> str:
        return str(instruction)

    @admin.display(description="Status", ordering="status")
    def status_label(self, instruction: Instruction) -> SafeString:
        return cells.state_label(instruction.status)

    @admin.display(description="Files")
    def counts(self, instruction: Instruction) -> str:
        failed = instruction.failed + instruction.cancelled
        return f"{instruction.files:,}: {instruction.done:,} done, {failed:,} failed"

    @admin.display(description="Made", ordering="id")
    def made(self, instruction: Instruction) -> SafeString:
        return cells.ago(instruction.created_at)


@admin.register(InstructionDetail)
class InstructionDetailAdmin(ReadOnlyAdmin[InstructionDetail]):
    list_display = ("title", "state_label", "code", "instruction_link", "job_link", "owner", "made")
    list_filter = ("state",)
    list_select_related = ("instruction", "job")
    search_ids = ("pk", "instruction", "job")
    search_sums = ("sha256",)
    search_fields = ("filename", "owner")
    search_help_text = "Id, instruction, job, SHA-256, file name or owner"
    ordering = ("-id",)
    fields = (
        ("filename", "owner"), ("instruction_link", "job_link"), ("state_label", "code"), "problem",
        ("content_type", "size_bytes"), "sha256", ("created_at", "finished_at"),
    )  # fmt: skip
    readonly_fields = ("state_label", "instruction_link", "job_link")

    @admin.display(description="File", ordering="id")
    def title(self, detail: InstructionDetail) -> str:
        return str(detail)

    @admin.display(description="State", ordering="state")
    def state_label(self, detail: InstructionDetail) -> SafeString:
        return cells.state_label(detail.state)

    @admin.display(description="Instruction")
    def instruction_link(self, detail: InstructionDetail) -> SafeString:
        return cells.link("instruction", detail.instruction_id, detail.instruction)

    @admin.display(description="Job")
    def job_link(self, detail: InstructionDetail) -> SafeString:
        return (
            cells.link("job", detail.job_id, detail.job_id) if detail.job_id else cells.label("cleaned up", "default")
        )

    @admin.display(description="Came", ordering="id")
    def made(self, detail: InstructionDetail) -> SafeString:
        return cells.ago(detail.created_at)
