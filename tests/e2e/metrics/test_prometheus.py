"""The seed's alert, in a Prometheus that scrapes a living service: it fires when no worker is left."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.metrics.conftest import Site
from tests.e2e.service import ROOT, photo, wait_until
from tests.servers import die_with_parent, free_ports

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

RULES = ROOT / "deploy/prometheus/rules.yml"
ALERT = "QueueDeep"


@contextmanager
def prometheus(folder: Path, site: Site) -> Iterator[str]:
    """The address of a Prometheus with our rules, whose minutes are seconds."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("needs Prometheus: apt-get install prometheus")
    rules = RULES.read_text()
    assert f"alert: {ALERT}" in rules
    (folder / "rules.yml").write_text(rules.replace("for: 5m", "for: 5s"))
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [rules.yml]\n"
        "scrape_configs:\n"
        "  - job_name: gallimg\n"
        f"    static_configs: [{{targets: ['127.0.0.1:{site.web.env['PORT']}']}}]\n"
    )
    [port] = free_ports(1)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def states(url: str) -> set[str]:
    """Of the alert: pending, firing; none while it is quiet, and while Prometheus has only begun."""
    try:
        found = httpx.get(f"{url}/api/v1/alerts", timeout=10).raise_for_status().json()["data"]["alerts"]
    except httpx.HTTPError:
        return {"unknown"}
    return {alert["state"] for alert in found if alert["labels"]["alertname"] == ALERT}


def is_scraped(url: str) -> bool:
    try:
        found = httpx.get(f"{url}/api/v1/query", params={"query": "sum(worker_slots)"}, timeout=10)
        series = found.raise_for_status().json()["data"]["result"]  # 503 while it starts
    except httpx.HTTPError:
        return False
    return bool(series)


def test_the_alert_of_the_seed_fires_without_workers_and_ends_with_the_next(site: Site, tmp_path: Path) -> None:
    site.start_workers()
    with prometheus(tmp_path, site) as url:
        wait_until(lambda: is_scraped(url), 120, "the first scrape")
        assert states(url) == set()
        site.stop_workers()
        jobs = [site.web.send(photo()) for _ in range(2)]
        wait_until(lambda: "firing" in states(url), 120, "the alert")
        site.start_workers()
        assert {site.web.finished(job)["status"] for job in jobs} == {"done"}
        wait_until(lambda: not states(url), 120, "the end of the alert")
