"""Who may make somebody more than he is: superusers alone."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from tests import people

pytestmark = pytest.mark.django_db

MANAGER = (
    "view_user",
    "add_user",
    "change_user",
    "delete_user",
    "add_group",
    "change_group",
    "delete_group",
    "view_group",
)


@pytest.fixture
def manager() -> tuple[User, Client]:
    account, browser = people.account(*MANAGER), Client()
    browser.force_login(account)
    return account, browser


def page(user: User, name: str = "change") -> str:
    return reverse(
        "admin:auth_user_password_change" if name == "password" else f"admin:auth_user_{name}", args=[user.pk]
    )


def change(browser: Client, user: User, **fields: Any) -> User:
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "12:00:00"}
    browser.post(page(user), {"username": user.username, "is_active": "on", **joined, **fields})
    return User.objects.get(pk=user.pk)


GRANTS: dict[str, Any] = {"is_superuser": "on", "is_staff": "on"}


def test_who_may_change_accounts_grants_nothing(manager):
    account, browser = manager
    everything = list(Permission.objects.values_list("pk", flat=True))
    group = Group.objects.create(name="curators")
    for user in (User.objects.create_user("somebody"), account):
        was_staff = user.is_staff
        found = change(browser, user, **GRANTS, user_permissions=everything, groups=[group.pk], email="a@example.org")
        assert found.email == "a@example.org"
        assert (found.is_superuser, found.is_staff) == (False, was_staff)
        assert found.groups.count() == 0
        assert found.user_permissions.count() == (len(MANAGER) if user == account else 0)


def test_who_may_change_accounts_touches_none_that_may_more(manager):
    _, browser = manager
    for user in (User.objects.create_superuser("boss"), people.account("view_job")):
        assert change(browser, user, email="mine@example.org").email == ""
        new = {"password1": "correct horse battery", "password2": "correct horse battery"}
        assert browser.post(page(user, "password_change"), new).status_code == 403
        assert not User.objects.get(pk=user.pk).check_password("correct horse battery")
        assert browser.post(page(user, "delete"), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
        browser.post(reverse("admin:auth_user_changelist"), chosen)
        assert User.objects.filter(pk=user.pk).exists()


def test_a_group_is_made_by_superusers_alone(manager):
    _, browser = manager
    group = Group.objects.create(name="curators")
    assert browser.post(reverse("admin:auth_group_add"), {"name": "mine"}).status_code == 403
    assert browser.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "mine"}).status_code == 403
    assert Group.objects.get(pk=group.pk).name == "curators"


def test_superusers_grant_all(manager):
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    found = change(boss, User.objects.create_user("somebody"), **GRANTS)
    assert (found.is_superuser, found.is_staff) == (True, True)


def test_the_list_of_people_is_called_as_in_the_menu(boss: Client) -> None:
    page = boss.get(reverse("admin:auth_user_changelist")).content.decode()
    assert re.search(r"<h1[^>]*>\s*<span[^>]*>\s*People\s*<", page)
    assert "Users" not in page
