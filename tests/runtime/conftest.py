"""Commands in processes of their own, with the database and the storage of the test."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection


@pytest.fixture
def env(tmp_path: Path, object_store: Any, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """Of a process with this test's database and storage, and no Redis."""
    name, url = str(connection.settings_dict["NAME"]), ""
    if connection.vendor == "postgresql":
        url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
    else:
        (tmp_path / "gallimg.sqlite3").symlink_to(name)
    own = {"GALLIMG_DATA": str(tmp_path), "DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1/0", "LEASE_S": "10"}
    return {**os.environ, **own, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
