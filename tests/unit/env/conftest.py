"""No setting is set, whatever the environment of the tests has."""

import dataclasses
from pathlib import Path

import pytest

from gallimg_site import env


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting, and a working directory without `.env`."""
    for field in dataclasses.fields(env.Env):
        for name in (field.name, *field.metadata["aliases"]):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
