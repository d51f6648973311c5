"""`manage.py apikey`: keys are made, listed and revoked; each is shown once."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from media_jobs.callers import SYSTEM, Scope
from media_jobs.models import ApiKey
from media_jobs.services.access import api_keys
from tests import people

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    """What the command prints, and what it says beside."""
    out, err = io.StringIO(), io.StringIO()
    call_command("apikey", *arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue()


def test_a_key_is_printed_alone_and_works() -> None:
    key, said = run("create", "the gall site", "--scope", "read", "--acts-for-users")
    row = ApiKey.objects.get()
    assert "shown only now" in said
    assert (row.name, row.scopes, row.acts_for_users, row.expires_at) == (
        "the gall site",
        frozenset({Scope.READ}),
        True,
        None,
    )
    assert row.created_by == "system"
    answer = people.program(key, "ada").get("/v1/jobs/01990000-0000-7000-8000-000000000000")
    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["", "  ", "a" * 101])
def test_a_name_by_which_nobody_knows_it_again_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="takes a name of 1 to 100 characters"):
        run("create", name)
    assert not ApiKey.objects.exists()


def test_without_more_words_it_uploads_and_reads() -> None:
    run("create", "a")
    assert ApiKey.objects.get().scopes == {Scope.UPLOAD, Scope.READ}


def test_it_may_end_by_itself() -> None:
    run("create", "a", "--expires", "90d")
    left = ApiKey.objects.get().expires_at
    assert left
    assert timedelta(days=89, hours=23) < left - timezone.now() <= timedelta(days=90)
    run("create", "b", "--expires", "2099-01-31")
    assert ApiKey.objects.get(name="b").expires_at == datetime(2099, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize("expires", ["soon", "-1d", "2001-01-01", "9" * 12 + "d"])
def test_an_end_that_is_none_is_refused(expires: str) -> None:
    with pytest.raises(CommandError, match=r"takes (days|a moment)"):
        run("create", "a", f"--expires={expires}")
    assert not ApiKey.objects.exists()


def test_the_list_shows_all_of_a_key_but_itself() -> None:
    key, _ = run("create", "the gall site")
    people.program(key).get("/v1/jobs/01990000-0000-7000-8000-000000000000")
    ended = people.api_key(Scope.MANAGE, acts_for_users=True)[0]
    api_keys.revoke(ended.prefix, by=SYSTEM)
    people.api_key()
    ApiKey.objects.filter(prefix=ApiKey.objects.order_by("-id")[0].prefix).update(expires_at=timezone.now())
    listed, _ = run("list")
    heading, *rows = listed.splitlines()
    assert heading.split() == ["PREFIX", "NAME", "SCOPES", "STATE", "LAST", "USED"]
    assert ["expired" in rows[0], "revoked" in rows[1], "holds" in rows[2]] == [True, True, True]
    assert "manage for users" in rows[1]
    assert [row.endswith("never") for row in rows] == [True, True, False]
    assert key.split("_", 2)[2] not in listed


def test_a_revoked_key_is_refused_and_stays_so() -> None:
    key, _ = run("create", "a")
    prefix = ApiKey.objects.get().prefix
    run("revoke", prefix)
    assert people.program(key).get("/v1/jobs/01990000-0000-7000-8000-000000000000").status_code == 401
    for again in (prefix, "abcdefgh"):
        with pytest.raises(CommandError, match="no key with the prefix"):
            run("revoke", again)


def test_a_key_is_for_something() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        api_keys.create("a", scopes=[], by=SYSTEM)


def test_no_two_keys_are_the_same() -> None:
    made = [people.api_key() for _ in range(20)]
    assert len({row.prefix for row, _ in made}) == len({key for _, key in made}) == 20
    assert all(key.startswith(f"gallimg_{row.prefix}_") for row, key in made)
