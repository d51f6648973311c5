"""/v1/tokens: tokens that the service issues for its own accounts."""

from typing import Any

import jwt
import pytest
from django.contrib.auth.models import User
from django.test import Client

from media_jobs.models import Original
from tests import images, people
from tests.api import signing
from tests.api.uploading import URL, file

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _issuing(settings: Any) -> None:
    settings.JWT_SECRET, settings.JWT_ISSUER, settings.JWT_AUDIENCE = signing.SECRET, "gallimg", "gallimg"
    settings.ALLOW_ANONYMOUS = False


@pytest.fixture
def account() -> User:
    return User.objects.create_user("ada", password=PASSWORD)


def ask(path: str = "", **fields: str) -> Any:
    return Client().post(f"/v1/tokens{path}", fields, content_type="application/json")


def sign_in(password: str = PASSWORD) -> Any:
    return ask(username="ada", password=password)


def refused(answer: Any, status: int, code: str) -> str:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    return str(answer.json()["detail"])


def test_a_name_and_a_password_get_a_token_that_uploads(account: User) -> None:
    answer = sign_in()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    tokens = answer.json()
    assert set(tokens) == {"access", "refresh", "expiresIn"}
    assert tokens["expiresIn"] == 900
    upload = people.program(tokens["access"]).post(URL, {"file": file(images.jpeg(64, 48))})
    assert upload.status_code == 202
    assert Original.objects.get().owner == f"gallimg|account:{account.pk}"


def test_a_token_gives_no_rights_of_staff(account: User) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    access = people.program(sign_in().json()["access"])
    assert access.get("/v1/images/01990000-0000-7000-8000-000000000000").status_code == 404
    from tests.factories import make_job

    assert access.get(f"/v1/jobs/{make_job().pk}").status_code == 404


@pytest.mark.parametrize("fields", [{"password": "wrong"}, {"username": "bob", "password": PASSWORD}])
def test_a_wrong_one_is_told_nothing_more(account: User, fields: dict[str, str]) -> None:
    assert "no active account" in refused(ask(**{"username": "ada", **fields}), 401, "bad_credential")


@pytest.mark.parametrize("fields", [{}, {"username": "ada"}, {"username": "", "password": "x"}])
def test_both_are_needed(fields: dict[str, str]) -> None:
    refused(ask(**fields), 400, "bad_field")


def test_an_account_that_was_switched_off_gets_none(account: User) -> None:
    User.objects.update(is_active=False)
    refused(sign_in(), 401, "bad_credential")


def test_a_refresh_token_gets_the_next_one_and_does_nothing_else(account: User) -> None:
    first = sign_in().json()
    answer = ask("/refresh", refresh=first["refresh"])
    assert answer.status_code == 200
    assert (
        people.program(answer.json()["access"]).get("/v1/jobs/01990000-0000-7000-8000-000000000000").status_code == 404
    )
    direct = people.program(first["refresh"]).get("/v1/jobs/01990000-0000-7000-8000-000000000000")
    assert "refresh token" in refused(direct, 401, "bad_credential")
    refused(ask("/refresh", refresh=first["access"]), 401, "bad_credential")


@pytest.mark.parametrize("change", ["off", "password", "gone"])
@pytest.mark.slow
def test_a_refresh_token_ends_with_its_account_or_password(account: User, change: str) -> None:
    refresh = sign_in().json()["refresh"]
    if change == "off":
        User.objects.update(is_active=False)
    elif change == "password":
        account.set_password("another horse battery")
        account.save()
    else:
        account.delete()
    refused(ask("/refresh", refresh=refresh), 401, "bad_credential")


def test_a_token_of_somebody_else_with_the_secret_refreshes_nothing(account: User) -> None:
    forged = signing.token(
        iss="gallimg", aud="gallimg", token_type="refresh", jti="1", account=account.pk, session="", sub="x"
    )
    refused(ask("/refresh", refresh=forged), 401, "bad_credential")
    refused(ask("/refresh", refresh="nonsense"), 401, "bad_credential")


def test_whether_a_token_holds_can_be_asked(account: User, settings: Any) -> None:
    tokens = sign_in().json()
    assert ask("/verify", token=tokens["access"]).status_code == 204
    assert ask("/verify", token=tokens["refresh"]).status_code == 204
    refused(ask("/verify", token=tokens["access"][:-2]), 401, "bad_credential")
    settings.JWT_AUDIENCE = "another"
    refused(ask("/verify", token=tokens["access"]), 401, "bad_credential")


def test_what_a_token_says_of_its_account_is_little(account: User) -> None:
    access = jwt.decode(sign_in().json()["access"], options={"verify_signature": False})
    assert set(access) == {"account", "aud", "exp", "iat", "iss", "jti", "sub", "token_type"}


@pytest.mark.parametrize(
    ("path", "fields"),
    [("", {"username": "ada", "password": PASSWORD}), ("/refresh", {"refresh": "x"}), ("/verify", {"token": "x"})],
)
def test_without_a_secret_none_are_issued(settings: Any, path: str, fields: dict[str, str]) -> None:
    settings.JWT_SECRET = ""
    answer = ask(path, **fields)
    assert "JWT_SECRET" in refused(answer, 404, "tokens_not_issued")


@pytest.mark.slow
def test_guessing_passwords_is_slow(account: User, settings: Any) -> None:
    settings.SIGN_INS_PER_MINUTE = 3
    assert [sign_in("guess").status_code for _ in range(4)] == [401, 401, 401, 429]
    answer = sign_in()
    refused(answer, 429, "quota_exceeded")
    assert answer["RateLimit-Policy"] == '"sign-in";q=3;w=60'


def test_nor_can_it_be_done_while_nobody_counts(account: User, settings: Any, unreachable_queue: None) -> None:
    settings.SIGN_INS_PER_MINUTE = 3
    refused(sign_in(), 503, "limits_unavailable")


def test_a_misspelt_field_is_named() -> None:
    answer = ask(username="ada", pasword=PASSWORD)
    refused(answer, 400, "unknown_field")
    assert answer.json()["nearest"] == "password"
