"""What a client of the service does: upload, and poll until the job is over."""

import contextlib
import secrets
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.e2e.service import Service

#: A job that is not over by then never will be: several times the longest time limit of a render.
RETRY_FOR_S = 240.0


def upload(base_url: str, content: bytes, *, name: str = "gall.jpg", **fields: str) -> httpx.Response:
    return httpx.post(f"{base_url}/v1/images", files={"file": (name, content)}, data=fields, timeout=60)


def wait(base_url: str, job_id: str, *, timeout_s: float = RETRY_FOR_S) -> dict[str, Any]:
    """The job's last answer, once it is `done` or `error`."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer: dict[str, Any] = {}
        with contextlib.suppress(httpx.TransportError):  # the web process is being restarted
            answer = httpx.get(f"{base_url}/v1/jobs/{job_id}", timeout=30).json()
        if answer.get("status") in ("done", "error"):
            return answer
        assert time.monotonic() < deadline, f"job {job_id} does not end: {answer}"
        time.sleep(0.1)


def process(base_url: str, content: bytes, **fields: str) -> dict[str, Any]:
    """Upload and wait."""
    response = upload(base_url, content, **fields)
    assert response.status_code == 202, response.text
    return wait(base_url, response.json()["jobId"])


@contextlib.contextmanager
def staff(service: "Service") -> Iterator[httpx.Client]:
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
