"""What store and writer share: S3's errors in our words, and the end of an upload."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from media_jobs.errors import ObjectMissing, StorageUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger(__name__)


@contextmanager
def translated(doing: str, key: str | None = None) -> Iterator[None]:
    """Raises StorageUnavailable for whatever boto3 and the network raise. With `key`, "not found" is ObjectMissing."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if key and code in ("404", "NoSuchKey"):
            raise ObjectMissing(key) from error
        log.error("storage_failed", doing=doing, error=code)
        raise StorageUnavailable(doing) from error
    except (BotoCoreError, Boto3Error, ConnectionError, TimeoutError) as error:
        log.error("storage_failed", doing=doing, error=type(error).__name__)
        raise StorageUnavailable(doing) from error


def abort_multipart(client: "S3Client", bucket: str, key: str, upload_id: str) -> None:
    """Drop an upload and its parts; one that has ended already is fine."""
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchUpload":
            raise
