"""Objects on their way to and from S3 as one request, which a beat may interrupt."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from media_jobs.adapters.storage.s3_calls import translated
from media_jobs.errors import StorageUnavailable
from media_jobs.ports import Beat

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DOING = "reading a file"


class BrokenOffError(StorageUnavailable):
    """The bytes of an object stopped coming; another read may get them all."""


class Source:
    """The bytes of an object, as they come. To be closed. Raises ObjectMissing, StorageUnavailable, BrokenOffError."""

    def __init__(self, client: "S3Client", bucket: str, key: str) -> None:
        with translated(_DOING, key):
            self._body = client.get_object(Bucket=bucket, Key=key)["Body"]

    def read(self, amount: int, /) -> bytes:
        try:
            with translated(_DOING):
                return self._body.read(amount)
        except StorageUnavailable as error:
            raise BrokenOffError(_DOING) from error

    def close(self) -> None:
        """Also gives up the connection, where bytes are still to come."""
        self._body.close()


class _Interruption(BaseException):
    """Carries what a beat raised through botocore, which would take an Exception for the network's, and try again."""

    def __init__(self, cause: Exception) -> None:
        self.cause = cause


@contextmanager
def interruptible() -> Iterator[None]:
    """Around a request with a Body: raises what its beat raised, as it was."""
    try:
        yield
    except _Interruption as interruption:
        cause = interruption.cause
    else:
        return
    raise cause


class Body:
    """A file to be sent, with a beat before each piece. What the beat raises leaves the request without its end."""

    def __init__(self, file: IO[bytes], beat: Beat) -> None:
        self._file, self._beat = file, beat

    def read(self, amount: int = -1, /) -> bytes:
        if piece := self._file.read(amount):  # behind the last one it would be too late: all has been sent
            try:
                self._beat()
            except Exception as error:  # noqa: BLE001  (whatever the caller's beat raises is the caller's)
                raise _Interruption(error) from None
        return piece

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
