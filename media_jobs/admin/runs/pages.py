"""Reprocess runs: what each would cost, how far it is, and the buttons that move it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import prefetch_related_objects
from django.forms import Form, ModelForm, Script
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from media_jobs import run_lists, staleness
from media_jobs.admin import cells
from media_jobs.admin.access.caller_names import names_of
from media_jobs.admin.base import ReadOnlyAdmin, ServiceAdmin, button, caller_of, redirect_to
from media_jobs.admin.runs import facts
from media_jobs.admin.runs.choice_text import choice_text
from media_jobs.admin.runs.form import RunForm
from media_jobs.errors import MediaError
from media_jobs.models import ReprocessRun
from media_jobs.services.runs import lifecycle
from media_jobs.states import RUN_MOVES, RunItemState, RunState

_SHOWN = 20
_MANAGE = "media_jobs.manage_reprocessrun"
#: Where each button leads.
_TARGETS = {
    "confirm": (RunState.RUNNING, {RunState.DRAFT}),
    "pause": (RunState.PAUSING, {RunState.RUNNING}),
    "resume": (RunState.RUNNING, {RunState.PAUSING, RunState.PAUSED, RunState.INTERRUPTED}),
    "accept": (RunState.ACCEPTED, {RunState.FINISHED, RunState.CANCELLED}),
    "roll_back": (RunState.ROLLING_BACK, {RunState.FINISHED, RunState.CANCELLED}),
    "stop": (RunState.CANCELLING, {RunState.DRAFT, *RUN_MOVES} - {RunState.CANCELLING}),
}


@admin.register(ReprocessRun)
class ReprocessRunAdmin(ServiceAdmin[ReprocessRun], ReadOnlyAdmin[ReprocessRun]):
    form = RunForm
    add_form_template = "admin/change_form.html"
    list_display = ("title", "state_label", "progress", "failures", "preset", "age")
    list_display_links = ("title",)
    list_filter = ("state", "preset", "by")
    list_select_related = ("preset",)
    search_fields = ("note", "owner")
    search_help_text = "Note, owner or id"
    ordering = ("-id",)
    actions_detail = tuple(_TARGETS)
    change_form_outer_before_template = "admin/media_jobs/reprocessrun/progress.html"
    change_form_outer_after_template = "admin/media_jobs/reprocessrun/ledger.html"
    readonly_fields = ("choice", "renditions", "pictures_of", "begun_by")
    _add_fieldsets = (
        ("What is made", {"fields": ("preset_name", "renditions", "note")}),
        ("Of which pictures", {"fields": ("missing", "stale", "refused", "key_prefix", "tags", "states")}),
        ("By time, or one by one", {"fields": ("after", "before", "ids")}),
        ("How", {"fields": ("rate_per_minute", "quiet_hours", "failure_limit")}),
    )
    fieldsets = (
        (
            "Run",
            {
                "fields": (
                    ("preset", "renditions"),
                    ("choice", "pictures_of"),
                    ("rate_per_minute", "quiet_hours"),
                    ("failure_limit", "begun_by"),
                    ("created_at", "confirmed_at"),
                    ("ended_at", "accepted_at"),
                )
            },
        ),
        ("Technical", {"fields": (("id", "by"), ("owner", "images_of")), "classes": ("collapse",)}),
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # one at a time: each is a decision

    def get_fieldsets(self, request: HttpRequest, obj: ReprocessRun | None = None) -> Any:
        return self.fieldsets if obj else self._add_fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: ReprocessRun | None = None) -> Any:
        return self.readonly_fields if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(_MANAGE)

    def save_model(
        self, request: HttpRequest, obj: ReprocessRun, form: "ModelForm[ReprocessRun]", change: bool
    ) -> None:
        assert isinstance(form, RunForm)  # noqa: S101  (the class names it)
        made = lifecycle.create(owner=caller_of(request.user), **form.arguments())
        obj.pk = made.pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """There is nothing else to be saved."""

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **how: Any) -> HttpResponse:
        """After a run was described there is one thing to do: to look at what it would cost."""
        context["show_save_and_add_another"] = context["show_save_and_continue"] = False
        return super().render_change_form(request, context, *args, **how)

    def response_add(
        self, request: HttpRequest, obj: ReprocessRun, post_url_continue: str | None = None
    ) -> HttpResponse:
        self.message_user(request, "Nothing is done before you confirm it.", messages.SUCCESS)
        return redirect_to(request, reverse("admin:media_jobs_reprocessrun_change", args=[obj.pk]))

    class Media:
        js = (Script("media_jobs/desk/live.js", type="module"),)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Fill in what an address says, such as ?stale=rights."""
        lists = {name: request.GET.getlist(name) for name in ("stale", "states") if name in request.GET}
        plain = {name: text for name, text in request.GET.dict().items() if name not in ("after", "before")}
        return {**plain, **lists}

    # --- buttons ----------------------------------------------------------------------------------

    def _may(self, request: HttpRequest, name: str, object_id: str | None) -> bool:
        """Whether the button is shown on this run's page."""
        if object_id is None or not request.user.has_perm(_MANAGE):
            return False
        run = self.get_object(request, unquote(object_id))
        return run is not None and _is_possible(run, name)

    def has_confirm_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "confirm", object_id)

    def has_pause_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "pause", object_id)

    def has_resume_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "resume", object_id)

    def has_stop_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "stop", object_id)

    def has_accept_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "accept", object_id)

    def has_roll_back_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "roll_back", object_id)

    @button(
        "Confirm",
        permission="confirm",
        question="The set of pictures is frozen, and the work begins. What is there now stays until you accept it.",
        icon="play_arrow",
        variant="primary",
    )
    def confirm(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        return self._move(request, object_id, lifecycle.confirm)

    @button("Pause", permission="pause", question="Nothing more is begun; what is in work ends.", icon="pause")
    def pause(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        return self._move(request, object_id, lifecycle.pause)

    @button("Resume", permission="resume", question="It goes on where it was.", icon="play_arrow", variant="primary")
    def resume(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        return self._move(request, object_id, lifecycle.resume)

    @button(
        "Accept",
        permission="accept",
        question="It is good. What it replaced is removed once that is a week ago, and cannot be brought back.",
        icon="check",
        variant="primary",
    )
    def accept(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        return self._move(request, object_id, lifecycle.accept)

    @button(
        "Roll back",
        permission="roll_back",
        question="Picture by picture the web versions of before become current again. What was made since stays.",
        icon="undo",
        do="Take it back",
    )
    def roll_back(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        return self._move(request, object_id, lifecycle.roll_back)

    @button(
        "Cancel run",
        permission="stop",
        question="What is left is skipped. What is done stays, and can be rolled back.",
        icon="block",
        do="Stop it",
    )
    def stop(self, request: HttpRequest, form: Form, object_id: str) -> HttpResponse:
        return self._move(request, object_id, lifecycle.cancel)

    def _move(self, request: HttpRequest, object_id: str, do: Callable[..., ReprocessRun]) -> HttpResponse:
        try:
            run = do(ReprocessRun.objects.get(pk=unquote(object_id)).pk, actor=caller_of(request.user))
            self.message_user(request, f"The run is {run.state.replace('_', ' ')}.", messages.SUCCESS)
        except MediaError as error:  # it moved meanwhile
            self.message_user(request, str(error), messages.ERROR)
        return redirect_to(request, reverse("admin:media_jobs_reprocessrun_change", args=[object_id]))

    # --- pages ------------------------------------------------------------------------------------

    def page_context(self, request: HttpRequest, found: ReprocessRun) -> dict[str, Any]:
        failed, _ = run_lists.items(found, state=RunItemState.FAILED, limit=_SHOWN)
        prefetch_related_objects(failed, "original")
        return {
            "title": str(found),
            "subtitle": None,
            **facts.progress(found),
            "moves": found.state in facts.RUNNING,
            "estimate": facts.estimate(found),
            "counts": facts.counts(found),
            "failed": [(cells.link("original", item.original_id, item.original), item.code) for item in failed],
            "stale": staleness.count() if found.state == RunState.DRAFT else None,
            "buttons": [
                (name, getattr(self, name).dialog)
                for name in _TARGETS
                if getattr(self, f"has_{name}_permission")(request, str(found.pk))
            ],
        }

    @admin.display(description="Run", ordering="id")
    def title(self, run: ReprocessRun) -> str:
        return str(run)

    @admin.display(description="State", ordering="state")
    def state_label(self, run: ReprocessRun) -> SafeString:
        return cells.state_label(run.state)

    @admin.display(description="Progress")
    def progress(self, run: ReprocessRun) -> SafeString:
        over = run.total - run.left
        return format_html('<progress max="{}" value="{}"></progress> {} of {}', run.total or 1, over, over, run.total)

    @admin.display(description="Failed", ordering="failed")
    def failures(self, run: ReprocessRun) -> str:
        return f"{run.failed:,}" if run.failed else "–"

    @admin.display(description="Begun", ordering="id")
    def age(self, run: ReprocessRun) -> SafeString:
        return cells.ago(run.created_at)

    @admin.display(description="Pictures")
    def choice(self, run: ReprocessRun) -> str:
        return choice_text(run)

    @admin.display(description="Uploaded by")
    def pictures_of(self, run: ReprocessRun) -> str:
        return names_of([run.images_of])[run.images_of] if run.images_of else "anybody"

    @admin.display(description="Begun by")
    def begun_by(self, run: ReprocessRun) -> str:
        return names_of([run.owner])[run.owner]

    @admin.display(description="Sizes")
    def renditions(self, run: ReprocessRun) -> str:
        return ", ".join(run.wanted)


def _is_possible(run: ReprocessRun, name: str) -> bool:
    target, states = _TARGETS[name]
    if name == "stop" and run.state == RunState.DRAFT:
        return True
    return run.state in states and target in RUN_MOVES[RunState(run.state)]
