"""GET /health, GET /files, and what is known of what is stored."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from media_jobs.callers import SYSTEM
from media_jobs.models import DirectUpload, InstructionDetail, Job, StoredEntry
from media_jobs.services import housekeeping, stored
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.services.images import deletion
from tests import images, people
from tests.api.instructions.helpers import added, create, data, product, refused, user, work
from tests.servers import free_ports

pytestmark = pytest.mark.django_db

PHOTO = images.jpeg(64, 48)


# --- GET /health ----------------------------------------------------------------------------------


def test_each_part_says_how_it_is(client: Client) -> None:
    found = data(client.get("/health"))
    assert found["status"] == "UP"
    assert {name: part["state"] for name, part in found["checks"].items()} == {
        "database": "up", "queue": "up", "storage": "up", "work": "up", "nats": "off",
    }  # fmt: skip
    assert found["checks"]["database"]["latencyMs"] >= 0


def test_the_service_does_without_nats(client: Client, settings: Any) -> None:
    settings.NATS_URI = f"nats://127.0.0.1:{free_ports(1)[0]}"
    found = data(client.get("/health"))
    assert (found["status"], found["checks"]["nats"]["state"]) == ("UP", "down")
    assert "ConnectionRefusedError" in found["checks"]["nats"]["error"]


@pytest.mark.usefixtures("unreachable_queue")
def test_files_are_accepted_without_the_queue(client: Client) -> None:
    answer = client.get("/health")
    found = data(answer)
    assert (found["status"], found["checks"]["queue"]["state"]) == ("UP", "down")
    assert answer.json()["message"] == "Files are accepted; queue does not answer"


def test_a_part_that_is_needed_makes_it_503(client: Client, settings: Any) -> None:
    settings.MIN_FREE_DISK_BYTES = 2**60
    found = data(client.get("/health"), 503)
    assert (found["status"], found["checks"]["storage"]["state"]) == ("DOWN", "down")


def test_details_are_for_who_says_who_asks(settings: Any) -> None:
    settings.ALLOW_ANONYMOUS = False
    refused(Client().get("/health?detail"), 401, "credential_missing")
    ada, bob = people.keyed(), people.keyed()
    added(ada, create(ada), PHOTO)

    def amounts(caller: Client) -> dict[str, Any]:
        return {row["kind"]: row for row in data(caller.get("/health?detail"))["stored"] if "owner" not in row}

    assert amounts(ada)["original"] == {"kind": "original", "objects": 1, "bytes": len(PHOTO)}
    assert amounts(bob)["original"]["objects"] == 0
    assert amounts(people.staff())["original"]["objects"] == 0
    of_all = data(people.staff("view_original").get("/health?detail"))["stored"]
    owner = InstructionDetail.objects.get().owner
    assert {"kind": "original", "objects": 1, "bytes": len(PHOTO), "owner": owner} in of_all


# --- what is stored -------------------------------------------------------------------------------


def amounts(owner: str) -> dict[str, tuple[int, int]]:
    return {str(amount.kind): (amount.objects, amount.bytes) for amount in stored.by_kind(owner)}


def test_the_ledger_is_as_true_as_the_rows(client: Client) -> None:
    """Through all that becomes of a file: processing, deleting, cleaning up."""
    ada = people.keyed()
    detail = added(ada, create(ada), PHOTO)[0]
    owner = InstructionDetail.objects.get().owner
    assert amounts(owner) == {"original": (1, len(PHOTO)), "derivative": (0, 0), "replaced": (0, 0)}
    work()
    made = [one["bytes"] for one in data(ada.get(detail))["processed"]]
    assert amounts(owner)["derivative"] == (4, sum(made))
    image = Job.objects.get().original
    deletion.delete(image.pk, actor=SYSTEM)
    assert amounts(owner) == {"original": (1, len(PHOTO)), "derivative": (0, 0), "replaced": (4, sum(made))}
    for number in range(30):
        StoredEntry.objects.create(owner=owner, kind="original", objects_more=1, bytes_more=number)
    before = amounts(owner)
    housekeeping.run(only=[task_named("amounts")])
    assert amounts(owner) == before
    assert StoredEntry.objects.filter(owner=owner, kind="original").count() == 1
    housekeeping.run(only=[task_named("deletions")])
    assert amounts(owner)["replaced"] == (0, 0)
    page = people.staff("view_storedentry").get("/admin/media_jobs/storedentry/").content.decode()
    assert owner in page


# --- GET /files -----------------------------------------------------------------------------------


def test_files_say_when_they_are_due_and_whose_they_are() -> None:
    whole = people.api_key(acts_for_users=True)[1]
    program, ada = people.program(whole), user(whole, "ada")
    stranger = people.keyed()
    row = product(done_days=30, failed_days=1)
    plates, kept = create(ada, "plates"), create(ada)
    added(ada, plates, PHOTO, images.jpeg(640, 480)[:2000])
    added(program, create(program), PHOTO)
    work()
    waiting = added(ada, kept, PHOTO)[0].rpartition("/")[2]

    def found(caller: Client, **query: str) -> list[dict[str, Any]]:
        answer = data(caller.get("/files", query))
        assert answer["total"] == len(answer["items"])
        return list(answer["items"])

    assert len(found(program)) == 4
    assert len(found(ada)) == 3
    assert found(stranger) == []
    assert len(found(people.staff("view_original"))) == 4
    assert len(found(people.staff("view_original"), owner=found(ada)[0]["owner"])) == 3
    refused(people.staff().get("/files"), 403, "permission_denied")
    refused(people.keyed("read", "upload").get("/files"), 403, "insufficient_scope")  # type: ignore[arg-type]

    newest, broken, good = found(ada)
    assert (newest["id"], newest["status"], newest["dueAt"]) == (waiting, "PENDING", None)
    assert (good["status"], broken["status"]) == ("DONE", "FAILED")
    assert good["finishedAt"] < broken["dueAt"] < good["dueAt"]
    assert [item["id"] for item in found(ada, status="FAILED")] == [broken["id"]]
    assert len(found(ada, productId=str(row.pk))) == 2
    assert found(ada, due="true") == []
    InstructionDetail.objects.filter(pk=broken["id"]).update(finished_at=timezone.now() - timedelta(days=2))
    assert [item["id"] for item in found(ada, due="true")] == [broken["id"]]
    page = data(program.get("/files", {"pageSize": 2, "page": 2}))
    assert (len(page["items"]), page["total"]) == (2, 4)


def test_uploads_that_nobody_used_are_shown_too() -> None:
    ada = people.keyed()
    sent = {"filename": "a.jpg", "contentType": "image/jpeg"}
    assert ada.post("/v1/uploads", sent, content_type="application/json").status_code == 201
    [upload] = data(ada.get("/files", {"kind": "uploads"}))["items"]
    assert (upload["kind"], upload["filename"], upload["status"]) == ("upload", "a.jpg", "PENDING")
    assert upload["dueAt"] > upload["createdAt"]
    assert data(ada.get("/files", {"kind": "uploads", "due": "true"}))["total"] == 0
    DirectUpload.objects.update(created_at=timezone.now() - timedelta(hours=3))
    assert data(ada.get("/files", {"kind": "uploads", "due": "true"}))["total"] == 1
