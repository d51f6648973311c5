"""/instructions: each endpoint of the Instrlabs document by its words, for an owner, another one and a stranger."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from media_jobs.adapters.storage import Role, store
from media_jobs.api.instructions.fields import INSTRUCTION_STATUS, STATUS
from media_jobs.models import Instruction, InstructionDetail, Job, Original
from media_jobs.states import InstructionStatus, JobState
from tests import images, people
from tests.api.instructions.helpers import URL, add, added, create, data, product, refused, user, work
from tests.api.uploading import file, nothing_is_stored

pytestmark = pytest.mark.django_db

BROKEN = images.jpeg(640, 480)[:2000]


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


@pytest.fixture
def key() -> str:
    """Of a program that acts for its users."""
    return people.api_key(acts_for_users=True)[1]


@pytest.fixture
def ada(key: str) -> Client:
    return user(key, "ada")


@pytest.fixture
def bob(key: str) -> Client:
    return user(key, "bob")


@pytest.fixture
def stranger() -> Client:
    return people.keyed()


def test_every_state_has_a_word() -> None:
    assert set(STATUS) == set(JobState)
    assert set(INSTRUCTION_STATUS) == set(InstructionStatus)


# --- POST /instructions ---------------------------------------------------------------------------


def test_an_instruction_is_made_under_a_product(ada: Client) -> None:
    answer = ada.post(URL, {"productId": "gallformers", "name": "June"}, content_type="application/json")
    made = data(answer, 201)
    assert answer.headers["Location"] == f"{URL}/{made['id']}"
    assert (made["status"], made["name"], made["product"]) == ("PENDING", "June", "gallformers")
    assert made["counts"] == {"total": 0, "pending": 0, "processing": 0, "done": 0, "failed": 0}
    assert data(ada.get(answer.headers["Location"])) == made
    by_id = ada.post(URL, {"productId": made["productId"]}, content_type="application/json")
    assert data(by_id, 201)["product"] == "gallformers"


def test_what_is_wrong_with_an_instruction_is_said_in_the_envelope(ada: Client, settings: Any) -> None:
    def post(body: Any, kind: str = "application/json") -> Any:
        return ada.post(URL, body, content_type=kind)

    product(name="hers", open_to_all=False, owners="key:another\nstaff:7")
    product(name="over", active=False)
    for name in ("nonsense", "hers", "over", str(uuid4())):
        assert f"“{name}”" in refused(post({"productId": name}), 400, "unknown_product")
    refused(post({}), 400, "bad_field")
    refused(post({"productId": 7, "name": "a" * 201}), 400, "bad_field")
    assert "“productId”" in refused(post({"productID": "gallformers"}), 400, "unknown_field")
    refused(post("{", "application/json"), 400, "bad_json")
    refused(post("a", "text/plain"), 415, "unsupported_media_type")
    refused(post({"productId": "gallformers", "name": "a" * 70_000}), 413, "fields_too_large")
    refused(ada.put(URL), 405, "method_not_allowed")
    refused(people.program("gallimg_nobody_nothing").post(URL), 401, "bad_credential")
    refused(people.keyed("read").post(URL), 403, "insufficient_scope")  # type: ignore[arg-type]
    settings.ALLOW_ANONYMOUS = False
    refused(Client().post(URL), 401, "credential_missing")
    settings.UPLOADS_PER_MINUTE = 1
    post({"productId": "gallformers"})
    limited = post({"productId": "gallformers"})
    refused(limited, 429, "quota_exceeded")
    assert int(limited.headers["Retry-After"]) >= 1
    assert Instruction.objects.count() == 1


def test_a_bug_and_a_missing_address_come_in_the_envelope_too(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(ada.get("/instructions/7"), 404, "not_found")
    assert "/products" in refused(ada.get("/products/"), 404, "not_found")
    ada.raise_request_exception = False
    monkeypatch.setattr("media_jobs.instruction_lists.instruction", lambda _: 1 / 0)
    answer = ada.get(f"{URL}/{uuid4()}")
    refused(answer, 500, "internal_error")
    assert b"ZeroDivision" not in answer.content


def test_a_page_of_a_foreign_origin_is_refused_in_the_envelope(ada: Client) -> None:
    answer = ada.post(URL, {}, content_type="application/json", headers={"Origin": "https://elsewhere.example"})
    refused(answer, 403, "foreign_origin")


def test_the_same_key_makes_one_instruction(ada: Client) -> None:
    def post(name: str) -> Any:
        body = {"productId": "gallformers", "name": name}
        return ada.post(URL, body, content_type="application/json", headers={"Idempotency-Key": "a"})

    first, again = post("June"), post("June")
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    refused(post("July"), 422, "idempotency_key_reused")
    assert Instruction.objects.count() == 1


# --- POST /instructions/:id/details ---------------------------------------------------------------


@pytest.mark.parametrize("field", ["file", "files"])
def test_one_file_or_many_join_and_are_processed(ada: Client, photo: bytes, field: str) -> None:
    address = create(ada)
    one = data(add(ada, address, photo, field=field, tags="oak"), 202)
    many = data(add(ada, address, photo, images.png(8, 8), field=field), 202)
    assert [one["accepted"], many["accepted"]] == [1, 2]
    detail = one["items"][0]["detail"]
    assert (detail["status"], detail["original"]["bytes"], detail["processed"]) == ("PENDING", len(photo), [])
    assert data(ada.get(address))["counts"] == {"total": 3, "pending": 3, "processing": 0, "done": 0, "failed": 0}
    assert {job.original.owner for job in Job.objects.select_related("original")} == {Instruction.objects.get().owner}
    work()
    found = data(ada.get(f"{address}/details/{detail['id']}"))
    assert found["status"] == "DONE"
    assert [made["variant"] for made in found["processed"]] == ["full", "medium", "small", "thumb"]
    assert (found["original"]["width"], found["original"]["height"]) == (64, 48)
    assert found["processing"]["attempts"] == 1
    assert found["startedAt"] <= found["finishedAt"]
    assert data(ada.get(address))["status"] == "DONE"


def test_a_bad_file_keeps_out_no_good_one_and_says_why(ada: Client, photo: bytes) -> None:
    address = create(ada)
    answered = data(add(ada, address, photo, b"%PDF-1.7", b"", BROKEN), 202)
    assert [item["error"] and item["error"]["code"] for item in answered["items"]] == [
        None, "unsupported_format", "empty_file", None,
    ]  # fmt: skip
    assert (answered["accepted"], answered["refused"]) == (2, 2)
    work()
    found = data(ada.get(address))
    assert (found["status"], found["counts"]["done"], found["counts"]["failed"]) == ("FAILED", 1, 1)
    broken, good = data(ada.get(f"{address}/details"))["items"]
    assert broken["error"]["code"] in ("truncated", "undecodable")
    assert broken["error"]["detail"]
    assert (good["error"], good["status"]) == (None, "DONE")


def test_where_no_file_is_left_that_is_the_answer(ada: Client, photo: bytes) -> None:
    address = create(ada)
    alike = add(ada, address, b"%PDF-1.7", b"GARBAGE")
    refused(alike, 415, "unsupported_format")
    assert [error["filename"] for error in alike.json()["errors"]] == ["gall-0.jpg", "gall-1.jpg"]
    assert "None of the 2" in add(ada, address, b"%PDF-1.7", b"").json()["message"]
    refused(ada.post(f"{address}/details", {"picture": file(photo)}), 400, "missing_file")
    refused(ada.post(f"{address}/details", {"tags": "oak"}), 400, "missing_file")
    refused(add(ada, address, photo, preset="ingest"), 400, "unknown_field")
    refused(ada.post(f"{address}/details", b"a", content_type="image/jpeg"), 415, "unsupported_media_type")
    assert nothing_is_stored()


def test_the_same_key_adds_files_once(ada: Client, photo: bytes) -> None:
    address = create(ada)

    def post(content: bytes) -> Any:
        return ada.post(f"{address}/details", {"file": file(content)}, headers={"Idempotency-Key": "b"})

    first, again = post(photo), post(photo)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    refused(post(photo + b"x"), 422, "idempotency_key_reused")
    assert InstructionDetail.objects.count() == Original.objects.count() == 1
    assert len(list(store(Role.WORKER).keys())) == 1


# --- whose it is ----------------------------------------------------------------------------------


def test_a_strangers_instruction_is_403_and_an_unknown_one_404(
    ada: Client, bob: Client, stranger: Client, photo: bytes
) -> None:
    hers, his = create(ada), create(bob)
    detail = added(ada, hers, photo)[0]
    etag = ada.get(hers).headers["ETag"]
    for other in (bob, stranger, people.staff()):
        for address in (hers, f"{hers}/details", detail, f"{detail}/file", f"{detail}/file?variant=original"):
            refused(other.get(address), 403, "not_owner")
            refused(other.get(address, headers={"If-None-Match": etag}), 403, "not_owner")
        if other is not bob:
            assert data(other.get(URL))["total"] == 0
    refused(add(bob, hers, photo), 403, "not_owner")
    unknown = str(uuid4())
    for address in (f"{URL}/{unknown}", f"{URL}/{unknown}/details", f"{URL}/{unknown}/details/{unknown}/file"):
        refused(ada.get(address), 404, "not_found")
    refused(ada.get(f"{hers}/details/{unknown}"), 404, "not_found")
    refused(bob.get(f"{his}/details/{detail.rpartition('/')[2]}"), 404, "not_found")
    refused(add(ada, f"{URL}/{unknown}", photo), 404, "not_found")


def test_staff_who_see_jobs_see_instructions_and_add_nothing(ada: Client, photo: bytes) -> None:
    address = create(ada)
    detail = added(ada, address, photo)[0]
    curator = people.staff("view_job")
    assert data(curator.get(address))["counts"]["total"] == 1
    assert data(curator.get(detail))["status"] == "PENDING"
    curator.get("/admin/")
    token = {"X-CSRFToken": curator.cookies["csrftoken"].value} if "csrftoken" in curator.cookies else {}
    answer = curator.post(f"{address}/details", {"file": file(photo)}, headers=token)
    refused(answer, 403, "not_owner" if token else "permission_denied")
    refused(curator.get(f"{detail}/file?variant=original"), 403, "permission_denied")


# --- GET /instructions ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_pages_hold_everything_once_in_its_order(ada: Client, size: int) -> None:
    made = [create(ada, name=str(number)).rpartition("/")[2] for number in range(7)]
    pages = [data(ada.get(URL, {"pageSize": size, "page": page})) for page in range(1, -(-7 // size) + 2)]
    assert [item["id"] for page in pages for item in page["items"]] == made[::-1]
    assert {page["total"] for page in pages} == {7}


def test_pages_stay_as_they_are_while_instructions_come(ada: Client, bob: Client) -> None:
    made = [create(ada, name=str(number)).rpartition("/")[2] for number in range(5)]
    create(bob)
    first = data(ada.get(URL, {"pageSize": 2}))
    assert [item["id"] for item in first["items"]] == [made[4], made[3]]
    assert {name: first[name] for name in ("page", "pageSize", "total")} == {"page": 1, "pageSize": 2, "total": 5}
    create(ada)
    second = data(ada.get(URL, {"pageSize": 2, "page": 2, "before": first["before"]}))
    third = data(ada.get(URL, {"pageSize": 2, "page": 3, "before": first["before"]}))
    assert [item["id"] for page in (second, third) for item in page["items"]] == [made[2], made[1], made[0]]
    assert (second["total"], data(ada.get(URL))["total"]) == (5, 6)
    assert data(ada.get(URL, {"page": 9}))["items"] == []


def test_lists_are_filtered_by_status_and_date(ada: Client, photo: bytes) -> None:
    empty, done, failed, waiting = (create(ada, name=name) for name in ("empty", "done", "failed", "waiting"))
    added(ada, done, photo)
    added(ada, failed, BROKEN, photo)
    work()
    added(ada, waiting, photo)

    def names(**query: str) -> list[str]:
        return sorted(item["name"] for item in data(ada.get(URL, query))["items"])

    assert names(status="PENDING") == ["empty", "waiting"]
    assert (names(status="DONE"), names(status="FAILED"), names(status="PROCESSING")) == (["done"], ["failed"], [])
    Job.objects.filter(instruction_detail__instruction__name="done").update(state="queued")
    assert (names(status="DONE"), len(names(status="PENDING"))) == ([], 3)
    added(ada, failed, photo)
    assert (names(status="FAILED"), names(status="PROCESSING")) == ([], ["failed"])
    moments = {item["name"]: item["createdAt"] for item in data(ada.get(URL))["items"]}
    assert names(createdAfter=moments["failed"]) == ["failed", "waiting"]
    assert names(createdBefore=moments["failed"]) == ["done", "empty"]
    later = parse_datetime(moments["failed"])
    assert later
    assert names(createdAfter=(later + timedelta(microseconds=1)).isoformat()) == ["waiting"]
    assert names(createdAfter=(timezone.now() + timedelta(days=1)).isoformat()) == []
    for wrong in ({"status": "done"}, {"page": "0"}, {"pageSize": "201"}, {"before": "7"}, {"createdAfter": "June"}):
        refused(ada.get(URL, wrong), 400, "bad_field")
    refused(ada.get(URL, {"limit": "5"}), 400, "unknown_field")
    assert empty


def test_answers_have_tags_that_change_with_the_files(ada: Client, photo: bytes) -> None:
    address = create(ada)
    tags = {url: ada.get(url).headers["ETag"] for url in (URL, address, f"{address}/details")}
    for url, tag in tags.items():
        assert ada.get(url, headers={"If-None-Match": tag}).status_code == 304
    added(ada, address, photo)
    for url, tag in tags.items():
        assert ada.get(url, headers={"If-None-Match": tag}).status_code == 200


# --- what is counted ------------------------------------------------------------------------------


@pytest.mark.parametrize("state", JobState)
def test_whatever_becomes_of_a_job_its_instruction_counts_it(ada: Client, photo: bytes, state: JobState) -> None:
    """Whoever changes it, and how: the database sees to that."""
    address = create(ada)
    added(ada, address, photo, photo)
    job = Job.objects.order_by("pk")[0]
    change: dict[str, Any] = {"state": state, "code": "undecodable", "detail": "Damaged."}
    if state == JobState.PROCESSING:
        change |= {"worker": "a", "lease_until": timezone.now()}
    Job.objects.filter(pk=job.pk).update(**change)
    counts = data(ada.get(address))["counts"]
    assert (counts["total"], counts["pending"]) == (2, 2 if state == JobState.QUEUED else 1)
    assert counts[STATUS[state].lower()] == (2 if state == JobState.QUEUED else 1)
    Job.objects.filter(pk=job.pk).delete()
    assert data(ada.get(address))["counts"] == counts
    gone = data(ada.get(f"{address}/details"))["items"][1]
    assert (gone["cleaned"], gone["jobId"], gone["status"]) == (True, None, STATUS[state])
    InstructionDetail.objects.all().delete()
    assert data(ada.get(address))["counts"]["total"] == 0


@pytest.mark.sqlite
@pytest.mark.parametrize("query", ["status=", "before=", "createdAfter=", "page="])
def test_a_parameter_that_is_sent_is_not_empty(query: str) -> None:
    refused(people.keyed().get(f"{URL}?{query}"), 400, "bad_field")
