"""Loads settings, and starts a process with them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gallimg_site import env, env_fields, env_reader

ROOT = Path(__file__).resolve().parents[3]
S3 = {"S3_BUCKET": "pictures", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s3cr3t"}


def load(monkeypatch: pytest.MonkeyPatch, **settings: str) -> env.Env:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return env_reader.load()


def complaint(monkeypatch: pytest.MonkeyPatch, **settings: str) -> str:
    """What the start says about `settings`."""
    with pytest.raises(env_fields.ConfigError) as caught:
        load(monkeypatch, **settings)
    said = str(caught.value)
    assert "\n" not in said
    return said


def run_check(cwd: Path, **settings: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py check` in a process of its own, with these settings and no others."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "GALLIMG_DATA": str(cwd / "data"), **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
