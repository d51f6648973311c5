"""The same upload sent again over real connections: after its answer was lost, and while the first is under way."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests import images
from tests.e2e.client import wait

pytestmark = pytest.mark.e2e

BOUNDARY = "gallimg-test-boundary"
HEAD = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'.encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
RETRY_FOR_S = 60


@pytest.fixture(scope="module")
def photo() -> bytes:
    return images.jpeg(1200, 800)


def post(service, body: Iterator[bytes] | bytes, key: str) -> httpx.Response:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Idempotency-Key": key}
    return httpx.post(f"{service.url}/v1/images", content=body, headers=headers, timeout=RETRY_FOR_S)


def originals(service) -> set[str]:
    kept: set[str] = service.objects.keys("originals/")
    return kept


def test_of_uploads_that_end_together_one_is_kept_and_all_get_its_answer(service, photo):
    """Each has sent all but its last bytes before any may send those: whatever is decided, is decided at once."""
    key, senders = str(uuid4()), 8
    before = len(originals(service))
    all_sent = threading.Barrier(senders)

    def body() -> Iterator[bytes]:
        yield HEAD + photo[:-100]
        all_sent.wait(RETRY_FOR_S)
        yield photo[-100:] + TAIL

    with ThreadPoolExecutor(senders) as pool:
        answers = list(pool.map(lambda _: post(service, body(), key), range(senders)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers].count(None) == 1
    assert wait(service.url, answers[0].json()["jobId"])["status"] == "done"
    service.manage("housekeeping", "--older-than", "0")
    assert len(originals(service)) == before + 1


def test_a_lost_answer_is_had_by_sending_again_and_another_file_is_refused(service, photo):
    key = str(uuid4())
    first = post(service, HEAD + photo + TAIL, key)
    before = originals(service)
    again = post(service, HEAD + photo + TAIL, f'"{key}"')
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = post(service, HEAD + images.jpeg(64, 64) + TAIL, key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert originals(service) == before
