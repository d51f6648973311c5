"""Polling, and looking at an image: stable words for every state, and nobody sees what is another's."""

from typing import Any

import pytest
from django.test import Client

from media_jobs.api.images.serializers import STATUS
from media_jobs.errors import ReadsNotConfigured
from media_jobs.models import Original
from media_jobs.services import originals
from media_jobs.states import DerivativeState, JobState, Stage
from tests import images, people, working
from tests.factories import make_derivative, make_failed_job, make_job, make_original

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff_client():
    return people.staff(*people.CURATOR)


def test_every_state_has_a_word():
    assert set(STATUS) == set(JobState)
    assert set(STATUS.values()) == {"processing", "done", "error"}


def test_a_waiting_job_says_when_to_look_again(client):
    response = client.get(f"/v1/jobs/{make_job().pk}")
    assert response.headers["Retry-After"] == "5"
    answer = response.json()
    assert answer["estimatedTime"] == 5_000
    assert (answer["status"], answer["stage"], answer["progress"]) == ("processing", "waiting", 0)
    assert answer["derivatives"] == []
    assert "code" not in answer


def test_stage_and_progress_are_visible_while_it_runs(client):
    job = working.claim(make_job().pk, "a")
    answer = client.get(f"/v1/jobs/{job.pk}").json()
    assert (answer["status"], answer["stage"]) == ("processing", Stage.FETCHING)
    assert 0 < answer["estimatedTime"] < 5_000
    assert answer["progress"] > 0


def test_a_done_job_lists_each_derivative_with_a_url_that_works(client):
    job = make_job(make_original(images.jpeg(300, 200)))
    working.run(job.pk)
    answer = client.get(f"/v1/jobs/{job.pk}").json()
    assert (answer["status"], answer["progress"]) == ("done", 100)
    assert "estimatedTime" not in answer
    assert [d["name"] for d in answer["derivatives"]] == ["full", "medium", "small", "thumb"]
    for derivative in answer["derivatives"]:
        assert set(derivative) == {"name", "key", "url", "width", "height", "bytes", "contentType"}
        assert derivative["url"].endswith(derivative["key"])
        fetched = client.get("/media/" + derivative["key"])
        assert len(b"".join(fetched.streaming_content)) == derivative["bytes"]


def test_a_failed_job_says_why_to_machines_and_to_people(client):
    answer = client.get(f"/v1/jobs/{make_failed_job().pk}").json()
    assert (answer["status"], answer["code"], answer["detail"]) == ("error", "undecodable", "The file is damaged.")


def test_a_cancelled_job_says_so(client):
    answer = client.get(f"/v1/jobs/{make_job(state=JobState.CANCELLED).pk}").json()
    assert (answer["status"], answer["code"]) == ("error", "cancelled")


@pytest.mark.parametrize("path", ["/v1/jobs/{}", "/v1/images/{}", "/v1/images/{}/original"])
@pytest.mark.parametrize("name", ["00000000-0000-7000-8000-000000000000", "no-id", "%00"])
def test_what_is_not_there_is_a_problem_document(client, path, name):
    response = client.get(path.format(name))
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


def test_a_request_for_another_host_is_a_problem_document(client):
    answer = client.get(f"/v1/jobs/{make_job().pk}", headers={"host": "elsewhere.example"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["code"] == "wrong_host"


def test_others_things_are_not_seen(client):
    job = make_job(make_original(stored=False, owner="staff:99"))
    assert client.get(f"/v1/jobs/{job.pk}").status_code == 404
    assert client.get(f"/v1/images/{job.original_id}").status_code == 404


def test_an_image_shows_its_facts_derivatives_and_jobs(client):
    read: dict[str, Any] = {"width_px": 3, "height_px": 2, "orientation": 6, "metadata": {"cameraMake": "Apple"}}
    job = make_job(make_original(stored=False, **read))
    make_derivative(job, state=DerivativeState.CURRENT)
    answer = client.get(f"/v1/images/{job.original_id}").json()
    assert (answer["width"], answer["height"]) == (3, 2)
    assert answer["metadata"] == {"width": 3, "height": 2, "orientation": 6, "cameraMake": "Apple"}
    assert [d["name"] for d in answer["derivatives"]] == ["thumb"]
    assert [j["jobId"] for j in answer["jobs"]] == [str(job.pk)]


def test_an_image_says_whose_it_is_and_what_to_show_until_it_is_there(client):
    read: dict[str, Any] = {
        "creator": "Ada",
        "licence": "https://example.org/by",
        "digital_source_type": "https://example.org/made-by-ai",
        "placeholder": "data:,",
        "dominant_colour": "#336699",
    }
    answer = client.get(f"/v1/images/{make_original(stored=False, **read).pk}").json()
    assert answer["rights"] == {
        "creator": "Ada",
        "licence": "https://example.org/by",
        "digitalSourceType": "https://example.org/made-by-ai",
    }
    assert (answer["placeholder"], answer["dominantColour"]) == ("data:,", "#336699")


def test_an_image_that_nobody_has_looked_at_yet_claims_nothing(client):
    answer = client.get(f"/v1/images/{make_job().original_id}").json()
    unknown = {name: answer[name] for name in ("width", "height", "placeholder", "dominantColour", "privacy")}
    assert set(unknown.values()) == {None}
    assert answer["metadata"] == answer["rights"] == {}


def test_the_receipt_is_that_of_the_newest_job_that_is_done(client):
    old, new = ({"found": [name], "kept": [], "dropped": [name], "outputs": {"thumb": []}} for name in ("old", "new"))
    original = make_original(stored=False)
    make_job(original, state=JobState.DONE, receipt=old)
    make_job(original, state=JobState.DONE, receipt=new)
    make_job(original, state=JobState.DONE)  # from before there were receipts
    make_job(original, state=JobState.CANCELLED, receipt=old)
    assert client.get(f"/v1/images/{original.pk}").json()["privacy"] == new


def test_position_and_serial_number_are_for_those_who_may_read_the_original(client, staff_client):
    known: dict[str, Any] = {
        "metadata": {"cameraMake": "Apple"},
        "private_metadata": {"gps": {"latitude": 47.3}, "serial": "SN1"},
    }
    path = f"/v1/images/{make_original(stored=False, **known).pk}"
    answer = Client().get(path)
    assert answer.json()["metadata"] == {"cameraMake": "Apple"}
    assert b"47.3" not in answer.content
    assert b"SN1" not in answer.content
    answer = staff_client.get(path)
    assert answer.json()["metadata"] == known["metadata"] | known["private_metadata"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_a_job_cost_is_not_the_worlds_business(client):
    job = make_job(state=JobState.DONE, render_ms=4711, cpu_ms=4711, peak_memory_bytes=4711)
    assert b"4711" not in client.get(f"/v1/jobs/{job.pk}").content
    assert b"4711" not in client.get(f"/v1/images/{job.original_id}").content.replace(str(job.pk).encode(), b"")


def test_an_upload_that_was_given_up_is_no_image(client):
    given_up = make_original(stored=False, state="deleted")
    assert client.get(f"/v1/images/{given_up.pk}").status_code == 404


def test_a_stranger_never_gets_an_original_not_even_their_own(client):
    original = make_original()
    response = client.get(f"/v1/images/{original.pk}/original")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


def test_staff_get_the_original_byte_for_byte_by_a_signed_link(staff_client):
    content = images.jpeg(64, 64)
    original = make_original(content)
    response = staff_client.get(f"/v1/images/{original.pk}/original")
    assert response.status_code == 302
    assert response.headers["Cache-Control"] == "no-store"
    link = response.headers["Location"]
    path = link[link.index("/media/") :]
    fetched = staff_client.get(path)
    assert b"".join(fetched.streaming_content) == content


def test_without_credentials_for_reading_the_answer_is_a_clear_503(staff_client, settings, monkeypatch):
    def no_reads(original: Original) -> str:
        raise ReadsNotConfigured

    monkeypatch.setattr(originals, "link", no_reads)
    response = staff_client.get(f"/v1/images/{make_original().pk}/original")
    assert (response.status_code, response.json()["code"]) == (503, "reads_not_configured")


def test_an_image_with_many_jobs_takes_as_few_queries_as_one_with_one(client, django_assert_max_num_queries):
    original = make_original(stored=False)
    for _ in range(25):
        make_derivative(make_job(original, state=JobState.DONE), state=DerivativeState.REPLACED)
    last = make_job(original, state=JobState.DONE)
    made = [make_derivative(last, name, content=name.encode(), state=DerivativeState.CURRENT) for name in last.wanted]
    with django_assert_max_num_queries(8):
        answer = client.get(f"/v1/images/{original.pk}").json()
    assert len(answer["jobs"]) == 26
    assert [[d["name"] for d in job["derivatives"]] for job in answer["jobs"]] == [last.wanted] * 26
    assert {d["key"] for d in answer["derivatives"]} == {found.key for found in made}
