"""What a person sees on the terminal: that it is ready, where, and on the first run two photographs done."""

import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_rq
import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.http.request import validate_host
from django.utils import timezone
from redis.exceptions import RedisError
from rq import Worker

from media_jobs.models import Original
from media_jobs.runtime.children import die_with

log = structlog.get_logger(__name__)

POLL_S = 0.05
COMPLAIN_AFTER_S = 30.0
SAMPLE_LIMIT_S = 60.0


def greet(*, since: datetime, first_run: bool) -> None:
    """Say that the service is ready once it is; on the first run, show it at work. Its failure harms nobody."""
    wait_until_ready(since)
    print_banner(since)
    if first_run:
        for step in (make_administrator, show_samples):
            try:
                step()
            except Exception:
                log.exception("welcome_failed", step=step.__name__)


def wait_until_ready(since: datetime) -> None:
    """Return when /readyz answers 200 and all workers wait for jobs; `since` is when this start began."""
    complain_at = time.monotonic() + COMPLAIN_AFTER_S
    while not ((web := is_web_ready()) and workers_up(since) >= settings.WORKERS):
        if time.monotonic() > complain_at:
            log.warning("not_ready_yet", web=web, workers=workers_up(since))
            complain_at = float("inf")
        time.sleep(POLL_S)


def is_web_ready() -> bool:
    try:
        return call("GET", "/readyz")[0] == 200
    except OSError:
        return False


def workers_up(since: datetime) -> int:
    """How many workers of this host have told the queue, since then, that they are there."""
    try:
        known = Worker.all(connection=django_rq.get_connection("interactive"))
    except RedisError:
        return 0
    here = f"{socket.gethostname()[:200]}-"
    return sum(w.name.startswith(here) and w.birth_date is not None and w.birth_date >= since for w in known)


def print_banner(since: datetime) -> None:
    base = settings.PUBLIC_BASE_URL
    say(
        f"gallimg ready in {age_s(since):.1f} s",
        f"  upload   {base}/v1/images",
        f"  docs     {base}/docs",
        f"  admin    {base}/admin/",
        f"  try      curl -F file=@photo.jpg {base}/v1/images",
    )


def make_administrator() -> None:
    """On a database without users: one administrator, whose password is printed here and stored nowhere else."""
    users = get_user_model()
    if users.objects.exists():
        return
    password = secrets.token_urlsafe(12)
    users.objects.create_superuser("admin", password=password)
    say(f"  sign in  admin / {password}   (shown only now; `manage.py changepassword admin` sets another)")


def show_samples() -> None:
    """On a database without pictures: put two drawn photographs through the service's own API."""
    if Original.objects.exists():
        return
    say("", "drawing two sample photographs, which takes some seconds …")
    with tempfile.TemporaryDirectory() as folder:
        draw_samples(Path(folder))
        jobs = [upload(photo) for photo in sorted(Path(folder).glob("*.jp*g"))]
    finished = [wait_for(job) for job in jobs]
    base = settings.PUBLIC_BASE_URL
    say(f"two sample photographs: {' and '.join(job['status'] for job in finished)}")
    for job in finished:
        say(f"  {base}/v1/images/{job['imageId']}")
        say(*(f"    {d['name']:<7} {d['width']} × {d['height']}  {d['url']}" for d in job["derivatives"]))


def draw_samples(folder: Path) -> None:
    """In a process of its own: this one never loads the decoder."""
    parent = os.getpid()
    subprocess.run(  # noqa: S603  (our own module)
        [sys.executable, "-m", "media_jobs.demo.draw", str(folder)],
        cwd=settings.BASE_DIR,
        check=True,
        timeout=SAMPLE_LIMIT_S,
        preexec_fn=lambda: die_with(parent),
    )


def upload(photo: Path) -> str:
    """The id of the job that the upload made."""
    boundary = secrets.token_hex(16)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{photo.name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + photo.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    status, answer = call("POST", "/v1/images", body, f"multipart/form-data; boundary={boundary}")
    if status != 202:
        raise RuntimeError(f"the upload was answered with {status}: {answer}")
    return str(answer["jobId"])


def wait_for(job_id: str) -> dict[str, Any]:
    """The job when it has ended, however it ended."""
    deadline = time.monotonic() + SAMPLE_LIMIT_S
    while time.monotonic() < deadline:
        _, answer = call("GET", f"/v1/jobs/{job_id}")
        if answer.get("status") in ("done", "error"):
            return answer
        time.sleep(POLL_S)
    raise TimeoutError(f"job {job_id} is still not done")


def call(method: str, path: str, body: bytes | None = None, content_type: str = "") -> tuple[int, dict[str, Any]]:
    """Status and JSON answer of this service, asked directly at its own socket."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.LISTEN_HOST, settings.LISTEN_HOST)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.LISTEN_PORT, timeout=10)
    headers = {"Host": known_host(), **({"Content-Type": content_type} if content_type else {})}
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    try:
        return response.status, json.loads(content)
    except ValueError:
        return response.status, {}


def known_host() -> str:
    """A Host header that this service accepts."""
    public = urlsplit(settings.PUBLIC_BASE_URL)
    if validate_host(public.hostname or "", settings.ALLOWED_HOSTS):
        return public.netloc
    return str(settings.ALLOWED_HOSTS[0]).lstrip(".")


def age_s(since: datetime) -> float:
    """Seconds since the master was executed; without /proc, since `since`, when its command began."""
    try:
        ticks = int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError):
        return (timezone.now() - since).total_seconds()


def say(*lines: str) -> None:
    """On standard output; everything else that the service says goes to the log on standard error."""
    print(*lines, sep="\n", flush=True)
