"""Products: who may use which, and that their limits hold before a byte is stored, whoever comes at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from media_jobs.adapters.storage import Role, store
from media_jobs.models import InstructionDetail, Job, Product, ProductDay, UploadPlace
from media_jobs.services import housekeeping
from media_jobs.services.housekeeping.tasks import task_named
from media_jobs.services.uploads.intake import Upload
from tests import images, people
from tests.api.instructions.helpers import add, added, create, data, product, refused, user, work
from tests.api.uploading import nothing_is_stored

PHOTO = images.jpeg(64, 48)


@pytest.mark.django_db
def test_a_newcomer_finds_the_shipped_product_and_others_those_that_are_open_to_them() -> None:
    key, whole = people.api_key(acts_for_users=True)
    product(name="of-the-key", open_to_all=False, owners=f"key:{key.prefix}")
    product(name="of-ada", open_to_all=False, owners=f"staff:1\nkey:{key.prefix}|ada")
    product(name="of-nobody", open_to_all=False)
    product(name="over", active=False)

    def names(caller: Client) -> list[str]:
        return [item["name"] for item in data(caller.get("/products"))["items"]]

    assert names(Client()) == names(people.keyed()) == ["gallformers"]
    assert names(people.program(whole)) == ["gallformers", "of-the-key"]
    assert names(user(whole, "ada")) == ["gallformers", "of-ada", "of-the-key"]
    assert data(people.program(whole).get("/products", {"page": 2, "pageSize": 1}))["total"] == 2
    shipped = data(Client().get("/products"))["items"][0]
    assert shipped["limits"] == {
        "maxBytes": 30 * 1_048_576, "maxRawBytes": 100 * 1_048_576, "maxPixels": 100_000_000,
        "filesPerInstruction": None, "filesPerDay": None, "formats": None,
    }  # fmt: skip
    assert shipped["retention"] == {"doneDays": None, "failedDays": None}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("limits", "content", "status", "code"),
    [
        ({"max_bytes": len(PHOTO) - 1}, PHOTO, 413, "file_too_large"),
        ({"max_bytes": 1000}, images.raw_tiff((0xC612, 4, 1)).ljust(2000, b"\0"), 413, "file_too_large"),
        ({"formats": ["png", "webp"]}, PHOTO, 415, "format_not_allowed"),
        ({"max_pixels": 64 * 48 - 1}, PHOTO, 413, "too_many_pixels"),
        ({"max_pixels": 99}, images.png(10, 10), 413, "too_many_pixels"),
        ({"max_pixels": 99}, images.webp(10, 10), 413, "too_many_pixels"),
        ({"max_pixels": 99}, images.gif(10, 10), 413, "too_many_pixels"),
        ({"max_pixels": 99}, images.bmp(10, 10), 413, "too_many_pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_a_product_does_not_take_is_refused_before_it_is_stored(
    monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any], content: bytes, status: int, code: str
) -> None:
    caller = people.keyed()
    product(**limits)
    address = create(caller, "plates")
    begun: list[object] = []
    begin = Upload.__init__

    def noting(upload: Upload, *given: Any, **named: Any) -> None:
        begun.append(upload)
        begin(upload, *given, **named)

    monkeypatch.setattr(Upload, "__init__", noting)
    refused(add(caller, address, content), status, code)
    assert nothing_is_stored()
    assert begun == [] or code == "file_too_large"  # its first bytes are like any other's


@pytest.mark.django_db
def test_a_size_that_the_first_bytes_do_not_tell_is_refused_by_the_job() -> None:
    caller = people.keyed()
    product(max_pixels=99)
    address = create(caller, "plates")
    detail = added(caller, address, images.tiff(10, 10))[0]
    work()
    assert data(caller.get(detail))["error"]["code"] == "too_many_pixels"


@pytest.mark.django_db
def test_an_instruction_takes_so_many_files_and_a_refused_one_leaves_its_place() -> None:
    caller = people.keyed()
    product(files_per_instruction=3)
    address = create(caller, "plates")
    first = data(add(caller, address, PHOTO, b"%PDF", PHOTO, PHOTO, PHOTO), 202)
    assert [item["error"] and item["error"]["code"] for item in first["items"]] == [
        None, "unsupported_format", None, None, "instruction_full",
    ]  # fmt: skip
    refused(add(caller, address, PHOTO), 422, "instruction_full")
    assert data(add(caller, create(caller, "plates"), PHOTO), 202)["accepted"] == 1
    assert UploadPlace.objects.count() == 0
    assert len(list(store(Role.WORKER).keys())) == 4


@pytest.mark.django_db
def test_a_day_takes_so_many_files_of_each_caller() -> None:
    whole = people.api_key(acts_for_users=True)[1]
    ada, bob = user(whole, "ada"), user(whole, "bob")
    product(files_per_day=2)
    added(ada, create(ada, "plates"), PHOTO)
    added(ada, create(ada, "plates"), PHOTO)
    over = add(ada, create(ada, "plates"), PHOTO)
    refused(over, 429, "daily_limit_reached")
    assert 1 <= int(over.headers["Retry-After"]) <= 86_401
    added(bob, create(bob, "plates"), PHOTO, PHOTO)
    ProductDay.objects.update(day=datetime.now(UTC).date() - timedelta(days=1))
    added(ada, create(ada, "plates"), PHOTO)


@pytest.mark.django_db
def test_places_of_uploads_that_died_go_stale() -> None:
    caller = people.keyed()
    row = product(files_per_instruction=1, files_per_day=1)
    address = create(caller, "plates")
    found = row.instructions.get()
    place = UploadPlace.objects.create(instruction=found, product=row, owner=found.owner, day=datetime.now(UTC).date())
    refused(add(caller, address, PHOTO), 422, "instruction_full")
    UploadPlace.objects.filter(pk=place.pk).update(created_at=timezone.now() - timedelta(hours=2))
    added(caller, address, PHOTO)
    housekeeping.run(only=[task_named("places")])
    assert UploadPlace.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", ["files_per_day", "files_per_instruction"])
def test_of_many_that_come_at_once_as_many_are_taken_as_the_product_allows(limit: str) -> None:
    whole = people.api_key()[1]
    Product.objects.create(name="plates", preset="gallformers", open_to_all=True, **{limit: 5})
    address = create(people.program(whole), "plates")

    def send(number: int) -> int:
        try:
            return int(add(people.program(whole), address, images.png(4 + number, 4)).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(send, range(16)))
    assert statuses == [202] * 5 + [429 if limit == "files_per_day" else 422] * 11
    assert Job.objects.count() == InstructionDetail.objects.count() == 5
    assert UploadPlace.objects.count() == 0
    assert len(list(store(Role.WORKER).keys())) == 5
