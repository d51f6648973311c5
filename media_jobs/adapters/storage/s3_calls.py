"""What all calls of S3 share: their limits, the translation of their errors, and the end of an upload."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from media_jobs.adapters.tls import fault_of
from media_jobs.errors import (
    BucketMissing,
    MediaError,
    ObjectMissing,
    StorageClockSkewed,
    StorageDenied,
    StorageUnavailable,
    StorageUntrusted,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger(__name__)

_REFUSED = frozenset({401, 403})
_TOKEN_CODES = frozenset({"ExpiredToken", "InvalidToken", "TokenRefreshRequired"})  # which S3 answers with 400
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})
#: Sent by S3 and compatible servers under the code AccessDenied.
_SKEWED_MESSAGES = ("Request has expired", "Request is not valid yet")


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How long one call of S3 may take.

    connect_s: for a connection to one address. read_s: for the next bytes of an answer. attempts: all of them, with
    waits of up to 0.05 and 0.1 s between them, or of up to 1 and 2 s where S3 asks for fewer calls.

    So a call ends within a minute of the last byte that moved: after 3 × (5 + 15) s at a storage that hangs, after 3 s
    at one that is overloaded (13 s, if it names longer waits), and at once where nobody listens.
    """

    connect_s: float = 5.0
    read_s: float = 15.0
    attempts: int = 3


CALL_LIMITS = CallLimits()


@contextmanager
def translate_errors(doing: str, key: str | None = None) -> Iterator[None]:
    """Turn S3's errors, and the network's, into ours. With `key`, a missing object is ObjectMissing.

    Raises StorageDenied, StorageClockSkewed and BucketMissing for what they say, StorageUnavailable for all others.
    """
    try:
        yield
    except ClientError as error:
        kind, code = _kind(error), error.response["Error"]["Code"]
        if key and kind is StorageUnavailable and code in ("404", "NoSuchKey"):
            raise ObjectMissing(key) from error
        raise _failed(kind(doing), doing, code) from error
    except (
        BotoCoreError,
        Boto3Error,
        ResponseParserError,  # an answer that broke off
        HTTPError,  # of TLS, in the middle of a body
        ConnectionError,
        TimeoutError,
    ) as error:
        fault = fault_of(error)
        raise _failed(
            (StorageUntrusted if fault else StorageUnavailable)(doing), doing, type(error).__name__
        ) from error


def _kind(error: ClientError) -> type[StorageUnavailable]:
    details, status = error.response["Error"], error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if details["Code"] == "NoSuchBucket":
        return BucketMissing
    if details["Code"] in _SKEWED or details.get("Message", "").startswith(_SKEWED_MESSAGES):
        return StorageClockSkewed
    if status in _REFUSED or details["Code"] in _TOKEN_CODES:
        return StorageDenied
    return StorageUnavailable


def _failed(error: MediaError, doing: str, what: str) -> MediaError:
    log.error("storage_failed", doing=doing, error=what, code=error.code)
    return error


def abort_multipart(client: "S3Client", bucket: str, key: str, upload_id: str) -> None:
    """Abort an upload, so that its parts are removed; one that has ended already is fine."""
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchUpload":
            raise
