"""Who calls a whole service: people who are signed in, and programs."""

import contextlib
import secrets
from collections.abc import Iterator

import httpx

from tests.e2e.service import Service


@contextlib.contextmanager
def staff(service: Service) -> Iterator[httpx.Client]:
    """A browser in which a new administrator is signed in."""
    name, password = f"curator-{secrets.token_hex(4)}", secrets.token_hex(16)
    make = (
        f"from django.contrib.auth.models import User; User.objects.create_superuser({name!r}, password={password!r})"
    )
    service.manage("shell", "--no-imports", "-c", make)
    with httpx.Client(base_url=service.url, timeout=60) as browser:
        browser.get("/admin/login/")
        form = {"username": name, "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post("/admin/login/?next=/admin/", data=form).status_code == 302
        yield browser


def api_key(service: Service, *scopes: str) -> str:
    """A new API key, for uploading and reading unless scopes are named."""
    named = (argument for scope in scopes for argument in ("--scope", scope))
    return service.manage("apikey", "create", "a program", *named).strip()
