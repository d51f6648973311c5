"""Numbers that commands take."""

from argparse import ArgumentTypeError

#: More processes, or slots of one, than any host has use for; WORKERS takes no more either.
_MOST_WORKERS = 64


def workers(text: str) -> int:
    """Raises ArgumentTypeError."""
    return _number(text, most=_MOST_WORKERS)


def count(text: str) -> int:
    """Raises ArgumentTypeError."""
    return _number(text, most=2**31 - 1)


def _number(text: str, *, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ArgumentTypeError(f"{text!r}: takes a number from 1 to {most:,}")
    return int(text)
