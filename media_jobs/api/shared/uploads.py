"""One file per request, streamed into the storage while it arrives; never whole in memory or in a temporary file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from rest_framework.request import Request

from media_jobs.callers import Caller
from media_jobs.errors import BadRequest, EmptyFile, FileTooLarge, MissingFile, TooManyFiles
from media_jobs.pipeline.formats.sniff import sniff
from media_jobs.services.intake import Upload

#: What the first look at a file gets; enough for every signature and for the directory of a RAW file.
_HEAD_BYTES = 4096
#: Boundaries, part headers and text fields that come on top of the file.
_FORM_BYTES = 131_072


@dataclass(frozen=True, slots=True)
class Received:
    """A form that has arrived whole. The object is not committed yet."""

    upload: Upload
    fields: QueryDict


@contextmanager
def receiving(request: Request, *, field: str, limit_bytes: int, caller: Caller) -> Iterator[Received]:
    """Read the request's form, streaming the file in `field` to the storage.

    Whatever goes wrong, inside the block too, aborts an upload that was not accepted.
    Raises EmptyFile, FileTooLarge, MissingFile, TooManyFiles, UnsupportedFormat, StorageUnavailable.
    """
    _refuse_by_length(request, limit_bytes)
    handler = _StreamToStore(field=field, limit_bytes=limit_bytes, caller=caller)
    # After authentication, so that no stranger's bytes are stored.
    request._request.upload_handlers = [handler]
    try:
        fields = cast(QueryDict, request.data)  # what a multipart form is parsed to
        yield Received(handler.finished(), fields)
    except BaseException:
        handler.abort()
        raise


def _refuse_by_length(request: Request, limit_bytes: int) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    chunked = "HTTP_TRANSFER_ENCODING" in request.META
    if not chunked and length.isdigit() and int(length) > limit_bytes + _FORM_BYTES:
        raise FileTooLarge(limit_bytes=limit_bytes)


class _StreamToStore(FileUploadHandler):
    """Sniffs, then forwards each chunk. Raising in here ends the reading of the request."""

    def __init__(self, *, field: str, limit_bytes: int, caller: Caller) -> None:
        super().__init__()
        self._field, self._limit_bytes, self._caller = field, limit_bytes, caller
        self._filename = ""
        self._seen = self._complete = self._cut_off = False
        self._head = b""
        self._size_bytes = 0
        self._upload: Upload | None = None

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        if field_name != self._field:
            raise MissingFile(f"The file came in the field “{field_name[:64]}”; send it in “{self._field}”.")
        if self._seen:
            raise TooManyFiles("Send one file per request.")
        self._seen = True
        self._filename = file_name

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size_bytes += len(raw_data)
        if self._size_bytes > self._limit_bytes:
            raise FileTooLarge(limit_bytes=self._limit_bytes)
        if self._upload:
            self._upload.write(raw_data)
            return
        self._head += raw_data
        if len(self._head) >= _HEAD_BYTES:
            self._start()

    def file_complete(self, file_size: int) -> None:
        if not self._size_bytes:
            raise EmptyFile("The file is empty.")
        if not self._upload:
            self._start()
        self._complete = True

    def upload_interrupted(self) -> None:
        self._cut_off = True

    def finished(self) -> Upload:
        """The whole upload. Raises MissingFile when there was none, BadRequest when it breaks off."""
        if self._upload and self._complete and not self._cut_off:
            return self._upload
        if self._seen:
            raise BadRequest("The upload breaks off in the middle of the file.")
        raise MissingFile(f"Send the picture as multipart/form-data in the field “{self._field}”.")

    def abort(self) -> None:
        if self._upload:
            self._upload.abort()

    def _start(self) -> None:
        """Decide by the first bytes; only then is anything stored."""
        self._upload = Upload(sniff(self._head), filename=self._filename, caller=self._caller)
        self._upload.write(self._head)
        self._head = b""
