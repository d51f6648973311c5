"""The printed policies suffice for their roles and for no more, on a server that enforces them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from media_jobs.keys import PRIVATE_PREFIXES, PUBLIC_PREFIXES
from tests.adapters.storage.stores import LARGE, SMALL, noise, s3_store, write
from tests.servers.seaweed import SeaweedFS, s3_client

EVERYWHERE = (*PRIVATE_PREFIXES, *PUBLIC_PREFIXES)


@pytest.fixture
def key(seaweed: SeaweedFS) -> Iterator[str]:
    """An original that is there."""
    found = f"originals/{uuid4()}.jpg"
    with closing(s3_client(seaweed.endpoint_url, seaweed.worker)) as worker:
        worker.put_object(Bucket=seaweed.bucket, Key=found, Body=b"x")
        yield found


@pytest.fixture(params=["web", "read", "worker", "admin"])
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(seaweed: SeaweedFS, role: str) -> Iterator[Any]:
    with closing(s3_client(seaweed.endpoint_url, getattr(seaweed, role))) as found:
        yield found


def allowed(call: Callable[..., Any], **parameters: Any) -> bool:
    try:
        call(**parameters)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 403:
            raise
        return False
    return True


def test_an_original_is_read_by_workers_and_by_who_signs_links(seaweed: SeaweedFS, role: str, client: Any, key: str):
    assert allowed(client.get_object, Bucket=seaweed.bucket, Key=key) == (role in ("worker", "read"))


def test_workers_alone_delete(seaweed: SeaweedFS, role: str, client: Any, key: str):
    assert allowed(client.delete_object, Bucket=seaweed.bucket, Key=key) == (role == "worker")


def test_the_web_process_and_links_list_nothing(seaweed: SeaweedFS, role: str, client: Any):
    assert allowed(client.list_objects_v2, Bucket=seaweed.bucket) == (role in ("worker", "admin"))
    assert allowed(client.list_multipart_uploads, Bucket=seaweed.bucket) == (role == "worker")


@pytest.mark.parametrize("prefix", [*EVERYWHERE, "elsewhere/"])
def test_each_stores_where_it_has_to_and_nowhere_else(seaweed: SeaweedFS, role: str, client: Any, prefix: str):
    wanted = {"worker": EVERYWHERE, "web": PRIVATE_PREFIXES}.get(role, ())
    stored = allowed(client.put_object, Bucket=seaweed.bucket, Key=f"{prefix}{uuid4()}", Body=b"x")
    assert stored == (prefix in wanted)


@pytest.mark.parametrize("call", ["get_bucket_policy", "get_bucket_lifecycle_configuration", "get_bucket_cors"])
def test_the_administrator_alone_looks_at_the_buckets_settings(seaweed: SeaweedFS, role: str, client: Any, call: str):
    if role == "admin":
        with pytest.raises(ClientError, match="NoSuch") if call == "get_bucket_cors" else closing(client):
            getattr(client, call)(Bucket=seaweed.bucket)
    else:
        assert not allowed(getattr(client, call), Bucket=seaweed.bucket)


def test_the_web_process_uploads_and_is_ready_with_no_other_rights(seaweed: SeaweedFS):
    store = s3_store(seaweed, seaweed.web)
    store.check()
    for size_bytes in (SMALL, LARGE):
        write(store, f"originals/{uuid4()}.jpg", noise(size_bytes)).commit()
        write(store, f"originals/{uuid4()}.jpg", noise(size_bytes)).abort()
    store.client.close()
    worker = s3_store(seaweed)
    assert worker.unfinished() == []
    worker.client.close()
