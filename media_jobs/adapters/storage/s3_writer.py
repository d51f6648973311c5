"""Writes one object into the bucket while its bytes still arrive."""

import tempfile
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import closing, contextmanager, suppress
from typing import IO, TYPE_CHECKING, BinaryIO, TypedDict, cast

import structlog

from media_jobs.adapters.storage.s3_calls import abort_multipart, translate_errors
from media_jobs.adapters.storage.s3_checksums import PartChecksum, checksum, checksum_from_hex
from media_jobs.errors import StorageFull, StorageUnavailable, is_disk_full

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

log = structlog.get_logger(__name__)

PART_BYTES = 10 * 1_048_576  # a photograph is one request; all parts but the last are equal, as some servers want
_IN_FLIGHT = 3
_DOING = "storing a file"


class Headers(TypedDict):
    ContentType: str
    CacheControl: str
    ContentDisposition: str


class S3Writer:
    """Keeps the promises of `ports.ObjectWriter`. Used by one thread.

    Up to PART_BYTES become one PutObject, more a multipart upload that `senders` send part by part meanwhile.
    Each part waits in an unlinked temporary file.
    """

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        key: str,
        headers: Headers,
        *,
        senders: Executor,
        part_checksum: PartChecksum = PartChecksum.SHA256,
    ) -> None:
        self._client, self._bucket, self._key, self._headers = client, bucket, key, headers
        self._senders, self._part_checksum = senders, part_checksum
        self._upload_id: str | None = None
        self._parts: list[IO[bytes]] = []  # the last one is being written, the others are in `_sent`
        self._sent: list[Future[CompletedPartTypeDef]] = []
        self._committed = self._aborted = False

    def write(self, chunk: bytes) -> None:
        with self._whole_or_nothing():
            rest = memoryview(chunk)
            while rest:
                part = self._part_with_room()
                now = rest[: PART_BYTES - part.tell()]
                part.write(now)
                rest = rest[len(now) :]

    def commit(self, *, sha256: str = "") -> None:
        if self._committed:
            return
        with self._whole_or_nothing():
            if self._upload_id is None:
                self._put(sha256)
            else:
                self._send(self._parts[-1])
                self._complete(self._upload_id)
        self._committed = True

    def abort(self) -> None:
        if self._committed or self._aborted:
            return
        self._aborted = True
        # A part that arrives after the abort would stay, unseen and paid for; one that was not begun never is.
        wait([future for future in self._sent if not future.cancel()])
        for part in self._parts:
            with suppress(OSError):  # the disk is full
                part.close()
        if self._upload_id is None:
            return
        try:
            with translate_errors("removing an unfinished upload"):
                abort_multipart(self._client, self._bucket, self._key, self._upload_id)
        except StorageUnavailable:
            log.warning("abort_failed", key=self._key)

    def _part_with_room(self) -> IO[bytes]:
        if self._parts and self._parts[-1].tell() < PART_BYTES:
            return self._parts[-1]
        if self._parts:
            self._send(self._parts[-1])
        return self._begin_part()

    def _begin_part(self) -> IO[bytes]:
        part = tempfile.TemporaryFile()  # noqa: SIM115 - closed once it is sent, and by abort
        self._parts.append(part)
        return part

    def _put(self, sha256: str) -> None:
        with closing(self._parts[0] if self._parts else self._begin_part()) as part:
            part.seek(0)
            checked = checksum_from_hex(sha256) if sha256 else checksum(part)
            body = cast("BinaryIO", part)
            self._client.put_object(Bucket=self._bucket, Key=self._key, Body=body, **self._headers, **checked)

    def _send(self, part: IO[bytes]) -> None:
        """Hand the part to a sender, once fewer than _IN_FLIGHT are on their way."""
        if self._upload_id is None:
            created = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._key, **self._headers, **self._part_checksum.announced
            )
            self._upload_id = created["UploadId"]
        under_way = {future for future in self._sent if not future.done()}
        while len(under_way) >= _IN_FLIGHT:
            under_way = wait(under_way, return_when=FIRST_COMPLETED).not_done
        for future in self._sent:
            if future.done():
                future.result()  # a lost part ends the upload now, not after the last byte
        number = len(self._sent) + 1
        self._sent.append(self._senders.submit(self._upload_part, self._upload_id, number, part))

    def _upload_part(self, upload_id: str, number: int, part: IO[bytes]) -> "CompletedPartTypeDef":
        with closing(part):
            checked = self._part_checksum.of(part)
            answer = self._client.upload_part(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=upload_id,
                PartNumber=number,
                Body=cast("BinaryIO", part),
                **checked,
            )
        return self._part_checksum.completed(number, answer["ETag"], checked)

    def _complete(self, upload_id: str) -> None:
        parts = [future.result() for future in self._sent]
        self._client.complete_multipart_upload(
            Bucket=self._bucket, Key=self._key, UploadId=upload_id, MultipartUpload={"Parts": parts}
        )

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        """End the write whatever goes wrong within, so that a part of the bytes can never be committed."""
        if self._committed or self._aborted:
            raise ValueError("this write has ended")
        try:
            with translate_errors(_DOING):
                yield
        except OSError as error:
            self.abort()
            raise _failed(error) from error
        except BaseException:
            self.abort()
            raise


def _failed(error: OSError) -> StorageUnavailable:
    """Return what to raise when the disk of the temporary files failed."""
    log.error("storage_failed", doing=_DOING, error=error.strerror)
    return StorageFull() if is_disk_full(error) else StorageUnavailable(_DOING)
