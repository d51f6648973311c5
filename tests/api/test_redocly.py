"""Redocly's linter, with its recommended rules, finds nothing in the document of the API."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from django.test import Client

from tests.generated_docs import ROOT

#: The newest that runs on the Node of Debian 13.
_VERSION = "2.77.0"
_QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true"}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("npx"), reason="needs Node 20.19 or newer with npm: apt-get install npm")
def test_redocly_finds_nothing(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npx keeps the package between runs, and fetches it by npm's own settings only where it has none."""
    (tmp_path / "openapi.json").write_text(json.dumps(client.get("/openapi.json").json()))
    shutil.copy(ROOT / "tests/redocly.yaml", tmp_path / "redocly.yaml")
    for name, value in _QUIET.items():
        monkeypatch.setenv(name, value)
    command = [
        "npx",
        "--yes",
        "--prefer-offline",
        f"@redocly/cli@{_VERSION}",
        "lint",
        "openapi.json",
        "--format",
        "json",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip(), done.stderr
    found = json.loads(done.stdout)
    assert [f"{problem['ruleId']}: {problem['message']}" for problem in found["problems"]] == []
    assert (done.returncode, found["totals"]["errors"]) == (0, 0)
