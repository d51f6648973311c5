"""What the tests of the object stores share."""

import hashlib
import io
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import httpx
from botocore.exceptions import ConnectionClosedError
from django.test import Client

from media_jobs.adapters.storage.files import FileStore
from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.ports import ObjectStore, ObjectWriter
from tests.servers.seaweed import SeaweedFS

SMALL, PART, LARGE = 70_001, 10 * 1_048_576, 12_000_000


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes


def from_django(url: str) -> Answer:
    parts = urlsplit(url)
    answer = Client().get(f"{parts.path}?{parts.query}")
    body = b"".join(answer) if answer.streaming else answer.content  # read to its end, it is closed
    return Answer(answer.status_code, answer.headers, body)


def from_the_net(url: str) -> Answer:
    answer = httpx.get(url)
    return Answer(answer.status_code, answer.headers, answer.content)


@dataclass
class Subject:
    store: ObjectStore
    get: Callable[[str], Answer]
    spot: str  #: a part of keys that is this test's own


def s3_store(seaweed: SeaweedFS, credentials: tuple[str, str] | None = None, **given: Any) -> S3Store:
    """given: what else S3Store takes, and what is to be otherwise."""
    usual = {
        "bucket": seaweed.bucket,
        "credentials": credentials or seaweed.worker,
        "region": "us-east-1",
        "endpoint_url": seaweed.endpoint_url,
    }
    return S3Store(**{**usual, **given})


def noise(size_bytes: int) -> bytes:
    return hashlib.shake_128(str(size_bytes).encode()).digest(size_bytes)


def write(store: ObjectStore, key: str, content: bytes, *, content_type: str = "image/jpeg") -> ObjectWriter:
    writer = store.begin(key, content_type=content_type)
    for start in range(0, len(content), 65_536):
        writer.write(content[start : start + 65_536])
    return writer


def read(store: ObjectStore, key: str, tmp_path: Path) -> bytes:
    store.fetch(key, tmp_path / "fetched")
    return (tmp_path / "fetched").read_bytes()


@contextmanager
def full_disk(after_bytes: int) -> Iterator[None]:
    """No file may grow past `after_bytes`: the kernel answers as a full disk does, with an error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def failing_in_the_middle(store: ObjectStore) -> Iterator[None]:
    if not isinstance(store, S3Store):
        with full_disk(LARGE):
            yield
        return

    def lose_all_but_the_first(params: dict[str, Any], **_: Any) -> None:
        if params["query_string"]["partNumber"] != 1:
            raise ConnectionClosedError(endpoint_url=params["url"])

    def break_off(params: dict[str, Any], **_: Any) -> None:
        params["body"] = _BreakingOff(params["body"].read())

    events = store.client.meta.events
    events.register("before-call.s3.UploadPart", lose_all_but_the_first)
    events.register("before-call.s3.PutObject", break_off)
    with mock.patch("botocore.endpoint.time.sleep"):  # between its attempts
        yield
    events.unregister("before-call.s3.UploadPart", lose_all_but_the_first)
    events.unregister("before-call.s3.PutObject", break_off)


@contextmanager
def refusing(store: ObjectStore, key: str) -> Iterator[None]:
    """No object can be stored under `key`."""
    if isinstance(store, FileStore):
        store.path(key).mkdir(parents=True)
        yield
        store.path(key).rmdir()
        return
    assert isinstance(store, S3Store)

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if params["url_path"].endswith(key):
            raise ConnectionClosedError(endpoint_url=params["url"])

    store.client.meta.events.register("before-call.s3.PutObject", refuse)
    yield
    store.client.meta.events.unregister("before-call.s3.PutObject", refuse)


class _BreakingOff(io.BytesIO):
    def read(self, amount: int | None = -1, /) -> bytes:
        if self.tell() >= LARGE:
            raise ConnectionResetError
        return super().read(amount)
