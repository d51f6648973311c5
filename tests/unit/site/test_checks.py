"""`manage.py check --deploy`: a service that is open to the world fails it."""

import ipaddress
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from media_jobs.checks import production

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def closed(settings: Any) -> Any:
    """A production that is in order."""
    settings.ALLOW_ANONYMOUS = False
    settings.PUBLIC_BASE_URL = "https://images.example.org"
    settings.ALLOWED_HOSTS = ["images.example.org"]
    settings.METRICS_TOKEN = "m"
    settings.UPLOADS_PER_MINUTE = settings.READS_PER_MINUTE = 10
    settings.ADDRESS_UPLOADS_PER_MINUTE = settings.ADDRESS_READS_PER_MINUTE = settings.SIGN_INS_PER_MINUTE = 10
    return settings


def ids() -> list[str | None]:
    return [message.id for message in production()]


def test_what_is_in_order_is_not_complained_of(closed: Any) -> None:
    assert ids() == []
    closed.JWT_JWKS_URL, closed.JWT_ISSUER, closed.JWT_AUDIENCE = "https://id.example.org/jwks", "id", "gallimg"
    assert ids() == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"WEBHOOK_ALLOW_LOOPBACK": True}, "gallimg.E006"),
        ({"ALLOW_ANONYMOUS": True}, "gallimg.E001"),
        ({"PUBLIC_BASE_URL": "http://images.example.org"}, "gallimg.E002"),
        ({"ALLOWED_HOSTS": ["*"]}, "gallimg.E003"),
        ({"TRUSTED_PROXIES": [ipaddress.ip_network("0.0.0.0/0")]}, "gallimg.E004"),
        ({"TRUSTED_PROXIES": [ipaddress.ip_network("::/0")]}, "gallimg.E004"),
        ({"JWT_JWKS_URL": "http://id.example.org/jwks", "JWT_ISSUER": "i", "JWT_AUDIENCE": "a"}, "gallimg.E005"),
        ({"METRICS_TOKEN": "", "METRICS_PORT": 9100, "METRICS_HOST": "0.0.0.0"}, "gallimg.W001"),
        ({"JWT_SECRET": "s" * 32, "JWT_ISSUER": "i"}, "gallimg.W002"),
        ({"JWT_SECRET": "s" * 32, "JWT_AUDIENCE": "a"}, "gallimg.W002"),
        ({"UPLOADS_PER_MINUTE": 0}, "gallimg.W003"),
        ({"ADDRESS_READS_PER_MINUTE": 0}, "gallimg.W003"),
        ({"JWT_SECRET": "s" * 32, "JWT_ISSUER": "i", "JWT_AUDIENCE": "a", "SIGN_INS_PER_MINUTE": 0}, "gallimg.W003"),
    ],
)
def test_each_fault_has_an_id(closed: Any, changes: dict[str, Any], found: str) -> None:
    for name, value in changes.items():
        setattr(closed, name, value)
    assert ids() == [found]
    assert all(message.hint for message in production())


def check(folder: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check", "--deploy"],
        cwd=folder,
        env={**os.environ, "DATABASE_URL": "", "GALLIMG_DATA": str(folder / "data"), **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_the_command_fails_on_an_open_production_and_passes_a_closed_one(tmp_path: Path) -> None:
    opened = check(tmp_path)
    assert opened.returncode == 1
    assert "gallimg.E001" in opened.stderr
    limits = {f"{of}{what}S_PER_MINUTE": "60" for of in ("", "ADDRESS_") for what in ("UPLOAD", "READ")}
    production = {
        "PUBLIC_BASE_URL": "https://images.example.org",
        "METRICS_TOKEN": "m" * 20,
        "SECRET_KEY": "",
        **limits,
    }
    closed = check(tmp_path, **production)
    assert closed.returncode == 0, closed.stderr
    assert "no issues (3 silenced)" in closed.stdout + closed.stderr  # Django's own checks, too
    untold = check(tmp_path, **production, HSTS_DAYS="0")
    assert "security.W004" in untold.stderr
