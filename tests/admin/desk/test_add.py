"""Adding pictures by hand: through the service, and straight to the storage."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from media_jobs.models import Change, Job, Original
from media_jobs.ports import Form
from tests.admin.conftest import Login
from tests.e2e.service import photo
from tests.forms import send as send_form

pytestmark = pytest.mark.django_db
ADD = reverse("desk:add")


def send(browser: Client, *files: SimpleUploadedFile, **said: str) -> tuple[int, str]:
    answer = browser.post(ADD, {"preset": "ingest", "file": list(files), **said})
    return answer.status_code, answer.content.decode()


def test_many_files_are_added_at_once_with_rights_and_tags_for_all(boss: Client) -> None:
    files = [SimpleUploadedFile(f"{number}.jpg", photo()) for number in range(3)]
    _, page = send(boss, *files, creator="Ada", licence="https://example.org/by", tags="oak, gall")
    assert page.count("Added.") == 3
    assert set(Original.objects.values_list("creator", "licence")) == {("Ada", "https://example.org/by")}
    assert Job.objects.filter(state="queued", preset__name="ingest").count() == 3
    assert {tag for one in Original.objects.all() for tag in one.tags.values_list("name", flat=True)} == {"oak", "gall"}
    assert Change.objects.filter(action="added").count() == 3


def test_one_that_is_refused_says_why_beside_its_name_and_the_others_come_in(boss: Client) -> None:
    _, page = send(boss, SimpleUploadedFile("good.jpg", photo()), SimpleUploadedFile("bad.txt", b"no picture at all"))
    assert Original.objects.count() == 1
    assert "bad.txt" in page
    assert "accepted are JPEG" in page


def test_a_script_is_answered_file_by_file(boss: Client) -> None:
    sent = {"preset": "ingest", "file": SimpleUploadedFile("good.jpg", photo())}
    answer = boss.post(ADD, sent, headers={"accept": "application/json"}).json()
    assert answer["link"] == reverse("admin:media_jobs_original_change", args=[Original.objects.get().pk])
    wrong = {"preset": "ingest", "licence": "nonsense", "file": SimpleUploadedFile("good.jpg", photo())}
    answer = boss.post(ADD, wrong, headers={"accept": "application/json"}).json()
    assert "A licence is an address" in answer["why"]
    assert Original.objects.count() == 1


def begin(browser: Client, **said: object) -> Any:
    return browser.post(reverse("desk:add_begin"), {"name": "gall.jpg", "type": "image/jpeg", **said}).json()


def test_a_large_file_goes_straight_to_the_storage_and_becomes_a_picture(boss: Client) -> None:
    content = photo()
    begun = begin(boss, size=len(content))
    assert send_form(Form(begun["url"], begun["fields"]), content) == 204
    sent = {"preset": "ingest", "creator": "Ada", "tags": "oak", "upload": begun["upload"]}
    answer = boss.post(ADD, sent, headers={"accept": "application/json"}).json()
    picture = Original.objects.get()
    assert answer["link"] == reverse("admin:media_jobs_original_change", args=[picture.pk])
    assert (picture.filename, picture.creator, picture.state) == ("gall.jpg", "Ada", "staged")
    assert (Job.objects.get().state, Change.objects.get().action) == ("queued", "added")
    again = boss.post(ADD, sent, headers={"accept": "application/json"}).json()
    assert "why" in again
    assert Original.objects.count() == 1


def test_a_large_file_that_is_none_of_ours_is_refused_before_a_byte_of_it_is_sent(boss: Client) -> None:
    assert "accepted are JPEG" in begin(boss, type="text/plain")["why"]
    assert "at most" in begin(boss, size=10**12)["why"]


def test_nobody_makes_a_picture_of_what_another_has_stored(boss: Client, staff: Login) -> None:
    begun = begin(boss)
    other = staff("add_original")
    answer = other.post(ADD, {"preset": "ingest", "upload": begun["upload"]}, headers={"accept": "application/json"})
    assert "why" in answer.json()
    assert not Original.objects.exists()


def test_without_a_file_the_page_says_so(boss: Client) -> None:
    assert "Choose at least one file." in send(boss)[1]
