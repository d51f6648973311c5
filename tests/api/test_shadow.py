"""/v1/shadow, and uploads with shadow=true: beside the site's own path, and never in its way."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from media_jobs.callers import Scope
from media_jobs.models import Job, Original, Shadow
from media_jobs.pipeline.compare.values import Reason, Verdict
from media_jobs.states import Lane, ShadowState
from tests import images, people
from tests.api import signing
from tests.api.uploading import file, nothing_is_stored, refused

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
KEY = "gall/12/12_1700000000_original.jpg"
PHOTO, OTHER = images.jpeg(64, 48), images.jpeg(48, 64)
JSON = "application/json"


@pytest.fixture(autouse=True)
def _site(tmp_path: Path, settings: Any) -> None:
    settings.LEGACY_FOLDER = str(tmp_path)


@pytest.fixture
def site() -> Client:
    return people.keyed()


def upload(client: Client, photo: bytes = PHOTO, key: str = KEY, **fields: str) -> Any:
    return client.post("/v1/images", {"file": file(photo), "shadow": "true", "legacyKey": key, **fields})


def test_an_upload_with_shadow_waits_behind_all_others_and_tells_its_shadow(site: Client) -> None:
    answer = upload(site, tags="gall")
    assert answer.status_code == 202
    said = answer.json()
    job = Job.objects.select_related("original", "preset").get(pk=said["jobId"])
    assert (job.lane, job.preset.name) == (Lane.BULK, "gallformers-legacy")
    assert set(job.original.tags.values_list("name", flat=True)) == {"gall", "shadow"}
    shadow = site.get(f"/v1/shadow/{said['shadowId']}")
    assert shadow.headers["Retry-After"] == "5"
    assert {**shadow.json(), "createdAt": ""} == {
        "shadowId": said["shadowId"],
        "key": KEY,
        "status": "processing",
        "stage": "rendering",
        "createdAt": "",
        "imageId": said["imageId"],
    }
    listed = site.get("/v1/images?tag=shadow").json()["images"]
    assert [image["imageId"] for image in listed] == [said["imageId"]], "docs/cutover.md warns of that"


def test_the_same_upload_again_is_the_same_shadow_and_nothing_is_stored_twice(site: Client) -> None:
    first, again = upload(site).json(), upload(site).json()
    assert {**again, "estimatedTime": 0} == {**first, "estimatedTime": 0}
    assert Original.objects.filter(state="active").count() == Job.objects.count() == 1
    other = upload(site, OTHER)
    assert (other.status_code, other.json()["code"]) == (409, "shadow_exists")
    assert other.json()["shadowId"] == first["shadowId"]
    stranger = upload(people.keyed())
    assert (stranger.status_code, stranger.json()["code"]) == (409, "shadow_exists")
    assert "shadowId" not in stranger.json()
    assert Original.objects.filter(state="active").count() == 1


@pytest.mark.parametrize("who", ["a key to upload", "a token for whatever", "staff"])
def test_who_may_upload_only_sends_no_shadow_and_nothing_is_stored(who: str, settings: Any) -> None:
    """Shadows switch a guarded flag off."""
    settings.JWT_SECRET = signing.SECRET
    client = {
        "a key to upload": lambda: people.keyed(Scope.UPLOAD, Scope.READ, Scope.MANAGE),
        "a token for whatever": lambda: people.program(signing.token(scope="openid profile")),
        "staff": people.staff,
    }[who]()
    for answer in (upload(client), client.post("/v1/shadow", {"key": KEY}, content_type=JSON)):
        refused(answer, 403, "insufficient_scope")
        assert 'scope="shadow"' in answer["WWW-Authenticate"]
    nothing_is_stored()
    assert not Shadow.objects.exists()
    assert client.post("/v1/images", {"file": file(PHOTO)}).status_code == 202


def test_a_shadow_is_no_duplicate_that_an_upload_could_count_on(site: Client) -> None:
    upload(site)
    assert "duplicateOf" not in site.post("/v1/images", {"file": file(PHOTO)}).json()
    kept = site.post("/v1/images", {"file": file(PHOTO)}).json()["duplicateOf"]
    assert not Shadow.objects.filter(original=kept).exists()


def test_an_upload_takes_the_place_of_a_file_that_is_still_to_be_fetched(site: Client) -> None:
    asked = site.post("/v1/shadow", {"key": KEY}, content_type=JSON).json()
    said = upload(site).json()
    assert said["shadowId"] == asked["shadowId"]
    assert Shadow.objects.get().state == ShadowState.RENDERING


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"legacyKey": ""}, "bad_field", "legacyKey: is needed with shadow=true."),
        ({"shadow": "false"}, "bad_field", "legacyKey: goes with shadow=true."),
        ({"shadow": "perhaps"}, "bad_field", "shadow: takes true or false."),
        ({"preset": "gallformers"}, "bad_field", "preset: is gallformers-legacy with shadow=true; leave it out."),
        ({"legacyKey": "originals/1_original.jpg"}, "bad_legacy_key", "“originals/1_original.jpg” is no key"),
        ({"legacyKey": "gall/../etc/passwd_original.jpg"}, "bad_legacy_key", "is no key of an original of the site"),
    ],
)
def test_what_cannot_be_a_shadow_is_refused_and_nothing_stored(
    site: Client, fields: dict[str, str], code: str, says: str
) -> None:
    sent = {"file": file(PHOTO), "shadow": "true", "legacyKey": KEY, **fields}
    assert says in refused(site.post("/v1/images", sent), 400, code)
    assert not Shadow.objects.exists()


def test_past_the_most_shadows_are_refused_and_uploads_are_not(site: Client, settings: Any) -> None:
    settings.MAX_SHADOWS = 0
    answer = upload(site)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "shadows_full", "60")
    assert nothing_is_stored()
    assert site.post("/v1/shadow", {"key": KEY}, content_type=JSON).status_code == 503
    assert site.post("/v1/images", {"file": file(PHOTO)}).status_code == 202


def test_shadows_that_wait_take_no_room_of_uploads(site: Client, settings: Any) -> None:
    settings.MAX_BACKLOG = 1
    for number in range(3):
        assert upload(site, key=f"gall/1/1_{number}_original.jpg").status_code == 202
    assert site.post("/v1/images", {"file": file(PHOTO)}).status_code == 202


def test_a_key_is_asked_for_once_and_seen_by_who_asked(site: Client) -> None:
    first = site.post("/v1/shadow", {"key": KEY}, content_type=JSON)
    again = site.post("/v1/shadow", {"key": KEY}, content_type=JSON)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.headers["Location"] == again.headers["Location"] == f"/v1/shadow/{first.json()['shadowId']}"
    assert people.keyed().get(first.headers["Location"]).status_code == 404
    assert people.staff("view_job").get(first.headers["Location"]).status_code == 200
    bad = site.post("/v1/shadow", {"key": "etc/passwd"}, content_type=JSON)
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_legacy_key")
    assert site.post("/v1/shadow", {"Key": KEY}, content_type=JSON).json()["code"] == "unknown_field"


def test_what_was_found_is_told_in_words(site: Client) -> None:
    url = site.post("/v1/shadow", {"key": KEY}, content_type=JSON).headers["Location"]
    size = {"name": "small", "verdict": "worse", "reason": "moved", "sentence": "Ours lies half a pixel aside."}
    found = {"verdict": Verdict.WORSE, "reason": Reason.MOVED, "sentence": f"small: {size['sentence']}"}
    Shadow.objects.update(state=ShadowState.COMPARED, compared_at=timezone.now(), sizes=[size], **found)
    done = site.get(url)
    assert "Retry-After" not in done.headers
    said = done.json()
    assert (said["status"], said["verdict"], said["reason"]) == ("done", "worse", "moved")
    assert said["detail"] == "small: Ours lies half a pixel aside."
    assert said["sizes"][0]["detail"] == size["sentence"]
    assert not {"code", "judgedAs", "imageId"} & said.keys()
    Shadow.objects.update(judged_as=Verdict.SAME)
    assert site.get(url).json()["judgedAs"] == "same"
    Shadow.objects.update(state=ShadowState.FAILED, code="cancelled", detail="Its job was cancelled.", judged_as="")
    said = site.get(url).json()
    assert (said["status"], said["code"], said["detail"]) == ("error", "cancelled", "Its job was cancelled.")
    assert "verdict" not in said
