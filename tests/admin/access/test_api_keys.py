"""API keys in the admin: made, shown once, changed and revoked, each by who may."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from media_jobs.callers import Scope
from media_jobs.models import ApiKey
from tests import people
from tests.admin.conftest import Login

pytestmark = pytest.mark.django_db

ADD = reverse("admin:media_jobs_apikey_add")
LIST = reverse("admin:media_jobs_apikey_changelist")


def page(key: ApiKey) -> str:
    return reverse("admin:media_jobs_apikey_change", args=[key.pk])


def make(browser: Client, **fields: str) -> Any:
    empty = {"expires_at_0": "", "expires_at_1": ""}
    return browser.post(ADD, {"name": "the gall site", "may_upload": "on", **empty, **fields})


def shown(answer: Any) -> str:
    found = re.search(r"gallimg_\w{8}_[\w-]{43}", answer.content.decode())
    assert found
    return found[0]


def test_the_answer_to_making_one_shows_it_and_no_page_does_again(boss: Client) -> None:
    answer = make(boss, acts_for_users="on")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    key, row = shown(answer), ApiKey.objects.get()
    assert (row.scopes, row.acts_for_users, row.name) == (frozenset({Scope.UPLOAD}), True, "the gall site")
    assert row.created_by.startswith("staff:")
    assert people.program(key).post("/v1/images").json()["code"] == "missing_file"
    secret = key.split("_", 2)[2]
    for url in (LIST, page(row), reverse("admin:media_jobs_apikey_history", args=[row.pk]), reverse("admin:index")):
        assert secret not in boss.get(url).content.decode()
    assert secret not in str(boss.session.items()) + str(boss.cookies)


def test_its_page_names_who_has_made_it(boss: Client) -> None:
    def shown_maker() -> str:
        found = re.search(r"Made by.*?<div[^>]*>(.*?)</div>", boss.get(page(row)).content.decode(), re.DOTALL)
        return re.sub(r"<[^>]+>", "", found[1]).strip() if found else ""

    make(boss)
    row = ApiKey.objects.get()
    maker = User.objects.get(pk=row.created_by.removeprefix("staff:"))
    assert shown_maker() == maker.username
    for former, called in (("system", "the service itself"), ("staff:9999", "staff:9999")):
        ApiKey.objects.update(created_by=former)
        assert shown_maker() == called


def test_a_key_for_nothing_is_not_made(boss: Client) -> None:
    answer = boss.post(ADD, {"name": "a", "expires_at_0": "", "expires_at_1": ""})
    assert "A key has to be for something" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_its_name_and_scopes_can_be_changed_and_the_key_stays(boss: Client) -> None:
    row, key = people.api_key(Scope.UPLOAD)
    form = {"name": "b", "may_read": "on", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}
    assert boss.post(page(row), form).status_code == 302
    changed = ApiKey.objects.get()
    assert (changed.name, changed.scopes, changed.hash) == ("b", frozenset({Scope.READ}), row.hash)
    assert people.program(key).post("/v1/images").json()["code"] == "insufficient_scope"


def revoke(browser: Client, row: ApiKey) -> Any:
    return browser.post(reverse("admin:media_jobs_apikey_revoke", args=[row.pk]), {"_form_submitted": "on"})


def test_revoking_ends_it_at_once_and_for_good(boss: Client) -> None:
    row, key = people.api_key()
    assert "Revoke" in boss.get(page(row)).content.decode()
    assert revoke(boss, row).status_code == 302
    assert people.program(key).get("/v1/jobs/01990000-0000-7000-8000-000000000000").status_code == 401
    assert boss.post(page(row), {"name": "b", "may_read": "on"}).status_code == 403
    assert "revoked" in boss.get(page(row)).content.decode()
    assert revoke(boss, row).status_code == 403


def test_who_may_only_look_changes_nothing(staff: Login) -> None:
    row, key = people.api_key()
    looker = staff("view_apikey")
    assert looker.get(page(row)).status_code == 200
    assert make(looker).status_code == 403
    assert looker.post(page(row), {"name": "b", "may_read": "on"}).status_code == 403
    assert revoke(looker, row).status_code == 403
    assert people.program(key).get("/v1/jobs/01990000-0000-7000-8000-000000000000").status_code == 404


def test_nobody_deletes_one(boss: Client) -> None:
    row, _ = people.api_key()
    assert boss.post(reverse("admin:media_jobs_apikey_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
