"""Byte ranges of RFC 9110: one range is honoured; several, or what makes no sense, are ignored."""

import re

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class UnsatisfiableError(Exception):
    """The range begins after the end."""


def parse(header: str, size_bytes: int) -> tuple[int, int] | None:
    """First and last byte that `header` asks for, or None for all. Raises UnsatisfiableError."""
    match = _ONE_RANGE.fullmatch(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size_bytes - int(last), 0), size_bytes - 1
    else:
        start, end = int(first), min(int(last), size_bytes - 1) if last else size_bytes - 1
        if last and int(last) < start:
            return None
    if start > end:
        raise UnsatisfiableError
    return start, end
