"""The place where a service under test keeps its objects: files, or a bucket of an S3 server of its own.

TEST_STORE=files|s3  which of them (files)
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from tests.servers.seaweed import SeaweedFS, s3_client, seaweedfs

ON_S3 = os.environ.get("TEST_STORE", "files") == "s3"
assert os.environ.get("TEST_STORE", "files") in ("files", "s3"), "TEST_STORE takes files or s3"


class Objects(Protocol):
    """What lies in a storage, seen from outside: the service is not asked."""

    def keys(self, prefix: str = "") -> set[str]: ...

    def read(self, key: str) -> bytes: ...

    def unfinished(self) -> set[str]:
        """Writes that were begun, by names that mean nothing else."""


class FileObjects:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keys(self, prefix: str = "") -> set[str]:
        return {key for key in self._all() if key.startswith(prefix) and not key.startswith(".")}

    def read(self, key: str) -> bytes:
        return (self._folder / key).read_bytes()

    def unfinished(self) -> set[str]:
        return {key for key in self._all() if key.startswith(".")}

    def _all(self) -> Iterator[str]:
        return (path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file())


class BucketObjects:
    """A bucket and all that is in it, whoever stored it there."""

    def __init__(self, seaweed: SeaweedFS) -> None:
        self._bucket = seaweed.bucket
        self._client = s3_client(seaweed.endpoint_url, seaweed.worker)

    def keys(self, prefix: str = "") -> set[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return {found["Key"] for page in pages for found in page.get("Contents", [])}

    def read(self, key: str) -> bytes:
        with closing(self._client.get_object(Bucket=self._bucket, Key=key)["Body"]) as body:
            content: bytes = body.read()
        return content

    def unfinished(self) -> set[str]:
        found = self._client.list_multipart_uploads(Bucket=self._bucket).get("Uploads", [])
        return {f"{upload['Key']} {upload['UploadId']}" for upload in found}

    def close(self) -> None:
        self._client.close()


def s3_settings(seaweed: SeaweedFS) -> dict[str, str]:
    """The bucket, and for each role credentials that allow no more than it needs."""
    return {
        "S3_BUCKET": seaweed.bucket,
        "S3_ENDPOINT": seaweed.endpoint_url,
        "AWS_ACCESS_KEY_ID": seaweed.web[0],
        "AWS_SECRET_ACCESS_KEY": seaweed.web[1],
        "WORKER_AWS_ACCESS_KEY_ID": seaweed.worker[0],
        "WORKER_AWS_SECRET_ACCESS_KEY": seaweed.worker[1],
        "S3_READ_ACCESS_KEY_ID": seaweed.read[0],
        "S3_READ_SECRET_ACCESS_KEY": seaweed.read[1],
    }


@contextmanager
def storage(data: Path) -> Iterator[tuple[dict[str, str], Objects]]:
    """Settings and objects of an empty storage that nobody else uses, for a service with this data directory."""
    if not ON_S3:
        yield {}, FileObjects(data / "objects")
        return
    with seaweedfs() as seaweed, closing(BucketObjects(seaweed)) as objects:
        yield s3_settings(seaweed), objects
