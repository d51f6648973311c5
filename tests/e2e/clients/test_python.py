"""The client for Python, before a whole service."""

import os
import signal
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from django.utils import timezone
from gallimg_client import Client, Event, JobFailed, ProblemError, Retries, StillProcessing

from tests import images
from tests.e2e.accounts import api_key
from tests.e2e.pausing import no_work
from tests.e2e.service import Service, running, wait_until

pytestmark = pytest.mark.e2e

MB = 1_048_576
LIMIT_S = 120.0
MOST_WAITERS = 8
SECRET = "a secret of more than thirty-two bytes, for tests"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(
        tmp_path_factory.mktemp("clients") / "data", {"JWT_SECRET": SECRET, "MAX_WAITERS": str(MOST_WAITERS)}
    ) as started:
        yield started


@pytest.fixture(scope="module")
def key(service: Service) -> str:
    """Of a program that may do everything."""
    return api_key(service, "upload", "read", "manage")


@pytest.fixture
def gallimg(service: Service, key: str) -> Iterator[Client]:
    with Client(service.url, key) as client:
        yield client


def token(subject: str, **claims: str) -> str:
    """As this service or another one signs it."""
    return jwt.encode({"sub": subject, "exp": timezone.now() + timedelta(minutes=1), **claims}, SECRET)


def test_a_large_upload_tells_how_far_it_is_and_is_never_whole_in_memory(gallimg: Client, tmp_path: Path) -> None:
    path, heard = tmp_path / "gall.jpg", list[tuple[int, int | None]]()
    picture = images.jpeg(1200, 800)
    path.write_bytes(picture + bytes(28 * MB - len(picture)))
    gallimg.process(images.jpeg())  # whatever is loaded on first use
    tracemalloc.start()
    try:
        job = gallimg.process(path, progress=lambda sent, total: heard.append((sent, total)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert job["status"] == "done"
    assert peak < 2 * MB
    sent = [sent for sent, _ in heard]
    assert (sent[0], sent[-1], {total for _, total in heard}) == (0, 28 * MB, {28 * MB})
    assert len(sent) > 400
    assert sent == sorted(set(sent))
    image = gallimg.image(job["imageId"])
    assert (image["bytes"], image["filename"]) == (28 * MB, "gall.jpg")


def test_each_step_of_a_job_is_told_until_it_is_over(gallimg: Client) -> None:
    heard: list[Event] = []
    began = threading.Event()

    def upload() -> None:
        began.wait(60)
        accepted.update(gallimg.upload(images.jpeg(), preset="ingest", tags=["oak"]))

    accepted: dict[str, object] = {}
    uploading = threading.Thread(target=upload)
    uploading.start()
    with gallimg.events() as events:
        for event in events.with_heartbeats():
            began.set()  # the stream is open
            if event is not None:
                heard.append(event)
                if event["status"] != "processing":
                    break
    uploading.join()
    assert {event["jobId"] for event in heard} == {accepted["jobId"]}
    assert [event["number"] for event in heard] == list(range(1, len(heard) + 1))
    assert (heard[0]["type"], heard[-1]["status"]) == ("queued", "done")
    job = gallimg.wait(str(accepted["jobId"]), on_event=heard.append)
    assert len(job["derivatives"]) == 4


def test_a_file_that_breaks_off_fails_with_its_code_and_one_that_is_none_is_refused(gallimg: Client) -> None:
    whole = images.jpeg(800, 600)
    with pytest.raises(JobFailed) as failed:
        gallimg.process(whole[: len(whole) // 2])
    assert failed.value.code == "truncated"
    assert failed.value.detail
    with pytest.raises(ProblemError, match="unsupported_format") as refused:
        gallimg.upload(b"not a picture at all" * 100)
    assert refused.value.status == 415


def test_images_are_listed_changed_deleted_and_restored(gallimg: Client) -> None:
    made = [gallimg.process(images.jpeg(64, 64), tags=["oak"])["imageId"] for _ in range(3)]
    assert [image["imageId"] for image in gallimg.images(tags=["oak"], page_size=2)] == made[::-1]
    future = timezone.now() + timedelta(days=1)
    assert list(gallimg.images(created_after=future)) == []
    changed = gallimg.change(made[0], tags=["rose"], rights={"creator": "Ada"})
    assert (changed["tags"], changed["rights"]) == (["rose"], {"creator": "Ada"})
    assert gallimg.change(made[0], rights={"creator": None})["rights"] == {}
    assert gallimg.delete(made[0])["restorableUntil"]
    assert [image["imageId"] for image in gallimg.images(status="deleted")] == [made[0]]
    with pytest.raises(ProblemError, match="not_found"):
        gallimg.image(made[0])
    restored = gallimg.restore(made[0])
    assert gallimg.wait(restored["jobId"])["status"] == "done"
    assert gallimg.image(made[0])["tags"] == ["rose"]
    with pytest.raises(ProblemError, match="wrong_state"):
        gallimg.cancel(restored["jobId"])


def test_a_token_does_as_well_as_a_key_and_reaches_what_is_its_own_as_far_as_its_scopes_go(service: Service) -> None:
    with Client(service.url, lambda: token("ada", scope="upload")) as gallimg:
        job_id = gallimg.upload(images.jpeg())["jobId"]
        with pytest.raises(ProblemError, match="insufficient_scope"):
            gallimg.job(job_id)
    with Client(service.url, token("ada")) as owner:
        assert owner.wait(job_id)["status"] == "done"
    with Client(service.url, token("bob")) as stranger, pytest.raises(ProblemError, match="not_found"):
        stranger.wait(job_id)
    with Client(service.url, "gallimg_nobodyss_knows") as nobody, pytest.raises(ProblemError) as refused:
        nobody.upload(images.jpeg())
    assert refused.value.status == 401


def test_an_upload_that_is_repeated_under_its_key_is_one(gallimg: Client) -> None:
    photo = images.jpeg()
    first, again = (gallimg.upload(photo, name="a.jpg", idempotency_key="the-same") for _ in range(2))
    assert again == first
    with pytest.raises(ProblemError, match="idempotency_key_reused"):
        gallimg.upload(images.jpeg(), idempotency_key="the-same")


def test_where_no_more_may_wait_a_job_is_waited_for_all_the_same(gallimg: Client) -> None:
    heard: list[Event] = []
    with ExitStack() as stack:
        waiting = [stack.enter_context(gallimg.events()) for _ in range(MOST_WAITERS)]
        for events in waiting:
            next(events.with_heartbeats())
        job_id = gallimg.upload(images.jpeg())["jobId"]
        assert gallimg.wait(job_id, on_event=heard.append, timeout_s=LIMIT_S)["status"] == "done"
    assert heard == []


@pytest.mark.slow
def test_across_a_restart_of_the_web_process_no_event_is_missed_and_a_wait_ends(service: Service, key: str) -> None:
    with Client(service.url, key, retries=Retries(attempts=60, longest_s=1)) as gallimg, gallimg.events() as events:
        next(events.with_heartbeats())
        with ThreadPoolExecutor(1) as pool:
            with no_work(service):
                job_id = gallimg.upload(images.jpeg())["jobId"]
                heard = [next(events)]
                waiting = pool.submit(gallimg.wait, job_id, timeout_s=LIMIT_S)
                [web] = service.pids("web")
                os.kill(web, signal.SIGKILL)
                wait_until(lambda: service.pids("web") not in ([web], []) and service.is_ready(), LIMIT_S, "another")
            assert waiting.result()["status"] == "done"
        while heard[-1]["status"] == "processing":
            heard.append(next(events))
    assert {event["jobId"] for event in heard} == {job_id}
    assert [event["number"] for event in heard] == list(range(1, len(heard) + 1))


def test_whoever_has_waited_long_enough_is_told_that_it_goes_on(service: Service, gallimg: Client) -> None:
    with no_work(service), pytest.raises(StillProcessing) as caught:
        gallimg.process(images.jpeg(), timeout_s=1)
    assert gallimg.wait(caught.value.job_id)["status"] == "done"
