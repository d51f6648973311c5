"""Server-Sent Events, as the HTML standard says how to read them."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: Nothing else ends a line; `str.splitlines`, and with it `httpx.Response.iter_lines`, break it at U+2028, too.
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Message:
    """One message. id: of the latest message that had one, this one perhaps. retry_s: before connecting again."""

    id: str
    name: str
    data: str
    retry_s: float | None


def messages(chunks: Iterable[bytes]) -> Iterator[Message]:
    """Yield each message once its empty line has come; one that breaks off is none."""
    id_, retry_s = "", None
    name, data = "", list[str]()
    for line in _lines(chunks):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Message(id_, name or "message", "\n".join(data), retry_s)
            name, data = "", []
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            id_ = value
        elif field == "retry" and value.isascii() and value.isdecimal():
            retry_s = int(value) / 1000


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    left, is_first = b"", True
    for chunk in chunks:
        left += chunk
        is_half = left.endswith(b"\r")  # perhaps a line feed follows
        *whole, left = _LINE_END.split(left[:-1] if is_half else left)
        left += b"\r" if is_half else b""
        for line in whole:
            yield (line.removeprefix(codecs.BOM_UTF8) if is_first else line).decode(errors="replace")
            is_first = False
