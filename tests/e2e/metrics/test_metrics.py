"""What `/metrics` tells of a web process and two workers is what the database says, through restarts, too."""

import re
import socket
import threading
from pathlib import Path

import pytest

from tests.deploy import promql
from tests.e2e.metrics.conftest import Site
from tests.e2e.service import photo, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_REFUSED = 'django_http_responses_total_by_status_total{status="400"}'
OPERATING = Path(__file__).resolve().parents[3] / "docs/operating.md"


def is_what_the_database_says(site: Site) -> None:
    """Of all that is kept. The load is over: nothing changes in between."""
    now, truth = site.scrape(), site.truth()
    events = truth["events"]
    for state in ("done", "failed", "cancelled"):
        assert now[f'jobs_total{{status="{state}"}}'] == events.get(state, 0), state
    assert now["job_duration_seconds_count"] == events.get("done", 0) + events.get("failed", 0)
    assert now["job_wait_seconds_count"] == events["claimed"]
    for stage in truth["stages"]:
        assert now[f'stage_duration_seconds_count{{stage="{stage}"}}'] == events["done"]
    for kind in ("original", "derivative", "replaced"):
        found = now[f'storage_objects{{kind="{kind}"}}'], now[f'storage_bytes{{kind="{kind}"}}']
        assert found == tuple(truth[kind]), kind
    for lane in ("interactive", "bulk", "heavy"):
        assert now[f'queue_depth{{lane="{lane}"}}'] == truth["queued"].get(lane, 0), lane


def sums_are_what_the_database_says(site: Site, sent_bytes: int) -> None:
    """Of each job once: nothing has been retried or deleted yet."""
    now, truth = site.scrape(), site.truth()
    assert now["upload_bytes_total"] == sent_bytes == truth["original"][1]
    assert now["derivative_bytes_total"] == truth["derivative"][1]
    assert now["job_duration_seconds_sum"] == pytest.approx(truth["durations"][1], abs=0.1)
    assert now["job_wait_seconds_sum"] == pytest.approx(truth["waits"], abs=0.1)
    for stage, (_, ms) in truth["stages"].items():
        assert now[f'stage_duration_seconds_sum{{stage="{stage}"}}'] == pytest.approx(ms / 1000, abs=0.001)


def load(site: Site) -> int:
    """Eight pictures that can be made, and two that cannot; how many bytes that were."""
    pictures = [photo() for _ in range(8)] + [site.broken, site.broken + b"\0"]
    jobs = [site.web.send(picture) for picture in pictures]
    ends = [site.web.finished(job)["status"] for job in jobs]
    assert ends == ["done"] * 8 + ["error"] * 2
    return sum(map(len, pictures))


def test_each_metric_is_what_the_database_says_and_never_falls(site: Site) -> None:
    site.start_workers()
    before = site.scrape()
    sent_bytes = load(site)
    is_what_the_database_says(site)
    if not before["upload_bytes_total"]:
        sums_are_what_the_database_says(site, sent_bytes)

    # A worker that is at it counts as busy.
    busy: list[float] = []
    large = photo(6000, 4000)

    def is_seen_busy() -> bool:
        job = site.web.send(large)
        watched = threading.Thread(target=lambda: busy.append(site.web.finished(job)["status"] == "done"))
        watched.start()
        while watched.is_alive():
            if site.busy() > 0:
                busy.append(2)
                break
        watched.join()
        return 2 in busy

    wait_until(is_seen_busy, 120, "a busy worker")

    # A decoder that somebody kills is replaced, and counted.
    was = site.scrape()['sandbox_restarts_total{reason="killed"}']
    killed = site.kill_sandboxes()
    assert killed >= 1
    site.web.upload()
    site.scraped(lambda now: now['sandbox_restarts_total{reason="killed"}'] > was, "a restart")

    # Without workers jobs wait, and one is cancelled.
    site.stop_workers()
    assert site.slots() == 0
    waiting = [site.web.send(photo()) for _ in range(3)]
    assert site.ask("DELETE", f"/v1/jobs/{waiting[0]}").status_code == 200
    found = site.scrape()
    assert found['queue_depth{lane="interactive"}'] == 2
    assert found['oldest_queued_seconds{lane="interactive"}'] > 0
    is_what_the_database_says(site)

    # Retries end once more; deletions take nothing back; new processes go on where the old ones were.
    site.web.stop()
    site.web.launch()
    wait_until(site.web.is_ready, 300, "the web process")
    site.start_workers()
    assert {site.web.finished(job)["status"] for job in waiting[1:]} == {"done"}
    ends = site.scrape()['jobs_total{status="failed"}']
    again = site.web.send(site.broken)
    site.web.finished(again)
    assert site.ask("POST", f"/v1/jobs/{again}/retry").status_code == 202
    site.scraped(lambda now: now['jobs_total{status="failed"}'] == ends + 2, "the second end of a job")
    image = site.web.upload()["imageId"]
    assert site.ask("DELETE", f"/v1/images/{image}").status_code in (200, 202, 204)
    load(site)
    is_what_the_database_says(site)


def test_each_process_tells_of_itself(site: Site) -> None:
    site.start_workers()
    for number, worker in enumerate(site.workers, start=1):
        found = site.of_worker(number)
        assert found["process_resident_memory_bytes"] > 10_000_000
        assert "disk_free_bytes" in " ".join(found)
        statements = sum(value for name, value in found.items() if name.startswith("django_db_execute_total"))
        assert statements > 10
        assert "queue_depth" not in " ".join(found)
        assert worker.pid
    before = site.scrape().get(_REFUSED, 0)
    for nonsense in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\r\nno field\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", int(site.web.env["PORT"])), timeout=60) as client:
            client.sendall(nonsense)
            assert client.recv(100).startswith(b"HTTP/1.1 400 ")
    assert site.scrape().get(_REFUSED, 0) == before + 2, "what the server answers by itself counts, too"
    wait_until(lambda: _made_by_both(site), 120, "pictures that both workers made")
    assert site.of_worker(1)["sandbox_resident_memory_bytes"] > 10_000_000
    assert "queue_depth" in " ".join(site.of_worker(0))  # the web process tells all


def _made_by_both(site: Site) -> bool:
    for job in [site.web.send(photo()) for _ in range(4)]:
        site.web.finished(job)
    return all(site.of_worker(number)["sandbox_resident_memory_bytes"] for number in (1, 2))


def test_the_page_for_operators_names_what_there_is(site: Site) -> None:
    site.start_workers()
    section = OPERATING.read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"`([a-z_]+)(?:\{[a-z]+\})?`", "".join(re.findall(r"(?m)^\| (`.*?) \|", section))))
    there = {_family(name) for name in {**site.scrape(), **site.of_worker(1)}}
    assert documented - there == set()
    unnamed = {name for name in there - documented if not name.startswith(("process_", "python_", "django_"))}
    assert unnamed == set()


def test_alerts_and_dashboard_ask_for_what_there_is(site: Site) -> None:
    site.start_workers()
    site.web.upload()  # requests are counted once there are some; probes are none
    asked = {name for text in promql.expressions().values() for name in promql.metrics(text)}
    there = {name.partition("{")[0] for name in site.scrape()}
    assert asked - promql.PROMETHEUS - there == set()


def _family(sample: str) -> str:
    return re.sub(r"_(bucket|count|sum)$", "", sample.partition("{")[0])
