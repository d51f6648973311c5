"""What each group may open and do: one row for each page and each action of the desk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from media_jobs.models import Job, Original, Preset, ReprocessRun, Shadow

GROUPS = ("nobody", "Viewer", "Curator", "Operator")
VIEWER, CURATOR, OPERATOR, BOSS = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Things:
    """What the rows are about."""

    picture: Original
    failed: Job
    waiting: Job
    preset: Preset
    run: ReprocessRun
    shadow: Shadow


@dataclass(frozen=True, slots=True)
class Row:
    """One page or action. least: the first of GROUPS that may; BOSS: superusers alone. data: of a POST."""

    name: str
    least: int
    url: Callable[[Things], str]
    data: Mapping[str, Any] | Callable[[Things], Mapping[str, Any]] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def ask(self, browser: Client, things: Things) -> int:
        data = self.data(things) if callable(self.data) else self.data
        answer = browser.get(self.url(things)) if data is None else browser.post(self.url(things), data)
        return int(answer.status_code)


def changelist(model: str) -> Callable[[Things], str]:
    return lambda _: reverse(f"admin:{model}_changelist")


def of(name: str, thing: str, space: str = "admin") -> Callable[[Things], str]:
    return lambda things: reverse(f"{space}:{name}", args=[getattr(things, thing).pk])


def of_desk(name: str) -> Callable[[Things], str]:
    return lambda things: reverse(f"desk:{name}", args=[things.picture.pk])


SENT = {"_form_submitted": "on"}


def failure_button(do: str) -> Callable[[Things], Mapping[str, Any]]:
    return lambda things: {"do": do, "group": "damaged", "job": [things.failed.pk], "message": "x", "reason": "y"}


ROWS = [
    Row("pictures", VIEWER, changelist("media_jobs_original")),
    Row("picture", VIEWER, of("media_jobs_original_change", "picture")),
    Row("history of a picture", VIEWER, of("media_jobs_original_history", "picture")),
    Row("jobs", VIEWER, changelist("media_jobs_job")),
    Row("job", VIEWER, of("media_jobs_job_change", "failed")),
    Row("web versions", VIEWER, changelist("media_jobs_derivative")),
    Row("job events", CURATOR, changelist("media_jobs_jobevent")),
    Row("changes", CURATOR, changelist("media_jobs_change")),
    Row("presets", VIEWER, changelist("media_jobs_preset")),
    Row("preset", VIEWER, of("media_jobs_preset_change", "preset")),
    Row("new preset", CURATOR, lambda _: reverse("admin:media_jobs_preset_add")),
    Row("copy a preset", CURATOR, of("media_jobs_preset_copy_as_new_version", "preset"), SENT),
    Row("presets by name", VIEWER, lambda _: reverse("desk:presets")),
    Row("preset by name", VIEWER, lambda _: reverse("desk:preset", args=["ingest"])),
    Row("stale of a preset", VIEWER, lambda _: reverse("desk:preset_stale", args=["ingest"])),
    Row("new preset by table", CURATOR, lambda _: reverse("desk:preset_new")),
    Row(
        "roll a preset back",
        CURATOR,
        lambda _: reverse("desk:preset_roll_back", args=["ingest"]),
        {"version": "1", "base": "1"},
    ),
    Row("run over a preset", CURATOR, lambda _: reverse("desk:preset_run", args=["ingest"]), {}),
    Row("workbench", VIEWER, lambda _: reverse("desk:cutover")),
    Row("pictures beside the site's", VIEWER, lambda _: reverse("desk:shadows")),
    Row("picture beside the site's", VIEWER, of("shadow", "shadow", "desk")),
    Row("judge", CURATOR, of("shadow_judge", "shadow", "desk"), {"verdict": "same"}),
    Row("flags", CURATOR, lambda _: reverse("desk:flags")),
    Row("flag", CURATOR, lambda _: reverse("desk:flag", args=["image-service"])),
    Row("change a flag", OPERATOR, lambda _: reverse("desk:flag", args=["image-service"]), {"percent": "0"}),
    Row("new flag", OPERATOR, lambda _: reverse("desk:flag_new")),
    Row("runs", VIEWER, changelist("media_jobs_reprocessrun")),
    Row("run", VIEWER, of("media_jobs_reprocessrun_change", "run")),
    Row("run's bar", VIEWER, lambda things: reverse("desk:run_live", args=[things.run.pk])),
    Row("ledger", VIEWER, changelist("media_jobs_runitem")),
    Row("new run", CURATOR, lambda _: reverse("admin:media_jobs_reprocessrun_add")),
    Row("stop a run", CURATOR, of("media_jobs_reprocessrun_stop", "run"), SENT),
    Row("retry", CURATOR, of("media_jobs_job_retry_this", "failed"), SENT),
    Row("cancel", CURATOR, of("media_jobs_job_cancel_this", "waiting"), SENT),
    Row("second factor", 0, lambda _: reverse("desk:second_factor")),
    Row("home's chart", VIEWER, lambda _: reverse("desk:home_chart")),
    Row("home's work", VIEWER, lambda _: reverse("desk:home_work")),
    Row("home's storage", VIEWER, lambda _: reverse("desk:home_storage")),
    Row("home's stale", VIEWER, lambda _: reverse("desk:home_stale")),
    Row("add pictures", CURATOR, lambda _: reverse("desk:add")),
    Row("add pictures: send", CURATOR, lambda _: reverse("desk:add"), {"preset": "ingest"}),
    Row("add pictures: straight to the storage", CURATOR, lambda _: reverse("desk:add_begin"), {"type": "image/jpeg"}),
    Row("queues", OPERATOR, lambda _: reverse("desk:queues")),
    Row("library", VIEWER, lambda _: reverse("desk:library")),
    Row("what is live of the library", VIEWER, lambda _: reverse("desk:library_live")),
    Row("what is live of a picture", VIEWER, of_desk("picture_live")),
    Row("download the original", OPERATOR, of_desk("picture_download")),
    Row("look at the position", OPERATOR, of_desk("picture_reveal"), {}),
    Row("state rights", CURATOR, of_desk("picture_rights"), {"creator": "Ada"}),
    *(
        Row(f"picture: {do}", CURATOR, of_desk("picture_act"), {"do": do, "by": "90", "x": "1", "y": "1"})
        for do in ("retry", "redo", "rotate", "focus", "replace", "delete", "restore")
    ),
    Row(
        "bulk: choose", CURATOR, lambda _: reverse("desk:bulk_choose"), {"kind": "delete", "scope": "all", "query": ""}
    ),
    Row("failures", VIEWER, lambda _: reverse("desk:inbox")),
    Row("failures of a kind", VIEWER, lambda _: reverse("desk:inbox_group", args=["damaged"])),
    *(
        Row(f"failures: {do}", CURATOR, lambda _: reverse("desk:inbox_act"), failure_button(do))
        for do in ("retry", "seen", "give_up", "reopen", "tell")
    ),
    Row("instructions", CURATOR, changelist("media_jobs_instruction")),
    Row("files of instructions", CURATOR, changelist("media_jobs_instructiondetail")),
    Row("products", CURATOR, changelist("media_jobs_product")),
    Row("new product", OPERATOR, lambda _: reverse("admin:media_jobs_product_add")),
    Row("messages not understood", OPERATOR, changelist("media_jobs_deadletter")),
    Row("stored amounts", OPERATOR, changelist("media_jobs_storedentry")),
    Row("housekeeping", OPERATOR, changelist("media_jobs_maintenancetask")),
    Row("webhooks", OPERATOR, changelist("media_jobs_webhookendpoint")),
    Row("deliveries", OPERATOR, changelist("media_jobs_webhookdelivery")),
    Row("API keys", OPERATOR, changelist("media_jobs_apikey")),
    Row("people", OPERATOR, changelist("auth_user")),
    Row("groups", OPERATOR, changelist("auth_group")),
    Row("new person", BOSS, lambda _: reverse("admin:auth_user_add")),
]


def browser_of(group: str) -> Client:
    """A browser in which a member of staff of this group alone is signed in."""
    user = User.objects.create_user(f"one of {group}", is_staff=True)
    if group != "nobody":
        user.groups.add(Group.objects.get(name=group))
    browser = Client()
    browser.force_login(user)
    return browser
