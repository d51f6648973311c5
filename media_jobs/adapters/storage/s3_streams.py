"""Reading an object from S3 into a file, and sending a file."""

import os
from contextlib import closing
from typing import IO, TYPE_CHECKING

import structlog
from botocore.exceptions import ClientError

from media_jobs.adapters.storage.s3_calls import translate_errors
from media_jobs.adapters.storage.threads import Cancellation
from media_jobs.adapters.storage.transfer import CHUNK_BYTES, copy
from media_jobs.errors import StorageUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

log = structlog.get_logger(__name__)

_DOING = "reading a file"
_READS = 3  # in a row that bring less than a chunk
_PAUSE_S = 0.2  # after the first of these; then twice as long each time
_PRECONDITION_FAILED, _RANGE_NOT_SATISFIABLE = 412, 416


class IncompleteReadError(StorageUnavailable):
    """The bytes of an object stopped coming; another read may get the rest."""


class ReplacedError(StorageUnavailable):
    """The object is not the one whose first bytes are here already."""


def download(client: "S3Client", bucket: str, key: str, into: IO[bytes], cancellation: Cancellation) -> None:
    """Write the object into the file `into`, which is empty.

    Where its bytes stop coming, the rest is requested: again and again while that brings something, else _READS times.
    Where the rest is another object's, the whole object is requested anew, once.

    Raises ObjectMissing, StorageUnavailable, WorkspaceUnavailable.
    """
    etag, useless_reads, replaced = "", 0, False
    while True:
        had_bytes = into.tell()
        try:
            with closing(ObjectReader(client, bucket, key, start=had_bytes, etag=etag)) as reader:
                etag = reader.etag
                copy(reader, into, cancellation.check)
            return
        except IncompleteReadError:
            useless_reads = 0 if into.tell() - had_bytes >= CHUNK_BYTES else useless_reads + 1
            log.warning("download_interrupted", key=key, at_bytes=into.tell(), useless_reads=useless_reads)
            if useless_reads == _READS:
                raise
        except ReplacedError:
            log.warning("download_restarted", key=key, at_bytes=had_bytes)
            if replaced:
                raise
            etag, replaced = "", True
        if not etag:  # nothing says that what comes next belongs to what is here
            into.seek(0)
            into.truncate()
        cancellation.sleep(_PAUSE_S * 2**useless_reads if useless_reads else 0)


class ObjectReader:
    """Reads an object from `start` on, to before `end` where that is given, as its bytes come. To be closed.

    etag: of the object that it must be, unless it is empty. Raises ObjectMissing, StorageUnavailable,
    IncompleteReadError, ReplacedError.
    """

    def __init__(
        self, client: "S3Client", bucket: str, key: str, *, start: int = 0, end: int | None = None, etag: str = ""
    ) -> None:
        wanted: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
        if etag:
            wanted |= {"IfMatch": etag}
        if start or end is not None:
            wanted |= {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
        with translate_errors(_DOING, key):
            try:
                answer = client.get_object(**wanted)
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status in (_PRECONDITION_FAILED, _RANGE_NOT_SATISFIABLE):
                    raise ReplacedError(_DOING) from error
                raise
        self.etag = answer.get("ETag", "")
        self._body = answer["Body"]
        # Not every server heeds a condition or a range.
        begins_there = not start or answer.get("ContentRange", "").startswith(f"bytes {start}-")
        if not begins_there or (etag and self.etag != etag):
            self.close()
            raise ReplacedError(_DOING)

    def read(self, amount: int, /) -> bytes:
        try:
            with translate_errors(_DOING):
                return self._body.read(amount)
        except StorageUnavailable as error:
            raise IncompleteReadError(_DOING) from error

    def close(self) -> None:
        """Close the response, and with it the connection where bytes are still to come."""
        self._body.close()


class CancellableBody:
    """A file to be sent. Once cancelled it leaves the request without its end, and that is not repeated."""

    def __init__(self, file: IO[bytes], cancellation: Cancellation) -> None:
        self._file, self._cancellation = file, cancellation

    def read(self, amount: int = -1, /) -> bytes:
        if piece := self._file.read(amount):  # behind the last one it would be too late: all has been sent
            self._cancellation.check()
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._cancellation.check()
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
