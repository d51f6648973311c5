"""Presets by name: edited in a table, saved as versions, compared in words, rolled back, previewed."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from media_jobs import keys
from media_jobs.adapters.storage import Role, store
from media_jobs.callers import SYSTEM
from media_jobs.models import Change, Preset, PresetPreview, ReprocessRun
from media_jobs.services import presets, previews
from media_jobs.services.jobs import worker as workers
from tests.e2e.service import photo
from tests.factories import make_derivative, make_job, make_original

pytestmark = pytest.mark.django_db
EDITOR = reverse("desk:preset", args=["ingest"])


def table(preset: str = "ingest", **changed: Any) -> dict[str, Any]:
    """What the form sends of the current version, with these fields changed: `size_0_quality=70`."""
    current = Preset.objects.get(name=preset, current=True)
    sizes = list(current.renditions.all())
    sent: dict[str, Any] = {
        "name": preset,
        "base": current.version,
        "failed_days": current.failed_days or "",
        "size-TOTAL_FORMS": len(sizes),
        "size-INITIAL_FORMS": len(sizes),
    }
    for number, size in enumerate(sizes):
        for field in ("name", "side_px", "fit", "format", "quality", "crop", "chroma"):
            sent[f"size-{number}-{field}"] = getattr(size, field)
        sent[f"size-{number}-effort"] = "" if size.effort is None else size.effort
        sent[f"size-{number}-progressive"] = "" if size.progressive is None else str(size.progressive)
        if size.enlarge:
            sent[f"size-{number}-enlarge"] = "on"
    for name, value in changed.items():
        sent[name.replace("size_", "size-").replace("__", "-")] = value
    return sent


def send(browser: Client, sent: dict[str, Any], do: str = "save", url: str = EDITOR) -> tuple[int, str, str]:
    """The status, what is said, and the page, if it is one."""
    answer = browser.post(url, {**sent, "do": do})
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    return answer.status_code, said[-1] if said else "", answer.content.decode()


def test_saving_makes_a_new_version_that_uploads_get_and_says_what_is_stale(boss: Client) -> None:
    job = make_job(state="done", preset="ingest")
    first = Preset.objects.get(name="ingest").renditions.all()[0]
    make_derivative(job, first.name, state="current")
    status, said, _ = send(boss, table(size_0__quality=33))
    assert status == 302
    assert said == "New uploads get ingest v2. 1 web version is stale now: a run makes them anew."
    made = Preset.objects.get(name="ingest", current=True)
    assert (made.version, made.renditions.get(name=first.name).quality) == (2, 33)
    assert Preset.objects.get(name="ingest", version=1).renditions.get(name=first.name).quality == first.quality


def test_versions_differ_in_words_with_who_and_when(boss: Client) -> None:
    old = Preset.objects.get(name="ingest").renditions.all()[0]
    send(boss, table(size_0__quality=33))
    page = boss.get(EDITOR).content.decode()
    assert f"{old.name}: quality {old.quality} → 33" in page
    assert "saved by boss" in page
    assert Change.objects.get(kind="preset").after["changes"] == [f"{old.name}: quality {old.quality} → 33"]


def test_sizes_are_added_and_removed(boss: Client) -> None:
    sent = table()
    count = sent["size-TOTAL_FORMS"]
    added = {"name": "tiny", "side_px": 64, "fit": "cover", "format": "webp", "quality": 50, "crop": "centre"}
    sent |= {f"size-{count}-{name}": value for name, value in added.items()}
    sent |= {f"size-{count}-chroma": "auto", "size-TOTAL_FORMS": count + 1, "size-0-DELETE": "on"}
    removed = sent["size-0-name"]
    assert send(boss, sent)[0] == 302
    names = set(Preset.objects.get(name="ingest", current=True).renditions.values_list("name", flat=True))
    assert "tiny" in names
    assert removed not in names
    page = boss.get(EDITOR).content.decode()
    assert "tiny added: 64 px, webp, quality 50" in page
    assert f"{removed} removed" in page


def test_of_two_who_save_at_once_one_wins_and_the_other_is_told_and_loses_nothing(boss: Client) -> None:
    mine, theirs = table(size_0__quality=33), table(size_0__quality=44)
    assert send(boss, theirs)[0] == 302
    status, said, page = send(boss, mine)
    assert status == 200
    assert said.startswith("Somebody else was first: ingest v2 is current")
    assert 'value="33"' in page
    assert Preset.objects.filter(name="ingest").count() == 2
    again = {**mine, "base": re.findall(r'name="base" value="(\d+)"', page)[0]}
    assert send(boss, again)[0] == 302  # on purpose now
    assert Preset.objects.get(name="ingest", current=True).version == 3


def test_nothing_new_is_no_new_version(boss: Client) -> None:
    assert send(boss, table())[1] == "Nothing was changed, so there is no new version."
    assert Preset.objects.filter(name="ingest").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "derived"), ("name", "pre view"), ("side_px", "0"), ("quality", "101"), ("name", "preview")],
)
def test_a_mistake_comes_back_with_its_reason_and_all_that_was_typed(boss: Client, field: str, value: str) -> None:
    sent = table(size_1__quality=61)
    sent[f"size-0-{field}"] = value
    status, _, page = send(boss, sent)
    assert status == 200
    assert 'role="alert"' in page
    assert 'value="61"' in page
    assert Preset.objects.filter(name="ingest").count() == 1


def test_two_sizes_of_one_name_and_none_at_all_are_refused(boss: Client) -> None:
    sent = table()
    assert "Two sizes are called" in send(boss, {**sent, "size-0-name": sent["size-1-name"]})[2]
    none = {f"size-{number}-DELETE": "on" for number in range(sent["size-TOTAL_FORMS"])}
    assert "one size at least" in send(boss, {**sent, **none})[2]


def test_a_former_version_comes_back_and_what_it_made_is_fresh_again(boss: Client) -> None:
    send(boss, table(size_0__quality=33))
    url = reverse("desk:preset_roll_back", args=["ingest"])
    boss.post(url, {"version": "1", "base": "2"})
    assert Preset.objects.get(name="ingest", current=True).version == 1
    line = Change.objects.filter(action="rolled back to").get()
    assert (line.before["current"], line.after["current"]) == ("ingest v2", "ingest v1")
    boss.post(url, {"version": "2", "base": "2"})  # seen before the other
    assert Preset.objects.get(name="ingest", current=True).version == 1


def test_a_new_preset_is_made_in_the_same_table(boss: Client) -> None:
    sent = {**table(), "name": "fresh", "base": 0}
    assert send(boss, sent, url=reverse("desk:preset_new"))[0] == 302
    assert Preset.objects.get(name="fresh", current=True).version == 1
    status, _, page = send(boss, sent, url=reverse("desk:preset_new"))
    assert status == 200
    assert "There is a preset “fresh” already." in page


def test_one_button_begins_a_run_over_what_is_stale(boss: Client) -> None:
    answer = boss.post(reverse("desk:preset_run", args=["ingest"]))
    run = ReprocessRun.objects.get()
    assert answer["Location"] == reverse("admin:media_jobs_reprocessrun_change", args=[run.pk])
    assert (run.state == "draft", run.preset.name) == (False, "ingest")
    assert run.selection["stale"]
    assert run.confirmed_at


def test_the_count_of_what_is_stale_comes_with_its_button(boss: Client) -> None:
    url = reverse("desk:preset_stale", args=["ingest"])
    assert "No web version is stale." in boss.get(url).content.decode()
    job = make_job(state="done", preset="ingest")
    for size in job.preset.renditions.all():
        make_derivative(job, size.name, state="current", content=size.name.encode(), rights_digest="another")
    page = " ".join(boss.get(url).content.decode().split())
    assert f"{job.preset.renditions.count()} web versions are stale" in page
    assert "Make them anew" in page


@pytest.fixture
def worker(request: pytest.FixtureRequest) -> workers.Worker:
    return workers.current()


def test_a_preview_shows_bytes_and_pixels_and_saves_nothing(boss: Client, worker: workers.Worker) -> None:
    picture = make_original(photo())
    make_job(picture, state="done", preset="ingest")
    sent = {**table(size_0__quality=20), "picture": str(picture.pk)}
    status, _, page = send(boss, sent, do="preview")
    assert status == 200
    assert 'value="20"' in page  # what was typed is still there
    preview = PresetPreview.objects.get()
    live = reverse("desk:preview_live", args=[preview.pk])
    assert boss.get(live)["X-Live"] == "goes-on"
    previews.make_waiting(worker)
    preview.refresh_from_db()
    assert (preview.state, preview.detail) == ("done", "")
    shown = boss.get(live)
    assert shown["X-Live"] == "over"
    names = [size["name"] for size in preview.made]
    assert names == [size.name for size in Preset.objects.get(name="ingest").renditions.all()]
    for made in preview.made:
        assert store(Role.WORKER).exists(made["key"])
        assert keys.is_public(made["key"])
        assert made["size_bytes"] > 0
        assert made["key"] in shown.content.decode()
    assert Preset.objects.filter(name="ingest").count() == 1
    assert picture.derivatives.count() == 0


def test_a_preview_of_a_broken_picture_says_why(boss: Client, worker: workers.Worker) -> None:
    whole = photo()
    picture = make_original(whole[: len(whole) // 2])
    send(boss, {**table(), "picture": str(picture.pk)}, do="preview")
    previews.make_waiting(worker)
    preview = PresetPreview.objects.get()
    assert preview.state == "failed"
    assert "breaks off" in boss.get(reverse("desk:preview_live", args=[preview.pk])).content.decode()


@pytest.mark.parametrize("picture", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_preview_takes_a_picture_that_is_there(boss: Client, picture: str) -> None:
    status, said, _ = send(boss, {**table(size_0__quality=20), "picture": picture}, do="preview")
    assert (status, PresetPreview.objects.count()) == (200, 0)
    assert "no such picture" in said


def test_old_previews_go(boss: Client) -> None:
    picture = make_original(b"1", stored=False)
    old = previews.ask(picture.pk, [], actor=SYSTEM)
    PresetPreview.objects.filter(pk=old.pk).update(created_at="2026-01-01T00:00Z")
    previews.ask(picture.pk, [], actor=SYSTEM)
    assert not PresetPreview.objects.filter(pk=old.pk).exists()


def test_differences_name_every_field_of_a_size() -> None:
    preset = Preset.objects.get(name="ingest")
    fields = {f.name for f in preset.renditions.model._meta.concrete_fields} - {"id", "preset", "name"}
    assert fields == set(presets.FIELDS)


def test_the_files_of_a_preview_are_removed_as_orphans_are(boss: Client) -> None:
    picture = make_original(b"1", stored=False)
    key = keys.preview_key(picture.pk, 0, picture.pk, "jpg")
    assert keys.is_ours(key)
    assert keys.image_of(key) == picture.pk
