"""With nothing but docs/operating.md: how deep is the queue, why did this image fail, how are there more workers?

The fourth question, how to roll back, is answered by tests/e2e/test_upgrade.py.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.documentation.terminal import blocks, section
from tests.e2e.service import Service, photo, running, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("curl"), reason="needs curl: apt-get install curl"),
]

PAGE, METRICS = "docs/operating.md", "what-metrics-take"
_RUN_SQL = """
import sys
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute({sql!r})
    print(sorted(cursor.fetchall())[0][:3])
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path / "data", {"WORKERS": "0", "METRICS_TOKEN": METRICS, "ALLOW_ANONYMOUS": "false"}) as started:
        yield started


def shell(command: str, **env: str) -> str:
    told = subprocess.run(
        ["bash", "-c", command], env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=True
    )
    return told.stdout


def metrics(service: Service) -> dict[str, float]:
    [command] = blocks(section(PAGE, r"How deep is the queue\?"), "bash")
    lines = shell(command, GALLIMG=service.url, METRICS_TOKEN=METRICS).splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_three_questions_are_answered_by_what_the_page_says(service: Service, tmp_path: Path) -> None:
    key = service.manage("apikey", "create", "an operator").split()[-1]
    service.headers = {"Authorization": f"Bearer {key}"}
    jobs = [service.send(photo()), service.send(photo()[:-500])]

    found = metrics(service)
    assert found['queue_depth{lane="interactive"}'] == 2
    assert found['oldest_queued_seconds{lane="interactive"}'] >= 0
    assert {value for name, value in found.items() if name.startswith("worker_slots")} == {0}
    [sql] = blocks(section(PAGE, r"How deep is the queue\?"), "sql")
    assert "('interactive', 'queued', 2)" in service.manage("shell", "--no-imports", "-c", _RUN_SQL.format(sql=sql))

    assert "`python manage.py worker`" in section(PAGE, r"How do I add workers\?")
    worker = Service(tmp_path / "worker", service.env, command="worker")
    worker.env["GALLIMG_DATA"] = service.env["GALLIMG_DATA"]
    worker.launch()
    try:
        wait_until(
            lambda: sum(v for n, v in metrics(service).items() if n.startswith("worker_slots")) == 1, 60, "a worker"
        )
        assert [service.finished(job)["status"] for job in jobs] == ["done", "error"]

        ask, search = blocks(section(PAGE, r"Why did this image fail\?"), "bash")
        told = json.loads(shell(ask, GALLIMG=service.url, KEY=key, JOB=jobs[1]))
        assert (told["code"], bool(told["detail"])) == ("truncated", True)
        assert httpx.get(f"{service.url}/docs/problems/{told['code']}", timeout=30).status_code == 200
        [field] = re.findall(r"select\(\.(\w+) == \$job\)", search)
        said = [json.loads(line) for line in worker.logs.splitlines()]
        assert "attempt_failed" in {line["event"] for line in said if line.get(field) == jobs[1]}
    finally:
        worker.stop()
        worker.kill()
