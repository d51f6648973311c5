"""What a person sees on the terminal: that it is ready, where, and on the first run two photographs done."""

import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
import urllib3
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http.request import validate_host
from django.utils import timezone

from media_jobs.callers import SYSTEM, Scope
from media_jobs.demo import shipped
from media_jobs.models import Original
from media_jobs.runtime.workers.registry import count_workers
from media_jobs.services.access import api_keys

log = structlog.get_logger(__name__)

POLL_S = 0.05
COMPLAIN_AFTER_S = 30.0
SAMPLE_LIMIT_S = 60.0


def greet(*, since: datetime, first_run: bool) -> None:
    """Say that the service is ready once it is; on the first run, show it at work. Its failure harms nobody.

    All of it is printed at once and at the end, so that no log line comes in between.
    """
    wait_until_ready(since)
    lines = banner(since)
    if first_run:
        for step in (make_administrator, show_samples):
            lines += try_step(step)
    say("", *lines, "")


def try_step(step: Callable[[], list[str]]) -> list[str]:
    """Return what `step` has to say, or nothing where it fails."""
    try:
        return step()
    except Exception:
        log.exception("welcome_failed", step=step.__name__)
        return []


def wait_until_ready(since: datetime) -> None:
    """Return when /readyz answers 200 and all workers wait for jobs; `since` is when this start began."""
    complain_at = time.monotonic() + COMPLAIN_AFTER_S
    workers = partial(count_workers, born_since=since)
    while not ((web := is_web_ready()) and workers() >= settings.WORKERS):
        if time.monotonic() > complain_at:
            log.warning("not_ready_yet", web=web, workers=workers())
            complain_at = float("inf")
        time.sleep(POLL_S)


def is_web_ready() -> bool:
    try:
        return call("GET", "/readyz").status == 200
    except urllib3.exceptions.HTTPError:
        return False


def banner(since: datetime) -> list[str]:
    base = settings.PUBLIC_BASE_URL
    key = "" if settings.ALLOW_ANONYMOUS else "-H 'Authorization: Bearer KEY' "
    return [
        emphasised(f"gallimg ready in {age_s(since):.1f} s"),
        "",
        f"  upload   {base}/v1/images",
        f"  docs     {base}/docs",
        f"  admin    {base}/admin/",
        f"  try      curl {key}-F file=@photo.jpg {base}/v1/images",
    ]


def make_administrator() -> list[str]:
    """Make an administrator where there is no user. The password is printed here and stored nowhere else."""
    users = get_user_model()
    if users.objects.exists():
        return []
    password = secrets.token_urlsafe(12)
    users.objects.create_superuser("admin", password=password)
    return [
        "",
        f"  sign in  admin / {emphasised(password)}",
        "           shown only now; `manage.py changepassword admin` sets another",
    ]


def show_samples() -> list[str]:
    """Put the two shipped photographs through the service's own API, where there is no picture."""
    if Original.objects.exists():
        return []
    with credential() as headers:
        uploaded = [upload(photo, headers) for photo in shipped.photographs()]
        deadline_s = time.monotonic() + SAMPLE_LIMIT_S
        jobs = [wait_for(job_id, headers, deadline_s) for job_id in uploaded]
    return [
        "",
        f"  two sample photographs: {' and '.join(job['status'] for job in jobs)}",
        *(f"           {settings.PUBLIC_BASE_URL}/v1/images/{job['imageId']}" for job in jobs),
    ]


@contextmanager
def credential() -> Iterator[dict[str, str]]:
    """What the service's own calls send: nothing where anybody on this machine may call, else a key for the moment."""
    if settings.ALLOW_ANONYMOUS:
        yield {}
        return
    soon = timezone.now() + timedelta(minutes=10)
    row, key = api_keys.create("sample photographs", scopes=[Scope.UPLOAD, Scope.READ], by=SYSTEM, expires_at=soon)
    try:
        yield {"Authorization": f"Bearer {key}"}
    finally:
        api_keys.revoke(row.prefix, by=SYSTEM)


def upload(photo: Path, headers: dict[str, str]) -> str:
    """Return the id of the job that the upload made."""
    file = (photo.name, photo.read_bytes(), "image/jpeg")
    answer = call("POST", "/v1/images", headers, fields={"file": file})
    if answer.status != 202:
        raise RuntimeError(f"the upload was answered with {answer.status}: {answer.data[:500]!r}")
    return str(answer.json()["jobId"])


def wait_for(job_id: str, headers: dict[str, str], deadline_s: float) -> dict[str, Any]:
    """Return the job when it has ended, however it ended, or as it is when the time is over."""
    while True:
        job = dict(call("GET", f"/v1/jobs/{job_id}", headers).json())
        if job.get("status") in ("done", "error") or time.monotonic() > deadline_s:
            return job
        time.sleep(POLL_S)


def call(method: str, path: str, headers: dict[str, str] | None = None, **content: Any) -> urllib3.BaseHTTPResponse:
    """Return this service's answer, asked directly at its own socket. Raises urllib3's HTTPError."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.LISTEN_HOST, settings.LISTEN_HOST)  # noqa: S104 # nosec B104 # what it means to call
    address = f"[{host}]" if ":" in host else host
    url = f"http://{address}:{settings.LISTEN_PORT}{path}"
    own = {"Host": known_host(), **(headers or {})}
    return urllib3.request(method, url, headers=own, retries=False, timeout=10, **content)


def known_host() -> str:
    """Return a Host header that this service accepts."""
    public = urlsplit(settings.PUBLIC_BASE_URL)
    if validate_host(public.hostname or "", settings.ALLOWED_HOSTS):
        return public.netloc
    return f"{str(settings.ALLOWED_HOSTS[0]).lstrip('.')}:{settings.LISTEN_PORT}"


def age_s(since: datetime) -> float:
    """Return the seconds since the master was executed; without /proc, since `since`, when its command began."""
    try:
        jiffies = int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - jiffies / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return (timezone.now() - since).total_seconds()


def emphasised(text: str) -> str:
    """Return `text` in bold where a person watches."""
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() else text


def say(*lines: str) -> None:
    """Print `lines` on standard output; all else that the service says goes to the log on standard error."""
    print(*lines, sep="\n", flush=True)
