"""People of different rights, in front of the admin."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from media_jobs.adapters.storage.files import FileStore

Login = Callable[..., Client]


@pytest.fixture(autouse=True)
def _store_of_its_own(object_store: FileStore) -> None:
    """Every test here starts with an empty store."""


@pytest.fixture
def staff(db: None) -> Login:
    """A browser in which a member of staff with the named rights is logged in, such as `view_job`."""

    def login(*rights: str) -> Client:
        user = User.objects.create_user(f"staff{User.objects.count()}", is_staff=True)
        granted = Permission.objects.filter(codename__in=rights)
        assert len(granted) == len(rights), f"not all of {rights} exist"
        user.user_permissions.set(granted)
        return logged_in(user)

    return login


@pytest.fixture
def boss(db: None) -> Client:
    """A browser in which a superuser is logged in."""
    return logged_in(User.objects.create_superuser("boss"))


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
