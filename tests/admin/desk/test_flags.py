"""The pages of feature flags: raised with the guard's leave, or by force; two who save at once; what Home says."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from media_jobs.callers import staff
from media_jobs.models import FeatureFlag, FlagChange
from media_jobs.services.flags import changing, falling_back, guard
from tests.admin.desk.matrix import browser_of
from tests.services.flags.helpers import NAME, few_errors, flag, too_many_errors

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
PAGE, NEW = f"/admin/flags/{NAME}/", "/admin/new-flag/"


@pytest.fixture
def operator() -> Client:
    return browser_of("Operator")


def now() -> FeatureFlag:
    return FeatureFlag.objects.get(pk=NAME)


def save(browser: Client, **fields: Any) -> str:
    """Send the form as it was shown, but for `fields`; a box is ticked by "on". The page that comes of it."""
    found = now()
    shown = {
        "version": found.version,
        "percent": found.basis_points / 100,
        "description": found.description,
        "allow": "\r\n".join(found.allow),
        "deny": "\r\n".join(found.deny),
        **({"enabled": "on"} if found.enabled else {}),
        **({"guarded": "on"} if found.guarded else {}),
    }
    return browser.post(PAGE, {**shown, **fields}, follow=True).content.decode()


def test_a_button_with_a_percentage_switches_it_on_and_off_again(operator: Client) -> None:
    few_errors()
    page = save(operator, step="5", reason="the first step", allow="ada\r\n\r\nbob ")
    assert "image-service: on for 5 %." in page
    assert "0 % → 5 %, switched on" in page
    assert "the first step" in page
    assert (now().enabled, now().basis_points, now().allow) == (True, 500, ["ada", "bob"])
    assert "switched off" in save(operator, step="off")
    assert (now().enabled, now().basis_points, now().allow) == (False, 500, ["ada", "bob"])


def test_a_percentage_is_typed_as_well(operator: Client) -> None:
    flag(enabled=True, basis_points=500)
    save(operator, percent="1.25")
    assert now().basis_points == 125
    assert "at most two decimals" in save(operator, percent="1.255")
    assert "All is as it was." in save(operator)
    assert FlagChange.objects.count() == 1


def test_what_the_guard_refuses_is_forced_with_a_reason_and_nothing_typed_is_lost(operator: Client) -> None:
    too_many_errors()
    assert "The guard refuses that it is raised" in operator.get(PAGE).content.decode()
    page = save(operator, step="25", deny="eve")
    assert "image-service was not raised. 9 of 209 pictures" in page
    assert ">eve</textarea>" in page.replace("\n", "")
    assert now().version == 1
    assert "Say why it is forced" in save(operator, step="25", force="on")
    page = save(operator, step="25", force="on", reason="all of one known kind")
    assert "The guard rests." in page
    assert "all of one known kind" in page
    assert now().basis_points == 2500


def test_of_two_who_save_at_once_the_second_is_told_and_saves_again(operator: Client) -> None:
    few_errors()
    flag(enabled=True, basis_points=500)
    first = now().version
    changing.change(NAME, {"basis_points": 100}, actor=staff(99))
    page = save(operator, version=first, percent="4")
    assert "Somebody else was first: image-service was changed at" in page
    assert 'value="4"' in page
    assert f'name="version" value="{now().version}"' in page
    assert now().basis_points == 100
    save(operator, percent="4")
    assert now().basis_points == 400


def test_a_fall_back_stands_on_home_and_on_its_page_until_a_person_raises_it(operator: Client) -> None:
    flag(enabled=True, basis_points=2500)
    too_many_errors()
    falling_back.fall_back(now(), guard.opinion())
    said = ("9 of 209 pictures of the last 7 days were worse", "It stays there until a person raises it.")
    for page in (reverse("admin:index"), PAGE):
        shown = operator.get(page).content.decode()
        assert all(words in shown for words in said), page
        assert 'role="alert"' in shown
    assert "by the guard" in operator.get(PAGE).content.decode()
    assert said[0] not in browser_of("Viewer").get(reverse("admin:index")).content.decode()
    few_errors()
    save(operator, step="1")
    assert said[1] not in operator.get(reverse("admin:index")).content.decode() + operator.get(PAGE).content.decode()


def test_history_tells_the_command_from_the_service(operator: Client) -> None:
    call_command("flag", "set", NAME, "--allow", "rosa", stdout=io.StringIO())
    assert "by the command manage.py flag" in operator.get(PAGE).content.decode()


def test_curators_look_on(operator: Client) -> None:
    curator = browser_of("Curator")
    page = curator.get(PAGE).content.decode()
    assert "The guard refuses" in page
    assert 'name="percent"' not in page
    assert curator.post(PAGE, {"step": "100"}).status_code == 403
    assert "New flag" not in curator.get("/admin/flags/").content.decode()
    assert "New flag" in operator.get("/admin/flags/").content.decode()


def test_a_new_flag_is_off(operator: Client) -> None:
    page = operator.post(NEW, {"name": "new-header", "guarded": "on"}, follow=True).content.decode()
    assert "new-header is there, and off." in page
    assert not FeatureFlag.objects.get(pk="new-header").enabled
    again = operator.post(NEW, {"name": "new-header"})
    assert "There is a feature flag “new-header” already." in again.content.decode()
    assert "small letters" in operator.post(NEW, {"name": "New"}).content.decode()
    assert operator.get("/admin/flags/none/").status_code == 404
