"""A code of an authenticator app beside the password: set up by oneself, asked for wherever a password is."""

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from media_jobs.models import Change
from media_jobs.services.access import second_factor
from tests.admin.conftest import Login, logged_in
from tests.api import signing

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
WRONG = "takes a code beside the password"


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


def code_of(person: User, *, steps: int = 0) -> str:
    """What the app shows. steps: of half a minute from now; each is good once."""
    device = TOTPDevice.objects.get(user=person)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06}"


def set_up(person: User) -> list[str]:
    """Set it up on its page; the recovery codes."""
    page = logged_in(person)
    page.get(reverse("desk:second_factor"))
    answer = page.post(reverse("desk:second_factor"), {"code": code_of(person)})
    codes = re.findall(r"<li><code>(\w+)</code></li>", answer.content.decode())
    TOTPDevice.objects.update(throttling_failure_count=0, last_t=-1)  # as half a minute later
    return codes


def sign_in(**sent: str) -> tuple[Client, Any]:
    browser = Client()
    answer = browser.post(reverse("admin:login"), {"username": "ada", "password": PASSWORD, **sent})
    return browser, answer


def is_in(browser: Client) -> bool:
    return browser.get(reverse("admin:index")).status_code == 200


def no_throttle() -> None:
    """As some seconds later."""
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)


def test_nobody_is_asked_for_a_code_before_somebody_has_a_second_factor(ada: User) -> None:
    assert 'name="code"' not in Client().get(reverse("admin:login")).content.decode()
    assert is_in(sign_in()[0])


def test_with_a_second_factor_the_password_alone_lets_nobody_in(ada: User) -> None:
    assert len(set_up(ada)) == second_factor.RECOVERY_CODES
    assert 'name="code"' in Client().get(reverse("admin:login")).content.decode()
    for wrong in ("", "000000", "no code"):
        browser, answer = sign_in(code=wrong)
        assert WRONG in answer.content.decode()
        assert not is_in(browser)
        no_throttle()
    assert is_in(sign_in(code=code_of(ada))[0])


def test_a_code_is_good_once(ada: User) -> None:
    set_up(ada)
    code = code_of(ada)
    assert is_in(sign_in(code=code)[0])
    assert not is_in(sign_in(code=code)[0])


def test_a_recovery_code_lets_one_in_without_the_phone_once(ada: User) -> None:
    code = set_up(ada)[0]
    assert is_in(sign_in(code=code.upper())[0])
    assert not is_in(sign_in(code=code)[0])
    assert second_factor.recovery_codes_left(ada) == second_factor.RECOVERY_CODES - 1


def test_who_guesses_codes_is_slowed_down_and_locked_out(ada: User, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    settings.OTP_TOTP_THROTTLE_FACTOR = 3_600  # seconds, for machines that take theirs
    set_up(ada)
    assert not is_in(sign_in(code="000000")[0])
    assert not is_in(sign_in(code=code_of(ada))[0])  # the right one, at once after a wrong one
    no_throttle()
    assert sign_in(code="000000")[1].status_code == 429
    no_throttle()
    assert sign_in(code=code_of(ada))[1].status_code == 429


def test_a_wrong_code_sets_nothing_up(ada: User) -> None:
    browser = logged_in(ada)
    browser.get(reverse("desk:second_factor"))
    answer = browser.post(reverse("desk:second_factor"), {"code": "000000"}, follow=True)
    assert "not the code that the app shows" in answer.content.decode()
    assert is_in(sign_in()[0])


def test_the_page_never_shows_the_secret_of_one_that_counts(ada: User) -> None:
    page = logged_in(ada).get(reverse("desk:second_factor"))
    secret = second_factor.secret_of(TOTPDevice.objects.get())
    assert secret in page.content.decode()
    assert "data:image/svg+xml" in page.content.decode()
    set_up(ada)
    shown = logged_in(ada).get(reverse("desk:second_factor")).content.decode()
    assert secret not in shown
    assert "10 recovery codes are left" in shown


def test_one_removes_it_with_a_code_and_not_without(ada: User) -> None:
    set_up(ada)
    browser = logged_in(ada)
    browser.post(reverse("desk:second_factor"), {"remove": "1", "code": "000000"})
    assert second_factor.is_needed(ada)
    no_throttle()
    browser.post(reverse("desk:second_factor"), {"remove": "1", "code": code_of(ada)})
    assert is_in(sign_in()[0])
    assert [line.action for line in Change.objects.order_by("id")] == [
        "set up a second factor of",
        "removed the second factor of",
    ]


def test_an_administrator_removes_it_for_who_has_lost_the_phone(ada: User, boss: Client, staff: Login) -> None:
    set_up(ada)
    url = reverse("admin:auth_user_remove_second_factor", args=[ada.pk])
    staff("change_user", "view_user").post(url, {"_form_submitted": "on"})
    assert second_factor.is_needed(ada)
    boss.post(url, {"_form_submitted": "on"})
    assert is_in(sign_in()[0])


def test_a_stranger_is_sent_to_the_login(client: Client) -> None:
    assert client.get(reverse("desk:second_factor")).status_code == 302
    assert not TOTPDevice.objects.exists()


def test_tokens_of_the_api_take_the_code_too(ada: User, settings: Any) -> None:
    settings.JWT_SECRET = signing.SECRET
    set_up(ada)

    def ask(**sent: str) -> Any:
        sent = {"username": "ada", "password": PASSWORD, **sent}
        return Client().post("/v1/tokens", sent, content_type="application/json")

    refused = ask()
    assert (refused.status_code, refused.json()["code"]) == (401, "bad_credential")
    assert "second factor" in refused.json()["detail"]
    assert ask(code=code_of(ada)).status_code == 200
