"""One object on its way into the bucket while its bytes still arrive."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, TypedDict

import structlog

from media_jobs.adapters.storage.s3_calls import abort_multipart, translated
from media_jobs.errors import StorageFull, StorageUnavailable, is_disk_full

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = structlog.get_logger(__name__)

PART_BYTES = 5 * 1_048_576  # the least that S3 takes; all but the last are equal, as some servers want
_IN_FLIGHT = 3
_DOING = "storing a file"


class Headers(TypedDict):
    ContentType: str
    CacheControl: str
    ContentDisposition: str


class S3Writer:
    """Keeps the promises of `ports.ObjectWriter`. Used by one thread.

    Up to PART_BYTES become one PutObject, more a multipart upload that `senders` send part by part meanwhile.
    Each part waits in an unlinked temporary file, so that memory does not grow with the object.
    """

    def __init__(self, client: "S3Client", bucket: str, key: str, headers: Headers, senders: Executor) -> None:
        self._client, self._bucket, self._key, self._headers = client, bucket, key, headers
        self._senders = senders
        self._upload_id: str | None = None
        self._sent: list[tuple[Future[str], IO[bytes]]] = []
        self._committed = self._aborted = False
        try:
            self._part, self._part_bytes = _part(), 0
        except OSError as error:
            raise _failed(error) from error

    def write(self, chunk: bytes) -> None:
        with self._whole_or_nothing():
            rest = memoryview(chunk)
            while rest:
                if self._part_bytes == PART_BYTES:
                    self._send()
                    self._part, self._part_bytes = _part(), 0
                now = rest[: PART_BYTES - self._part_bytes]
                self._part.write(now)
                self._part_bytes += len(now)
                rest = rest[len(now) :]

    def commit(self) -> None:
        if self._committed:
            return
        with self._whole_or_nothing():
            if self._upload_id is None:
                self._part.seek(0)
                self._client.put_object(Bucket=self._bucket, Key=self._key, Body=self._part, **self._headers)
                self._part.close()
            else:
                self._send()
                self._complete(self._upload_id)
        self._committed = True

    def abort(self) -> None:
        if self._committed or self._aborted:
            return
        self._aborted = True
        for future, _ in self._sent:
            future.cancel()
        # A part that arrives after the abort would stay, unseen and paid for.
        wait([future for future, _ in self._sent])
        for file in (self._part, *(file for _, file in self._sent)):
            with suppress(OSError):  # a full disk, again
                file.close()
        if self._upload_id is None:
            return
        try:
            with translated("removing an unfinished upload"):
                abort_multipart(self._client, self._bucket, self._key, self._upload_id)
        except StorageUnavailable:
            log.warning("abort_failed", key=self._key)

    def _send(self) -> None:
        """Hand the part to a sender, once fewer than _IN_FLIGHT are on their way."""
        if self._upload_id is None:
            created = self._client.create_multipart_upload(Bucket=self._bucket, Key=self._key, **self._headers)
            self._upload_id = created["UploadId"]
        under_way = {future for future, _ in self._sent if not future.done()}
        while len(under_way) >= _IN_FLIGHT:
            under_way = wait(under_way, return_when=FIRST_COMPLETED).not_done
        for future, _ in self._sent:
            if future.done():
                future.result()  # a lost part ends the upload now, not after the last byte
        number = len(self._sent) + 1
        future = self._senders.submit(self._upload_part, self._upload_id, number, self._part)
        self._sent.append((future, self._part))

    def _upload_part(self, upload_id: str, number: int, part: IO[bytes]) -> str:
        with part:
            part.seek(0)
            answer = self._client.upload_part(
                Bucket=self._bucket, Key=self._key, UploadId=upload_id, PartNumber=number, Body=part
            )
        return answer["ETag"]

    def _complete(self, upload_id: str) -> None:
        etags = [future.result() for future, _ in self._sent]
        self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=upload_id,
            MultipartUpload={"Parts": [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]},
        )

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        """Whatever goes wrong in here ends the write, so that a part of the bytes can never be committed."""
        if self._committed or self._aborted:
            raise ValueError("this write has ended")
        try:
            with translated(_DOING):
                yield
        except OSError as error:
            self.abort()
            raise _failed(error) from error
        except BaseException:
            self.abort()
            raise


def _part() -> IO[bytes]:
    return tempfile.TemporaryFile()  # buffered: an unbuffered write may take less than it was given


def _failed(error: OSError) -> StorageUnavailable:
    """What to raise when the disk of the temporary files failed."""
    log.error("storage_failed", doing=_DOING, error=error.strerror)
    return StorageFull() if is_disk_full(error) else StorageUnavailable(_DOING)
