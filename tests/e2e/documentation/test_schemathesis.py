"""schemathesis asks a running service whatever its document allows, and much that it does not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_jobs.callers import Scope
from tests.e2e.service import Service, running

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

#: The one of its checks that nothing can pass: no schema says which bytes are a picture and which presets there are.
_LEFT_OUT = "positive_data_acceptance"
_STREAM = "followEvents"
#: What is wrong may be too large as well. Forms with tags: a number among them is text by the time that it arrives, and
#: right.
_CONFIG = """
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]

[[operations]]
include-operation-id = ["addFiles", "createJob", "ingestBatch", "ingestImage", "uploadImage"]
checks.negative_data_rejection.enabled = false
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One in which nobody waits, so that no answer takes longer than its work."""
    with running(tmp_path_factory.mktemp("schema") / "data", {"MAX_WAITERS": "0"}) as started:
        yield started


def ask(service: Service, folder: Path, limit_s: int, *options: str) -> None:
    """Have it ask for so long, or the assertion fails with what it found."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json", "--url", service.url),
        *("--exclude-checks", _LEFT_OUT, "--max-time", str(limit_s), "--request-timeout", "30"),
        *("--seed", "1", "--generation-database", "none", "--suppress-health-check", "all", "--continue-on-failure"),
        *("--warnings", "off", "--no-color", *options),
    ]
    (folder / "schemathesis.toml").write_text(_CONFIG)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_no_request_of_a_program_gets_an_answer_that_is_not_documented(service: Service, tmp_path: Path) -> None:
    scopes = [option for scope in Scope for option in ("--scope", scope)]
    key = service.manage("apikey", "create", "schemathesis", *scopes).strip()
    ask(service, tmp_path, 45, "--header", f"Authorization: Bearer {key}", "--exclude-operation-id", _STREAM)


def test_none_for_the_stream_of_events_either(service: Service, tmp_path: Path) -> None:
    """Without a credential, which has to name its jobs: a stream that it may read would be refused for lack of room."""
    ask(service, tmp_path, 10, "--include-operation-id", _STREAM)
