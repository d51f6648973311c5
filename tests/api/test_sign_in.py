"""Signing in by name and password: who guesses is locked out, and no log holds what was typed."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from structlog.testing import capture_logs

from tests.api import signing

pytestmark = pytest.mark.django_db

PASSWORD, WRONG = "correct horse battery", "hunter2-hunter2"
LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def _account(settings: Any) -> None:
    settings.JWT_SECRET, settings.JWT_ISSUER, settings.JWT_AUDIENCE = signing.SECRET, "gallimg", "gallimg"
    User.objects.create_superuser("ada", password=PASSWORD)


def by_form(password: str, *, name: str = "ada", peer: str = "198.51.100.1") -> Any:
    return Client(REMOTE_ADDR=peer).post(LOGIN, {"username": name, "password": password})


def by_token(password: str, *, name: str = "ada", peer: str = "198.51.100.1") -> Any:
    sent = {"username": name, "password": password}
    return Client(REMOTE_ADDR=peer).post("/v1/tokens", sent, content_type="application/json")


def test_the_right_password_opens_the_admin() -> None:
    assert by_form(PASSWORD).status_code == 302


@pytest.mark.parametrize("guess", [by_form, by_token])
def test_who_guesses_is_locked_out_everywhere_and_nobody_else_is(settings: Any, guess: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        guess(WRONG)
    for answer in (by_form(PASSWORD), by_token(PASSWORD)):
        assert answer.status_code == 429
        assert answer["Retry-After"] == "900"
    assert by_token(PASSWORD).json()["code"] == "sign_in_locked"
    assert b"15 minutes" in by_form(PASSWORD).content
    assert by_form(PASSWORD, peer="198.51.100.2").status_code == 302
    User.objects.create_superuser("bob", password=PASSWORD)
    assert by_form(PASSWORD, name="bob").status_code == 302


def test_no_header_of_a_stranger_makes_him_another(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    for number in range(4):
        sent = {"username": "ada", "password": WRONG}
        browser = Client(REMOTE_ADDR="198.51.100.1", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
        answer = browser.post(LOGIN, sent)
    assert answer.status_code == 429


@pytest.mark.parametrize("guess", [by_form, by_token])
def test_failures_are_logged_without_the_password(guess: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with capture_logs() as logs:
        guess(WRONG, name="ada")
    [failure] = [entry for entry in logs if entry["event"] == "sign_in_failed"]
    assert (failure["account"], failure["ip"]) == ("ada", "198.51.100.1")
    assert WRONG not in str(logs) + str(capfd.readouterr())
