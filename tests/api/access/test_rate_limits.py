"""How often who may ask: counted in a real Valkey, by caller and by address."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client

from media_jobs.adapters import database, rate_counter
from media_jobs.callers import ANONYMOUS, Scope
from media_jobs.errors import QuotaExceeded
from media_jobs.models import Original
from media_jobs.services.access import api_keys, rate_limits
from tests import images, people
from tests.api.uploading import URL, file, refused
from tests.factories import make_job
from tests.measuring.counting import commands

pytestmark = pytest.mark.django_db

QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
REDUCED_CAPACITY = "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
NOT_THERE = "/v1/jobs/01990000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


@pytest.fixture(autouse=True)
def limits(settings: Any) -> Any:
    """Few for each kind, so that a test sees which one counts. Each is another number."""
    settings.UPLOADS_PER_MINUTE, settings.READS_PER_MINUTE = 4, 6
    settings.ANONYMOUS_UPLOADS_PER_MINUTE, settings.ANONYMOUS_READS_PER_MINUTE = 2, 3
    settings.ADDRESS_UPLOADS_PER_MINUTE, settings.ADDRESS_READS_PER_MINUTE = 5, 8
    return settings


def upload(client: Client, photo: bytes) -> Any:
    return client.post(URL, {"file": file(photo)})


def exceeded(answer: Any, *policies: str) -> int:
    """Asserts that these limits are used up; returns the seconds to wait."""
    assert answer.status_code == 429, answer.content
    problem = answer.json()
    assert (problem["type"], problem["violated-policies"]) == (QUOTA_EXCEEDED, list(policies))
    assert (problem["code"], problem["status"]) == ("quota_exceeded", 429)
    resets = [int(t) for name, t in re.findall(r'"([\w-]+)";r=0;t=(\d+)', answer["RateLimit"]) if name in policies]
    wait_s = int(answer["Retry-After"])
    assert wait_s >= max(resets)
    return wait_s


def test_the_fields_are_those_of_the_draft(client: Client, photo: bytes) -> None:
    answer = upload(client, photo)
    assert answer["RateLimit-Policy"] == '"upload";q=2;w=60, "upload-address";q=5;w=60'
    assert re.fullmatch(r'"upload";r=1;t=([1-9]|[1-5]\d|60), "upload-address";r=4;t=\d+', answer["RateLimit"])
    assert client.get(NOT_THERE)["RateLimit-Policy"] == '"read";q=3;w=60, "read-address";q=8;w=60'


def test_callers_without_credentials_share_a_small_limit(client: Client, photo: bytes) -> None:
    assert [upload(client, photo).status_code for _ in range(2)] == [202, 202]
    assert 1 <= exceeded(upload(Client(), photo), "upload") <= 60
    assert Original.objects.count() == 2
    assert upload(people.keyed(), photo).status_code == 202


def test_each_credential_has_a_larger_one_of_its_own(photo: bytes, limits: Any) -> None:
    limits.ADDRESS_UPLOADS_PER_MINUTE = 0
    one, other = people.keyed(), people.keyed()
    assert {upload(one, photo).status_code for _ in range(4)} == {202}
    exceeded(upload(one, photo), "upload")
    assert upload(other, photo).status_code == 202


def test_each_file_of_a_batch_counts_and_those_beyond_the_limit_are_refused_alone(photo: bytes, limits: Any) -> None:
    limits.ADDRESS_UPLOADS_PER_MINUTE = 0
    photos = {"images": [file(photo, f"{n}.jpg") for n in range(6)]}
    one = people.keyed()
    answer = one.post("/api/v1/ingest/batch", photos)
    codes = [said.get("problem", {}).get("code") for said in answer.json()["files"]]
    assert (answer.status_code, codes) == (202, [None] * 4 + ["quota_exceeded"] * 2)
    assert Original.objects.count() == 4
    exceeded(upload(one, photo), "upload")


def test_so_has_each_user_of_a_program(photo: bytes) -> None:
    _, key = people.api_key(acts_for_users=True)
    for _ in range(4):
        upload(people.program(key, "ada"), photo)
    exceeded(
        upload(people.program(key, "ada"), photo),
        "upload",
    )
    assert people.program(key, "bob").get(NOT_THERE).status_code == 404


def test_uploads_do_not_count_as_reads_nor_reads_as_uploads(client: Client, photo: bytes) -> None:
    while upload(client, photo).status_code == 202:
        pass
    assert [client.get(NOT_THERE).status_code for _ in range(4)] == [404, 404, 404, 429]
    exceeded(client.delete(f"/v1/jobs/{make_job().pk}"), "read")


def test_an_address_has_a_limit_over_all_that_call_from_it(photo: bytes) -> None:
    assert [upload(people.keyed(), photo).status_code for _ in range(6)] == [202] * 5 + [429]
    exceeded(upload(people.keyed(), photo), "upload-address")
    elsewhere = people.keyed()
    elsewhere.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert upload(elsewhere, photo).status_code == 202


def test_bad_credentials_count_for_their_address() -> None:
    guesser = people.program("gallimg_abcdefgh_guess")
    assert [guesser.get(NOT_THERE).status_code for _ in range(9)] == [401] * 8 + [429]


def test_nothing_is_read_of_a_request_over_the_limit(photo: bytes, limits: Any) -> None:
    limits.ANONYMOUS_UPLOADS_PER_MINUTE = 1
    upload(Client(), photo)
    answer = upload(Client(), photo)
    assert answer.status_code == 429
    assert answer.wsgi_request.META["wsgi.input"].read(2) == b"--"


def test_the_next_window_begins_when_it_was_said(
    client: Client, photo: bytes, limits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_counter, "WINDOW_S", 1)
    limits.ANONYMOUS_UPLOADS_PER_MINUTE = 1
    states = rate_limits.count(ANONYMOUS, "192.0.2.7", upload=True)
    assert [state.reset_s for state in states] == [1, 1]
    while rate_limits.count(ANONYMOUS, "192.0.2.7", upload=True)[0].exceeded:
        pass
    assert upload(client, photo).status_code in (202, 429)


def test_many_at_the_same_moment_are_counted_one_by_one(limits: Any) -> None:
    limits.READS_PER_MINUTE = 100
    limits.ADDRESS_READS_PER_MINUTE = 0
    caller = api_keys.caller_of(people.api_key(Scope.READ)[0])
    database.short_name()  # threads would ask for it over connections of their own

    def ask(_: int) -> int:
        return rate_limits.count(caller, "", upload=False)[0].remaining

    with ThreadPoolExecutor(16) as pool:
        left = sorted(pool.map(ask, range(200)))
    assert left == [0] * 101 + list(range(1, 100))
    with pytest.raises(QuotaExceeded):
        rate_limits.check(rate_limits.count(caller, "", upload=False))


def test_all_limits_of_a_request_take_one_call(valkey: Any) -> None:
    caller = people.keyed()
    caller.get(NOT_THERE)  # has Redis know the script
    with commands(valkey) as seen:
        assert caller.get(NOT_THERE)["RateLimit"].count("r=") == 2
    assert [name for name in seen if name not in ("INCR", "PTTL")] == ["EVALSHA"]  # those are the script's own


def test_who_asks_cannot_be_read_in_redis(valkey: Any) -> None:
    people.keyed(acts_for_users=True).get(NOT_THERE, headers={"X-User-ID": "zoe@example.org"})
    stored = b" ".join(valkey.keys("gallimg:*:limits:*"))
    assert b"read" in stored
    assert b"zoe" not in stored  # a name that no hash spells
    assert b"127.0.0.1" not in stored
    assert all(0 < valkey.ttl(key) <= 60 for key in valkey.keys("gallimg:*:limits:*"))


@pytest.mark.parametrize("away", ["unreachable_queue", "frozen_queue"])
def test_without_redis_known_callers_go_on_and_others_wait(
    request: pytest.FixtureRequest, photo: bytes, away: str, caplog: pytest.LogCaptureFixture
) -> None:
    request.getfixturevalue(away)
    answer = upload(Client(), photo)
    refused(answer, 503, "limits_unavailable")
    assert int(answer["Retry-After"]) >= 1
    answer = upload(people.keyed(), photo)
    assert answer.status_code == 202
    assert "RateLimit" not in answer
    assert people.staff().get(NOT_THERE).status_code == 404
    warned = [record for record in caplog.records if "rate_limits_unavailable" in record.getMessage()]
    assert len(warned) == 1  # and Redis was asked once only


def test_where_there_is_no_limit_redis_is_not_asked(limits: Any, unreachable_queue: None, photo: bytes) -> None:
    for name in ("ANONYMOUS_UPLOADS_PER_MINUTE", "ADDRESS_UPLOADS_PER_MINUTE"):
        setattr(limits, name, 0)
    answer = upload(Client(), photo)
    assert answer.status_code == 202
    assert "RateLimit" not in answer


def test_a_full_backlog_is_of_the_registered_type(client: Client, photo: bytes, settings: Any) -> None:
    make_job()
    settings.MAX_BACKLOG = 1
    answer = client.post(URL, {"file": file(photo)})
    assert (answer.status_code, answer.json()["code"]) == (503, "backlog_full")
    assert answer.json()["type"] == REDUCED_CAPACITY
    assert int(answer["Retry-After"]) >= 1
    assert '"upload";r=1' in answer["RateLimit"]
