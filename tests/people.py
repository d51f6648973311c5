"""Browsers and programs of different rights, before any of the service's addresses."""

import secrets

from django.contrib.auth.models import Permission, User
from django.test import Client

from media_jobs.callers import SYSTEM, Scope
from media_jobs.models import ApiKey
from media_jobs.services.access import api_keys

#: Of somebody who looks after all pictures, and may look at the originals.
CURATOR = ("view_job", "view_original", "download_original")


def account(*permissions: str) -> User:
    """A new member of staff with the named permissions, such as `view_job`."""
    user = User.objects.create_user(f"staff-{secrets.token_hex(4)}", is_staff=True)
    granted = Permission.objects.filter(codename__in=permissions)
    assert len(granted) == len(permissions), f"not all of {permissions} exist"
    user.user_permissions.set(granted)
    return user


def staff(*permissions: str) -> Client:
    """A browser in which a new member of staff is signed in."""
    client = Client()
    client.force_login(account(*permissions))
    return client


def api_key(*scopes: Scope, **fields: object) -> tuple[ApiKey, str]:
    """A new key with these scopes, or with all; its row, and itself."""
    return api_keys.create("a program", scopes=scopes or Scope, by=SYSTEM, **fields)  # type: ignore[arg-type]


def program(key: str, user_id: str = "") -> Client:
    """A program that calls with this key or token, perhaps for one of its users."""
    return Client(headers={"Authorization": f"Bearer {key}"} | ({"X-User-ID": user_id} if user_id else {}))


def keyed(*scopes: Scope, **fields: object) -> Client:
    """A program with a new key."""
    return program(api_key(*scopes, **fields)[1])
