"""Objects in an S3 bucket, by django-storages' connection and the client's multipart calls."""

import functools
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote

from django.utils.http import content_disposition_header

from media_jobs import keys
from media_jobs.adapters.storage.headers import cache_control, content_disposition
from media_jobs.adapters.storage.s3_anonymous import is_public_there
from media_jobs.adapters.storage.s3_calls import CALL_LIMITS, CallLimits, abort_multipart, translate_errors
from media_jobs.adapters.storage.s3_checksums import PartChecksum, checksum
from media_jobs.adapters.storage.s3_connection import Credentials, bucket_storage, bucket_url
from media_jobs.adapters.storage.s3_forms import presigned_form
from media_jobs.adapters.storage.s3_streams import CancellableBody, ObjectReader, download
from media_jobs.adapters.storage.s3_writer import Headers, S3Writer
from media_jobs.adapters.storage.threads import Cancellation, run_with_heartbeat
from media_jobs.adapters.storage.transfer import new_file
from media_jobs.errors import MediaError, ReadsNotConfigured, StorageDenied, StorageUnavailable
from media_jobs.ports import Form, Heartbeat, Listed, Outgoing, no_heartbeat

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHECK_KEY = "uploads/check"
_CHECK_KEPT_S = 10.0
_CHECK_LIMIT_S = 8.0
_SENDERS = 8  # threads that send parts, for all uploads of the process together
_PUTS = 4  # at the same time
_ASKING = "being asked whether it is there"
_LOOKING = "being asked for a file"


class S3Store:
    """Keeps the promises of `ports.ObjectStore` in a bucket.

    credentials: None for a role that has none: it can make public URLs and nothing else.
    public_url: where derivatives are served from; by default the bucket itself.
    limits: of each single call.
    part_checksum: the one that the server takes.
    ca_bundle: see `s3_connection.bucket_storage`.
    """

    def __init__(
        self,
        bucket: str,
        *,
        credentials: Credentials | None,
        region: str,
        endpoint_url: str | None = None,
        public_url: str = "",
        limits: CallLimits = CALL_LIMITS,
        part_checksum: PartChecksum = PartChecksum.SHA256,
        ca_bundle: str = "",
    ) -> None:
        self.bucket = bucket
        self._part_checksum = part_checksum
        self._bucket_url = bucket_url(bucket, region=region, endpoint_url=endpoint_url)
        self._public_url = public_url or self._bucket_url
        how: dict[str, Any] = {"region": region, "endpoint_url": endpoint_url, "limits": limits, "ca_bundle": ca_bundle}
        self._client: S3Client | None = None
        if credentials:
            self._client = bucket_storage(bucket, credentials, **how).bucket.meta.client
        self._checking = threading.Lock()
        self._checked: tuple[float, MediaError | None] | None = None

    @property
    def client(self) -> "S3Client":
        """The client of this store, shared by threads. Raises ReadsNotConfigured without credentials."""
        if self._client is None:
            raise ReadsNotConfigured
        return self._client

    def begin(self, key: str, *, content_type: str) -> S3Writer:
        return S3Writer(
            self.client,
            self.bucket,
            keys.checked(key),
            _headers(key, content_type),
            senders=self._senders,
            part_checksum=self._part_checksum,
        )

    def put(self, files: Sequence[Outgoing], *, heartbeat: Heartbeat = no_heartbeat) -> None:
        client = self.client
        for outgoing in files:
            keys.checked(outgoing.key)
        puts = [functools.partial(self._put, client, outgoing) for outgoing in files]
        run_with_heartbeat(heartbeat, puts, at_once=_PUTS)

    def _put(self, client: "S3Client", outgoing: Outgoing, cancellation: Cancellation) -> None:
        # Neither S3Writer nor boto3's upload_file: one request leaves nothing behind, however it ends.
        headers = _headers(outgoing.key, outgoing.content_type)
        with outgoing.source.open("rb") as file, translate_errors("storing a file"):
            body = cast("BinaryIO", CancellableBody(file, cancellation))
            client.put_object(Bucket=self.bucket, Key=outgoing.key, Body=body, **headers, **checksum(file))

    def fetch(self, key: str, into: Path, *, heartbeat: Heartbeat = no_heartbeat) -> None:
        client, key = self.client, keys.checked(key)

        def read(cancellation: Cancellation) -> None:
            with into.open("r+b", buffering=0) as file:  # its own: the caller may have closed the other one by now
                download(client, self.bucket, key, file, cancellation)

        with new_file(into):
            run_with_heartbeat(heartbeat, [read], detach=True)

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> ObjectReader:
        return ObjectReader(self.client, self.bucket, keys.checked(key), start=start, end=end)

    def delete(self, key: str) -> None:
        with translate_errors("deleting a file"):
            self.client.delete_object(Bucket=self.bucket, Key=keys.checked(key))

    def keys(self, prefix: str = "", *, after: str = "") -> Iterator[str]:
        return (listed.key for listed in self.objects(prefix, after=after))

    def objects(self, prefix: str = "", *, after: str = "") -> Iterator[Listed]:
        start: dict[str, Any] = {"StartAfter": after} if after else {}
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, **start)
        with translate_errors("listing files"):
            for page in pages:
                for found in page.get("Contents", []):
                    yield Listed(found["Key"], found["Size"], found["LastModified"])

    def exists(self, key: str) -> bool:
        # Not by HEAD, whose answers have no body: a bucket that is missing could not be told from an object.
        try:
            with translate_errors(_LOOKING, key):
                found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=keys.checked(key), MaxKeys=1)
        except (StorageDenied, ReadsNotConfigured):
            if not keys.is_public(key):
                raise
            return is_public_there(self.url(key))
        return any(one["Key"] == key for one in found.get("Contents", []))

    def unfinished(self, *, older_than_s: float = 0) -> list[str]:
        return [upload["Key"] for upload in self._uploads(older_than_s)]

    def sweep(self, *, older_than_s: float) -> int:
        removed = 0
        for upload in list(self._uploads(older_than_s)):
            with translate_errors("removing an unfinished upload"):
                abort_multipart(self.client, self.bucket, upload["Key"], upload["UploadId"])
            removed += 1
        return removed

    def url(self, key: str) -> str:
        return f"{self._public_url}/{quote(keys.checked(key))}"

    def signed_url(self, key: str, *, filename: str, content_type: str, expires_s: int) -> str:
        # Not django-storages' own url(), which makes a client for every thread that calls it.
        return self.client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self.bucket,
                "Key": keys.checked(key),
                "ResponseContentType": content_type,
                "ResponseContentDisposition": content_disposition_header(True, filename) or "attachment",
                "ResponseCacheControl": cache_control(key),
            },
            ExpiresIn=expires_s,
        )

    def form(self, key: str, *, content_type: str, least_bytes: int, most_bytes: int, expires_s: int) -> Form:
        return presigned_form(
            self.client, self.bucket, keys.checked(key), url=self._bucket_url, content_type=content_type,
            least_bytes=least_bytes, most_bytes=most_bytes, expires_s=expires_s,
        )  # fmt: skip

    def check(self) -> None:
        """Keep the promise of the port within seconds, and ask the server at most once in ten of them."""
        with self._checking:
            if self._checked is None or time.monotonic() - self._checked[0] > _CHECK_KEPT_S:
                self._checked = (time.monotonic(), self._try_to_write())
            error = self._checked[1]
        if error:
            raise error.with_traceback(None)

    @functools.cached_property
    def _senders(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_SENDERS, thread_name_prefix="s3")

    def check_room(self, *, times: int = 1) -> None:
        """Do nothing: a bucket always has room."""

    def _try_to_write(self) -> MediaError | None:
        give_up_at = time.monotonic() + _CHECK_LIMIT_S

        def heartbeat() -> None:
            if time.monotonic() > give_up_at:
                raise StorageUnavailable(_ASKING)

        try:
            run_with_heartbeat(heartbeat, [functools.partial(self._check, self.client)], detach=True)
        except MediaError as error:
            return error
        return None

    def _check(self, client: "S3Client", _: Cancellation) -> None:
        # The one thing that write-only credentials can do and that leaves nothing behind.
        with translate_errors(_ASKING):
            upload = client.create_multipart_upload(Bucket=self.bucket, Key=_CHECK_KEY)
            abort_multipart(client, self.bucket, _CHECK_KEY, upload["UploadId"])

    def _uploads(self, older_than_s: float) -> Iterator[Any]:
        began_before = datetime.now(UTC) - timedelta(seconds=older_than_s)
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
        with translate_errors("listing unfinished uploads"):
            for page in pages:
                ours = (found for found in page.get("Uploads", []) if found["Key"].startswith(keys.PREFIXES))
                yield from (found for found in ours if not older_than_s or found["Initiated"] <= began_before)


def _headers(key: str, content_type: str) -> Headers:
    return {
        "ContentType": content_type,
        "CacheControl": cache_control(key),
        "ContentDisposition": content_disposition(key),
    }
