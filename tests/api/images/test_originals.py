"""GET /v1/images/{id}/original: whose it is gets it, for some minutes; on files and on a real S3 server alike."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from media_jobs.adapters import storage
from media_jobs.models import Original
from media_jobs.services import originals
from tests import images, people
from tests.adapters.storage.stores import Answer, from_django, from_the_net
from tests.factories import make_original
from tests.servers.seaweed import SeaweedFS, use

pytestmark = pytest.mark.django_db

CONTENT = images.jpeg(64, 48)


@pytest.fixture(params=["files", "s3"])
def follow(request: pytest.FixtureRequest, settings: Any) -> Iterator[Callable[[str], Answer]]:
    """What follows a link to the storage of this test."""
    if request.param == "files":
        yield from_django
        return
    seaweed: SeaweedFS = request.getfixturevalue("seaweed")
    use(seaweed, settings)
    yield from_the_net


@pytest.fixture
def staff() -> Client:
    return people.staff(*people.CURATOR)


def link(staff: Client, original: Original) -> str:
    response = staff.get(f"/v1/images/{original.pk}/original")
    assert (response.status_code, response.headers["Cache-Control"]) == (302, "no-store")
    return response.headers["Location"]


def test_the_link_gives_the_very_bytes_to_be_saved_and_kept_by_nobody_else(
    follow: Callable[[str], Answer], staff: Client
) -> None:
    answer = follow(link(staff, make_original(CONTENT, filename='my "gall".jpg')))
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Disposition"] == r'attachment; filename="my \"gall\".jpg"'
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_without_its_signature_it_is_refused(follow: Callable[[str], Answer], staff: Client) -> None:
    answer = follow(link(staff, make_original(CONTENT)).partition("?")[0])
    assert answer.status == 403
    assert CONTENT[:64] not in answer.body


def test_a_link_that_was_tampered_with_is_refused(follow: Callable[[str], Answer], staff: Client) -> None:
    url, other = link(staff, make_original(CONTENT)), make_original(CONTENT)
    address, _, query = url.partition("?")
    changed = [f"{address.rpartition('/')[0]}/{other.key.rpartition('/')[2]}?{query}"]
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        middle = len(value) // 2
        swapped = "1" if value[middle] != "1" else "2"
        changed.append(url.replace(parameter, f"{name}={value[:middle]}{swapped}{value[middle + 1 :]}"))
    assert follow(url).status == 200
    answers = [follow(tampered) for tampered in changed]
    assert [answers[0].status, answers[-1].status] == [403, 403]  # another object, another signature
    assert {answer.status for answer in answers} <= {400, 403}  # 400: what is no date, no algorithm
    assert not any(CONTENT[:64] in answer.body for answer in answers)


def test_a_link_expires(follow: Callable[[str], Answer], staff: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    original = make_original(CONTENT)
    with monkeypatch.context() as then:
        then.setattr(originals, "LINK_EXPIRES_S", 1)
        short = link(staff, original)
    answer = follow(short)
    while answer.status == 200:
        answer = follow(short)
    assert answer.status == 403
    assert follow(link(staff, original)).status == 200


def test_a_link_to_an_original_never_leads_through_the_cdn(
    follow: Callable[[str], Answer], staff: Client, settings: Any
) -> None:
    settings.CDN_BASE_URL = "https://cdn.example.org"
    assert follow(link(staff, make_original(CONTENT))).body == CONTENT
    assert storage.store(storage.Role.WEB).url("full/a/b.jpg") == "https://cdn.example.org/full/a/b.jpg"


def test_a_link_is_good_for_minutes_only(staff: Client) -> None:
    assert originals.LINK_EXPIRES_S <= 300
    assert re.search(r"[?&]token=", link(staff, make_original(CONTENT)))


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_an_original_cannot_be_changed_by_its_address(staff: Client, method: str) -> None:
    original = make_original(CONTENT)
    assert getattr(staff, method)(f"/v1/images/{original.pk}/original").status_code == 405
    assert getattr(staff, method)(f"/media/{original.key}").status_code == 405
