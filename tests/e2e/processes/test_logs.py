"""What a service writes down of its work: from the request to the decoder, and nothing that is private."""

import json
import os
import re
import signal
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import jwt
import pytest
from PIL import Image

from media_jobs.demo.exif_writer import Facts, with_facts
from tests.chaos.dying.crashing import PROGRAM, Faults
from tests.e2e.held import held, holding
from tests.e2e.service import Service, running, wait_until

pytestmark = pytest.mark.e2e

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
JWT_SECRET, METRICS = "the-secret-that-signs-tokens-of-this-test", "token-of-metrics-of-this-test"
SECRET_KEY = "what-signs-the-sessions-of-this-test-and-links"
NAME = "Ada Lovelace at home.jpg"
LATITUDE, LONGITUDE = 47.123456, 8.654321


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    return holding(tmp_path_factory.mktemp("logs") / "points")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[Service]:
    settings = {
        "WORKERS": "1",
        "WEBHOOK_ALLOW_LOOPBACK": "true",
        "JWT_SECRET": JWT_SECRET,
        "METRICS_TOKEN": METRICS,
        "SECRET_KEY": SECRET_KEY,
    }
    settings |= {"PRESERVE_GPS": "true", "ALLOW_ANONYMOUS": "false", "MAX_ATTEMPTS": "1"}
    with running(tmp_path_factory.mktemp("logs") / "data", settings | faults.env, program=PROGRAM) as started:
        yield started


def lines(service: Service) -> list[dict[str, Any]]:
    """Everything that the processes wrote; each line is one JSON object."""
    found = [json.loads(line) for line in service.logs.splitlines()]
    assert all(isinstance(line, dict) and {"event", "timestamp", "level"} <= set(line) for line in found)
    return found


def upload(service: Service, key: str, content: bytes, name: str, **headers: str) -> httpx.Response:
    form = {
        "files": {"file": (name, content, "image/jpeg")},
        "data": {"creator": "Ada Lovelace", "tags": "ada-lovelace"},
    }
    headers = {"Authorization": f"Bearer {key}", **headers}
    return httpx.post(f"{service.url}/v1/images", **form, headers=headers, timeout=60)  # type: ignore[arg-type]


def done(service: Service, key: str, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    service.headers = {"Authorization": f"Bearer {key}"}
    return service.finished(answer.json()["jobId"])


def photo() -> bytes:
    """A picture that was taken at a place that nobody is to know."""
    out = BytesIO()
    Image.effect_noise((640, 480), 40).convert("RGB").save(out, "JPEG")
    facts = Facts(latitude=LATITUDE, longitude=LONGITUDE, creator="Ada Lovelace", serial="SERIAL-4711")
    return with_facts(out.getvalue(), facts)


def test_a_request_is_followed_from_its_id_to_the_decoder(service: Service, faults: Faults) -> None:
    key = service.manage("apikey", "create", "a program").split()[-1]
    answer = upload(service, key, photo(), "a.jpg", traceparent=TRACEPARENT)
    job = done(service, key, answer)["jobId"]
    request_id = answer.headers["X-Request-ID"]
    wait_until(lambda: any(line["event"] == "job_done" for line in lines(service)), 30, "the line of the job")
    mine = [line for line in lines(service) if line.get("trace_id") == TRACE]
    events = {line["event"]: line for line in mine}
    assert {"upload_accepted", "job_done"} <= set(events)
    assert {line["request_id"] for line in mine} == {request_id}
    assert {events[name]["job"] for name in ("upload_accepted", "job_done")} == {job}
    assert events["upload_accepted"]["span_id"] != events["job_done"]["span_id"]

    # What the decoder meets says so, too: it is stopped in the middle of a picture, and killed.
    second, decoder = held(faults, lambda: upload(service, key, photo(), "b.jpg", traceparent=TRACEPARENT))
    os.kill(decoder, signal.SIGKILL)
    service.finished(second.json()["jobId"])
    [died] = [line for line in lines(service) if line["event"] == "decoder_died"]
    assert (died["job"], died["attempt"], died["trace_id"]) == (second.json()["jobId"], 1, TRACE)
    assert (died["request_id"], died["pid"]) == (second.headers["X-Request-ID"], decoder)


def test_nothing_private_is_in_the_log(service: Service) -> None:
    key = service.manage(
        "apikey", "create", "another", "--scope", "upload", "--scope", "read", "--scope", "manage"
    ).split()[-1]
    token = jwt.encode({"sub": "ada", "exp": 4102444800}, JWT_SECRET, "HS256")
    hook = f"http://127.0.0.1:{service.env['PORT']}/nobody?token=secret-of-a-receiver"
    owner = {"Authorization": f"Bearer {key}"}
    webhook = httpx.post(f"{service.url}/v1/webhooks", json={"url": hook}, headers=owner, timeout=30).json()
    for content in (photo(), photo()[:-20_000], b"no picture"):  # done, failed, refused
        for credential in (key, token):
            answer = upload(service, credential, content, NAME, **{"Idempotency-Key": f"idem-{len(content)}"})
            if answer.status_code == 202:
                job = done(service, credential, answer)
                httpx.get(f"{service.url}/v1/images/{job['imageId']}", headers=owner, timeout=30)
    ticket = httpx.post(f"{service.url}/v1/events/ticket", headers=owner, timeout=30).json()["ticket"]
    for path in (
        f"/v1/events?ticket={ticket}x",
        "/v1/images?tags=ada-lovelace&serach=Ada",
        "/nobody/Ada%20Lovelace.jpg",
        "/v1/jobs?api_key=gallimg_secretsecret",
        "/metrics?token=" + METRICS,
    ):
        httpx.get(service.url + path, headers=owner, timeout=30)
    wrong = {"username": "ada", "password": "the wrong password of Ada"}
    httpx.post(f"{service.url}/v1/tokens", json=wrong, timeout=30)
    httpx.post(f"{service.url}/v1/images", headers={"Authorization": "Bearer gallimg_wrongwrong.secret"}, timeout=30)
    httpx.get(f"{service.url}/metrics", headers={"Authorization": f"Bearer {METRICS}"}, timeout=30)
    wait_until(lambda: any(line["event"] == "webhook_failed" for line in lines(service)), 60, "a failed delivery")
    assert lines(service)
    log = service.logs
    private = {
        "a name": "Lovelace", "a tag": "ada-lovelace", "a position": "47.1234", "another": "8.6543",
        "a serial": "SERIAL-4711",
        "a key": key, "the end of a key": key[-20:], "a token": token, "its signature": token.rpartition(".")[2],
        "what signs tokens": JWT_SECRET, "what metrics take": METRICS, "a webhook's secret": webhook["secret"],
        "a receiver's address": "secret-of-a-receiver", "a password": "the wrong password", "a ticket": ticket,
        "a wrong key": "wrongwrong.secret", "a key in an address": "secretsecret", "what signs sessions": SECRET_KEY,
        "an idempotency key": "idem-", "the database's password": database_password(service),
    }  # fmt: skip
    assert {what for what, text in private.items() if text and text in log} == set()


def database_password(service: Service) -> str:
    found = re.search(r"://[^:]+:([^@]+)@", service.env.get("DATABASE_URL", ""))
    return found[1] if found else ""
