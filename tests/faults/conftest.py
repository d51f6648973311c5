"""The product's own stores, on a real S3 server behind the proxy."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.test import override_settings

from media_jobs.adapters import storage
from media_jobs.adapters.bucket import policies
from media_jobs.adapters.storage import Role, s3, s3_calls, s3_streams
from media_jobs.adapters.storage.s3 import S3Store
from tests.faults.proxy import FaultyProxy
from tests.faults.scenarios import Context
from tests.servers.seaweed import SeaweedFS, s3_client, seaweedfs

_HERE = Path(__file__).parent
#: Bucket of a live site; the tests write there, and the product reads.
_SITE = "the-site"
_USERS = {
    "legacy": policies.legacy(_SITE, prefix="gall/"),
    "everything": policies.policy({"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def faults_server() -> Iterator[SeaweedFS]:
    """A server of these tests' own: each of them accounts for all that lies in the bucket."""
    with seaweedfs(users=_USERS) as running:
        with closing(s3_client(running.endpoint_url, running.users["everything"])) as owner:
            owner.create_bucket(Bucket=_SITE)
        yield running


@pytest.fixture(scope="session")
def proxy(faults_server: SeaweedFS) -> Iterator[FaultyProxy]:
    with FaultyProxy(faults_server.endpoint_url) as listening:
        yield listening


@pytest.fixture(scope="module")
def stores(faults_server: SeaweedFS, proxy: FaultyProxy, request: pytest.FixtureRequest) -> Iterator[None]:
    """The stores of all roles, through the proxy, with credentials of their own. Failed calls are repeated at once.

    A module's CALL_LIMITS is theirs.
    """
    limits = getattr(request.module, "CALL_LIMITS", s3_calls.CALL_LIMITS)
    given = {
        "S3_BUCKET": faults_server.bucket,
        "S3_ENDPOINT_URL": proxy.endpoint_url,
        "S3_WEB_CREDENTIALS": faults_server.web,
        "S3_WORKER_CREDENTIALS": faults_server.worker,
        "S3_READ_CREDENTIALS": faults_server.read,
        "LEGACY_S3_BUCKET": _SITE,
        "LEGACY_S3_ENDPOINT_URL": proxy.endpoint_url,
        "LEGACY_S3_CREDENTIALS": faults_server.users["legacy"],
        "SHADOW_GRACE_S": 0,
    }
    with pytest.MonkeyPatch.context() as patched, override_settings(**given):
        patched.setattr(s3, "S3Store", partial(S3Store, limits=limits))
        patched.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        patched.setattr(s3_streams, "_PAUSE_S", 0.0)
        patched.setattr(s3, "_CHECK_KEPT_S", 0.0)
        storage.store.cache_clear()
        storage.legacy_store.cache_clear()
        yield
        for store in (*map(storage.store, Role), storage.legacy_store()):
            cast("S3Store", store).client.close()
        storage.store.cache_clear()
        storage.legacy_store.cache_clear()


@pytest.fixture(scope="session")
def everything(faults_server: SeaweedFS) -> Iterator[Any]:
    """A client with all rights, past the proxy."""
    client = s3_client(faults_server.endpoint_url, faults_server.users["everything"])
    yield client
    client.close()


@pytest.fixture
def context(faults_server: SeaweedFS, stores: None, proxy: FaultyProxy, everything: Any) -> Iterator[Context]:
    """An empty bucket behind a proxy that spoils nothing yet."""
    made = Context(proxy, everything, faults_server.bucket, _SITE)
    _empty(made)
    proxy.calls.clear()
    yield made
    proxy.heal()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _empty(context: Context) -> None:
    for found in context.client.list_objects_v2(Bucket=context.bucket).get("Contents", []):
        context.client.delete_object(Bucket=context.bucket, Key=found["Key"])
    for found in context.client.list_multipart_uploads(Bucket=context.bucket).get("Uploads", []):
        context.client.abort_multipart_upload(Bucket=context.bucket, Key=found["Key"], UploadId=found["UploadId"])
