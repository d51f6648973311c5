"""Who is let in as whom: keys, tokens, sessions, X-User-ID, and nobody."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from media_jobs.callers import Scope
from media_jobs.models import ApiKey, Original
from media_jobs.services.uploads import intake
from tests import images, people
from tests.api import signing
from tests.api.uploading import URL, file, form, nothing_is_stored, post, refused

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(64, 48)


@pytest.fixture
def secret(settings: Any) -> None:
    settings.JWT_SECRET = signing.SECRET


def upload(client: Client, photo: bytes, **headers: str) -> Any:
    return client.post(URL, {"file": file(photo)}, headers=headers)


def owner_of(answer: Any) -> str:
    assert answer.status_code == 202, answer.content
    return Original.objects.get(pk=answer.json()["imageId"]).owner


# --- keys and tokens ------------------------------------------------------------------------------


def test_what_a_key_sends_is_the_keys(photo: bytes) -> None:
    row, key = people.api_key()
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authorization": f"api-key  {key}"}, {"X-API-Key": key}):
        assert owner_of(upload(Client(), photo, **headers)) == f"key:{row.prefix}"


@pytest.mark.usefixtures("secret")
def test_what_the_bearer_of_a_token_sends_is_that_ones(photo: bytes) -> None:
    assert owner_of(upload(people.program(signing.token(iss="id.example.org")), photo)) == "id.example.org|ada"
    assert owner_of(upload(people.program(signing.token()), photo)) == "|ada"


@pytest.mark.usefixtures("secret")
def test_a_token_for_other_things_as_well_is_for_all_here(photo: bytes) -> None:
    refused(upload(people.program(signing.token(scope="openid read")), photo), 403, "insufficient_scope")
    assert upload(people.program(signing.token(scope="openid profile")), photo).status_code == 202


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Authorization": "Basic YTpi"}, "Authorization takes “Bearer”"),
        ({"Authorization": "Bearer"}, "Authorization takes “Bearer”"),
        ({"Authorization": ""}, "Authorization takes “Bearer”"),
        ({"Authorization": "Bearer gallimg_abcdefgh_xyz"}, "not known here, or was revoked"),
        ({"X-API-Key": "gallimg_"}, "not known here, or was revoked"),
        ({"X-API-Key": "hunter2"}, "not a well-formed token"),
        ({"Authorization": "Bearer a", "X-API-Key": "b"}, "Send one credential"),
    ],
)
def test_a_credential_that_is_no_good_is_refused_also_where_none_is_needed(
    client: Client, photo: bytes, headers: dict[str, str], says: str
) -> None:
    answer = upload(client, photo, **headers)
    assert says in refused(answer, 401, "bad_credential")
    assert answer["WWW-Authenticate"] == 'Bearer realm="gallimg", error="invalid_token"'
    assert "hunter2" not in answer.content.decode()


@pytest.mark.parametrize("change", [str.upper, lambda key: key[:-1], lambda key: key + "x", lambda key: key[:18]])
def test_a_key_counts_to_its_last_letter(photo: bytes, change: Any) -> None:
    refused(upload(people.program(change(people.api_key()[1])), photo), 401, "bad_credential")


@pytest.mark.parametrize("kind", ["none", "bad", "scope"])
def test_who_may_not_is_told_before_a_byte_is_read(photo: bytes, settings: Any, monkeypatch: Any, kind: str) -> None:
    settings.ALLOW_ANONYMOUS = False
    monkeypatch.setattr(intake, "Upload", None)
    clients = {"none": Client(), "bad": people.program("gallimg_x"), "scope": people.keyed(Scope.READ)}
    answer = post(clients[kind], form(("file", "gall.jpg", photo)))
    assert answer.status_code in (401, 403)
    body = answer.wsgi_request.META["wsgi.input"]
    assert body.read(4) == b"--b\r"  # it is all there still
    assert nothing_is_stored()


def test_the_last_use_of_a_key_is_written_down_once_a_minute(django_assert_num_queries: Any) -> None:
    row, key = people.api_key()
    assert row.last_used_at is None
    program = people.program(key)
    program.get("/v1/jobs/01990000-0000-7000-8000-000000000000")
    used = ApiKey.objects.get().last_used_at
    assert used
    with django_assert_num_queries(2):  # the key, and the job
        program.get("/v1/jobs/01990000-0000-7000-8000-000000000000")
    ApiKey.objects.update(last_used_at=used - timedelta(minutes=2))
    program.get("/v1/jobs/01990000-0000-7000-8000-000000000000")
    again = ApiKey.objects.get().last_used_at
    assert again
    assert again >= used


def test_a_key_that_expires_later_holds_until_then(photo: bytes) -> None:
    later = people.keyed(expires_at=timezone.now() + timedelta(minutes=1))
    assert upload(later, photo).status_code == 202


# --- X-User-ID ------------------------------------------------------------------------------------


def test_a_key_that_may_act_for_users_says_for_whom(photo: bytes) -> None:
    row, key = people.api_key(acts_for_users=True)
    assert owner_of(upload(people.program(key, "ada@example.org"), photo)) == f"key:{row.prefix}|ada@example.org"
    assert owner_of(upload(people.program(key), photo)) == f"key:{row.prefix}"


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("who", ["key", "token", "staff", "nobody"])
def test_with_any_other_caller_it_is_refused_and_not_ignored(photo: bytes, who: str) -> None:
    clients = {
        "key": people.keyed(),
        "token": people.program(signing.token()),
        "staff": people.staff(),
        "nobody": Client(),
    }
    answer = upload(clients[who], photo, **{"X-User-ID": "ada"})
    assert "counts only beside an API key that may act for users" in refused(answer, 403, "may_not_act_for_users")


@pytest.mark.parametrize("user_id", ["", " ", "a b", "é", "a" * 201])
def test_an_id_that_cannot_be_one_is_refused(photo: bytes, user_id: str) -> None:
    answer = upload(people.keyed(acts_for_users=True), photo, **{"X-User-ID": user_id})
    refused(answer, 400, "bad_user_id")


# --- nobody ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trace",
    [
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_FORWARDED_FOR": ""},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_X_FORWARDED_HOST": "localhost"},
        {"HTTP_X_FORWARDED_SERVER": "localhost"},
        {"HTTP_X_FORWARDED": "yes"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
        {"HTTP_HOST": "testserver:8081"},
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": "10.0.0.1"},
        {"REMOTE_ADDR": ""},
    ],
    ids=lambda trace: "=".join(next(iter(trace.items()))),
)
def test_a_request_from_beyond_this_machine_is_never_anonymous(photo: bytes, trace: dict[str, Any]) -> None:
    refused(upload(Client(**trace), photo), 401, "credential_missing")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_on_this_machine_nobody_has_to_say_who_calls(photo: bytes, address: str) -> None:
    assert owner_of(upload(Client(REMOTE_ADDR=address), photo)) == "anonymous"


def test_an_account_that_is_not_of_the_staff_counts_for_nothing(client: Client, photo: bytes, settings: Any) -> None:
    user = people.account()
    client.force_login(user)
    type(user).objects.update(is_staff=False)
    settings.ALLOW_ANONYMOUS = False
    refused(upload(client, photo), 401, "credential_missing")


def test_a_credential_comes_before_a_session(photo: bytes) -> None:
    """A browser of staff that sends a key is the key's, and needs no CSRF token: no other page could send it."""
    row, key = people.api_key()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.account())
    refused(upload(browser, photo), 403, "permission_denied")
    assert owner_of(upload(browser, photo, Authorization=f"Bearer {key}")) == f"key:{row.prefix}"


def test_nothing_of_a_key_is_in_the_database_but_its_hash() -> None:
    row, key = people.api_key()
    secret = key.removeprefix(f"gallimg_{row.prefix}_")
    assert len(secret) >= 43
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM media_jobs_apikey")
        assert secret not in str(cursor.fetchall())
