"""HTTP/1.1 messages as they are on the wire, read whole and kept byte for byte."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Self
from urllib.parse import parse_qs, unquote, urlsplit

_BODILESS = (204, 304)


class Operation(StrEnum):
    """What a request asks of S3, by the names that S3 has for it."""

    PUT_OBJECT = "PutObject"
    COPY_OBJECT = "CopyObject"
    POST_OBJECT = "PostObject"
    GET_OBJECT = "GetObject"
    HEAD_OBJECT = "HeadObject"
    DELETE_OBJECT = "DeleteObject"
    DELETE_OBJECTS = "DeleteObjects"
    LIST_OBJECTS = "ListObjectsV2"
    LIST_UPLOADS = "ListMultipartUploads"
    CREATE_UPLOAD = "CreateMultipartUpload"
    UPLOAD_PART = "UploadPart"
    COMPLETE_UPLOAD = "CompleteMultipartUpload"
    ABORT_UPLOAD = "AbortMultipartUpload"
    OTHER = "other"


#: Method, whether a key is named, and the parameter that tells it from others.
_OPERATIONS = (
    ("PUT", True, "uploadId", Operation.UPLOAD_PART),
    ("PUT", True, "", Operation.PUT_OBJECT),
    ("POST", True, "uploads", Operation.CREATE_UPLOAD),
    ("POST", True, "uploadId", Operation.COMPLETE_UPLOAD),
    ("POST", False, "delete", Operation.DELETE_OBJECTS),
    ("POST", False, "", Operation.POST_OBJECT),
    ("GET", True, "", Operation.GET_OBJECT),
    ("GET", False, "list-type", Operation.LIST_OBJECTS),
    ("GET", False, "uploads", Operation.LIST_UPLOADS),
    ("HEAD", True, "", Operation.HEAD_OBJECT),
    ("DELETE", True, "uploadId", Operation.ABORT_UPLOAD),
    ("DELETE", True, "", Operation.DELETE_OBJECT),
)


@dataclass(slots=True)
class Message:
    """A head with its empty line, and a body as it was framed."""

    head: bytes
    body: bytes = b""

    @classmethod
    def head_from(cls, stream: BinaryIO) -> Self | None:
        """None where the other side has closed. Raises ConnectionError in the middle of a head."""
        lines = []
        while line := stream.readline():
            lines.append(line)
            if line == b"\r\n":
                return cls(b"".join(lines))
        if lines:
            raise ConnectionResetError
        return None

    @property
    def first_line(self) -> str:
        return self.head.partition(b"\r\n")[0].decode("latin-1")

    def header(self, name: str) -> str:
        """Empty where it is not there."""
        found = re.search(rb"\r\n%s:[ \t]*([^\r]*)" % re.escape(name.encode()), self.head, re.IGNORECASE)
        return found[1].decode("latin-1").strip() if found else ""

    def read_body(self, stream: BinaryIO, *, until_closed: bool = False) -> None:
        """Raises ConnectionError where it breaks off."""
        if "chunked" in self.header("Transfer-Encoding").lower():
            self.body = b"".join(_chunks(stream))
        elif length := self.header("Content-Length"):
            self.body = _exactly(stream, int(length))
        elif until_closed:
            self.body = stream.read()


class Request(Message):
    @property
    def method(self) -> str:
        return self.first_line.split()[0]

    @property
    def key(self) -> str:
        """The key of the object; for lists, the prefix."""
        target = urlsplit(self.first_line.split()[1])
        key = unquote(target.path).lstrip("/").partition("/")[2]
        if key:
            return key
        if self.operation is Operation.POST_OBJECT:
            named = re.search(rb'name="key"\r\n(?:[^\r]+\r\n)*\r\n([^\r]*)', self.body)
            return named[1].decode() if named else ""
        return parse_qs(target.query).get("prefix", [""])[0]

    @property
    def operation(self) -> Operation:
        target = urlsplit(self.first_line.split()[1])
        named = bool(unquote(target.path).lstrip("/").partition("/")[2])
        parameters = parse_qs(target.query, keep_blank_values=True)
        if self.header("x-amz-copy-source"):
            return Operation.COPY_OBJECT
        for method, of_object, parameter, operation in _OPERATIONS:
            fits = (self.method, named) == (method, of_object) and (not parameter or parameter in parameters)
            if fits and (parameter or of_object or method == "POST"):
                return operation
        return Operation.OTHER

    @property
    def waits_for_permission(self) -> bool:
        return self.header("Expect").lower() == "100-continue"


class Answer(Message):
    @property
    def status(self) -> int:
        return int(self.first_line.split()[1])

    @property
    def is_interim(self) -> bool:
        return self.status < 200

    def read_body_for(self, request: Request, stream: BinaryIO) -> None:
        if request.method != "HEAD" and self.status not in _BODILESS:
            self.read_body(stream, until_closed=True)


def _exactly(stream: BinaryIO, size_bytes: int) -> bytes:
    content = stream.read(size_bytes)
    if len(content) < size_bytes:
        raise ConnectionResetError
    return content


def _chunks(stream: BinaryIO) -> list[bytes]:
    """Read the chunks with their framing, and the trailer."""
    pieces = []
    while True:
        line = stream.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError
        pieces.append(line)
        size = int(line.partition(b";")[0], 16)
        if not size:
            break
        pieces.append(_exactly(stream, size + 2))
    while (line := stream.readline()) != b"\r\n":
        if not line:
            raise ConnectionResetError
        pieces.append(line)
    return [*pieces, line]
