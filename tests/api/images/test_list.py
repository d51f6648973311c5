"""GET /v1/images: whose, which, in which order, and page by page."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from media_jobs.models import Original
from media_jobs.services.images import tagging
from media_jobs.states import JobState
from tests import people
from tests.api.uploading import URL
from tests.factories import make_derivative, make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db


def made(count: int, **fields: Any) -> list[Original]:
    return [make_job(make_original(stored=False, **fields)).original for _ in range(count)]


def ids(images) -> list[str]:
    return [str(image.pk) for image in images]


def listed(client, **query: object) -> list[str]:
    response = client.get(URL, query)
    assert response.status_code == 200, response.content
    return [image["imageId"] for image in response.json()["images"]]


def test_own_images_come_newest_first_with_what_a_list_shows(client):
    others = made(1, owner="somebody")
    own = made(3)
    assert listed(client) == ids(reversed(own))
    image = client.get(URL).json()["images"][0]
    assert set(image) == {
        "imageId", "status", "filename", "contentType", "bytes", "sha256", "width", "height", "createdAt", "tags",
        "rights", "placeholder", "dominantColour", "derivatives",
    }  # fmt: skip
    assert image["status"] == "processing"
    assert listed(people.staff()) == []  # theirs, and not those of all whom they may see
    assert others


def test_pages_hold_each_image_once_whatever_is_uploaded_or_deleted_meanwhile(client):
    own = made(7)
    seen, cursor = [], None
    while True:
        answer = client.get(URL, {"limit": 2, **({"cursor": cursor} if cursor else {})})
        seen += [image["imageId"] for image in answer.json()["images"]]
        cursor = answer.json()["nextCursor"]
        if cursor is None:
            break
        assert f"cursor={cursor}" in answer.headers["Link"]
        assert answer.headers["Link"].endswith('rel="next"')
        made(1)
        Original.objects.filter(pk=UUID(seen[-1])).update(deleted_at=timezone.now())
    assert "Link" not in answer.headers
    assert seen == ids(reversed(own))


def test_the_link_keeps_what_was_asked(client):
    for image in made(3):
        tagging.add(image, ["a", "b c"])
    link = client.get(URL, {"limit": 1, "tag": ["a", "b c"]}).headers["Link"]
    url = link[1 : link.index(">")]
    assert "tag=a&tag=b+c" in url
    assert len(client.get(url).json()["images"]) == 1


def test_the_last_page_may_be_full(client):
    made(2)
    assert client.get(URL, {"limit": 2}).json()["nextCursor"] is None


def test_by_the_state_of_the_newest_job(client):
    done = make_job(state=JobState.DONE).original
    failed, cancelled = make_failed_job().original, make_job(state=JobState.CANCELLED).original
    again = make_failed_job().original
    make_job(again)
    assert listed(client, status="done") == ids([done])
    assert listed(client, status="error") == ids([cancelled, failed])
    assert listed(client, status="processing") == ids([again])


def test_deleted_ones_are_listed_only_where_they_are_asked_for_and_can_come_back(client):
    kept, deleted, expired = made(3)
    client.delete(f"{URL}/{deleted.pk}")
    Original.objects.filter(pk=expired.pk).update(deleted_at=timezone.now() - timedelta(days=8))
    assert listed(client) == ids([kept])
    assert listed(client, status="deleted") == ids([deleted])
    assert "restorableUntil" in client.get(URL, {"status": "deleted"}).json()["images"][0]


def test_by_tags_of_which_all_must_be_there(client):
    both, one, _none = made(3)
    tagging.add(both, ["oak", "gall"])
    tagging.add(one, ["oak"])
    assert listed(client, tag="oak") == ids([one, both])
    assert listed(client, tag=["oak", "gall"]) == ids([both])
    assert listed(client, tag="Oak") == []


def test_by_the_time_of_the_upload(client):
    for image, day in zip(made(3), (1, 2, 3), strict=True):
        Original.objects.filter(pk=image.pk).update(created_at=f"2026-05-0{day}T00:00:00Z")
    first, second, third = ids(Original.objects.order_by("created_at"))
    assert listed(client, createdAfter="2026-05-02") == [third, second]
    assert listed(client, createdBefore="2026-05-02T00:00:00Z") == [first]
    assert listed(client, createdAfter="2026-05-02T01:00:00+02:00", createdBefore="2026-05-03") == [second]


def test_by_checksum(client):
    wanted = make_job(make_original(b"\xff\xd8\xff one", stored=False)).original
    made(1)
    assert listed(client, sha256=wanted.sha256.upper()) == ids([wanted])


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ({"state": "done"}, "unknown_field", "“status”"),
        ({"tags": "a"}, "unknown_field", "“tag”"),
        ({"cursor": ""}, "bad_field", "cursor"),
        ({"status": ""}, "bad_field", "status"),
        ({"status": "finished"}, "bad_field", "status: takes one of done, error, processing, deleted"),
        ({"limit": 201}, "bad_field", "limit: "),
        ({"limit": 0}, "bad_field", "limit: "),
        ({"cursor": "01a22485-5ec8-7230-91e2-405598bce4f2"}, "bad_field", "cursor: takes the nextCursor"),
        ({"cursor": "é"}, "bad_field", "cursor: takes the nextCursor"),
        ({"createdAfter": "yesterday"}, "bad_field", "createdAfter: "),
        ({"sha256": "abc"}, "bad_field", "sha256: takes 64"),
        ({"tag": "\0"}, "bad_field", "tag"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(client, query, code, words):
    answer = client.get(URL, query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert words in answer.json()["detail"]


def test_a_long_page_takes_as_many_statements_as_a_short_one(client, django_assert_num_queries):
    def fill(count: int) -> None:
        for _ in range(count):
            job = make_job(state=JobState.DONE)
            make_derivative(job, content=job.pk.bytes, state="current")
            tagging.add(job.original, ["a", "b"])

    fill(2)
    with django_assert_num_queries(4):
        client.get(URL)
    fill(20)
    with django_assert_num_queries(4):
        client.get(URL)
