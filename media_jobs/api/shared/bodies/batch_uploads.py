"""Many files per request, each streamed into the storage as it arrives; a bad one does not keep out its neighbours."""

import hashlib
from collections.abc import Callable
from typing import Any, Generic

from django.http import HttpRequest

from media_jobs.api.shared.bodies.multipart import UNNAMED
from media_jobs.api.shared.bodies.uploads import FORM_BYTES, FormHandler, S, UploadTooLarge, declared_bytes
from media_jobs.errors import BadRequest, EmptyFile, MediaError, MissingFile, TooManyFiles
from media_jobs.pipeline.formats.sniff import HEAD_BYTES, Kind, sniff
from media_jobs.services.originals import SizeLimits

Begin = Callable[[Kind, str], S]


class ArrivingFile(Generic[S]):
    """One file of the form. Of one that was refused, what still comes is counted and hashed, and kept nowhere."""

    def __init__(self, filename: str, limits: SizeLimits, begin: Begin[S]) -> None:
        self.filename = filename
        self.problem: MediaError | None = None
        self.sink: S | None = None
        self._limits, self._begin = limits, begin
        self._limit_bytes = limits.largest_bytes
        self._hash, self._size_bytes, self._head = hashlib.sha256(), 0, b""

    @property
    def sha256(self) -> str:
        """The digest of what came so far, in hexadecimal."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self._size_bytes += len(chunk)
        if self.problem is None:
            self._or_refuse(self._forward, chunk)

    def finish(self) -> None:
        """Note that it is whole."""
        if self.problem is None:
            self._or_refuse(self._complete)

    def refuse(self, problem: MediaError) -> None:
        """Forget what came of it."""
        self.problem, self._head = problem, b""
        if self.sink:
            self.sink.abort()

    def _or_refuse(self, do: Callable[..., None], *given: bytes) -> None:
        try:
            do(*given)
        except MediaError as error:
            self.refuse(error)

    def _forward(self, chunk: bytes) -> None:
        if self._size_bytes > self._limit_bytes:
            raise UploadTooLarge(self._limits)
        if self.sink:
            self.sink.write(chunk)
            return
        self._head += chunk
        if len(self._head) >= HEAD_BYTES:
            self._open()

    def _complete(self) -> None:
        if not self._size_bytes:
            raise EmptyFile("The file is empty.")
        if not self.sink:
            self._open()

    def _open(self) -> None:
        """Open the sink: nothing is stored before."""
        kind = sniff(self._head)
        self._limits.check(kind, self._head)
        self._limit_bytes = self._limits.of(kind)
        if self._size_bytes > self._limit_bytes:
            raise UploadTooLarge(self._limits)
        self.sink = self._begin(kind, self.filename)
        self.sink.write(self._head)
        self._head = b""


class FilesStream(FormHandler, Generic[S]):
    """Takes the files of a request's form, one after the other. Make it as a `FileStream`.

    field: where the files are to be; also: another name for it. most: how many are taken; those after them are
    refused one by one.
    """

    def __init__(
        self, request: HttpRequest, *, field: str, most: int, limits: SizeLimits, begin: Begin[S], also: str = ""
    ) -> None:
        super().__init__()
        self.files: list[ArrivingFile[S]] = []
        self.fields = (field, also) if also else (field,)
        self._most, self._limits, self._begin = most, limits, begin
        self._left_bytes = most * limits.largest_bytes
        self._in_file = self._cut_off = False
        if declared_bytes(request) > self._left_bytes + FORM_BYTES:
            raise UploadTooLarge(limits)
        request.upload_handlers = [self]

    def new_file(self, field_name: str, file_name: str, *args: Any, **kwargs: Any) -> None:
        super().new_file(field_name, file_name, *args, **kwargs)
        if field_name not in self.fields:
            raise MissingFile(f"A file came in the field “{field_name[:64]}”; send all of them in “{self.fields[0]}”.")
        self._in_file = True
        self.files.append(ArrivingFile(file_name, self._limits, self._begin))
        if len(self.files) > self._most:
            self.files[-1].refuse(TooManyFiles(f"One request takes {self._most} files; send this one in another."))

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._left_bytes -= len(raw_data)
        if self._left_bytes < 0:  # refused ones are read to their ends, so that the next ones can be
            raise UploadTooLarge(self._limits)
        self.files[-1].write(raw_data)

    def file_complete(self, file_size: int) -> None:
        self._in_file = False
        if not file_size and self.files[-1].filename == UNNAMED:
            self.files.pop()  # so browsers send a field in which no file was chosen
        else:
            self.files[-1].finish()

    def upload_interrupted(self) -> None:
        self._cut_off = True

    def finished(self) -> list[ArrivingFile[S]]:
        """Return the files. Raises MissingFile when there was none, BadRequest when the form breaks off."""
        if self._in_file or self._cut_off:
            raise BadRequest("The upload breaks off in the middle of a file.")
        if not self.files:
            raise MissingFile(f"Send pictures as multipart/form-data in the field “{self.fields[0]}”.")
        return self.files
