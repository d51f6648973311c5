"""The proxy does to a call what its fault says, and nothing to all others."""

import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from media_jobs.adapters.storage.s3_checksums import checksum
from tests.faults.injections import Fault, Injection
from tests.faults.messages import Operation
from tests.faults.proxy import FaultyProxy
from tests.servers.seaweed import SeaweedFS

CONTENT = hashlib.shake_128(b"proxy").digest(300_000)


@pytest.fixture
def through(request: pytest.FixtureRequest, faults_server: SeaweedFS, proxy: FaultyProxy) -> Iterator[Any]:
    """A client that tries once, and where a test says so does not wait long."""
    config = Config(
        s3={"addressing_style": "path"},
        read_timeout=getattr(request, "param", 60),
        retries={"total_max_attempts": 1},
        response_checksum_validation="when_required",
    )
    key, secret = faults_server.worker
    client = boto3.client(
        "s3",
        endpoint_url=proxy.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=config,
    )
    proxy.calls.clear()
    yield client
    proxy.heal()
    client.close()


@pytest.fixture
def key() -> str:
    return f"originals/{uuid4()}.jpg"


@pytest.fixture
def put(through: Any, faults_server: SeaweedFS, key: str) -> Callable[[], object]:
    given = {"Bucket": faults_server.bucket, "Key": key, "Body": CONTENT}
    return lambda: through.put_object(**given, ChecksumSHA256=_checksum())


@pytest.fixture
def stored(everything: Any, faults_server: SeaweedFS, key: str) -> Callable[[], bytes | None]:
    def look() -> bytes | None:
        with suppress(everything.exceptions.NoSuchKey):
            return bytes(everything.get_object(Bucket=faults_server.bucket, Key=key)["Body"].read())
        return None

    return look


def _checksum() -> str:
    return checksum(io.BytesIO(CONTENT))["ChecksumSHA256"]


def test_what_is_not_spoiled_arrives_byte_for_byte_on_the_same_connection(through, proxy, put, stored, key):
    for _ in range(3):
        put()
    assert stored() == CONTENT
    assert through.get_object(Bucket="gallimg", Key=key)["Body"].read() == CONTENT
    assert key in [found["Key"] for found in through.list_objects_v2(Bucket="gallimg")["Contents"]]
    assert proxy.calls == {Operation.PUT_OBJECT: 3, Operation.GET_OBJECT: 1, Operation.LIST_OBJECTS: 1}


@pytest.mark.parametrize("nth", [1, 2])
def test_a_fault_happens_to_the_call_that_it_is_for_and_as_often_as_it_is_to(proxy, put, nth):
    other = proxy.inject(Injection(Fault.RESET, Operation.PUT_OBJECT, "thumb/", times=None))
    fault = proxy.inject(Injection(Fault.INTERNAL_ERROR, Operation.PUT_OBJECT, "originals/", nth=nth))
    went_well = []
    for _ in range(3):
        with suppress(ClientError):
            put()
            went_well.append(True)
    assert (fault.happened, fault.seen, len(went_well), other.happened) == (1, 3, 2, 0)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.SLOW_DOWN, 503, "SlowDown"),
        (Fault.INTERNAL_ERROR, 500, "InternalError"),
        (Fault.DENIED, 403, "AccessDenied"),
        (Fault.EXPIRED, 400, "ExpiredToken"),
        (Fault.SKEWED, 403, "RequestTimeTooSkewed"),
        (Fault.NO_BUCKET, 404, "NoSuchBucket"),
    ],
)
def test_a_refusal_reaches_the_client_and_the_request_never_the_server(proxy, put, stored, fault, status, code):
    proxy.inject(Injection(fault, Operation.PUT_OBJECT))
    with pytest.raises(ClientError) as refused:
        put()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert refused.value.response["Error"]["Code"] == code
    assert stored() is None


@pytest.mark.parametrize(
    ("fault", "through"), [(Fault.RESET, 60), (Fault.STALL, 1), (Fault.CUT_REQUEST, 60)], indirect=["through"]
)
def test_a_request_that_is_lost_has_no_effect(proxy, put, stored, fault):
    proxy.inject(Injection(fault, Operation.PUT_OBJECT))
    with pytest.raises(BotoCoreError):
        put()
    assert stored() is None


def test_an_answer_that_is_lost_is_that_of_an_executed_request(proxy, put, stored):
    proxy.inject(Injection(Fault.LOST, Operation.PUT_OBJECT))
    with pytest.raises(BotoCoreError):
        put()
    assert stored() == CONTENT


def test_a_damaged_request_differs_in_one_byte(proxy, put, stored):
    proxy.inject(Injection(Fault.DAMAGED_REQUEST, Operation.PUT_OBJECT))
    with pytest.raises(ClientError):  # by its checksum
        put()
    assert stored() is None


def test_a_damaged_answer_differs_in_one_byte(through, proxy, put, key):
    put()
    proxy.inject(Injection(Fault.DAMAGED_ANSWER, Operation.GET_OBJECT))
    content = through.get_object(Bucket="gallimg", Key=key)["Body"].read()
    assert [n for n, (is_, was) in enumerate(zip(content, CONTENT, strict=True)) if is_ != was] == [len(CONTENT) // 2]


@pytest.mark.parametrize("fault", [Fault.CUT_ANSWER, Fault.HALF_ANSWER])
def test_of_a_cut_answer_the_first_half_arrives(through, proxy, put, key, fault):
    put()
    proxy.inject(Injection(fault, Operation.GET_OBJECT))
    body = through.get_object(Bucket="gallimg", Key=key)["Body"]
    assert body.read(len(CONTENT) // 2) == CONTENT[: len(CONTENT) // 2]
    with pytest.raises(BotoCoreError):
        body.read()
