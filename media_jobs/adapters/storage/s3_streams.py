"""Objects on their way to and from S3."""

import os
from contextlib import closing
from typing import IO, TYPE_CHECKING

import structlog
from botocore.exceptions import ClientError

from media_jobs.adapters.storage.s3_calls import translated
from media_jobs.adapters.storage.s3_transfers import Halt
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


class BrokenOffError(StorageUnavailable):
    """The bytes of an object stopped coming; another read may get the rest."""


class ReplacedError(StorageUnavailable):
    """The object is not the one whose first bytes are here already."""


def download(client: "S3Client", bucket: str, key: str, into: IO[bytes], halt: Halt) -> None:
    """Write the object into the file `into`, which is empty.

    Where its bytes stop coming, the rest is asked for: again and again while that brings something, else _READS times.
    Where that rest is another object's, all of it is, once. Raises ObjectMissing, StorageUnavailable, WorkspaceFull.
    """
    etag, in_vain, replaced = "", 0, False
    while True:
        had_bytes = into.tell()
        try:
            with closing(Source(client, bucket, key, start=had_bytes, etag=etag)) as source:
                etag = source.etag
                copy(source, into, halt.check)
            return
        except BrokenOffError:
            in_vain = 0 if into.tell() - had_bytes >= CHUNK_BYTES else in_vain + 1
            log.warning("download_broke_off", key=key, at_bytes=into.tell(), in_vain=in_vain)
            if in_vain == _READS:
                raise
        except ReplacedError:
            log.warning("download_began_anew", key=key, at_bytes=had_bytes)
            if replaced:
                raise
            etag, replaced = "", True
        if not etag:  # nothing says that what comes next belongs to what is here
            into.seek(0)
            into.truncate()
        halt.sleep(_PAUSE_S * 2**in_vain if in_vain else 0)


class Source:
    """The bytes of an object from `start` on, as they come. To be closed.

    etag: of the object whose bytes they must be, unless it is empty. Raises ObjectMissing, StorageUnavailable,
    BrokenOffError, ReplacedError.
    """

    def __init__(self, client: "S3Client", bucket: str, key: str, *, start: int = 0, etag: str = "") -> None:
        wanted: GetObjectRequestTypeDef = {"Bucket": bucket, "Key": key}
        if etag:
            wanted |= {"IfMatch": etag}
        if start:
            wanted |= {"Range": f"bytes={start}-"}
        with translated(_DOING, key):
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
            with translated(_DOING):
                return self._body.read(amount)
        except StorageUnavailable as error:
            raise BrokenOffError(_DOING) from error

    def close(self) -> None:
        """Also gives up the connection, where bytes are still to come."""
        self._body.close()


class Body:
    """A file to be sent, until it is halted: that leaves the request without its end, and it is not repeated."""

    def __init__(self, file: IO[bytes], halt: Halt) -> None:
        self._file, self._halt = file, halt

    def read(self, amount: int = -1, /) -> bytes:
        if piece := self._file.read(amount):  # behind the last one it would be too late: all has been sent
            self._halt.check()
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._halt.check()
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
