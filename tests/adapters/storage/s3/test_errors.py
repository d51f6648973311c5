"""Errors of the storage say who has to do what, and no secret."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import botocore.auth
import pytest
from botocore.compat import get_current_datetime
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import SSLError

from media_jobs.adapters.storage.s3 import S3Store
from media_jobs.adapters.storage.s3_calls import translate_errors
from media_jobs.errors import (
    BucketMissing,
    MediaError,
    ObjectMissing,
    StorageClockSkewed,
    StorageDenied,
    StorageUnavailable,
)
from media_jobs.ports import Outgoing
from media_jobs.services.jobs import failures
from tests.adapters.storage.stores import SMALL, noise, s3_store, write
from tests.servers import free_ports
from tests.servers.seaweed import SeaweedFS

CALLS: dict[str, Callable[[S3Store, str, Path], object]] = {
    "put": lambda store, key, folder: store.put([Outgoing(key, folder / "source", "image/jpeg")]),
    "fetch": lambda store, key, folder: store.fetch(key, folder / "fetched"),
    "write": lambda store, key, _: write(store, key, noise(SMALL)).commit(),
    "delete": lambda store, key, _: store.delete(key),
    "exists": lambda store, key, _: store.exists(key),
    "keys": lambda store, _, __: list(store.keys()),
    "unfinished": lambda store, _, __: store.unfinished(),
    "check": lambda store, _, __: store.check(),
}


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[S3Store], object]:
    (tmp_path / "source").write_bytes(noise(SMALL))
    key = f"originals/{uuid4()}.jpg"
    return lambda store: CALLS[request.param](store, key, tmp_path)


@pytest.fixture
def made(seaweed: SeaweedFS) -> Iterator[Callable[..., S3Store]]:
    stores: list[S3Store] = []

    def make(**given: Any) -> S3Store:
        stores.append(s3_store(seaweed, **given))
        return stores[-1]

    yield make
    for store in stores:
        store.client.close()


@pytest.mark.parametrize("wrong", ["key", "secret"])
def test_refused_credentials_are_reported_and_not_repeated(
    seaweed: SeaweedFS, made: Any, call: Any, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    key, secret = seaweed.worker
    credentials = (key, "not the secret") if wrong == "secret" else ("nobody", secret)
    with pytest.raises(StorageDenied) as refused:
        call(made(credentials=credentials))
    shown = failures.traceback_tail(refused.value) + caplog.text
    assert "storage_failed" in shown
    assert credentials[1] not in shown
    assert "Signature=" not in shown


def test_a_wrong_clock_is_reported(made: Any, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    an_hour = timedelta(hours=1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *given: get_current_datetime(*given) - an_hour)
    with pytest.raises(StorageClockSkewed):
        call(made())


def test_a_missing_bucket_is_reported(seaweed: SeaweedFS, made: Any, call: Any, request: pytest.FixtureRequest) -> None:
    # Whoever writes is refused by SeaweedFS, which would make the bucket for who may do that.
    writes = request.node.callspec.params["call"] in ("put", "write", "check")
    with pytest.raises(StorageDenied if writes else BucketMissing):
        call(made(bucket=f"{seaweed.bucket}-missing"))


def test_a_storage_where_nobody_listens_is_away(made: Any, call: Any) -> None:
    with pytest.raises(StorageUnavailable) as away:
        call(made(endpoint_url=f"http://127.0.0.1:{free_ports(1)[0]}"))
    assert type(away.value) is StorageUnavailable


def answer(code: str, status: int, message: str = "") -> ClientError:
    details: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(details, "GetObject")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answer("AccessDenied", 403, "Access Denied"), StorageDenied),
        (answer("InvalidAccessKeyId", 403), StorageDenied),
        (answer("SignatureDoesNotMatch", 403), StorageDenied),
        (answer("AllAccessDisabled", 403), StorageDenied),
        (answer("Unauthorized", 401), StorageDenied),
        (answer("403", 403, "Forbidden"), StorageDenied),
        (answer("ExpiredToken", 400), StorageDenied),
        (answer("TokenRefreshRequired", 400), StorageDenied),
        (answer("InvalidToken", 400), StorageDenied),
        (answer("RequestTimeTooSkewed", 403), StorageClockSkewed),
        (answer("RequestExpired", 400), StorageClockSkewed),
        (answer("AccessDenied", 403, "Request has expired"), StorageClockSkewed),
        (answer("AccessDenied", 403, "Request is not valid yet."), StorageClockSkewed),
        (answer("NoSuchBucket", 404), BucketMissing),
        (answer("NoSuchKey", 404), ObjectMissing),
        (answer("404", 404), ObjectMissing),
        (answer("NoSuchUpload", 404), StorageUnavailable),
        (answer("SlowDown", 503), StorageUnavailable),
        (answer("InternalError", 500), StorageUnavailable),
        (answer("BadDigest", 400), StorageUnavailable),
        (answer("RequestTimeout", 400), StorageUnavailable),
        (answer("", 400), StorageUnavailable),
        (ReadTimeoutError(endpoint_url="http://storage"), StorageUnavailable),
        (ResponseParserError("cut off"), StorageUnavailable),
        (SSLError("cut off"), StorageUnavailable),
        (ConnectionResetError(), StorageUnavailable),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else repr(str(value)),
)
def test_each_error_has_a_kind(error: Exception, kind: type[MediaError]) -> None:
    with pytest.raises(MediaError) as raised, translate_errors("reading a file", "full/a.jpg"):
        raise error
    assert type(raised.value) is kind
    assert failures.is_outage(raised.value.code)


def test_without_a_key_nothing_is_missing_but_the_storage() -> None:
    with pytest.raises(StorageUnavailable), translate_errors("listing files"):
        raise answer("404", 404)
