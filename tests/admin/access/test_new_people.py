"""Making a person by name, address and group; and the log that every change is written to."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from media_jobs.models import Change, Preset

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def make(boss: Client, name: str = "ada") -> str:
    """Make a curator, and return the page that tells the link."""
    curators = Group.objects.get(name="Curator")
    fields = {"username": name, "email": "ada@example.org", "group": curators.pk}
    return boss.post(reverse("admin:auth_user_add"), fields).content.decode()


def link_in(page: str) -> str:
    found = re.search(r"http://testserver(/admin/\S+?)</code>", page)
    assert found, "no link"
    return found[1]


def test_a_person_is_a_name_an_address_and_a_group_and_sets_the_password_itself(boss: Client) -> None:
    link = link_in(make(boss))
    ada = User.objects.get(username="ada")
    assert (ada.is_staff, ada.email, [g.name for g in ada.groups.all()]) == (True, "ada@example.org", ["Curator"])
    assert not ada.has_usable_password()
    browser = Client()
    form = browser.get(link, follow=True)
    assert "Choose a password" in form.content.decode()
    browser.post(form.redirect_chain[-1][0], {"new_password1": PASSWORD, "new_password2": PASSWORD})
    signed_in = browser.post(reverse("admin:login"), {"username": "ada", "password": PASSWORD})
    assert signed_in["Location"] == reverse("admin:index")
    assert "of no use any more" in Client().get(link, follow=True).content.decode()


def test_a_weak_password_is_refused_with_its_reason(boss: Client) -> None:
    browser = Client()
    form = browser.get(link_in(make(boss)), follow=True).redirect_chain[-1][0]
    page = browser.post(form, {"new_password1": "short", "new_password2": "short"}).content.decode()
    assert "too short" in page
    assert not User.objects.get(username="ada").has_usable_password()


def test_a_new_link_is_for_superusers_to_give(boss: Client) -> None:
    make(boss)
    ada = User.objects.get(username="ada")
    button = reverse("admin:auth_user_new_link", args=[ada.pk])
    assert "/admin/auth/user/welcome/" in boss.post(button, {"_form_submitted": "on"}, follow=True).content.decode()
    browser = Client()
    browser.force_login(User.objects.create_user("operator", is_staff=True))
    assert browser.post(button, {"_form_submitted": "on"}).status_code == 403


def test_each_change_leaves_a_line_that_says_who_what_from_and_to(boss: Client) -> None:
    make(boss)
    made = Change.objects.get(kind="person")
    assert (made.action, made.label, made.after["group"]) == ("made", "ada", "Curator")
    ada = User.objects.get(username="ada")
    fields = {"username": "ada", "email": "new@example.org", "is_active": "on", "is_staff": "on"}
    boss.post(reverse("admin:auth_user_change", args=[ada.pk]), fields)
    line = Change.objects.filter(kind="person").latest("id")
    assert line.actor == f"staff:{User.objects.get(username='boss').pk}"
    assert (line.before["email"], line.after["email"]) == ("ada@example.org", "new@example.org")
    history = boss.get(reverse("admin:auth_user_history", args=[ada.pk])).content.decode()
    assert "<del>ada@example.org</del> → <ins>new@example.org</ins>" in history
    assert "by boss" in history


def test_a_password_never_stands_in_the_log(boss: Client) -> None:
    make(boss)
    ada = User.objects.get(username="ada")
    new = {"password1": PASSWORD, "password2": PASSWORD}
    boss.post(reverse("admin:auth_user_password_change", args=[ada.pk]), new)
    assert Change.objects.filter(kind="person").count() == 2
    assert PASSWORD not in str(list(Change.objects.values()))


def test_what_was_deleted_keeps_its_line(boss: Client) -> None:
    preset = Preset.objects.create(name="spare", version=1)
    boss.post(reverse("admin:media_jobs_preset_delete", args=[preset.pk]), {"post": "yes"})
    assert Change.objects.get(kind="preset", action="deleted").label == "spare v1"


def test_the_log_costs_as_many_queries_for_many_lines_as_for_few(boss: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            boss.get(reverse("admin:media_jobs_change_changelist"))
        return len(asked)

    make(boss)
    few = cost()
    for number in range(12):
        make(boss, f"ada{number}")
        Change.objects.filter(pk=Change.objects.latest("id").pk).update(actor=f"staff:{number}")
    assert cost() == few
