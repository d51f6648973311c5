"""One file per request, streamed into the storage while it arrives; never whole in memory or in a temporary file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from rest_framework.parsers import BaseParser, DataAndFiles
from rest_framework.request import Request

from media_jobs.api.shared.bodies.multipart import UNNAMED, form_parser
from media_jobs.errors import (
    BadForm,
    BadRequest,
    EmptyFile,
    FileTooLarge,
    ImageRefused,
    MediaError,
    MissingFile,
    TooManyFiles,
)
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, Kind, sniff
from media_jobs.services.originals import SizeLimits


class FormParser(BaseParser):
    """Reads multipart forms, and says in our own words which ones cannot be read."""

    media_type = "multipart/form-data"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        request: HttpRequest = (parser_context or {})["request"]
        try:
            fields, files = parsed_form(request, stream, media_type or self.media_type)
        except MultiPartParserError as error:
            raise BadForm from error
        return DataAndFiles(fields, files)


def parsed_form(request: HttpRequest, stream: Any, media_type: str) -> tuple[QueryDict, MultiValueDict[str, Any]]:
    """Read a form, its files through the handlers that the request has. Raises MultiPartParserError."""
    kind, semicolon, rest = media_type.partition(";")
    meta = {**request.META, "CONTENT_TYPE": f"{kind.strip().lower()}{semicolon}{rest}"}
    handlers = request.upload_handlers
    files_in = [name for handler in handlers if isinstance(handler, FormHandler) for name in handler.fields]
    parser = form_parser(files_in)
    return parser(meta, stream, handlers, request.encoding).parse()


class FormHandler(FileUploadHandler):
    """Takes the files of some fields. fields: their names, the usual one first."""

    fields: tuple[str, ...]


class Sink(Protocol):
    """Takes the bytes of a file; see `services.uploads.intake`."""

    def write(self, chunk: bytes) -> None:
        """Append the next bytes."""

    def abort(self) -> None:
        """Discard all bytes, unless the file was accepted."""


S = TypeVar("S", bound=Sink)

#: Boundaries, part headers and text fields that come on top of the file.
FORM_BYTES = 131_072


class UploadTooLarge(FileTooLarge):
    """The file is over its limit; the sentence names both limits, that of photos and that of raw files."""

    sentence = "The file is too large; at most {picture_mb:g} MB are accepted, for camera raw files {raw_mb:g} MB."

    def __init__(self, limits: SizeLimits) -> None:
        picture_mb, raw_mb = (size / 1_048_576 for size in (limits.picture_bytes, limits.raw_bytes))
        ImageRefused.__init__(self, picture_mb=picture_mb, raw_mb=raw_mb)


@dataclass(frozen=True, slots=True)
class Received(Generic[S]):
    """A form that has arrived whole. The object is not committed yet."""

    upload: S
    filename: str
    fields: QueryDict


@dataclass(frozen=True, slots=True)
class Opening(Generic[S]):
    """What the first bytes of a file decide: how many it may have, and, if they are not more, where they go."""

    limit_bytes: int
    sink: Callable[[], S]


@contextmanager
def receiving(
    request: Request, *, field: str, limits: SizeLimits, begin: Callable[[Kind, str], S]
) -> Iterator[Received[S]]:
    """Read the request's form, streaming the file in `field` to what `begin` makes of its kind and name.

    An upload that was not accepted by the end of the block, or because something went wrong, is aborted.
    Raises EmptyFile, FileTooLarge, MissingFile, TooManyFiles, UnsupportedFormat, and what the sink raises.
    """

    def opened(head: bytes, filename: str) -> Opening[S]:
        kind = sniff(head)
        return Opening(limits.of(kind), lambda: begin(kind, filename))

    stream = FileStream(
        request._request,
        field=field,
        limit_bytes=limits.largest_bytes,
        head_bytes=HEAD_BYTES,
        open=opened,
        too_large=lambda: UploadTooLarge(limits),
    )
    try:
        fields = cast(QueryDict, request.data)  # what a multipart form is parsed to
        yield Received(stream.finished(), stream.filename, fields)
    finally:
        stream.abort()


class FileStream(FormHandler, Generic[S]):
    """Takes the one file of a request's form, holds back its first bytes until they decide, and forwards the rest.

    Make it after authentication, so that no stranger's bytes are stored, and before the form is read. An exception in
    here ends the reading of the request.

    head_bytes: how many first bytes `open` wants to see; fewer where the file has not so many.
    too_large: the error to raise when a file, or the declared length of the request, is over the limit.
    """

    def __init__(
        self,
        request: HttpRequest,
        *,
        field: str,
        limit_bytes: int,
        head_bytes: int,
        open: Callable[[bytes, str], Opening[S]],
        too_large: Callable[[], MediaError],
    ) -> None:
        super().__init__()
        self.fields, self._limit_bytes, self._head_bytes = (field,), limit_bytes, head_bytes
        self._open, self._too_large = open, too_large
        self._declared_bytes = declared_bytes(request)
        self.filename = ""
        self.size_bytes = 0
        self._seen = self._complete = self._cut_off = False
        self._head = b""
        self._sink: S | None = None
        self._check_size()
        request.upload_handlers = [self]

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        if field_name not in self.fields:
            raise MissingFile(f"The file came in the field “{field_name[:64]}”; send it in “{self.fields[0]}”.")
        if self._seen:
            raise TooManyFiles("Send one file per request.")
        self._seen = True
        self.filename = file_name

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size_bytes += len(raw_data)
        self._check_size()
        if self._sink:
            self._sink.write(raw_data)
            return
        self._head += raw_data
        if len(self._head) >= self._head_bytes:
            self._start()

    def file_complete(self, file_size: int) -> None:
        if not self.size_bytes and self.filename == UNNAMED:
            raise self._missing()  # so browsers send a field in which no file was chosen
        if not self.size_bytes:
            raise EmptyFile("The file is empty.")
        if not self._sink:
            self._start()
        self._complete = True

    def upload_interrupted(self) -> None:
        self._cut_off = True

    def finished(self) -> S:
        """Return the sink of the whole file. Raises MissingFile when there was none, BadRequest when it breaks off."""
        if self._sink and self._complete and not self._cut_off:
            return self._sink
        if self._seen:
            raise BadRequest("The upload breaks off in the middle of the file.")
        raise self._missing()

    def abort(self) -> None:
        if self._sink:
            self._sink.abort()

    def _missing(self) -> MissingFile:
        return MissingFile(f"Send the picture as multipart/form-data in the field “{self.fields[0]}”.")

    def _start(self) -> None:
        """Open the sink: nothing is stored before."""
        opening = self._open(self._head, self.filename)
        self._limit_bytes = opening.limit_bytes
        self._check_size()
        self._sink = opening.sink()
        self._sink.write(self._head)
        self._head = b""

    def _check_size(self) -> None:
        if self.size_bytes > self._limit_bytes or self._declared_bytes > self._limit_bytes + FORM_BYTES:
            raise self._too_large()


def declared_bytes(request: HttpRequest) -> int:
    """The length of the whole request as its head declares it; 0 where it does not."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    chunked = "HTTP_TRANSFER_ENCODING" in request.META
    return int(length) if length.isdigit() and not chunked else 0
