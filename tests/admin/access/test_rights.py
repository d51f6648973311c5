"""Who may see and do what."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from media_jobs.callers import SYSTEM, Scope
from media_jobs.models import (
    Change,
    DeadLetter,
    Derivative,
    Job,
    JobEvent,
    MaintenanceTask,
    Original,
    Preset,
    RunItem,
    WebhookDelivery,
)
from media_jobs.services.access import api_keys
from media_jobs.services.runs import lifecycle as runs
from tests.admin.conftest import Login
from tests.factories import (
    make_derivative,
    make_detail,
    make_failed_job,
    make_instruction,
    make_job,
    make_original,
)
from tests.services.runs.working import confirmed, drive
from tests.services.webhooks.helpers import make_delivery

pytestmark = pytest.mark.sqlite

#: What people have no business with, or edit on the page of something else.
WITHOUT_PAGES = {
    "BulkAction",
    "BulkItem",
    "DirectUpload",
    "EngineVersion",
    "EventClock",
    "EventTicket",
    "FeatureFlag",
    "FlagChange",
    "IdempotencyKey",
    "ImageRequest",
    "Installation",
    "MetricEntry",
    "NatsRelay",
    "PresetPreview",
    "ProductDay",
    "Rendition",
    "RunListedImage",
    "Shadow",
    "Tag",
    "Tombstone",
    "UploadPlace",
    "WebhookCursor",
    "WorkerProcess",
}
MODELS: list[type[Model]] = [
    *(m for m in apps.get_app_config("media_jobs").get_models() if m.__name__ not in WITHOUT_PAGES),
    User,
    Group,
]
HISTORY = [Change, Original, Derivative, Job, JobEvent, MaintenanceTask, RunItem, WebhookDelivery]


@pytest.fixture
def one_of_each(db: None) -> None:
    done = make_job(state="done")
    make_derivative(done)
    make_detail(make_instruction(), done)
    DeadLetter.objects.create(sequence=1, size_bytes=1, deliveries=1)
    make_failed_job()
    MaintenanceTask.objects.create(name="leases")
    make_delivery()
    run = runs.create(owner=SYSTEM, preset="ingest")
    RunItem.objects.create(run=run, original=make_original(stored=False))
    api_keys.create("the gall site", scopes=[Scope.READ], by=SYSTEM)
    User.objects.create_user("somebody")
    drive(confirmed())


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def some(model: type[Model]) -> Model:
    found = model._default_manager.order_by("pk").first()
    assert found
    return found


def test_every_model_has_pages() -> None:
    assert [model for model in MODELS if not admin.site.is_registered(model)] == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("one_of_each")
def test_every_list_and_every_page_of_one_object_opens(model: type[Model], boss: Client) -> None:
    assert boss.get(url(model, "changelist")).status_code == 200
    assert boss.get(url(model, "changelist"), {"q": "gall"}).status_code == 200
    assert boss.get(url(model, "change", some(model).pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("one_of_each")
def test_a_stranger_is_sent_to_the_login(model: type[Model], client: Client) -> None:
    for page in (url(model, "changelist"), url(model, "change", some(model).pk)):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("one_of_each")
def test_staff_without_rights_see_nothing(model: type[Model], staff: Login) -> None:
    browser = staff()
    assert browser.get(url(model, "changelist")).status_code == 403
    assert browser.get(url(model, "change", some(model).pk)).status_code == 403


@pytest.mark.parametrize("model", HISTORY)
@pytest.mark.usefixtures("one_of_each")
def test_the_right_to_view_is_enough_to_look(model: type[Model], staff: Login) -> None:
    browser = staff(f"view_{model._meta.model_name}")
    assert browser.get(url(model, "changelist")).status_code == 200
    assert browser.get(url(model, "change", some(model).pk)).status_code == 200


@pytest.mark.parametrize("model", HISTORY)
@pytest.mark.usefixtures("one_of_each")
def test_nobody_adds_changes_or_deletes_history(model: type[Model], boss: Client) -> None:
    before = list(model._default_manager.order_by("pk").values())
    thing = some(model)
    assert boss.get(url(model, "add")).status_code == 403
    assert boss.post(url(model, "add"), {}).status_code == 403
    assert boss.post(url(model, "change", thing.pk), {"owner": "me", "state": "done", "type": "x"}).status_code == 403
    assert boss.post(url(model, "delete", thing.pk), {"post": "yes"}).status_code == 403
    boss.post(url(model, "changelist"), {"action": "delete_selected", "_selected_action": thing.pk, "post": "yes"})
    assert list(model._default_manager.order_by("pk").values()) == before


@pytest.mark.django_db
def test_the_sidebar_offers_only_what_opens(staff: Login) -> None:
    page = staff("view_original").get(reverse("admin:index")).content.decode()
    assert url(Original, "changelist") in page
    assert [m for m in (Job, Derivative, Preset, User) if url(m, "changelist") in page] == []


@pytest.mark.django_db
def test_somebody_without_any_rights_reads_that(staff: Login) -> None:
    assert "has no permissions yet" in staff().get(reverse("admin:index")).content.decode()


def test_the_way_to_an_original_and_its_position_are_for_who_may_download_it(staff: Login) -> None:
    original = make_original(stored=False, private_metadata={"gps": {"latitude": 47.3}})
    page, download = url(Original, "change", original.pk), reverse("desk:picture_download", args=[original.pk])
    reveal = reverse("desk:picture_reveal", args=[original.pk])
    viewer = staff("view_original")
    assert download not in viewer.get(page).content.decode()
    assert [viewer.post(reveal).status_code, viewer.get(download).status_code] == [403, 403]
    trusted = staff("view_original", "download_original")
    assert download in trusted.get(page).content.decode()
    assert "47.3" in trusted.post(reveal).content.decode()
    assert [change.label for change in Change.objects.all()] == ["gall.jpg"]
