"""The first look at a request's head: as much as decides who gets it. gunicorn's parser judges it later."""

import re
import urllib.parse
from dataclasses import dataclass, field

from media_jobs.runtime.http.chunks import ChunkedBody

#: The most that request line and header fields may take together.
MOST_BYTES = 65_536

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding:([^\r\n]*)", re.IGNORECASE)
#: All that gunicorn takes of a body that tells its end itself.
_CODINGS = re.compile(rb"(?:(?:identity|compress|deflate|gzip),)*chunked", re.IGNORECASE)
_EXPECTATION = re.compile(rb"\r\nexpect:", re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"(?:\r\n)?(GET|HEAD) ([^ ?\r\n]+)")
_TARGET = re.compile(rb"(?:\r\n)?[^ \r\n]+ (?:\w+://[^/?# \r\n]*)?(/[^?# \r\n]*)[?# ]")


@dataclass(frozen=True, slots=True)
class Head:
    """A head that has arrived.

    size_bytes: of the head. body_bytes: as declared. chunks: where only the body itself tells its length.
    expects_continue: whether the client waits for a word before it sends the body. path: of what is read (GET, HEAD);
    empty for all else.
    """

    size_bytes: int
    body_bytes: int
    expects_continue: bool
    path: bytes
    chunks: ChunkedBody | None = field(default=None, compare=False)

    def has_whole_body(self, arrived: bytes | bytearray) -> bool:
        """Whether nobody has to wait for any more of this request."""
        if self.chunks:
            return self.chunks.is_over(arrived)
        return len(arrived) - self.size_bytes >= self.body_bytes


def look(arrived: bytes | bytearray) -> Head | None:
    """Return the head that `arrived` begins with, or None while it is not whole.

    A line that ends in a bare line feed ends the head: gunicorn refuses it, and need not wait for more; nor for a body
    that is coded so that nothing tells its end.
    """
    end = arrived.find(_END)
    if end < 0:
        is_malformed = arrived.count(b"\n") != arrived.count(b"\r\n")
        return Head(len(arrived), 0, expects_continue=False, path=b"") if is_malformed else None
    head = bytes(arrived[: end + len(_END)])
    length = _LENGTH.search(head)
    # gunicorn takes eighteen digits and more; nobody sends as much.
    body_bytes = int(length[1][:18]) if length else 0
    chunks = None
    if codings := [coding.strip(b" \t") for field in _CODING.findall(head) for coding in field.split(b",")]:
        if _CODINGS.fullmatch(b",".join(codings)):
            chunks = ChunkedBody(len(head))
        else:
            body_bytes = 0
    line = _REQUEST_LINE.match(head)
    return Head(len(head), body_bytes, _EXPECTATION.search(head) is not None, line[2] if line else b"", chunks)


def path_of(arrived: bytes | bytearray) -> str:
    """Return the path of the request line, unquoted; empty while that has not arrived, or where it has none."""
    found = _TARGET.match(arrived)
    return urllib.parse.unquote_to_bytes(found[1]).decode(errors="replace") if found else ""


def is_other_protocol(arrived: bytes | bytearray) -> bool:
    """Whether this is no HTTP at all, such as the first bytes of TLS."""
    return not (arrived[:1].isalpha() or arrived[:1] in (b"\r", b""))
