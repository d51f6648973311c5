"""The module for a site's Node tier, before a whole service: healthy, full, slow and stopped."""

import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import images
from tests.clients.scripted import BROKEN, Answer, accepted, job, problem, scripted
from tests.e2e.accounts import api_key
from tests.e2e.pausing import no_work
from tests.e2e.service import Service, running, wait_until
from tests.e2e.web_tier import Thrown, web_tier
from tests.servers.relay import Relay, connector

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("node"), reason="needs Node 18 or newer: apt-get install nodejs"),
]

MOST_WAITING = 3
KEY = "rosa"
#: Limits that no machine reaches, however busy it is.
PATIENT: dict[str, Any] = {"timeoutMs": 60_000, "uploadMs": 60_000, "waitMs": 60_000}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One that is soon full, whose flag is on."""
    with running(tmp_path_factory.mktemp("web_tier") / "data", {"MAX_BACKLOG": str(MOST_WAITING)}) as started:
        switch(started, "100")
        yield started


@pytest.fixture(scope="module")
def key(service: Service) -> str:
    return api_key(service, "upload", "read", "shadow")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "gall.jpg"
    path.write_bytes(images.jpeg(800, 600))
    return path


def switch(service: Service, percent: str) -> None:
    service.manage("flag", "set", "image-service", "--on", "--percent", percent, "--force", "--reason", "a test")


class Silent(Relay):
    """Passes on all that is asked, and no answer until `answering` is set; nor one to a POST while it `mutes`."""

    def __init__(self, url: str) -> None:
        self.answering, self.mutes = threading.Event(), False
        self.answering.set()
        super().__init__(connector(url))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def passing(self, piece: bytes, *, is_request: bool) -> None:
        if not is_request:
            self.answering.wait(120)
        elif self.mutes and piece.startswith(b"POST"):
            self.answering.clear()


def codes(errors: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(error["during"], error["code"]) for error in errors]


def test_with_the_flag_off_the_site_does_all_and_with_it_on_the_service(
    service: Service, key: str, photo: Path
) -> None:
    size = photo.stat().st_size
    try:
        switch(service, "0")
        with web_tier(baseUrl=service.url, apiKey=key, **PATIENT) as site:
            for given in ("path", "buffer", "stream"):
                assert site.upload(photo, key=KEY, **{"as": given}) == {"by": "site", "result": {"bytes": size}}
            assert site.counts()["site"] == 3
    finally:
        switch(service, "100")
    with web_tier(baseUrl=service.url, apiKey=key, fields={"preset": "ingest"}, **PATIENT) as site:
        for given in ("path", "buffer", "stream"):
            made = site.upload(photo, key=KEY, filename="rose.jpg", fields={"tags": "rose"}, **{"as": given})
            assert (made["by"], made["job"]["status"], made["job"]["preset"]) == ("service", "done", "ingest")
            assert httpx.get(made["job"]["derivatives"][0]["url"]).status_code == 200
        image = httpx.get(f"{service.url}/v1/images/{made['job']['imageId']}", headers={"X-API-Key": key}).json()
        assert (image["filename"], image["bytes"], image["tags"]) == ("rose.jpg", size, ["rose"])
        seen = site.ask("seen")
        assert (seen["errors"], seen["counts"]["service"]) == ([], 3)


def test_what_the_service_refuses_or_cannot_make_the_site_does_or_is_told(
    service: Service, key: str, photo: Path, tmp_path: Path
) -> None:
    (text := tmp_path / "text.jpg").write_bytes(b"not a picture at all" * 100)
    (half := tmp_path / "half.jpg").write_bytes(photo.read_bytes()[: photo.stat().st_size // 2])
    with web_tier(baseUrl=service.url, apiKey=key, **PATIENT) as site:
        for path, code in ((text, "unsupported_format"), (half, "truncated")):
            done = site.upload(path, key=KEY, **{"as": "stream"})
            assert (done["by"], done["result"]) == ("site", {"bytes": path.stat().st_size, "why": code})
            with pytest.raises(Thrown, match=code) as thrown:
                site.upload(path, alone=True)
            assert thrown.value.said["passes"] is False
        assert site.ask("isOn", key=KEY), "no reason to think that the service is away"
        assert codes(site.errors()) == [("upload", code) for code in ("unsupported_format", "truncated") for _ in "12"]
        assert not site.ask("isOn", key="x" * 201)
        assert site.ask("isOn", key=KEY), "a key that is none is no reason, either"
        with pytest.raises(Thrown, match="not_found"):
            site.ask("wait", jobId="01a22485-5ec8-7230-91e2-405598bce4f2")
    with web_tier(baseUrl=service.url, apiKey="gallimg_nobodyss_knows", **PATIENT) as stranger:
        assert stranger.upload(photo, key=KEY)["by"] == "site"
        assert [error["during"] for error in stranger.errors()] == ["flag"]


def test_what_was_accepted_is_never_made_twice_and_a_full_service_leaves_the_rest_to_the_site(
    service: Service, key: str, photo: Path
) -> None:
    with web_tier(baseUrl=service.url, apiKey=key, **PATIENT) as site:
        with no_work(service):
            accepted = [site.upload(photo, key=KEY, waitMs=0) for _ in range(MOST_WAITING)]
            assert {(one["by"], one["job"]["status"]) for one in accepted} == {("service", "processing")}
            assert site.errors() == []
            full = site.upload(photo, key=KEY)
            assert (full["by"], full["result"]["why"]) == ("site", "backlog_full")
            assert not site.ask("isOn", key=KEY), "nothing is asked of it for a while"
            assert codes(site.errors()) == [("upload", "backlog_full")]
        for one in accepted:
            assert site.ask("wait", jobId=one["job"]["jobId"], waitMs=60_000)["status"] == "done"
        wait_until(lambda: site.ask("isOn", key=KEY), 60, "the flag to be asked again")
        assert site.counts() | {"shadows": {}} == {"service": 3, "site": 0, "fellBack": 1, "shadows": {}}


def test_a_service_that_is_silent_is_given_up_and_an_upload_without_an_answer_is_still_one(
    service: Service, key: str, photo: Path
) -> None:
    with Silent(service.url) as silent:
        silent.answering.clear()
        with web_tier(baseUrl=silent.url, apiKey=key) as site:
            assert site.upload(photo, key=KEY)["by"] == "site"
            assert codes(site.errors()) == [("flag", "too_slow")]
        silent.answering.set()
        with web_tier(baseUrl=silent.url, apiKey=key, **{**PATIENT, "uploadMs": 1000}) as site:
            silent.mutes = True
            late = site.upload(photo, key=KEY)
            assert (late["by"], late["result"]["why"]) == ("site", "too_slow")
            [error] = site.errors()
            silent.mutes = False
            silent.answering.set()
    with web_tier(baseUrl=service.url, apiKey=key, **PATIENT) as site:
        again = [site.upload(photo, alone=True, idempotencyKey=error["idempotencyKey"])["job"] for _ in "12"]
        assert [job["status"] for job in again] == ["done", "done"]
        assert again[0]["imageId"] == again[1]["imageId"]
    headers = {"Authorization": f"Bearer {key}"}
    listed = httpx.get(f"{service.url}/v1/images", headers=headers).json()["images"]
    assert [image["imageId"] for image in listed].count(again[0]["imageId"]) == 1


def test_what_passes_is_sent_again_under_its_key_and_waiting_minds_tags_and_times(photo: Path) -> None:
    on = {"name": "image-service", "enabled": True, "percent": 25}
    asked_again = {"ETag": '"a"', "Retry-After": "1"}
    with scripted(
        *(Answer(200, on, {"ETag": '"on"', "Cache-Control": "private, max-age=0"}), Answer(304)),
        *(problem(503, "too_busy", Retry_After="1"), accepted()),
        *(
            Answer(200, job("processing"), asked_again),
            Answer(304, headers=asked_again),
            BROKEN,
            Answer(200, job("done")),
        ),
        Answer(502, "<h1>Bad gateway</h1>", {"Retry-After": "1000"}),
    ) as script:
        with web_tier(baseUrl=script.url, apiKey="secret", **PATIENT) as site:
            assert site.ask("isOn", key="a/b c") is True
            made = site.upload(photo, key="a/b c")
            assert (made["by"], made["job"]["status"], made["job"]["imageId"]) == ("service", "done", "image-1")
            assert codes(site.errors()) == [("wait", "unreachable")]
            for _ in range(3):
                assert site.ask("isOn", key="another") is False
            assert codes(site.errors()) == [("flag", "http_502")]
        assert script.left == []
    flag, flag_again, upload, upload_again, look, *looks = script.asked[:-1]
    assert (flag.path, flag_again.headers["If-None-Match"]) == ("/v1/flags/image-service?key=a%2Fb%20c", '"on"')
    assert upload.headers["Idempotency-Key"] == upload_again.headers["Idempotency-Key"]
    assert upload.headers["Idempotency-Key"]
    assert photo.read_bytes() in upload.body
    assert photo.read_bytes() in upload_again.body
    assert look.path == "/v1/jobs/job-1?wait=30"
    assert [look.headers["If-None-Match"], *(again.headers["If-None-Match"] for again in looks)] == [None, *['"a"'] * 3]
    assert {request.headers["Authorization"] for request in script.asked} == {"Bearer secret"}


def test_shadows_are_a_few_at_once_and_what_becomes_of_them_is_counted_and_nothing_else(
    service: Service, key: str, photo: Path
) -> None:
    with (
        Silent(service.url) as silent,
        web_tier(baseUrl=silent.url, apiKey=key, shadows=2, shadowsWaiting=1, **PATIENT) as site,
    ):
        silent.answering.clear()
        for number in range(5):
            site.ask("shadow", legacyKey=f"gall/rosa/rosa_{number}_original.jpg", path=str(photo))
        assert site.counts()["shadows"] == {"sent": 0, "failed": 0, "dropped": 2}, "nobody waits for them"
        silent.answering.set()
        site.ask("idle")
        assert site.counts()["shadows"] == {"sent": 3, "failed": 0, "dropped": 2}
        site.ask("shadow", legacyKey="gall/rosa/rosa_5_original.jpg", path=str(photo), **{"as": "stream"})
        site.ask("shadow", legacyKey="elsewhere/rosa_6_original.jpg", path=str(photo))
        site.ask("idle")
        assert sorted(codes(site.errors())) == [("shadow", "TypeError"), ("shadow", "bad_legacy_key")]
        site.ask("shadow", legacyKey="gall/rosa/rosa_7_original.jpg")
        site.ask("idle")
        assert site.counts()["shadows"] == {"sent": 4, "failed": 2, "dropped": 2}


@pytest.mark.slow
def test_while_the_service_is_gone_the_flag_is_off_after_seconds_and_on_again_once_it_is_back(
    service: Service, key: str, photo: Path
) -> None:
    with web_tier(baseUrl=service.url, apiKey=key, **PATIENT) as site:
        assert site.ask("isOn", key=KEY)
        service.stop(signal.SIGTERM)
        assert site.upload(photo, key=KEY)["by"] == "site"
        site.ask("shadow", legacyKey="gall/rosa/rosa_99_original.jpg", path=str(photo))
        site.ask("idle")
        wait_until(lambda: not site.ask("isOn", key=KEY), 60, "the last answer to be too old")
        assert {code for _, code in codes(site.errors())} == {"unreachable"}
        service.start()
        wait_until(lambda: site.ask("isOn", key=KEY), 60, "the flag to be asked again")
        assert site.upload(photo, key=KEY)["by"] == "service"
