"""Callers that wait: they take nothing from others, are told in time, and lose nothing when parts die."""

import http.client
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests import images
from tests.e2e.accounts import staff
from tests.e2e.client import upload
from tests.e2e.readiness.listening import Consumer
from tests.e2e.service import Service, running, wait_until

pytestmark = pytest.mark.e2e
LIMIT_S = 60.0
#: Of the database: every event of every job.
_HISTORY = (
    "from media_jobs.models import JobEvent; "
    "print(*(f'{job}/{number}' for job, number in JobEvent.objects.values_list('job', 'number')))"
)


def history(service: Service) -> list[tuple[str, int]]:
    found = (line.split("/") for line in service.manage("shell", "--no-imports", "-c", _HISTORY).split())
    return sorted((job, int(number)) for job, number in found)


def is_full(service: Service, job_id: str) -> bool:
    """Whether as many wait as may. HEAD takes no place of its own."""
    return httpx.head(f"{service.url}/v1/events?job={job_id}", timeout=LIMIT_S).status_code == 503


def ask(url: str, path: str, *, headers: dict[str, str] | None = None) -> http.client.HTTPConnection:
    """A connection on which the answer has not been read yet."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=LIMIT_S)
    connection.request("GET", path, headers=headers or {})
    return connection


def test_an_upload_that_waits_gets_the_finished_job(service):
    answer = httpx.post(
        f"{service.url}/v1/images?wait=30", files={"file": ("a.jpg", images.jpeg(300, 200))}, timeout=LIMIT_S
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "done")
    assert httpx.get(answer.json()["derivatives"][0]["url"]).status_code == 200


@pytest.mark.smoke
def test_a_poll_that_waits_is_answered_when_the_job_is_over_and_its_connection_goes_on(service):
    with httpx.Client(base_url=service.url, timeout=LIMIT_S) as client:
        for _ in range(3):
            job_id = service.send(images.jpeg(300, 200))
            answer = client.get(f"/v1/jobs/{job_id}?wait=30")
            assert answer.json()["status"] == "done"
            known = {"If-None-Match": answer.headers["ETag"]}
            assert client.get(f"/v1/jobs/{job_id}?wait=30", headers=known).status_code == 304


def test_who_waits_takes_no_thread_and_no_connection_of_the_database(tmp_path_factory):
    data = tmp_path_factory.mktemp("waiting") / "data"
    few = {"WEB_THREADS": "2", "MAX_WAITERS": "40", "WORKERS": "0"}
    with running(data, few) as service, ExitStack() as stack:
        job_id = service.send(images.jpeg(30, 20))
        known = {"If-None-Match": httpx.get(f"{service.url}/v1/jobs/{job_id}").headers["ETag"]}
        waiting = [
            stack.enter_context(closing(ask(service.url, path, headers=known)))
            for _ in range(20)
            for path in (f"/v1/jobs/{job_id}?wait=30", f"/v1/events?job={job_id}")
        ]
        wait_until(lambda: is_full(service, job_id), LIMIT_S, "all of them to wait")
        assert httpx.get(f"{service.url}/v1/jobs/{job_id}?wait=30", headers=known).status_code == 304
        assert upload(service.url, images.jpeg(300, 200)).status_code == 202
        if url := service.env["DATABASE_URL"]:
            with psycopg.connect(url) as other:
                ours = "FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
                [(connections,)] = other.execute(f"SELECT count(*) {ours}").fetchall()
            assert connections <= 2 + 1 + 1 + 1  # threads, listener, greeter, this one
        assert httpx.delete(f"{service.url}/v1/jobs/{job_id}").status_code == 200
        for connection in waiting[::2]:
            assert b'"cancelled"' in connection.getresponse().read()
        for connection in waiting[1::2]:
            stream = connection.getresponse()
            lines = iter(stream.readline, b"")
            assert any(b'"type": "cancelled"' in line for line in lines)


def test_when_the_server_stops_streams_end_properly_and_polls_are_answered(tmp_path_factory):
    settings = {"WORKERS": "0", "MAX_WAITERS": "20"}
    with running(tmp_path_factory.mktemp("stop") / "data", settings) as service, ExitStack() as stack:
        job_id = service.send(images.jpeg(30, 20))
        polls, streams = (
            [stack.enter_context(closing(ask(service.url, path))) for _ in range(10)]
            for path in (f"/v1/jobs/{job_id}?wait=30", f"/v1/events?job={job_id}")
        )
        answers = [connection.getresponse() for connection in streams]
        wait_until(lambda: is_full(service, job_id), LIMIT_S, "all of them to wait")
        os.kill(service.pid, signal.SIGTERM)
        for answer in answers:
            assert answer.read().startswith(b"retry: ")  # IncompleteRead, were the last chunk missing
        for connection in polls:
            assert b'"processing"' in connection.getresponse().read()
        assert service.wait() == 0


@pytest.mark.parametrize("away_s", [0, pytest.param(60, marks=pytest.mark.slow)])
def test_consumers_that_were_away_across_restarts_miss_nothing_and_get_nothing_twice(tmp_path_factory, away_s):
    data = tmp_path_factory.mktemp("away") / "data"
    with running(data, {"LEASE_S": "5"}) as service, staff(service) as browser, ThreadPoolExecutor(2) as pool:
        everything = Consumer(service.url, cookies=dict(browser.cookies))
        jobs = [service.send(images.jpeg(300, 200))]
        everything.listen()
        try:
            wait_until(lambda: everything.connections, LIMIT_S, "the stream")
            begun_with = set(history(service))
            jobs += [service.send(images.jpeg(300, 200)) for _ in range(3)]
            wait_until(lambda: all(map(everything.is_over, jobs[1:])), LIMIT_S, "the first jobs")
            everything.leave()

            jobs += pool.map(service.send, [images.jpeg(300, 200)] * 4)
            restart(service, "web")
            restart(service, "valkey")
            jobs += pool.map(service.send, [images.jpeg(300, 200)] * 4)
            time.sleep(away_s)

            everything.listen()
            jobs += pool.map(service.send, [images.jpeg(300, 200)] * 4)
            restart(service, "web")
            restart(service, "valkey")
            jobs += pool.map(service.send, [images.jpeg(300, 200)] * 4)
            wait_until(lambda: all(map(everything.is_over, jobs[1:])), LIMIT_S, "all jobs")
        finally:
            everything.leave()
        told = everything.numbers
        assert len(told) == len(set(told))
        all_events = set(history(service))
        assert all_events - begun_with <= set(told) <= all_events
        assert everything.connections >= 3
        for job in jobs[1:]:
            mine = [number for of, number in told if of == job]
            assert mine == list(range(1, len(mine) + 1))


def restart(service: Service, kind: str) -> None:
    """Kill the process as its host would, and wait until another one serves in its place."""
    [pid] = service.pids(kind)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: service.pids(kind) not in ([pid], []) and service.is_ready(), LIMIT_S, f"another {kind}")


def test_a_browser_listens_with_a_ticket(service):
    with staff(service) as browser:
        ticket: dict[str, Any] = browser.post(
            "/v1/events/ticket", headers={"X-CSRFToken": browser.cookies["csrftoken"]}
        ).json()
        job_id = service.send(images.jpeg(300, 200))
        path = f"/v1/events?ticket={ticket['ticket']}&lastEventId=0-0"
        with closing(ask(service.url, path)) as connection:
            lines = iter(connection.getresponse().readline, b"")
            assert any(job_id.encode() in line and b'"type": "done"' in line for line in lines)
        assert httpx.get(f"{service.url}{path}").status_code == 403
    assert ticket["ticket"] not in service.logs
