"""Whatever clients do or leave undone, everybody else is served, and what they took comes back."""

import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.e2e.service import Service, photo, running, wait_until
from tests.hostile.crowds import CROWDS, crowd

pytestmark = pytest.mark.hostile

#: Short ones, so that it can be seen how they end.
TIMES = {"HEAD_TIMEOUT_S": "3", "TRANSFER_TIMEOUT_S": "4", "KEEP_ALIVE_S": "6"}
_BACK_S = 90.0
#: What those are told that come to their end: nothing, where they have said nothing.
_TOLD = {"silent": {""}, "heads": {"408"}, "bodies": {"408"}, "openings": {"408", "503"}}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(
        tmp_path_factory.mktemp("hostile") / "data", {**TIMES, "WORKERS": "0", "LOG_LEVEL": "warn"}
    ) as started:
        yield started
        bad = [line for line in started.logs.splitlines() if '"level": "error"' in line or "Traceback" in line]
        assert bad == []


@pytest.fixture(scope="module")
def large_file(service: Service) -> str:
    """The path of a large public file."""
    path = service.data / "objects/full/0/large.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(30_000_000))
    return "/media/full/0/large.jpg"


def sockets(service: Service) -> int:
    """How many the web process has open."""
    [pid] = service.pids("web")
    links = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(descriptor))
        except FileNotFoundError:  # closed meanwhile
            continue
    return sum(link.startswith("socket:") for link in links)


def serve_everybody_else(service: Service) -> None:
    """Probes on connections of their own and uploads: all have to be answered, and well."""
    with closing(httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))) as client:
        for _ in range(20):
            for path in ("/healthz", "/readyz"):
                assert client.get(f"{service.url}{path}").status_code == 200
            answer = client.post(
                f"{service.url}/v1/images", files={"file": ("a.jpg", photo() + secrets.token_bytes(90_000))}
            )
            assert answer.status_code == 202, answer.text


@pytest.mark.parametrize("kind", [kind for kind in CROWDS if kind != "uploads"])
def test_a_crowd_keeps_nobody_from_being_served(service, large_file, kind):
    before = sockets(service)
    with crowd(service, kind, path=large_file) as outcome:
        serve_everybody_else(service)
    wait_until(lambda: sockets(service) <= before + 2, _BACK_S, "the sockets")
    assert kind not in _TOLD or outcome.told.keys() <= _TOLD[kind]


@pytest.mark.parametrize("kind", _TOLD)
def test_each_is_sent_away_in_its_time_and_told_why(service, kind):
    before = sockets(service)
    with crowd(service, kind, again=False) as outcome:
        wait_until(lambda: sockets(service) <= before + 2, _BACK_S, "the sockets")
    assert outcome.ended == sum(outcome.told.values()) == CROWDS[kind]
    assert outcome.told.keys() <= _TOLD[kind]


@pytest.mark.parametrize("kind", ["readers", "lingerers"])
def test_who_takes_nothing_and_never_closes_is_closed(service, large_file, kind):
    before = sockets(service)
    with crowd(service, kind, path=large_file, again=False):
        wait_until(lambda: sockets(service) <= before + 2, _BACK_S, "the sockets")


def test_honest_uploads_over_bad_lines_are_taken_or_told_to_come_later(service):
    with crowd(service, "uploads", again=False) as outcome:
        serve_everybody_else(service)
        wait_until(lambda: sockets(service) < CROWDS["uploads"] // 3, _BACK_S, "their ends")
        wait_until(lambda: sockets(service) < 12, _BACK_S, "their ends")
    assert outcome.told.keys() <= {"202", "503"}
    assert outcome.told["202"] >= 16
