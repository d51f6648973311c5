"""PATCH and DELETE /v1/images/{id}, and POST …/restore: who may, what is answered, and what is refused."""

import pytest
from django.test import Client

from media_jobs.models import Original, Tag
from media_jobs.states import JobState
from tests import images, people
from tests.api.uploading import URL, file
from tests.factories import make_derivative, make_job, make_original
from tests.services.housekeeping.helpers import ago

pytestmark = pytest.mark.django_db

JSON = "application/json"


@pytest.fixture
def image() -> Original:
    return make_job(state=JobState.DONE).original


def patch(client: Client, image: Original, body: object):
    return client.patch(f"{URL}/{image.pk}", body, content_type=JSON)


def refused(response, status: int, code: str) -> str:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"
    return str(response.json()["detail"])


def test_tags_and_rights_come_with_an_upload(client):
    fields = {
        "tags": "oak, gall ,oak,,  late   summer",
        "creator": " Ada  Lovelace ",
        "credit": "A Society",
        "copyright": "© Ada",
        "licence": "https://creativecommons.org/licenses/by/4.0/",
    }
    answer = client.post(URL, {"file": file(images.jpeg(16, 16)), **fields})
    assert answer.status_code == 202
    found = client.get(f"{URL}/{answer.json()['imageId']}").json()
    assert found["tags"] == ["gall", "late summer", "oak"]
    assert found["rights"] == {**{name: fields[name] for name in ("credit", "copyright", "licence")},
                               "creator": "Ada Lovelace"}  # fmt: skip


def test_tags_may_be_sent_several_times_and_as_a_list_in_json(client):
    client.post(URL, {"file": file(images.jpeg(16, 16)), "tags": ["a", "b,c"]})
    assert sorted(Tag.objects.values_list("name", flat=True)) == ["a", "b", "c"]
    upload = client.post("/v1/uploads", {"filename": "a.jpg"}, content_type=JSON).json()["uploadId"]
    body = {"uploadId": upload, "tags": ["x", "y"], "creator": "Ada"}
    answer = client.post(URL, body, content_type=JSON)
    assert answer.status_code == 202
    found = client.get(f"{URL}/{answer.json()['imageId']}").json()
    assert (found["tags"], found["rights"]) == (["x", "y"], {"creator": "Ada"})


def test_tags_and_rights_are_changed_and_what_is_not_named_stays(client, image):
    answer = patch(client, image, {"tags": ["oak", "gall"], "rights": {"creator": "Ada", "credit": ""}})
    assert answer.status_code == 200
    assert (answer.json()["tags"], answer.json()["rights"]) == (["gall", "oak"], {"creator": "Ada"})
    assert client.get(f"{URL}/{image.pk}").json() == answer.json()
    assert patch(client, image, {"tags": "oak,leaf"}).json()["tags"] == ["leaf", "oak"]
    assert patch(client, image, {}).json()["rights"] == {"creator": "Ada"}
    assert patch(client, image, {"rights": {"creator": None}, "tags": []}).json()["rights"] == {}
    assert not Tag.objects.exists()


def test_a_derivative_that_was_made_before_is_stale(client, image):
    make_derivative(image.jobs.get(), state="current")
    answer = patch(client, image, {"rights": {"creator": "Ada"}}).json()
    assert [derivative["stale"] for derivative in answer["derivatives"]] == [True]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"tag": ["a"]}, "unknown_field", "“tags”"),
        ({"rights": {"license": "https://a.example"}}, "unknown_field", "“rights.licence”"),
        ({"tags": 5}, "bad_field", "tags: takes words"),
        ({"tags": None}, "bad_field", "tags: "),
        ({"tags": [["a"]]}, "bad_field", "tags: takes words"),
        ({"tags": ["x" * 65]}, "bad_field", "tags: takes words of at most 64"),
        ({"tags": [str(n) for n in range(51)]}, "bad_field", "tags: takes at most 50"),
        ({"rights": {"licence": "javascript:alert(1)"}}, "bad_field", "rights.licence: takes an address"),
        ({"rights": {"creator": "x" * 501}}, "bad_field", "rights.creator: "),
        ({"rights": {"creator": "\u200b\ufffd"}}, "bad_field", "rights.creator: takes a text that can be seen"),
        ({"rights": {"creator": 5.5, "credit": ["a"]}}, "bad_field", "rights.credit: "),
        ({"rights": "Ada"}, "bad_field", "rights: "),
        ({"rights": None}, "bad_field", "rights: "),
        ({"rights": {"creator": "\ud800"}}, "bad_field", "rights.creator: "),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_by_name_and_changes_nothing(client, image, body, code, words):
    import json

    answer = client.patch(f"{URL}/{image.pk}", json.dumps(body), content_type=JSON)
    assert words in refused(answer, 400, code)
    assert not Tag.objects.exists()
    assert Original.objects.get().stated_rights == {}


def test_a_change_is_sent_as_json(client, image):
    refused(client.patch(f"{URL}/{image.pk}", "tags=a", content_type="application/x-www-form-urlencoded"), 415,
            "unsupported_media_type")  # fmt: skip


def test_a_deleted_image_is_gone_with_its_jobs_until_it_is_restored(client, image):
    job = image.jobs.get()
    make_derivative(job, state="current")
    answer = client.delete(f"{URL}/{image.pk}")
    assert answer.status_code == 200
    assert set(answer.json()) == {"imageId", "deletedAt", "restorableUntil"}
    assert client.delete(f"{URL}/{image.pk}").json() == answer.json()
    for url in (f"{URL}/{image.pk}", f"{URL}/{image.pk}/original", f"/v1/jobs/{job.pk}"):
        refused(client.get(url), 404, "not_found")
    refused(patch(client, image, {"tags": "a"}), 404, "not_found")
    refused(client.post(f"/v1/jobs/{job.pk}/retry"), 404, "not_found")

    back = client.post(f"{URL}/{image.pk}/restore")
    assert back.status_code == 202
    assert back.json()["imageId"] == str(image.pk)
    assert back.headers["Location"] == f"/v1/jobs/{back.json()['jobId']}"
    assert client.get(f"{URL}/{image.pk}").json()["status"] == "processing"
    assert client.get(back.headers["Location"]).json()["status"] == "processing"


def test_what_cannot_be_restored_says_so(client, image):
    refused(client.post(f"{URL}/{image.pk}/restore"), 409, "not_restorable")
    client.delete(f"{URL}/{image.pk}")
    Original.objects.update(deleted_at=ago(days=8))
    refused(client.post(f"{URL}/{image.pk}/restore"), 409, "not_restorable")


def test_a_restore_that_is_sent_again_is_done_once(client, image):
    client.delete(f"{URL}/{image.pk}")
    first, again = (client.post(f"{URL}/{image.pk}/restore", headers={"Idempotency-Key": "a"}) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert image.jobs.count() == 2


CHANGES = {
    "patch": lambda client, image: patch(client, image, {"tags": "a"}),
    "delete": lambda client, image: client.delete(f"{URL}/{image.pk}"),
    "restore": lambda client, image: client.post(f"{URL}/{image.pk}/restore"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_images_of_others_and_images_that_do_not_exist_are_not_found(client, change):
    image = make_job(make_original(stored=False, owner="somebody")).original
    refused(change(client, image), 404, "not_found")
    Original.objects.all().delete()
    refused(change(client, image), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "permission", "status"),
    [("patch", "change_original", 200), ("delete", "delete_original", 200), ("restore", "delete_original", 409)],
)
def test_staff_change_images_of_others_with_the_permission_of_the_admin(change, permission, status):
    image = make_job(make_original(stored=False, owner="somebody")).original
    refused(CHANGES[change](people.staff(), image), 404, "not_found")
    refused(CHANGES[change](people.staff("view_original"), image), 403, "permission_denied")
    assert CHANGES[change](people.staff("view_original", permission), image).status_code == status


def test_staff_see_the_jobs_of_an_image_as_in_the_admin(image):
    page, jobs = f"/admin/media_jobs/original/{image.pk}/change/", 'id="gi-jobs"'
    for rights, seen in ((("view_original",), False), (("view_original", "view_job"), True)):
        member = people.staff(*rights)
        assert ("jobs" in member.get(f"{URL}/{image.pk}").json()) is seen
        assert (jobs in member.get(page).content.decode()) is seen
