"""Multipart forms as they come from all kinds of programs: the name of a file is only a label."""

from collections.abc import Iterable, Iterator
from functools import cache
from types import FunctionType
from typing import Any

from django.http import multipartparser as django_parser
from django.http.multipartparser import FIELD, FILE, MultiPartParser, MultiPartParserError

_django: Any = django_parser  # of which we need what has no types

#: What a file is called that has no name, or none that may be kept.
UNNAMED = "unnamed"
_HEADER_END = b"\r\n\r\n"


def form_parser(fields: Iterable[str]) -> type[MultiPartParser]:
    """Return Django's parser, made to take parts in `fields` for files, and to read the heads that others write.

    A part with a `filename`, though it is empty or `..`, is a file, too. Names that are not in UTF-8 are taken for
    Latin-1, and heads may be folded over several lines (RFC 2045).
    """
    return _form_parser(frozenset(field.encode() for field in fields))


@cache
def _form_parser(fields: frozenset[bytes]) -> type[MultiPartParser]:
    class Parts(_django.Parser):  # type: ignore[misc]
        def __iter__(self) -> Iterator[tuple[str, dict[str, Any], Any]]:
            for stream in _django.InterBoundaryIter(self._stream, self._separator):
                _rewrite_head(stream)
                yield _with_name(_part(stream), fields)

    class FormParser(MultiPartParser):
        # Django's own, to the letter, but with our way of reading parts: it has no other place for that.
        _parse = FunctionType(_django.MultiPartParser._parse.__code__, {**vars(_django), "Parser": Parts})

        def sanitize_file_name(self, file_name: str) -> str:
            return super().sanitize_file_name(file_name) or UNNAMED

    return FormParser


def _rewrite_head(stream: Any) -> None:
    """Put the part's head back as Django reads it: in UTF-8, one line for each of its fields."""
    start = stream.read(_django.MAX_TOTAL_HEADER_SIZE)
    head, end, rest = start.partition(_HEADER_END)
    if end:
        for fold in (b"\r\n ", b"\r\n\t"):
            head = head.replace(fold, b" ")
        lines = [_in_utf8(line) for line in head.split(b"\r\n")]
        start = b"\r\n".join(lines) + end + rest
    stream.unget(start)


def _in_utf8(line: bytes) -> bytes:
    try:
        line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1").encode()
    return line


def _part(stream: Any) -> tuple[str, dict[str, Any], Any]:
    try:
        kind, head, content = _django.parse_boundary_stream(stream, _django.MAX_TOTAL_HEADER_SIZE)
    except LookupError as error:  # an unknown character set of a name
        raise MultiPartParserError("The head of a part cannot be read.") from error
    return kind, head, content


def _with_name(part: tuple[str, dict[str, Any], Any], fields: frozenset[bytes]) -> tuple[str, dict[str, Any], Any]:
    kind, head, content = part
    if kind != FIELD:
        return part
    given = head["content-disposition"][1]
    if "filename" not in given and given.get("name", b"").strip() not in fields:
        return part
    given["filename"] = UNNAMED.encode()
    return FILE, head, content
